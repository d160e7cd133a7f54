"""Whatever Freesound answers is a page of sounds that can be kept, or one error."""

import contextlib
import copy
import json

import numpy as np
import orjson
from hypothesis import example, given, settings
from hypothesis import strategies as st

from corpus.errors import FreesoundError
from corpus.freesound import wire
from corpus.model import FIRST_LOCAL_ID
from tests.fuzzing import examples

SOUND = {
    **dict.fromkeys(wire.FIELDS.split(","), None),
    "id": 4832,
    "name": "Wasser",
    "tags": ["rain"],
    "license": "http://creativecommons.org/licenses/by/4.0/",
    "username": "dio",
    "duration": 2.5,
    "created": "2005-03-04T05:06:07",
    "avg_rating": 4.5,
    "num_ratings": 4,
    "previews": {"preview-lq-ogg": "https://cdn.freesound.org/x.ogg"},
    "pitch": 440.0,
    "loopable": True,
    "mfcc": [0.5] * 13,
    "mfcc_var": [0.5] * 13,
    "sim_laion_clap": [0.1] * 512,
    "geotag": "1 2",
}
WILD = [10**400, -1, 2**63, 1e308, "\ud800", "\x1b[2J", "0000-00-00T00:00:00", "9999-12-31T23:59:59-23:59"]
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(WILD),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
CHANGES = st.dictionaries(st.sampled_from(sorted(SOUND)) | st.text(max_size=5), ODD, max_size=5)


@settings(max_examples=examples(150))
@given(CHANGES, st.sampled_from([None, 13, 25]))
@example({"avg_rating": 10**400}, None)
@example({"created": "9999-12-31T23:59:59-23:59"}, None)
@example({"tags": {"a": 1}}, None)
@example({"tags": 1}, None)
@example({"id": True}, None)
def test_any_record_is_kept_or_left_out(changes, length):
    row = copy.deepcopy(SOUND) | changes
    if length is not None:
        row["mfcc"] = [*row["mfcc"], None][:length] if isinstance(row.get("mfcc"), list) else None
    row = wire.parse(json.dumps(row).encode())
    found = wire.record(row)
    if found is None:
        assert not isinstance(row.get("id"), int) or not 0 < row["id"] < FIRST_LOCAL_ID
        return
    orjson.dumps(found.record)
    orjson.dumps(wire.traits(found.record))
    orjson.dumps(wire.facts(found.record))
    for name, vector in found.vectors.items():
        assert vector.shape == (wire.SPACES[name].dim,)
        assert np.isfinite(vector).all()
    sound = found.sound
    for text in (sound.name, sound.username, sound.description, sound.pack, sound.url, *sound.tags):
        (text or "").encode()  # no lone surrogates
    assert sound.credit


@settings(max_examples=examples(200))
@given(ODD | st.fixed_dictionaries({"count": ODD, "next": ODD, "results": st.lists(ODD, max_size=4) | ODD}))
def test_any_answer_is_a_page_or_one_error(answer):
    try:
        page = wire.page(answer)
    except FreesoundError as error:
        assert len(str(error)) < 300
    else:
        assert page.count >= 0
    with contextlib.suppress(FreesoundError):
        wire.one(answer, 4832)


WHOLE = json.dumps({"count": 1, "next": None, "results": [SOUND]}).encode()


@settings(max_examples=examples(200))
@given(st.binary(max_size=40), st.floats(0, 1), st.integers(0, 40))
@example(b"[" * 3000, 0.0, 0)
@example(b"\xff", 0.5, 1)
@example(b'"\\ud800"', 0.0, 0)
def test_any_bytes_are_json_or_broken(data, place, cut):
    at = int(place * len(WHOLE))
    try:
        answer = wire.parse(WHOLE[:at] + data + WHOLE[at + cut :])
    except ValueError:
        return
    try:
        wire.page(answer)
    except FreesoundError:
        return
