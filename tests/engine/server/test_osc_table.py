"""One table of routes: what is documented, and what SuperCollider's class has, is what the server answers."""

import re

from engine.group import Group
from engine.performing.verbs import verbs_of
from engine.server.routes import CLASS, DOCUMENT, ROUTES, regenerated
from engine.session import Session
from tests.documents import ROOT


def test_the_document_and_the_class_are_those_of_the_verbs():
    texts = (ROOT / DOCUMENT).read_text(), (ROOT / CLASS).read_text()
    assert texts == regenerated(*texts), "run: python -m engine.server.routes"


def test_every_verb_has_an_address_in_the_document():
    documented = set(re.findall(r"^\| `(/mirla/\S+)` \|", (ROOT / DOCUMENT).read_text(), re.MULTILINE))
    wanted = {f"/mirla/<group>/{name}" for name in verbs_of(Group)} | {f"/mirla/{name}" for name in verbs_of(Session)}
    assert documented == wanted | {"/mirla/cancel", "/mirla/subscribe", "/mirla/unsubscribe"}
    assert len({route.address for route in ROUTES}) == len(ROUTES)
