"""`compare`: its figures against plain readings of their definitions, and the published ones of these samples."""

import itertools
import shutil

import numpy as np
import pytest
from scipy import stats

from corpus import Corpus
from engine.agent.judging import Verdicts
from engine.compare import figures
from engine.compare.run import _taste, compare
from engine.errors import NoVectors, UnknownMeasure
from engine.query.run import Choice, similar

PUBLISHED = {"mfcc_raw": 0.15, "mfcc_means": 0.30, "mfcc": 0.28, "mfcc_cosine": 0.31, "mfcc_gauss": 0.32}
"""The share of the 5 nearest that share the name's prefix, over the 165 samples."""


@pytest.fixture(scope="module")
def measured(finished_home, tmp_path_factory):
    """The samples in the spaces compared here, each with its name's prefix as its one tag."""
    home = tmp_path_factory.mktemp("compare") / "home"
    shutil.copytree(finished_home, home)
    with Corpus(home) as corpus:
        assert not corpus.analyse(["mfcc_frames"]).failed
        with corpus.database.write() as connection:
            connection.exec_driver_sql("delete from tags")
            connection.exec_driver_sql(
                "insert into tags select id, substr(name, 1, instr(name || '_', '_') - 1), 0 from sounds"
            )
        yield corpus


def test_the_published_precisions_come_out(measured):
    found = compare(measured, [*PUBLISHED], 5, same_maker=True)
    assert found.sounds == 165
    for one in found.measures:
        assert one.tag_precision.value == pytest.approx(PUBLISHED[one.name], abs=0.01)
        low, high = one.tag_precision.interval
        assert low < one.tag_precision.value < high
        assert one.tag_precision.n == 165
        assert one.coverage == 1


def test_every_figure_is_what_its_definition_gives(measured):
    found = compare(measured, ["mfcc", "mfcc_raw"], 6, same_maker=True)
    ids = measured.sounds.ids().tolist()
    lists = {
        name: [[hit.sound.id for hit in similar(measured, target, Choice(k=6), name).hits] for target in ids]
        for name in ("mfcc", "mfcc_raw")
    }
    (pair,) = found.pairs
    shares = [len(set(a) & set(b)) / 6 for a, b in zip(*lists.values(), strict=True)]
    assert pair.overlap.value == pytest.approx(np.mean(shares))
    taus = []
    for a, b in zip(*lists.values(), strict=True):
        common = [one for one in a if one in b]
        if len(common) > 1:
            taus.append(stats.kendalltau([a.index(one) for one in common], [b.index(one) for one in common])[0])
    assert pair.kendall.value == pytest.approx(np.mean(taus))
    assert pair.kendall.n == len(taus)
    for one in found.measures:
        counts = [sum(target in each for each in lists[one.name]) for target in ids]
        assert (one.hubness.value, one.hubness.n) == (pytest.approx(stats.skew(counts)), 165)


def test_sounds_of_the_same_maker_are_left_out_unless_told(measured):
    with_them = compare(measured, ["mfcc"], 5, same_maker=True).measures[0].tag_precision.value
    without = compare(measured, ["mfcc"], 5).measures[0].tag_precision.value
    sounds = measured.sounds.many(measured.sounds.ids())
    allowed = {one.id: [other.id for other in sounds if other.username != one.username] for one in sounds}
    shares = []
    for one in sounds:
        near = [hit for hit in similar(measured, one.id, Choice(k=165), "mfcc").hits if hit.sound.id in allowed[one.id]]
        shares.append(np.mean([hit.sound.tags == one.tags for hit in near[:5]]))
    assert without == pytest.approx(np.mean(shares))
    assert without < with_them


def rbo_by_its_sum(a, b, p, depth=3000):
    """RBO of two lists that go on for ever agreeing as they did on the whole, by the plain sum of its definition."""
    k = len(a)
    whole = len(set(a) & set(b)) / k
    agreements = itertools.chain((len(set(a[:d]) & set(b[:d])) / d for d in range(1, k + 1)), itertools.repeat(whole))
    return (1 - p) * sum(p**d * one for d, one in zip(range(depth), agreements, strict=False))


