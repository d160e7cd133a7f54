"""Whatever an old client asks: an object, or no body at all, and never a failure of the server."""

from urllib.parse import quote, urlencode

import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from corpus.errors import FilterError
from engine.server.freesound.legacy import asks
from engine.server.freesound.legacy_filters import condition, targets
from engine.server.freesound.legacy_names import QUANTITIES, nested
from engine.server.freesound.options import Options
from tests.fuzzing import examples

PIECES = [
    *(
        ".lowlevel.pitch.mean:440",
        "lowlevel.mfcc.mean[0]",
        "[0 TO 1]",
        '"ASharp"',
        "tonal.key_key:",
        "-",
        ".",
        ":",
        "[",
    ),
    *(
        "]",
        '"',
        "(",
        ")",
        " AND ",
        " OR ",
        "*",
        "nan",
        "1e400",
        "-1e308",
        "rhythm.bpm:0",
        "tag:drum",
        "31362",
        "\x00",
        "😀",
    ),
    *("lowlevel", "mfcc", ",", "sfx.duration:0", "\\", "9" * 400),
]
TEXT = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=4)), max_size=6).map("".join)
NAMES = st.sampled_from(
    "query filter target descriptors descriptors_filter fields page page_size sort similarity_space".split()
)
PATHS = st.sampled_from(
    "search/ search/content/ search/combined/ sounds/{}/ sounds/{}/similar/ sounds/{}/analysis/".split()
)
IDS = st.one_of(
    st.sampled_from(["13146", "0", "-1", "1.0", "٣", "99999999999999999999999"]), st.text(min_size=1, max_size=5)
)


@given(TEXT)
def test_what_cannot_be_read_is_said_so(text):
    for read in (condition, targets):
        try:
            read(text)
        except FilterError:
            continue
    nested(text, dict.fromkeys(QUANTITIES.values(), 0.5) | {"tonality": "C minor"})


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=PATHS, sound_id=IDS, params=st.dictionaries(NAMES, TEXT, max_size=4))
@example(path="search/", sound_id="0", params={"similarity_space": ""})
@pytest.mark.parametrize("which", ["old", "mapped"])
def test_whatever_is_asked(request, which, path, sound_id, params):
    local = request.getfixturevalue(which)
    params = {name: value.encode("utf-8", "replace") for name, value in params.items()}
    answer = local.ask(path.format(quote(sound_id, safe="")), **params)
    assert answer.status_code < 500
    if answer.content:
        assert isinstance(orjson.loads(answer.content), dict)
        old = asks(f"/apiv2/{path}", urlencode(params), Options(legacy=True))  # not with what is today's alone
        assert not old or b":null" not in answer.content
    else:
        assert answer.status_code >= 400
