"""Mixes of measures against their definition in plain NumPy, and what is said of one that makes no sense."""

import shutil

import numpy as np
import pytest
import sqlalchemy as sa

from corpus import Corpus
from engine.errors import NoVectors, UnknownMeasure
from engine.query.run import Choice, similar
from engine.similarity import index, mix
from engine.similarity.measures import measure
from engine.similarity.mix import parse
from tests.bad_input import one_line
from tests.engine.measured import apart, order

MIXES = {
    "0.7*mfcc+0.3*traits": [(0.7, "mfcc"), (0.3, "traits")],
    "mfcc_pca + 2 * mfcc_means": [(1, "mfcc_pca"), (2, "mfcc_means")],
    "mfcc_cosine+0.5*traits": [(1, "mfcc_cosine"), (0.5, "traits")],
    "1e-1*mfcc_gauss+mfcc_raw": [(0.1, "mfcc_gauss"), (1, "mfcc_raw")],
}


def by_definition(corpus, parts):
    """Ids, and all distances: each squared distance by its mean over 10 000 random pairs."""
    ids = apart(corpus, parts[0][1])[0]
    generator = np.random.default_rng(0)
    one = generator.integers(0, len(ids), 10_000)
    other = (one + generator.integers(1, len(ids), 10_000)) % len(ids)
    total = np.zeros((len(ids), len(ids)))
    for weight, name in parts:
        squares = apart(corpus, name)[1] ** 2
        total += weight * squares / squares[one, other].mean()
    return ids, np.sqrt(total)


@pytest.fixture(scope="module", params=MIXES)
def reference(request, measured):
    return request.param, *by_definition(measured, MIXES[request.param])


def test_whole_ranking(measured, reference):
    expression, ids, distances = reference
    for target in ids[::20].tolist():
        hits = similar(measured, target, Choice(k=1000), expression).hits
        expected, expected_distances = order(ids, distances, target)
        assert [hit.sound.id for hit in hits] == expected
        np.testing.assert_allclose([hit.distance for hit in hits], expected_distances, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("gather", "select"), [(1.0, 0.25), (0.0, 0.0), (0.0, 1.0), (0.02, 0.25)])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_constrained_in_every_branch(measured, reference, monkeypatch, gather, select, share):
    expression, ids, distances = reference
    monkeypatch.setattr(index, "GATHER", gather)
    monkeypatch.setattr(index, "SELECT", select)
    monkeypatch.setattr(index, "_SPARE", 2)
    generator = np.random.default_rng(5)
    for target in ids[5::70].tolist():
        surroundings = measure(expression).around(measured, target)
        allowed = surroundings.ids[generator.random(len(surroundings.ids)) < share]
        got, _ = surroundings.nearest(6, allowed)
        assert got.tolist() == order(ids, distances, target, set(allowed.tolist()))[0][:6]


def test_pairs_are_measured_in_blocks_to_the_same_end(measured, monkeypatch):
    target = int(measured.vectors.matrix("mfcc")[0][0])
    before = similar(measured, target, Choice(), "mfcc+mfcc_gauss")
    monkeypatch.setattr(mix, "_BLOCK", 999)
    after = similar(measured, target, Choice(), "mfcc+mfcc_gauss")
    assert [hit.sound.id for hit in after.hits] == [hit.sound.id for hit in before.hits]


def test_a_measure_mixed_with_itself_is_in_its_own_order(measured):
    target = int(measured.vectors.matrix("mfcc")[0][9])
    alone = similar(measured, target, Choice(k=200), "mfcc").hits
    for expression in ("3*mfcc", "mfcc+mfcc"):
        hits = similar(measured, target, Choice(k=200), expression).hits
        assert [hit.sound.id for hit in hits] == [hit.sound.id for hit in alone]
        ratio = np.array([hit.distance for hit in hits]) / [hit.distance for hit in alone]
        np.testing.assert_allclose(ratio, ratio[0], rtol=1e-6)


