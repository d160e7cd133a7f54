"""The figures of a trial against references in plain Python, and against worked values."""

from math import comb, sqrt

import numpy as np
import pytest

from engine.trial.figures import fisher, mcnemar, over_agents, paired_difference, share, unpaired_difference


def fisher_by_hand(a, m, b, n):
    """Two-sided: all tables with the same margins that are no likelier, from binomial coefficients alone."""
    total = a + b
    ways = {x: comb(m, x) * comb(n, total - x) for x in range(max(0, total - n), min(m, total) + 1)}
    return sum(w for w in ways.values() if w <= ways[a]) / sum(ways.values())


def mcnemar_by_hand(gained, lost):
    n = gained + lost
    return min(1.0, 2 * sum(comb(n, x) for x in range(min(gained, lost) + 1)) / 2**n) if n else 1.0


def outcomes(both, gained, lost, neither):
    a = np.repeat([1.0, 1.0, 0.0, 0.0], [both, gained, lost, neither])
    b = np.repeat([1.0, 0.0, 1.0, 0.0], [both, gained, lost, neither])
    return a, b


def alone(n):
    return [str(number) for number in range(n)]


@pytest.mark.parametrize("table", [(16, 23, 6, 17), (3, 4, 1, 4), (0, 5, 5, 5), (9, 20, 2, 31), (1, 1, 0, 1)])
def test_fisher_is_that_of_the_tables(table):
    assert fisher(*table) == pytest.approx(fisher_by_hand(*table))


def test_fisher_of_the_lady_tasting_tea():
    """R. A. Fisher, The Design of Experiments, 1935: 3 of 4 against 1 of 4, two-sided 34/70."""
    assert fisher(3, 4, 1, 4) == pytest.approx(34 / 70)


def test_the_papers_figures():
    """70 % of 23 against 35 % of 17: a third more, and by Fisher's test not beyond chance at 5 %."""
    found = unpaired_difference(16, 23, 6, 17)
    assert found.value == pytest.approx(0.343, abs=0.001)
    assert found.interval == pytest.approx((0.03, 0.58), abs=0.015)
    assert fisher(16, 23, 6, 17) == pytest.approx(0.054, abs=0.001)


def test_newcombes_worked_example():
    """R. G. Newcombe 1998, table II: 56/70 against 48/80, method 10 gives 0.0524 to 0.3339."""
    found = unpaired_difference(56, 70, 48, 80)
    assert found.interval == pytest.approx((0.0524, 0.3339), abs=1e-4)


@pytest.mark.parametrize("cells", [(3, 12, 2, 5), (0, 1, 1, 0), (5, 0, 0, 5), (1, 30, 9, 2), (0, 6, 0, 0)])
def test_mcnemar_is_the_binomial(cells):
    a, b = outcomes(*cells)
    assert mcnemar(a, b) == pytest.approx(mcnemar_by_hand(cells[1], cells[2]))


def test_paired_difference_of_independent_pairs():
    """Between the bootstrap and Agresti and Min's, worked out here from its definition."""
    a, b = outcomes(20, 30, 10, 40)
    found = paired_difference(a, b, alone(100))
    half = 1.959964 * sqrt((30.5 + 10.5) / 102 - (20 / 102) ** 2) / sqrt(102)
    assert found.value == pytest.approx(0.2)
    assert found.interval[0] == pytest.approx(20 / 102 - half, abs=0.02)
    assert found.interval[1] == pytest.approx(20 / 102 + half, abs=0.02)


def test_no_difference_at_all_is_not_certain():
    a, b = outcomes(5, 0, 0, 5)
    low, high = paired_difference(a, b, alone(10)).interval
    assert low < -0.1
    assert high > 0.1


def test_targets_of_one_maker_are_no_independent_cases():
    a, b = outcomes(10, 40, 10, 40)
    makers = ["ann"] * 50 + ["bob"] * 10 + ["cy"] * 40
    wide, narrow = (paired_difference(a, b, groups).interval for groups in (makers, alone(100)))
    assert wide[1] - wide[0] > 2 * (narrow[1] - narrow[0])
    of_one = share(a, ["ann"] * 100).interval
    assert of_one == pytest.approx(share(a, alone(100)).interval, abs=0.01), "what is said is said of that one"


def test_shares_are_never_surer_than_wilson():
    assert share(np.ones(4), alone(4)).interval == pytest.approx((0.51, 1.0), abs=0.01)
    assert share(np.ones(0), []) is None
    assert unpaired_difference(0, 0, 1, 2) is fisher(0, 0, 1, 2) is mcnemar(np.ones(0), np.ones(0)) is None


def test_the_interval_covers_the_truth_nineteen_times_in_twenty():
    """Pairs drawn with a true gain of 0.2; makers of 4 sounds each that are alike."""
    generator = np.random.default_rng(7)
    covered = 0
    for _ in range(100):
        kind = np.repeat(generator.choice(3, size=40, p=[0.35, 0.15, 0.5]), 4)
        a, b = (kind == 0).astype(float), (kind == 1).astype(float)
        low, high = paired_difference(a, b, np.repeat(alone(40), 4).tolist()).interval
        covered += low <= 0.2 <= high
    assert covered >= 90


def test_the_luck_of_agents_is_in_the_interval_of_several():
    """20 agents, each with luck of its own that all its targets share, asked of most of 60 targets; true mean 0.2."""
    generator = np.random.default_rng(9)
    covered = ignoring = 0
    for _ in range(30):
        values = 0.2 + 0.3 * generator.normal(size=20) + generator.normal(size=(60, 20))
        values[generator.random((60, 20)) < 0.2] = np.nan
        values[0] = np.nan
        found = over_agents(values, alone(60))
        assert (found.value, found.n) == (pytest.approx(np.nanmean(values)), 59)
        covered += found.interval[0] <= 0.2 <= found.interval[1]
        low, high = over_agents(np.nanmean(values[1:], axis=1, keepdims=True), alone(59)).interval
        ignoring += low <= 0.2 <= high
    assert covered >= 26 > 20 > ignoring
    assert over_agents(np.full((3, 2), np.nan), alone(3)) is None
