"""Several likes and unlikes against the definition of their score in plain NumPy."""

import numpy as np
import pytest

from corpus import Corpus
from corpus.errors import UnknownSound
from corpus.store.vectors import Vector
from engine.errors import NoVectors, QueryError
from engine.query.run import Choice, similar
from engine.query.several import neighbourhood
from engine.similarity import index
from engine.similarity.measures import measure
from tests.bad_input import one_line
from tests.engine.measured import MEASURED, apart
from tests.engine.test_mix import by_definition

ONE, TWO, THREE = (100055,), (100055, 4832), (100055, 4832, 100051)
AWAY = (130427, 75338)
GIVEN = [(TWO, ()), (THREE, ()), (ONE, AWAY[:1]), (ONE, AWAY), (TWO, AWAY), (THREE, AWAY[:1])]
MIX = "0.7*mfcc+0.3*traits"
OTHER_MIX = "mfcc_cosine+0.5*mfcc_gauss"


@pytest.fixture(scope="module", params=[*MEASURED, MIX, OTHER_MIX])
def reference(request, measured):
    """A measure, the ids, and the squared distances between all sounds that its scores go by."""
    name = request.param
    if name == MIX:
        ids, distances = by_definition(measured, [(0.7, "mfcc"), (0.3, "traits")])
    elif name == OTHER_MIX:
        ids, distances = by_definition(measured, [(1, "mfcc_cosine"), (0.5, "mfcc_gauss")])
    else:
        ids, distances = apart(measured, name)
    return name, ids, 2 * distances if name == "mfcc_cosine" else distances**2


def by_score(ids, squares, likes, unlikes, allowed=None):
    """Ids and scores from the definition, the least first."""
    scores = squares[:, np.isin(ids, likes)].mean(axis=1)
    if unlikes:
        scores = scores - 0.5 * squares[:, np.isin(ids, unlikes)].mean(axis=1)
    places = np.lexsort((ids, np.round(scores, 9)))
    given = {*likes, *unlikes}
    keep = [p for p in places if ids[p] not in given and (allowed is None or ids[p] in allowed)]
    return ids[keep].tolist(), scores[keep]


@pytest.mark.parametrize(("likes", "unlikes"), GIVEN)
def test_whole_ranking(measured, reference, likes, unlikes):
    name, ids, squares = reference
    answer = similar(measured, likes, Choice(k=1000), name, unlikes)
    expected, scores = by_score(ids, squares, likes, unlikes)
    assert [hit.sound.id for hit in answer.hits] == expected
    scale = np.abs(scores).max()
    np.testing.assert_allclose([hit.score for hit in answer.hits], scores, rtol=1e-4, atol=1e-5 * scale)
    assert {hit.distance for hit in answer.hits} == {None}
    assert answer.allowed == len(expected) == len(ids) - len(likes) - len(unlikes)


@pytest.mark.parametrize(("gather", "select"), [(1.0, 0.25), (0.0, 0.0), (0.0, 1.0), (0.02, 0.25)])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_constrained_in_every_branch(measured, reference, monkeypatch, gather, select, share):
    name, ids, squares = reference
    monkeypatch.setattr(index, "GATHER", gather)
    monkeypatch.setattr(index, "SELECT", select)
    monkeypatch.setattr(index, "_SPARE", 2)
    allowed = ids[np.random.default_rng(5).random(len(ids)) < share]
    for likes, unlikes in ((TWO, ()), (THREE, AWAY), (ONE, AWAY[:1])):
        order = neighbourhood(measured, measure(name), likes, unlikes).nearest(5, allowed)
        assert order.ids.tolist() == by_score(ids, squares, likes, unlikes, allowed)[0][:5]


def test_one_like_alone_is_ordered_by_distance_as_ever(measured):
    alone, listed = (similar(measured, given, Choice(k=20)) for given in (4832, [4832, 4832]))
    assert listed == alone
    assert [hit.score for hit in alone.hits] == [None] * 20
    assert alone.hits[0].distance > 0


def test_the_order_of_what_is_given_and_repetition_are_nothing(measured):
    hits = similar(measured, [4832, 100055], Choice(), unlike=[130427]).hits
    assert similar(measured, [100055, 4832, 4832], Choice(), unlike=[130427, 130427]).hits == hits