def test_only_sounds_that_have_all_spaces(measured_home, home):
    """Standardised all the same by the whole space, also by sounds that cannot be compared."""
    shutil.copytree(measured_home, home)
    with Corpus(home) as corpus:
        ids, _ = corpus.vectors.matrix("mfcc")
        distances = apart(corpus, "mfcc")[1]
        kept, lost = ids[20:60].tolist(), ids[:20].tolist() + ids[60:].tolist()
        with corpus.database.write() as connection:
            of_traits = "space_id = (select id from spaces where name = 'traits9')"
            connection.execute(sa.text(f"delete from vectors where {of_traits} and sound_id in {tuple(lost)}"))
        for target in kept[::7]:
            hits = similar(corpus, target, Choice(k=1000), "mfcc+1e-6*traits").hits
            assert [hit.sound.id for hit in hits] == order(ids, distances, target, set(kept))[0]
        assert measure("mfcc+traits").covers(corpus).sounds == 40
        with pytest.raises(NoVectors, match=f"sound {lost[7]} has no vector in space 'traits9'; `mirla analyse"):
            similar(corpus, lost[7], Choice(), "mfcc+traits")


def test_a_space_that_was_never_analysed_is_said(finished):
    with pytest.raises(NoVectors, match="no sound was analysed in space 'traits9' yet"):
        similar(finished, 100055, Choice(), "mfcc+traits")
    assert measure("mfcc+traits").covers(finished).sounds == 0


@pytest.mark.parametrize("expression", MIXES)
def test_it_is_read_as_it_is_written(expression):
    assert [(weight, part.name) for weight, part in parse(expression).parts] == MIXES[expression]


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("0.7*mfcc+", "character 10: a measure's name is wanted here"),
        ("+mfcc", "character 1: a measure's name"),
        ("mfcc++traits", "character 6: a measure's name"),
        ("2*", "character 3: a measure's name"),
        ("mfcc*2", r"character 5: '\+' is wanted here"),
        ("mfcc traits+mfcc", r"character 6: '\+' is wanted"),
        ("mfcc+2traits", "character 7: '\\*' after a weight"),
        ("0*mfcc", "character 1: a weight from 1e-6 to 1e6"),
        ("mfcc+-1*traits", "character 6: a weight from 1e-6 to 1e6"),
        ("1e999*mfcc", "character 1: a weight from 1e-6 to 1e6"),
        ("1e308*mfcc+1e308*mfcc_raw", "character 1: a weight from 1e-6 to 1e6"),
        ("mfcc+9e-7*mfcc_raw", "character 6: a weight from 1e-6 to 1e6"),
        ("1..2*mfcc", "character 1: a weight from 1e-6 to 1e6"),
        ("mfcc+0.5*taste", "character 10: no measure 'taste'; known are mfcc, "),
        ("mfcc+freesound_list", "character 6: measure 'freesound_list' is an order without distances and cannot be"),
    ],
)
def test_what_is_malformed_is_said_with_its_place(finished, mirla, finished_home, expression, words):
    with pytest.raises(UnknownMeasure, match=words) as refusal:
        similar(finished, 100055, Choice(), expression)
    assert repr(expression) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_the_command_takes_a_mix(measured_home, measured, mirla):
    answer = mirla("--json", "similar", 100055, "--measure", "0.7*mfcc+0.3*traits", "-k", 4, home=measured_home).json
    hits = similar(measured, 100055, Choice(k=4), "0.7*mfcc+0.3*traits").hits
    assert answer["measure"] == "0.7*mfcc+0.3*traits"
    assert [hit["id"] for hit in answer["results"]] == [hit.sound.id for hit in hits]
    ran = mirla("similar", 100055, "--measure", "mfcc+freesound_list", home=measured_home, check=21)
    one_line(ran, "measure 'mfcc+freesound_list', character 6: measure 'freesound_list' is an order without distances")
