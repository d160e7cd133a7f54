"""`--near` against its definition in plain NumPy, in every query."""

import numpy as np
import pytest

from corpus import Corpus
from corpus.model import Sound
from engine.errors import QueryError
from engine.query.run import Choice, random_sounds, search, similar
from tests.bad_input import one_line

PITCH, LOUDNESS = ("pitch", 440.0), ("loudness", -12.0)


@pytest.fixture(scope="module")
def described_home(finished_home, tmp_path_factory):
    """The finished home with made-up traits: every seventh lacks pitch or has 0, one in four has another computed."""
    import shutil

    home = tmp_path_factory.mktemp("near") / "home"
    shutil.copytree(finished_home, home)
    generator = np.random.default_rng(4)
    with Corpus(home) as corpus, corpus.database.write() as connection:
        for place, sound_id in enumerate(finished_ids(corpus)):
            pitch = [None, 0.0][place // 7 % 2] if place % 7 == 0 else float(2 ** generator.uniform(5, 12))
            served = {"pitch": pitch, "loudness": float(generator.normal(-20, 6)), "note_midi": place % 5}
            corpus.descriptors.put(connection, sound_id, "api", served)
            if place % 4 == 1:
                corpus.descriptors.put(connection, sound_id, "computed", {"pitch": 30.0 + place})
    return home


def finished_ids(corpus):
    return corpus.sounds.ids().tolist()


@pytest.fixture(scope="module")
def described(described_home):
    with Corpus(described_home) as corpus:
        yield corpus


def by_definition(corpus, wanted, among=None):
    """Ids and scores, the least first."""
    ids = finished_ids(corpus)
    own = corpus.descriptors.of(ids)
    columns = {
        name: np.array([own[i][name][0] if name in own[i] else np.nan for i in ids], float) for name, _ in wanted
    }
    total = np.zeros(len(ids))
    for name, value in wanted:
        column = columns[name]
        if name == "pitch":
            column, value = np.array([np.log2(one) if one > 0 else np.nan for one in column]), np.log2(value)
        total += (column - value) ** 2 / np.nanvar(column)
    pairs = sorted((round(score, 9), i) for score, i in zip(total, ids, strict=True) if not np.isnan(score))
    pairs = [pair for pair in pairs if among is None or pair[1] in among]
    return [i for _, i in pairs], [score for score, _ in pairs]


def ids_of(answer):
    return [hit.sound.id for hit in answer.hits]


@pytest.mark.parametrize("wanted", [(PITCH,), (LOUDNESS,), (PITCH, LOUDNESS), (("note_midi", 2.0),)])
def test_a_search_is_ordered_by_it(described, wanted):
    answer = search(described, Choice(k=500, near=wanted))
    expected, scores = by_definition(described, wanted)
    assert ids_of(answer) == expected
    assert answer.allowed == len(expected)
    np.testing.assert_allclose([hit.score for hit in answer.hits], scores, atol=1e-8)
    assert {hit.distance for hit in answer.hits} == {None}
    assert (len(expected) < 165) == (PITCH in wanted)


def test_what_fits_changes_neither_deviations_nor_scores(described):
    drums = set(ids_of(search(described, Choice(k=500, tags=("drum",)))))
    answer = search(described, Choice(k=4, text="drum", tags=("drum",), near=(PITCH, LOUDNESS)))
    expected, scores = by_definition(described, (PITCH, LOUDNESS), drums)
    assert ids_of(answer) == expected[:4]
    np.testing.assert_allclose([hit.score for hit in answer.hits], scores[:4], atol=1e-8)
    assert answer.allowed == len(expected)


@pytest.mark.parametrize("k", [3, 40])
def test_what_has_its_own_order_keeps_it_within_the_nearest_tenth(described, k):
    others = set(finished_ids(described)) - {4832}
    nearest = by_definition(described, (PITCH,), others)[0]
    nearest = nearest[: max(k, -(-len(nearest) // 10))]
    whole = [i for i in ids_of(similar(described, 4832, Choice(k=500))) if i in nearest]
    answer = similar(described, 4832, Choice(k=k, near=(PITCH,)))
    assert ids_of(answer) == whole[:k]
    assert answer.allowed == len(nearest)
    assert [hit.score for hit in answer.hits] == [None] * k
    nearest = by_definition(described, (PITCH,))[0]
    nearest = nearest[: max(k, -(-len(nearest) // 10))]
    drawn = {i for seed in range(30) for i in ids_of(random_sounds(described, Choice(k=k, near=(PITCH,), seed=seed)))}
    assert drawn == set(nearest)


def test_degenerate_corpora(home):
    with Corpus(home) as corpus:
        assert search(corpus, Choice(near=(PITCH,))).hits == []
        with corpus.database.write() as connection:
            corpus.sounds.insert(connection, [Sound(i, f"{i}.wav") for i in (5, 3, 9, 7)])
            for sound_id in (9, 3, 5):
                corpus.descriptors.put(connection, sound_id, "api", {"pitch": 220.0, "loudness": -9.1})
        answer = search(corpus, Choice(near=(PITCH, ("loudness", -9.1))))
        assert [(hit.sound.id, hit.score) for hit in answer.hits] == [(3, 1.0), (5, 1.0), (9, 1.0)]
        assert search(corpus, Choice(near=(("bpm", 120),))).hits == []
        assert random_sounds(corpus, Choice(near=(("bpm", 120),))).hits == []


def test_what_makes_no_sense_is_one_line(finished, finished_home, mirla):
    def ran(*wanted, check, command="search"):
        return mirla(command, "--near", *wanted, home=finished_home, check=check)

    one_line(ran("pich=440", check=26), "no trait 'pich'; the closest known are pitch, ")
    one_line(ran("tonality=3", check=26), "trait 'tonality' is no number")
    one_line(ran("pitch=0", check=26, command="random"), "pitch 0 is not above 0")
    one_line(ran("note_name=C", check=26), "trait 'note_name' is no number", "--filter note_name:VALUE")
    one_line(ran("dissonance=1e200", check=26), "dissonance 1e+200 is not from -1e12 to 1e12")
    for wanted in ("pitch", "=4"):
        assert "is not NAME=VALUE" in ran(wanted, check=2).err
    for wanted in ("pitch=high", "pitch=nan", "pitch=-inf"):
        assert f"the value in '{wanted}' must be a finite number, as in pitch=440" in ran(wanted, check=2).err
    with pytest.raises(QueryError, match=r"no trait '\?'"):
        search(finished, Choice(near=(("?", 1.0),)))
    for value in (np.nan, np.inf, -2e12):
        with pytest.raises(QueryError, match=r"^loudness .* is not from -1e12 to 1e12"):
            search(finished, Choice(near=(("loudness", value),)))


def test_what_all_that_fit_lack_is_counted(described, described_home, mirla):
    """Others in the corpus have it."""
    ids, values = described.descriptors.numbers(["pitch"])
    lacking = ids[~(values[:, 0] > 0)]
    longest = max(lacking, key=lambda i: described.sounds.get(int(i)).duration)
    only = f"id:{longest}"
    ran = mirla("search", "--near", "pitch=440", "--near", "loudness=-9", "--filter", only, home=described_home)
    one_line(
        ran, "no sound: of 1 that fit the rest, pitch is lacking in 1; `mirla analyse --traits` measures what it can"
    )
    ran = mirla("search", "--near", "pitch=440", "--filter", "duration:[99 TO *]", home=described_home)
    one_line(ran, "no sound fits; `mirla status`")


def test_words_that_are_no_licence_are_refused(finished, finished_home, mirla):
    words = "no sound has the licence 'nonsense'; Freesound's are Creative Commons 0, Attribution, "
    one_line(mirla("search", "--licence", "CC0", "--licence", "nonsense", home=finished_home, check=26), words)
    assert search(finished, Choice(licences=("sampling+",))).hits == []


def test_all_that_have_the_trait_count_whatever_its_size(home):
    values = {1: 1e308, 2: -1e308, 3: 5e-324, 4: 0.0, 5: None}
    with Corpus(home) as corpus:
        with corpus.database.write() as connection:
            corpus.sounds.insert(connection, [Sound(i, f"{i}.wav") for i in values])
            for sound_id, value in values.items():
                corpus.descriptors.put(connection, sound_id, "api", {"dissonance": value})
                corpus.descriptors.put(connection, sound_id, "computed", {"warmth": 5e-324 * (sound_id % 2)})
        assert ids_of(search(corpus, Choice(near=(("dissonance", 1e12),)))) == [1, 3, 4, 2]
        assert ids_of(search(corpus, Choice(near=(("warmth", -1e12),)))) == [1, 2, 3, 4, 5]


def test_the_command_line(described, described_home, mirla):
    def answer(*arguments):
        return mirla("--json", *arguments, "--near", "pitch=440", "--near", "loudness=-12", home=described_home).json

    found = answer("search", "-k", 3)
    expected = search(described, Choice(k=3, near=(PITCH, LOUDNESS)))
    assert found == {"total": expected.allowed, "results": [hit.as_json() for hit in expected.hits]}
    assert len(answer("random", "-k", 3)["results"]) == 3
    assert answer("similar", 4832)["allowed"] == similar(described, 4832, Choice(near=(PITCH, LOUDNESS))).allowed
