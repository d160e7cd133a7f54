"""`--spread`: maximal marginal relevance against its definition, slowly."""

import numpy as np
import pytest

from corpus import Corpus
from corpus.store.vectors import Vector
from engine.errors import NoVectors, QueryError
from engine.query import spread as module
from engine.query.run import Choice, random_sounds, search, similar
from tests.bad_input import one_line
from tests.engine.measured import apart

MEASURES = ["mfcc", "mfcc_cosine", "mfcc_gauss", "traits"]
TARGET = 4832


def relevant(away, between, share, k):
    """Places chosen, by the formula in similarities: each by all that was chosen before it."""
    chosen = []
    while len(chosen) < min(k, len(away)):
        worth = {
            place: -share * away[place] - (1 - share) * max((-between[place, other] for other in chosen), default=0)
            for place in range(len(away))
            if place not in chosen
        }
        best = max(worth.values())
        chosen.append(min(place for place, one in worth.items() if one >= best - 1e-9 * abs(best)))
    return chosen


def ids_of(answer):
    return [hit.sound.id for hit in answer.hits]


def between(corpus, name, ids):
    every, distances = apart(corpus, name)
    rows = np.searchsorted(every, ids)
    return distances[np.ix_(rows, rows)]


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 1.0])
def test_similar_is_spread_by_the_measures_own_distance(measured, name, share):
    plain = similar(measured, TARGET, Choice(k=100), name)
    answer = similar(measured, TARGET, Choice(k=8, spread=share), name)
    away = np.array([hit.distance for hit in plain.hits])
    places = relevant(away, between(measured, name, ids_of(plain)), share, 8)
    if share == 0.0:  # nothing says which is first, so it is the nearest
        assert places[0] == 0
    assert ids_of(answer) == [plain.hits[place].sound.id for place in places]
    assert [hit.distance for hit in answer.hits] == [plain.hits[place].distance for place in places]
    assert (places == list(range(8))) == (share == 1.0)
    assert answer.allowed == plain.allowed


def test_scores_and_places_are_stretched_to_the_distances(measured, monkeypatch):
    monkeypatch.setattr(module, "LEAST", 30)
    for ask in (
        lambda choice: similar(measured, [TARGET, 100055], choice, "mfcc", [130427]),
        lambda choice: search(measured, choice),
        lambda choice: random_sounds(measured, choice),
    ):
        plain = ask(Choice(k=30, seed=5)).hits
        apart_by = between(measured, "mfcc", [hit.sound.id for hit in plain])
        scores = np.array([hit.rank if hit.score is None else hit.score for hit in plain])
        away = (scores - scores[0]) / (scores[-1] - scores[0]) * apart_by[0].max()
        places = relevant(away, apart_by, 0.4, 3)
        assert ids_of(ask(Choice(k=3, spread=0.4, seed=5))) == [plain[place].sound.id for place in places]
        assert places != [0, 1, 2]


def test_less_near_is_more_varied(measured):
    """What it is for: the nearest pair of the answer moves apart."""
    nearest = []
    for share in (1.0, 0.6, 0.2):
        distances = between(measured, "mfcc", ids_of(similar(measured, TARGET, Choice(k=6, spread=share))))
        nearest.append(distances[np.triu_indices(6, 1)].min())
    assert nearest[0] < nearest[1] < nearest[2]


def test_ten_times_as_many_candidates_as_are_wanted_and_a_hundred_at_least(measured):
    assert [module.candidates(k) for k in (1, 10, 11, 50)] == [100, 100, 110, 500]
    everything = ids_of(similar(measured, TARGET, Choice(k=500)))
    varied = ids_of(similar(measured, TARGET, Choice(k=3, spread=0)))
    assert set(varied) <= set(everything[:100])
    assert sorted(ids_of(similar(measured, TARGET, Choice(k=500, spread=0)))) == sorted(everything)


def test_what_fits_is_chosen_before_it_is_spread(measured):
    drums = set(ids_of(search(measured, Choice(k=500, tags=("drum",)))))
    answer = similar(measured, TARGET, Choice(k=5, tags=("drum",), spread=0.2))
    assert len(answer.hits) == 5
    assert set(ids_of(answer)) <= drums


def test_degenerate_corpora(sonic, home, tmp_path):
    with Corpus(tmp_path / "empty") as corpus, pytest.raises(NoVectors, match="no sound was analysed"):
        search(corpus, Choice(spread=0.5))
    ids, X = sonic.vectors.matrix("mfcc")
    mark = sonic.vectors.space("mfcc").fingerprint
    with sonic.database.write() as connection:
        sonic.vectors.put(connection, [Vector("mfcc", mark, i, None, X[20], {"made": "up"}) for i in ids.tolist()])
    same = ids.tolist()
    for share in (0, 0.5, 1):
        assert ids_of(similar(sonic, same[1], Choice(k=4, spread=share))) == [same[0], *same[2:5]]
        assert ids_of(search(sonic, Choice(k=4, spread=share))) == same[:4]
        assert search(sonic, Choice(tags=("no such tag",), spread=share)).hits == []


def test_what_makes_no_sense_is_one_line(finished, finished_home, mirla):
    ran = mirla("similar", TARGET, "--measure", "freesound_list", "--spread", 0.5, home=finished_home, check=22)
    one_line(ran, f"sound {TARGET} has no similar list")
    ran = mirla("random", "--measure", "freesound_list", "--spread", 0.5, home=finished_home, check=26)
    one_line(ran, "a spread compares vectors, and measure 'freesound_list' has none")
    assert "1.5 is not in the range" in mirla("search", "--spread", 1.5, home=finished_home, check=2).err
    with pytest.raises(QueryError, match="a spread of 2 is not from 0"):
        search(finished, Choice(spread=2))


def test_the_command_line(finished, finished_home, mirla):
    found = mirla("--json", "similar", TARGET, "--spread", 0.3, "-k", 5, home=finished_home).json["results"]
    assert [hit["id"] for hit in found] == ids_of(similar(finished, TARGET, Choice(k=5, spread=0.3)))
