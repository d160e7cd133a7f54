"""Similarity where there is little to compare: each command says in one line what is lacking, and how to get it."""

import json

import numpy as np
import pytest

from corpus import Corpus
from corpus.errors import AnalysisError
from corpus.freesound import wire
from corpus.model import Sound, Space
from corpus.store.vectors import Vector
from tests.audio_files import write_tone
from tests.bad_input import one_line

SPACES = ["mfcc", "mfcc_frames", "traits9"]
COMPUTED = ["mfcc", "mfcc_raw", "mfcc_means", "mfcc_cosine", "mfcc_pca", "mfcc_gauss", "traits", "0.7*mfcc+0.3*traits"]
SERVED = ["api_mfcc", "freesound_classic", "laion_clap"]


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """A home with one analysed sound, and its id."""
    folder = tmp_path_factory.mktemp("one")
    write_tone(folder / "tone.wav", 440, seconds=0.2)
    with Corpus(folder / "home") as corpus:
        (sound_id,) = corpus.adopt([folder / "tone.wav"]).ids
        assert not corpus.analyse(SPACES, jobs=1).failed
    return folder / "home", sound_id


@pytest.fixture
def some(home):
    """A home with vectors for only some sounds: 1 and 2 have one in mfcc, 2 and 3 in traits9, 4 in none."""
    generator = np.random.default_rng(1)
    having = {Space("mfcc", 26, "made up"): (1, 2), Space("traits9", 18, "made up"): (2, 3)}
    with Corpus(home) as corpus:
        with corpus.database.write() as connection:
            corpus.sounds.insert(connection, [Sound(number, str(number)) for number in (1, 2, 3, 4)])
        for space, ids in having.items():
            corpus.vectors.register(space)
            put(corpus, space, {number: generator.normal(size=space.dim) for number in ids})


def put(corpus, space, vectors):
    with corpus.database.write() as connection:
        made = [Vector(space.name, space.fingerprint, i, None, np.float32(x), {}) for i, x in vectors.items()]
        corpus.vectors.put(connection, made)


def nothing(ran, *words):
    """An empty answer with one line that says why."""
    assert ran.out == ""
    return one_line(ran, "no sound", *words)


@pytest.mark.parametrize("measure", [*COMPUTED, *SERVED, "freesound_list"])
def test_an_empty_corpus(home, mirla, measure):
    for command in (["similar", 1], ["similar", 1, 2], ["path", 1, 2], ["random", "--far-from", 1]):
        one_line(mirla(*command, "--measure", measure, check=8), "no sound 1 in", "`mirla search` lists what is there")
    one_line(mirla("compare", measure, check=22), "the corpus is empty; `mirla adopt DIR` or `mirla harvest TEXT`")
    nothing(mirla("search", "--near", "pitch=440"), "the corpus is empty; `mirla adopt DIR` or `mirla harvest TEXT`")
    nothing(mirla("random"), "the corpus is empty; `mirla adopt DIR`")
    assert {row["sounds"] for row in mirla("--json", "measures").json["measures"]} == {0}


@pytest.mark.parametrize("measure", COMPUTED)
def test_one_sound(one, mirla, measure):
    home, sound_id = one
    for command in (["similar"], ["similar", "-k", 100], ["similar", "--spread", 0.5], ["random", "--far-from"]):
        ran = mirla(*command, sound_id, "--measure", measure, home=home)
        nothing(ran, f"measure '{measure}' knows no other; `mirla measures`")
    answer = mirla("--json", "similar", sound_id, "--measure", measure, home=home).json
    assert answer == {"measure": measure, "allowed": 0, "results": []}
    one_line(mirla("path", sound_id, sound_id, "--measure", measure, home=home, check=26), "a path needs two sounds")
    assert mirla("--json", "compare", measure, home=home).json["sounds"] == 1


def test_wanted_traits_that_no_sound_has(one, mirla):
    home, sound_id = one
    near = ("--near", "pitch=440", "--near", "bpm=120")
    for command in (["search"], ["random"], ["similar", sound_id]):
        if command == ["similar", sound_id]:
            nothing(mirla(*command, *near, home=home), "measure 'mfcc' knows no other")
        else:
            words = "of 1 that fit the rest, pitch is lacking in 1 and bpm is lacking in 1; `mirla analyse --traits`"
            nothing(mirla(*command, *near, home=home), words)
    assert mirla("--json", "search", *near, home=home).json == {"total": 0, "results": []}
    one_line(mirla("search", "--near", "pich=440", home=home, check=26), "no trait 'pich'; the closest known are pitch")


