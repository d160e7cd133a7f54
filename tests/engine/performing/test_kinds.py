"""Whatever a verb is given: it does something, or says in a line what it cannot take, and nothing is unexpected."""

import shutil

import pytest

from engine.group import Group
from engine.performing.verbs import verbs_of
from engine.performing.wishes import Wish
from engine.playback.offline import OfflinePlayer
from engine.session import Session

ODD = [1.5, True, "x", "", [1.5], ["x"], [[1]], {}, -1, 0, None, float("inf"), [], [None], [1, "x"], 10**30]
APART = ("record", "similarauto", "sameidauto")
"""Verbs that write a file, or go on by themselves."""
VERBS = [(kind, verb) for kind in (Group, Session) for name, verb in verbs_of(kind).items() if name not in APART]


def ways(verb):
    """Odd arguments for a verb, by place and by name, and odd options where it takes any."""
    names = [each.name for each in verb.parameters if each.kind is each.POSITIONAL_OR_KEYWORD]
    wishful = any(each.kind is each.VAR_KEYWORD for each in verb.parameters)
    first = ["drum"] if names[:1] in (["tag"], ["text"]) else []
    for odd in ODD:
        yield [odd], {}
        yield ["drum", odd], {}
        for name in names:
            yield [], {name: odd}
        for name in Wish.__annotations__ if wishful else ():
            yield first, {name: odd}


@pytest.fixture(scope="module")
def speakers(finished_home, tmp_path_factory):
    home = tmp_path_factory.mktemp("odd") / "home"  # one that is open must not be copied meanwhile
    shutil.copytree(finished_home, home)
    with Session(home, rendering=OfflinePlayer(), seed=1, say=lambda line: None) as session:
        group = session.group("a")
        group.id(100055)
        yield {Group: group, Session: session}


@pytest.mark.parametrize(("kind", "verb"), VERBS, ids=lambda one: getattr(one, "name", ""))
def test_odd_arguments_are_one_line_at_most(speakers, kind, verb):
    for given, named in ways(verb):
        error = speakers[kind].perform(verb, given, named).result().error
        assert "unexpected" not in str(error), (given, named)
        assert "\n" not in str(error)


def test_the_line_names_the_argument_and_how_the_verb_is_said(stage):
    with pytest.raises(Exception, match=r"find: like cannot be 1\.5; it is find\(text='', like=\(\), .*\)$"):
        stage.session.find(like=1.5)
    with pytest.raises(Exception, match=r"search: near cannot be 'x'; it is search\(text, size=1, \*\*wish\)"):
        stage.session.group("a").search("drum", near="x")
