"""Ways of chance: even by user, pack or tag, and far from a sound; by counting many seeds."""

from collections import Counter
from itertools import permutations

import numpy as np
import pytest

from corpus import Corpus
from corpus.errors import UnknownSound
from corpus.model import Sound
from engine.errors import QueryError
from engine.query.chance import evenly
from engine.query.run import Choice, random_sounds
from tests.bad_input import one_line
from tests.engine.measured import apart, order

ANN, BOB = range(1, 21), range(21, 23)
"""Ids of a maker of many sounds and of one of few; 23 has no maker."""
DRAWS = 3000


@pytest.fixture
def uneven(home):
    """Twenty sounds by Ann, two by Bob in the packs x, two in Ann's x, one by nobody; tags overlap."""
    with Corpus(home) as corpus:
        made = [Sound(i, f"{i}", "Ann", pack="x" if i < 3 else None, tags=("a", "b") if i < 3 else ("a",)) for i in ANN]
        made += [Sound(i, f"{i}", "Bob", pack="x", tags=("b",)) for i in BOB]
        with corpus.database.write() as connection:
            corpus.sounds.insert(connection, [*made, Sound(23, "23")])
        yield corpus


def ids_of(answer):
    return [hit.sound.id for hit in answer.hits]


def far_off(counts, expected, draws):
    """The largest deviation of counts from their expected shares, in standard deviations."""
    assert set(counts) <= set(expected)
    return max(
        abs(counts[one] - share * draws) / np.sqrt(draws * share * (1 - share)) for one, share in expected.items()
    )


def test_groups_are_by_name_and_those_without_come_first(uneven):
    assert [group.tolist() for group in uneven.sounds.groups("user")] == [[23], list(ANN), list(BOB)]
    assert [group.tolist() for group in uneven.sounds.groups("pack")] == [[*range(3, 21), 23], [1, 2], [21, 22]]
    assert [group.tolist() for group in uneven.sounds.groups("tag")] == [[23], list(ANN), [1, 2, 21, 22]]


@pytest.mark.parametrize("by", ["user", "pack", "tag"])
def test_the_group_is_even_and_so_is_the_sound_in_it(uneven, by):
    groups = uneven.sounds.groups(by)
    expected = Counter()
    for group in groups:
        for sound_id in group.tolist():
            expected[sound_id] += 1 / len(groups) / len(group)
    generator = np.random.default_rng(1)
    every = uneven.sounds.ids()
    counts = Counter(int(evenly(generator, groups, every, 1)[0]) for _ in range(DRAWS))
    assert far_off(counts, expected, DRAWS) < 4
    fair = Counter(int(generator.permutation(every)[0]) for _ in range(DRAWS))
    assert far_off(fair, expected, DRAWS) > 8, "it could not tell even from uneven"


def test_later_draws_are_even_among_what_is_left():
    """All orders of three sounds in two groups, one sound in both, each with its probability."""
    groups = [np.array([1, 2]), np.array([2, 3])]
    expected = {}
    for sequence in permutations([1, 2, 3]):
        chance, left = 1.0, [{1, 2}, {2, 3}]
        for sound_id in sequence:
            left = [group for group in left if group]
            chance *= sum(1 / len(left) / len(group) for group in left if sound_id in group)
            left = [group - {sound_id} for group in left]
        expected[sequence] = chance
    assert sum(expected.values()) == pytest.approx(1)
    generator = np.random.default_rng(2)
    counts = Counter(tuple(evenly(generator, groups, np.array([1, 2, 3]), 9).tolist()) for _ in range(DRAWS))
    assert far_off(counts, expected, DRAWS) < 4


def test_none_twice_all_in_the_end_and_only_what_fits(uneven):
    for by in ("user", "pack", "tag"):
        assert sorted(ids_of(random_sounds(uneven, Choice(k=99, seed=1), by))) == list(range(1, 24))
        answer = random_sounds(uneven, Choice(k=99, seed=1, tags=("b",)), by)
        assert sorted(ids_of(answer)) == [1, 2, 21, 22]
        assert answer.allowed == 4


def test_a_seed_repeats_it(uneven):
    for by in ("user", "pack", "tag", None):
        draws = [ids_of(random_sounds(uneven, Choice(k=6, seed=seed), by)) for seed in (7, 7, 8)]
        assert draws[0] == draws[1] != draws[2]


@pytest.mark.parametrize("name", ["mfcc", "mfcc_cosine"])
@pytest.mark.parametrize("k", [2, 40])
def test_far_is_the_farthest_tenth_or_k(measured, name, k):
    farthest = order(*apart(measured, name), 4832)[0][::-1][: max(k, 17)]
    drawn = Counter()
    for seed in range(150):
        answer = random_sounds(measured, Choice(k=k, seed=seed), far_from=4832, measure_name=name)
        assert len(answer.hits) == k
        drawn.update(ids_of(answer))
    assert set(drawn) == set(farthest)
    assert answer.allowed == len(farthest)
    if k == 2:
        assert far_off(drawn, dict.fromkeys(farthest, 2 / 17), 150) < 4


def test_far_of_what_fits_and_even(measured):
    drums = set(ids_of(random_sounds(measured, Choice(k=500, tags=("drum",)))))
    farthest = order(*apart(measured, "mfcc"), 4832, drums)[0][::-1]
    answer = random_sounds(measured, Choice(k=3, tags=("drum",), seed=1), "tag", 4832)
    assert set(ids_of(answer)) <= set(farthest[: max(3, -(-len(farthest) // 10))])


def test_degenerate_corpora_and_what_makes_no_sense(home, finished, finished_home, mirla):
    with Corpus(home) as corpus:
        for by in ("user", "pack", "tag"):
            assert random_sounds(corpus, Choice(), by).hits == []
        with pytest.raises(UnknownSound, match="no sound 5"):
            random_sounds(corpus, Choice(), far_from=5)
        with corpus.database.write() as connection:
            corpus.sounds.insert(connection, [Sound(5, "5")])
        assert ids_of(random_sounds(corpus, Choice(), "pack")) == [5]
        one_line(mirla("random", "--far-from", 5, check=22), "no sound was analysed in space 'mfcc' yet")
        with corpus.database.write() as connection:
            corpus.similar_lists.put(connection, 5, [], 150)
        with pytest.raises(QueryError, match="far needs a measure with distances"):
            random_sounds(corpus, Choice(), far_from=5, measure_name="freesound_list")
    assert "Invalid value for '--even-by'" in mirla("random", "--even-by", "colour", check=2).err


def test_the_command_line(finished, finished_home, mirla):
    arguments = "random", "--even-by", "tag", "--far-from", 4832, "--seed", 3, "-k", 4
    found = mirla("--json", *arguments, home=finished_home).json["results"]
    assert [hit["id"] for hit in found] == ids_of(random_sounds(finished, Choice(k=4, seed=3), "tag", 4832))