@pytest.mark.parametrize("seed", range(5))
def test_rank_biased_overlap_is_its_sum(seed):
    generator = np.random.default_rng(seed)
    a, b = generator.permutation(20)[:8], generator.permutation(20)[:8]
    assert figures.rank_biased_overlap(a, b) == pytest.approx(rbo_by_its_sum(a.tolist(), b.tolist(), 0.9))
    assert figures.rank_biased_overlap(a, a) == pytest.approx(1)


def test_an_agents_taste(measured):
    from engine.agent.training import train

    agent = measured.agents.create("drums", "", ["mfcc"], "mlp")
    drums = measured.sounds.ids(with_tags=["drum"]).tolist()
    others = [number for number in measured.sounds.ids().tolist() if number not in drums]
    measured.agents.annotate(agent, drums[:10], "good", who="test", session="test")
    measured.agents.annotate(agent, others[:10], "bad", who="test", session="test")
    train(measured, "drums")
    from engine.agent.judging import judge

    good = set(judge(measured, "drums").good.tolist())
    ranks = {}
    for target in measured.sounds.ids().tolist():
        order = [hit.sound.id for hit in similar(measured, target, Choice(k=165), "mfcc").hits]
        ranks[target] = next(place for place, one in enumerate(order, 1) if one in good)
    taste = compare(measured, ["mfcc"], 3, agent="drums").measures[0].taste
    assert taste.first_good.value == pytest.approx(np.mean([rank == 1 for rank in ranks.values()]))
    assert taste.rank_of_first_good.value == pytest.approx(np.mean(list(ranks.values())))
    bad = [rank == 1 for target, rank in ranks.items() if target not in good]
    assert (taste.bad_to_good.value, taste.bad_to_good.n) == (pytest.approx(np.mean(bad)), len(bad))


def copied(corpus, folder):
    return Corpus(shutil.copytree(corpus.home, folder / "copied"))


def lose(corpus, space, ids):
    """Leave these sounds without a vector."""
    with corpus.database.write() as connection:
        connection.exec_driver_sql(
            f"delete from vectors where sound_id in {tuple(ids)}"
            f" and space_id in (select id from spaces where name = '{space}')"
        )


def test_what_an_agent_did_not_judge_is_neither_good_nor_bad(measured, tmp_path):
    from engine.agent.judging import judge
    from engine.agent.training import train

    with copied(measured, tmp_path) as corpus:
        ids = corpus.sounds.ids().tolist()
        agent = corpus.agents.create("some", "", ["mfcc"], "lda")
        corpus.agents.annotate(agent, ids[:10], "good", who="test", session="test")
        corpus.agents.annotate(agent, ids[-10:], "bad", who="test", session="test")
        lose(corpus, "mfcc", ids[20:80])
        train(corpus, "some")
        verdicts = judge(corpus, "some")
        good, bad = set(verdicts.good.tolist()), set(verdicts.ids[~verdicts.is_good].tolist())
        assert len(good | bad) == 105
        first = {one: similar(corpus, one, Choice(k=1), "mfcc_gauss").hits[0].sound.id in good for one in ids}
        taste = compare(corpus, ["mfcc_gauss"], 3, agent="some").measures[0].taste
    leads = [found for target, found in first.items() if target in bad]
    assert (taste.bad_to_good.value, taste.bad_to_good.n) == (pytest.approx(np.mean(leads)), len(bad))
    assert (taste.first_good.value, taste.first_good.n) == (pytest.approx(np.mean(list(first.values()))), 165)
    assert (taste.first_good_with_agent.value, taste.first_good_with_agent.n) == (1, 165)


