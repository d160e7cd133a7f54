"""`show`: what Freesound measured of a sound, beside what is known anyway."""

import pytest

from corpus import Corpus
from corpus.descriptors import SCALARS
from corpus.freesound import wire
from corpus.freesound.wire import traits


@pytest.fixture
def harvested(freesound, monkeypatch, mirla):
    monkeypatch.setenv("MIRLA_FREESOUND_URL", freesound.url)
    monkeypatch.setenv("FREESOUND_TOKEN", freesound.token)
    mirla("harvest", "--filter", "id:(100055 OR 4832)", "--audio", "none")
    return {record["id"]: record for record in freesound.catalogue.records}


def test_a_harvested_sound_has_the_traits_that_freesound_serves(harvested, mirla):
    for number in (100055, 4832):
        served = {name: harvested[number].get(name) for name in SCALARS}
        expected = {name: {"value": value, "from": "freesound"} for name, value in served.items() if value is not None}
        assert len(expected) > 40
        assert mirla("--json", "show", number).json["traits"] == expected


def test_they_are_a_paragraph_in_the_plain_output(harvested, mirla):
    lines = mirla("show", 4832).out.splitlines()
    start = lines.index("traits from freesound:")
    paragraph = [line for line in lines[start + 1 :] if line.startswith("  ")]
    assert 1 < len(paragraph) < 20
    assert max(map(len, paragraph)) <= 100
    for name in ("bpm", "spectral_centroid", "zero_crossing_rate"):
        assert f"{name}={harvested[4832][name]:.6g}" in " ".join(paragraph).replace(",", "").split()


def test_null_traits_are_left_out(harvested, mirla, home):
    with Corpus(home) as corpus, corpus.database.write() as connection:
        record = {"bpm": None, "pitch": 440, "loopable": False, "note_name": "A4", "mood": "sad"}
        corpus.descriptors.serve(connection, {4832: traits(record), 100055: {}}, {}, [4832, 100055])
    values = {name: trait["value"] for name, trait in mirla("--json", "show", 4832).json["traits"].items()}
    assert values == {"pitch": 440, "loopable": False, "note_name": "A4"}
    assert mirla("--json", "show", 100055).json["traits"] == {}
    assert "traits" not in mirla("show", 100055).out


def test_a_sound_of_ones_own_has_none(mirla, samples):
    (number,) = mirla("--json", "adopt", samples[50]).json["ids"]
    assert mirla("--json", "show", number).json["traits"] == {}


def test_traits_are_scalars_that_json_can_hold():
    served = {
        "bpm": float("inf"),
        "pitch": [1.0],
        "loudness": -7.5,
        "note_midi": 10**400,
        "depth": True,
        "tonality": {"x": 1},
    }
    assert traits(served) == {"loudness": -7.5}
    assert wire.record({"id": 1, "duration": 10**400}).sound.duration is None
