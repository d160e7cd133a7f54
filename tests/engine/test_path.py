"""`path` against its definition in plain NumPy."""

import numpy as np
import pytest

from corpus import Corpus
from corpus.errors import UnknownSound
from corpus.store.vectors import Vector
from engine.errors import NoVectors, QueryError
from engine.query.path import _arc
from engine.query.run import Choice, path, search
from tests.bad_input import one_line
from tests.engine.measured import log_variances, whitened, z_scores

A, B = 4832, 100055
PREPARED = {
    "mfcc": z_scores,
    "mfcc_raw": lambda X: X,
    "mfcc_pca": whitened,
    "mfcc_cosine": lambda X: log_variances(X) / np.linalg.norm(log_variances(X), axis=1, keepdims=True),
}


def by_definition(corpus, name, n, allowed=None):
    """Ids of the walk: for each point, the nearest that is free."""
    ids, X = corpus.vectors.matrix("mfcc")
    P = PREPARED[name](X.astype(float))
    start, end = P[ids == A][0], P[ids == B][0]
    free = {i for i in ids.tolist() if i not in (A, B) and (allowed is None or i in allowed)}
    walked = []
    for step in np.linspace(0, 1, n)[1:-1]:
        point = start + step * (end - start)
        if name == "mfcc_cosine":  # turned within the plane of the two, by a share of their angle
            across = end - (end @ start) * start
            angle = step * np.arctan2(np.linalg.norm(across), end @ start)
            point = np.cos(angle) * start + np.sin(angle) * across / np.linalg.norm(across)
        distances = np.linalg.norm(P - point, axis=1)
        walked.append(min((distances[row], i) for row, i in enumerate(ids.tolist()) if i in free)[1])
        free.remove(walked[-1])
    return [A, *walked, B]


def ids_of(answer):
    return [hit.sound.id for hit in answer.hits]


@pytest.mark.parametrize("name", PREPARED)
@pytest.mark.parametrize("n", [2, 3, 8, 40])
def test_even_steps_each_to_the_nearest_that_is_free(finished, name, n):
    answer = path(finished, A, B, Choice(k=n), name)
    assert ids_of(answer) == by_definition(finished, name, n)
    assert [hit.rank for hit in answer.hits] == list(range(1, n + 1))
    assert answer.allowed == 163


def test_what_lies_between_fits_and_the_ends_need_not(finished):
    drums = set(ids_of(search(finished, Choice(k=500, tags=("drum",), filter=f"-id:{A}"))))
    assert 6 < len(drums) < 60
    answer = path(finished, A, B, Choice(k=6, tags=("drum",), filter=f"-id:{A}"))
    assert ids_of(answer) == by_definition(finished, "mfcc", 6, drums)
    assert answer.allowed == len(drums - {A, B})


def test_there_are_fewer_where_fewer_fit(finished):
    answer = path(finished, A, B, Choice(k=5, filter="id:(100051 OR 130427)"))
    assert sorted(ids_of(answer)[1:-1]) == [100051, 130427]
    assert ids_of(path(finished, A, B, Choice(k=5, filter="-id:*"))) == [A, B]
    assert (
        len(ids_of(path(finished, A, B, Choice(k=500)))) == len({*ids_of(path(finished, A, B, Choice(k=500)))}) == 165
    )


def test_a_mix_of_euclidean_measures_is_euclidean(measured):
    assert ids_of(path(measured, A, B, Choice(k=9), "2*mfcc+3*mfcc")) == by_definition(measured, "mfcc", 9)
    assert len(ids_of(path(measured, A, B, Choice(k=9), "mfcc+traits"))) == 9


def test_an_arc_has_equal_angles_and_opposites_have_none():
    start, end = np.random.default_rng(3).normal(size=(2, 6))
    points = np.vstack([start, _arc(start, 5 * end, 4), end])
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    angles = np.arccos((points[1:] * points[:-1]).sum(axis=1))
    np.testing.assert_allclose(angles, angles.mean(), rtol=1e-9)
    assert np.isfinite(_arc(start, -start, 3)).all()
    assert np.isfinite(_arc(start, 0 * start, 3)).all()


def test_identical_sounds_come_in_order_of_id(sonic):
    ids, X = sonic.vectors.matrix("mfcc")
    mark = sonic.vectors.space("mfcc").fingerprint
    with sonic.database.write() as connection:
        sonic.vectors.put(connection, [Vector("mfcc", mark, i, None, X[20], {"made": "up"}) for i in ids.tolist()])
    others = [i for i in ids.tolist() if i not in (A, B)]
    for name in ("mfcc", "mfcc_cosine"):
        assert ids_of(path(sonic, A, B, Choice(k=6), name)) == [A, *others[:4], B]


def test_what_makes_no_sense_is_one_line(finished, finished_home, home, mirla):
    def ran(*arguments, check):
        return mirla("path", *arguments, home=finished_home, check=check)

    one_line(ran(A, A, check=26), f"a path needs two sounds, and both are {A}")
    one_line(ran(A, 99, check=8), "no sound 99 in")
    one_line(ran(A, B, "--measure", "mfcc_gauss", check=26), "'mfcc_gauss' has no straight line to walk on")
    one_line(ran(A, B, "--measure", "mfcc+mfcc_cosine", check=26), "has no straight line to walk on")
    one_line(
        ran(A, B, "--measure", "freesound_list", check=26), "a path compares vectors, and measure 'freesound_list'"
    )
    one_line(ran(A, B, "--measure", "traits", check=22), "no sound was analysed in space 'traits9'")
    assert "1 is not in the range" in ran(A, B, "-n", 1, check=2).err
    assert "No such option" in ran(A, B, "--spread", 1, check=2).err
    with pytest.raises(QueryError, match="a path of 1 sounds"):
        path(finished, A, B, Choice(k=1))
    with Corpus(home) as corpus, pytest.raises(UnknownSound):
        path(corpus, A, B, Choice())
    assert NoVectors.exit_code == 22


def test_the_command_line(finished, finished_home, mirla):
    found = mirla("--json", "path", A, B, "-n", 5, "--tag", "drum", home=finished_home).json
    assert [hit["id"] for hit in found["results"]] == ids_of(path(finished, A, B, Choice(k=5, tags=("drum",))))
    assert len(mirla("--json", "path", A, B, home=finished_home).json["results"]) == 8