def test_a_measure_whose_space_is_missing_says_how_to_get_it(one, mirla):
    home, sound_id = one
    remedies = {
        "mfcc_librosa": "'mfcc_librosa' yet; `mirla analyse --space mfcc_librosa`",
        "mfcc+mfcc_librosa": "'mfcc_librosa' yet; `mirla analyse --space mfcc_librosa`",
        **{name: f"'{name}' yet; `mirla harvest TEXT` brings sounds with theirs" for name in SERVED},
    }
    for measure, remedy in remedies.items():
        for command in (["similar"], ["random", "--far-from"]):
            one_line(mirla(*command, sound_id, "--measure", measure, home=home, check=22), remedy)
        assert mirla("--json", "similar", sound_id, "--measure", measure, home=home, check=22).json["code"] == 22


def test_vectors_for_only_some(some, mirla):
    first, second, third = 1, 2, 3
    lacks = f"sound {third} has no vector in space 'mfcc'; `mirla analyse --space mfcc {third}` makes it"
    for command in (["similar", third], ["similar", first, third], ["similar", first, "--unlike", third]):
        one_line(mirla(*command, check=22), lacks)
    one_line(mirla("path", first, third, check=22), lacks)
    one_line(mirla("random", "--far-from", third, check=22), lacks)
    one_line(mirla("similar", first, "--measure", "mfcc+traits", check=22), f"sound {first} has no vector in space 'tr")
    nothing(mirla("similar", second, "--measure", "mfcc+traits"), "measure 'mfcc+traits' knows no other")
    answer = mirla("--json", "similar", first, "-k", 1000).json
    assert (answer["allowed"], [hit["id"] for hit in answer["results"]]) == (1, [second])
    assert [hit["id"] for hit in mirla("--json", "search", "--spread", 0.5).json["results"]] == [first, second]
    assert [hit["id"] for hit in mirla("--json", "path", first, second, "-n", 8).json["results"]] == [first, second]
    sounds = {row["name"]: row["sounds"] for row in mirla("--json", "measures").json["measures"]}
    assert (sounds["mfcc"], sounds["traits"], sounds["mfcc_gauss"]) == (2, 2, 0)
    assert mirla("--json", "compare", "mfcc", "traits").json["sounds"] == 1
    one_line(
        mirla("compare", "mfcc", "mfcc_gauss", check=22),
        "in space 'mfcc_frames' yet; ",
        "`mirla analyse --space mfcc_frames`",
    )


def test_vectors_of_another_version_are_not_mixed_in(some, home, mirla):
    first, second = 1, 2
    with Corpus(home) as corpus:
        old = corpus.vectors.space("mfcc")
        corpus.vectors.register(Space("mfcc", 26, "of another version"))
    remedy = "2 vectors are in space 'mfcc' by another version of its extractor, none by this one; `mirla analyse --sp"
    for command in (["similar", first], ["path", first, second], ["random", "--far-from", first]):
        one_line(mirla(*command, check=22), remedy)
    one_line(mirla("search", "--spread", 0.5, check=22), remedy)
    with Corpus(home) as corpus:
        put(corpus, corpus.vectors.space("mfcc"), {first: np.ones(26)})
    nothing(mirla("similar", first), "measure 'mfcc' knows no other")
    one_line(mirla("similar", second, check=22), f"`mirla analyse --space mfcc {second}` makes it")
    with Corpus(home) as corpus:
        corpus.vectors.register(old)
    assert mirla("--json", "similar", second).json["allowed"] == 0  # the first one's old vector is gone for good