@pytest.mark.parametrize("name", ["mfcc", "mfcc_cosine", MIX])
def test_equal_sounds_come_in_order_of_id(measured_home, tmp_path, name):
    import shutil

    shutil.copytree(measured_home, tmp_path / "home")
    with Corpus(tmp_path / "home") as corpus:
        ids, X = corpus.vectors.matrix("mfcc")
        _, traits = corpus.vectors.matrix("traits9")
        same = ids[20:60].tolist()
        for space, row in (("mfcc", X[20]), ("traits9", traits[20])):
            mark = corpus.vectors.space(space).fingerprint
            with corpus.database.write() as connection:
                corpus.vectors.put(connection, [Vector(space, mark, i, None, row, {"made": "up"}) for i in same])
        hits = similar(corpus, [same[7], same[3]], Choice(k=9), name).hits
        assert [hit.sound.id for hit in hits] == [i for i in same if i not in (same[3], same[7])][:9]
        assert len({hit.score for hit in hits}) == 1
        assert hits[0].score == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("unlike", [(), (1,)])
def test_likes_that_cancel_out_leave_the_order_of_ids(unlike):
    """Opposite directions: by cosine nothing is nearer than anything else."""
    from engine.query.several import _nearest
    from engine.similarity.compared import Compared
    from engine.similarity.metrics import COSINE

    X = np.random.default_rng(2).normal(size=(50, 8)).astype(np.float32)
    X[30], X[9] = X[4] * 1, 0
    X[1] = -X[0] if not unlike else X[1]
    likes, unlikes = (np.array([0, 1]), np.array([], int)) if not unlike else (np.array([9]), np.array([9]))
    order = _nearest(Compared(np.arange(50), index.ExactIndex(X, COSINE)), likes, unlikes, 10, np.arange(10, 50))
    assert order.ids.tolist() == list(range(10, 20))
    assert set(order.scores.tolist()) == {2.0 if not unlike else 1.0}


def test_a_corpus_of_the_given_sounds_alone_or_of_like_ones_answers(home, tmp_path):
    from tests.audio_files import write_tone

    (tmp_path / "in").mkdir()
    for place in range(3):
        write_tone(tmp_path / "in" / f"{place}.wav", 440 + place)
    with Corpus(home) as corpus:
        ids = corpus.adopt([tmp_path / "in"]).ids
        with pytest.raises(NoVectors, match="no sound was analysed"):
            similar(corpus, ids[:2], Choice())
        corpus.analyse(ids=ids[:2])
        answer = similar(corpus, ids[:2], Choice())
        assert (answer.hits, answer.allowed) == ([], 0)
        with pytest.raises(NoVectors, match=f"sound {ids[2]} has no vector in space 'mfcc'"):
            similar(corpus, ids[:1], Choice(), unlike=ids[2:])


def test_what_cannot_be_answered_is_one_line(finished, finished_home, mirla):
    with pytest.raises(QueryError, match="sound 4832 is to be both like and unlike"):
        similar(finished, [4832], Choice(), unlike=[4832])
    with pytest.raises(QueryError, match="no sound to be similar to"):
        similar(finished, [], Choice())
    with pytest.raises(UnknownSound, match="no sound 99 in"):
        similar(finished, [4832], Choice(), unlike=[99])
    listed = "--measure", "freesound_list"
    ran = mirla("similar", 4832, 100055, *listed, home=finished_home, check=26)
    one_line(ran, "similarity to several sounds compares vectors, and measure 'freesound_list' has none")
    one_line(mirla("similar", 4832, "--unlike", 100055, *listed, home=finished_home, check=26), "try --measure mfcc")
    assert "ID..." in mirla("similar", home=finished_home, check=2).err


def test_the_command_line(finished, finished_home, mirla):
    arguments = "similar", 4832, 100055, "--unlike", 130427, "-k", 4, "--tag", "drum"
    answer = mirla("--json", *arguments, home=finished_home).json
    expected = similar(finished, [4832, 100055], Choice(k=4, tags=("drum",)), unlike=[130427])
    assert answer["results"] == [hit.as_json() for hit in expected.hits]
    assert all(hit["distance"] is None and isinstance(hit["score"], float) for hit in answer["results"])
    out = mirla(*arguments, home=finished_home).out
    assert "score" in out
    assert "distance" not in out