def test_neighbours_of_which_none_is_good_are_no_first_good_ones():
    verdicts = Verdicts("none", 1, np.array([1, 2, 3, 4]), np.array([True, False, False, False]), None)
    taste = _taste(np.array([np.nan, 1, np.inf, 3, np.inf]), np.array([1, 2, 3, 4, 5]), verdicts)
    assert (taste.first_good.value, taste.first_good.n) == (0.25, 4)
    assert (taste.first_good_with_agent.value, taste.first_good_with_agent.n) == (1, 2)
    assert (taste.rank_of_first_good.value, taste.rank_of_first_good.n, taste.ranks) == (2, 2, (1, 3))
    assert (taste.bad_to_good.value, taste.bad_to_good.n) == (pytest.approx(1 / 3), 3)


def test_of_a_sample_there_is_no_hubness(measured, mirla):
    some = compare(measured, ["mfcc"], 4, sample=30)
    assert (some.measures[0].hubness, some.as_json()["measures"][0]["hubness"]) == (None, None)
    assert compare(measured, ["mfcc"], 4, sample=165).measures[0].hubness.n == 165
    shown = mirla("compare", "mfcc", "-k", "4", "--sample", "30", home=measured.home).out
    assert "hubness: asked of all sounds only" in shown


def test_a_sample_is_drawn_and_repeatable(measured):
    once, again = (compare(measured, ["mfcc", "mfcc_raw"], 4, sample=30, seed=5) for _ in range(2))
    assert once == again
    assert once.sounds == 30
    assert compare(measured, ["mfcc", "mfcc_raw"], 4, sample=30, seed=6) != once


def test_what_cannot_be_compared_is_said(measured, home):
    with pytest.raises(UnknownMeasure, match="no measure 'nothing'"):
        compare(measured, ["mfcc", "nothing"])
    for name, way_out in (
        ("laion_clap", "'laion_clap' yet; `mirla harvest TEXT` brings"),
        ("mfcc+traits", "'traits9' yet; `mirla analyse --space traits9`"),
        ("freesound_list", "has no similar list"),
    ):
        with pytest.raises(NoVectors, match=way_out):
            compare(measured, ["mfcc", name])
    with Corpus(home) as corpus, pytest.raises(NoVectors, match="the corpus is empty; `mirla adopt DIR` or `mirla har"):
        compare(corpus, ["mfcc"])


def test_measures_that_know_different_sounds_say_so(measured, tmp_path):
    with copied(measured, tmp_path) as corpus:
        ids = corpus.sounds.ids().tolist()
        lose(corpus, "mfcc", ids[:80])
        lose(corpus, "mfcc_frames", ids[80:])
        with pytest.raises(NoVectors, match="no sound is known to all of mfcc, mfcc_gauss; `mirla measures`"):
            compare(corpus, ["mfcc", "mfcc_gauss"])


def test_the_command(measured, mirla):
    shown = mirla("compare", "mfcc", "mfcc_raw", "-k", "5", home=measured.home).out
    assert "165 sounds, 5 neighbours of each" in shown
    every = mirla("--json", "compare", "mfcc", "mfcc_raw", "-k", "5", home=measured.home).json
    for one in every["measures"]:
        assert set(one["hubness"]) == {"value", "interval", "n"}
        assert "{:.2f} ({:.2f} to {:.2f})".format(one["hubness"]["value"], *one["hubness"]["interval"]) in shown
    assert " ".join(shown.split()).count("n = ") == 5
    alone = mirla("compare", "mfcc", "-k", "1", "--sample", "1", home=measured.home).out
    assert "1 sound, 1 neighbour of each" in alone
    assert "n = 1" in alone
    answer = mirla("--json", "compare", "mfcc", "mfcc_raw", "-k", "5", "--sample", "40", home=measured.home).json
    assert (answer["k"], answer["sounds"]) == (5, 40)
    assert set(answer["pairs"][0]) == {"a", "b", "overlap", "rbo", "kendall"}
    assert set(answer["pairs"][0]["overlap"]) == {"value", "interval", "n"}
    promised = {"name", "coverage", "hubness", "tag_precision", "category_precision", "agent"}
    assert all(set(one) == promised for one in answer["measures"])