def test_a_list_that_was_never_fetched_is_empty_or_of_strangers(home, mirla):
    with Corpus(home) as corpus, corpus.database.write() as connection:
        corpus.sounds.insert(connection, [Sound(number, str(number)) for number in range(1, 6)])
        corpus.similar_lists.put(connection, 2, [], 150)
        corpus.similar_lists.put(connection, 3, [77, 78, 3], 150)
        corpus.similar_lists.put(connection, 4, [77, 5, 1], 150)
    ask = ("--measure", "freesound_list")
    one_line(
        mirla("similar", 1, *ask, check=22), "sound 1 has no similar list; `mirla harvest --ids FILE --similar 150`"
    )
    nothing(mirla("similar", 2, *ask), "Freesound's list is empty for this one; try another --measure")
    nothing(mirla("similar", 3, *ask), "none of the 2 on Freesound's list is held; `mirla harvest` brings more")
    nothing(mirla("similar", 4, *ask, "--filter", "duration:[1 TO *]"), "no sound fits")
    assert [hit["id"] for hit in mirla("--json", "similar", 4, *ask, "-k", 9).json["results"]] == [5, 1]


COMMANDS = {"similar": [], "search": [], "random": ["--far-from"], "path": []}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_filter_that_leaves_nothing_or_does_not_parse(finished_home, mirla, command):
    ids = [4832, 100055] if command == "path" else [] if command == "search" else [4832]
    asked = [command, *COMMANDS[command], *ids]
    ran = mirla(*asked, "--filter", "duration:[0 TO 1] pich:440", home=finished_home, check=31)
    one_line(ran, "the filter, at character 19: no field 'pich'; known are pitch, ", "duration", "spectral_centroid")
    ran = mirla(*asked, "--filter", "duration:[0 TO", home=finished_home, check=31)
    one_line(ran, "the filter, at character 13: a range is written [a TO b]")
    ran = mirla("--json", *asked, "--filter", "duration:[99 TO *]", home=finished_home).json
    assert [hit["id"] for hit in ran["results"]] == (ids if command == "path" else [])
    if command in ("similar", "random"):
        ran = mirla(*asked, "--filter", "duration:[99 TO *]", home=finished_home)
        nothing(ran, "no sound fits; `mirla status`")


@pytest.mark.parametrize("space", SERVED)
@pytest.mark.parametrize("bad", ["NaN", "Infinity", "-Infinity", "1e39"])
def test_a_served_vector_with_what_is_no_number_is_none(home, mirla, space, bad):
    """JSON as Python's own reader takes it, 1e39 being no float32."""
    generator = np.random.default_rng(0)

    def record(number):
        served = {name: generator.normal(size=wire.SPACES[name].dim).tolist() for name in SERVED}
        if number == 2:
            served[space][3] = float(bad)
        row = {
            "id": number, "mfcc": served["api_mfcc"][:13], "mfcc_var": served["api_mfcc"][13:],
            "sim_laion_clap": served["laion_clap"], "sim_freesound_classic": served["freesound_classic"],
        }  # fmt: skip
        return wire.record(json.loads(json.dumps(row)))

    with Corpus(home) as corpus:
        records = [record(number) for number in (1, 2, 3)]
        with corpus.database.write() as connection:
            corpus.sounds.insert(connection, [one.sound for one in records])
        for name in SERVED:
            corpus.vectors.register(wire.SPACES[name])
            put(corpus, wire.SPACES[name], {one.sound.id: one.vectors[name] for one in records if name in one.vectors})
    one_line(
        mirla("similar", 2, "--measure", space, check=22), f"sound 2 has no vector in space '{space}'; `mirla harvest"
    )
    for name in SERVED:
        hits = mirla("--json", "similar", 1, "--measure", name).json["results"]
        assert [hit["id"] for hit in hits] == ([3] if name == space else [2, 3])
        assert np.isfinite([hit["distance"] for hit in hits]).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_vector_with_what_is_no_number_is_not_stored(some, home, bad):
    space, vector = Space("traits9", 18, "made up"), np.zeros(18, np.float32)
    vector[4] = bad
    with Corpus(home) as corpus:
        before = corpus.vectors.matrix("traits9")
        with pytest.raises(AnalysisError, match=f"sound 2: {bad} in its vector in space 'traits9'"):
            put(corpus, space, {1: np.zeros(18), 2: vector})
        after = corpus.vectors.matrix("traits9")
        assert [one.tobytes() for one in after] == [one.tobytes() for one in before]

        def missing():
            made = Vector("traits9", "made up", 2, None, vector, {}, may_miss=(4,))
            with corpus.database.write() as connection:
                corpus.vectors.put(connection, [made])

        if np.isnan(bad):
            missing()
            assert np.isnan(corpus.vectors.of_sound(2)["traits9"][4])
        else:
            with pytest.raises(AnalysisError, match=f"sound 2: {bad}"):
                missing()
