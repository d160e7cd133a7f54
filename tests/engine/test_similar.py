"""`similar` against a brute-force ranking in NumPy over the whole corpus."""

import numpy as np
import pytest

from corpus.errors import UnknownSound
from engine.errors import NoVectors, QueryError, UnknownMeasure
from engine.query.run import Choice, path, similar


def brute_force(corpus, target):
    """All other sounds by (distance, id), from the definition alone: z-scores, Euclidean."""
    ids, X = corpus.vectors.matrix("mfcc")
    Z = (X - X.mean(axis=0, dtype=float)) / X.std(axis=0, dtype=float)
    distances = np.sqrt(((Z - Z[ids == target]) ** 2).sum(axis=1))
    order = np.lexsort((ids, distances))
    return [(int(ids[row]), distances[row]) for row in order if ids[row] != target]


def test_whole_ranking_of_every_sound(finished):
    ids, _ = finished.vectors.matrix("mfcc")
    assert len(ids) == 165
    for target in ids[::4].tolist():
        hits = similar(finished, target, Choice(k=1000)).hits
        expected = brute_force(finished, target)
        assert [hit.sound.id for hit in hits] == [sound_id for sound_id, _ in expected]
        np.testing.assert_allclose([hit.distance for hit in hits], [d for _, d in expected], rtol=1e-4, atol=1e-5)
        assert [hit.rank for hit in hits] == list(range(1, 165))


@pytest.mark.parametrize("k", [1, 5, 60])
def test_fewer_are_the_first_of_all(finished, k):
    ids, _ = finished.vectors.matrix("mfcc")
    for target in ids[1::20].tolist():
        hits = similar(finished, target, Choice(k=k)).hits
        assert [hit.sound.id for hit in hits] == [sound_id for sound_id, _ in brute_force(finished, target)[:k]]


def test_a_tag_leaves_the_order_and_the_distances_as_they_are(finished):
    ids, _ = finished.vectors.matrix("mfcc")
    allowed = set(finished.sounds.ids(with_tags=["drum"]).tolist())
    target = int(ids[40])
    answer = similar(finished, target, Choice(k=7, tags=("drum",)))
    expected = [pair for pair in brute_force(finished, target) if pair[0] in allowed]
    assert [hit.sound.id for hit in answer.hits] == [sound_id for sound_id, _ in expected[:7]]
    assert answer.hits[0].distance == pytest.approx(expected[0][1], rel=1e-4)
    assert answer.allowed == len(expected)


def test_the_target_is_never_among_them(finished):
    assert 100055 not in [hit.sound.id for hit in similar(finished, 100055, Choice(k=1000)).hits]


def test_equal_sounds_come_in_order_of_id(sonic):
    """Twelve sounds with one and the same vector: a tie that is longer than k."""
    ids, X = sonic.vectors.matrix("mfcc")
    from corpus.store.vectors import Vector

    same = ids[20:32].tolist()
    space = sonic.vectors.space("mfcc")
    with sonic.database.write() as connection:
        sonic.vectors.put(connection, [Vector("mfcc", space.fingerprint, i, None, X[20], {"made": "up"}) for i in same])
    hits = similar(sonic, same[3], Choice(k=5)).hits
    assert [hit.sound.id for hit in hits] == [i for i in same if i != same[3]][:5]
    assert {hit.distance for hit in hits} == {0.0}


def test_what_cannot_be_answered_is_one_line(finished, mirla):
    with pytest.raises(UnknownSound, match=r"no sound 99 in .*; `mirla search` lists"):
        similar(finished, 99, Choice())
    with pytest.raises(UnknownMeasure, match="no measure 'taste'; known are mfcc, mfcc_librosa"):
        similar(finished, 100055, Choice(), "taste")
    with pytest.raises(NoVectors, match="no sound was analysed in space 'mfcc_librosa' yet"):
        similar(finished, 100055, Choice(), "mfcc_librosa")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"k": -1}, "k is -1; ask for a whole number of sounds, 1 at least"),
        ({"k": 2.5}, "k is 2.5; "),
        ({"seed": -1}, "the seed is -1; "),
        ({"seed": 0.5}, "the seed is 0.5; "),
        ({"agents": "bright"}, r"agents is 'bright'; several are wanted, as in \('bright',\)"),
    ],
)
def test_a_choice_from_python_is_held_to_what_the_command_line_allows(given, words):
    with pytest.raises(QueryError, match=words):
        Choice(**given)


def test_numpys_integers_are_as_good_as_pythons(finished):
    first, second, third = map(int, finished.vectors.matrix("mfcc")[0][:3])
    k = np.int64(4)
    asked = [
        (similar(finished, first, Choice(k=4)), similar(finished, np.int64(first), Choice(k=k))),
        (
            similar(finished, [first, second], Choice(k=4), unlike=[third]),
            similar(finished, np.array([first, second]), Choice(k=k), unlike=np.array([third])),
        ),
        (path(finished, first, second, Choice(k=4)), path(finished, np.int64(first), np.int64(second), Choice(k=k))),
    ]
    for expected, got in asked:
        assert len(got.hits) == 4
        assert got == expected
