"""Calibrated probabilities: p = 1 / (1 + exp(-a z)) of a score z; p > 0.5 exactly when z > 0.

a is fitted on held-out scores; it is 1 for classifiers that are calibrated by nature. Few labels prove little, however
well they are told apart: so p is fitted to Platt's targets, (n+ + 1) / (n+ + 2) for the good and 1 / (n- + 2) for the
bad of n+ good and n- bad sounds, in place of 1 and 0. There is no offset, so the label stays the sign of the score.
Scores of the few that a fold learns from may be smaller by far than those of the classifier that learnt from all: so a
is never larger than what fits its own examples best.

References
----------
J. Platt, "Probabilistic outputs for support vector machines and comparisons to regularized likelihood methods", 1999.
C. Guo et al., "On Calibration of Modern Neural Networks", ICML 2017 (temperature scaling).
"""

from __future__ import annotations

import numpy as np

from engine.agent.forms import Classes, Floats, sigmoid

_DECIMALS = 4


def inverse_temperature(held_out: Floats, y: Classes) -> float:
    """The factor a that makes Platt's targets likeliest for held-out scores (repeats, n); ~0 if those are noise."""
    from scipy.optimize import minimize_scalar

    target = _targets(y)
    size = max(float(np.abs(held_out).mean()), 1e-30)  # scores may be of any size

    def loss(t: float) -> float:
        logits = np.exp(t) / size * held_out
        return float((np.logaddexp(0, logits) - target * logits).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-7, 5), method="bounded").x) / size)


def calibrated(held_out: Floats, scores: Floats, y: Classes) -> float:
    """The factor a by held-out scores (repeats, n), and by those (n,) of the examples once all were learnt from."""
    return min(inverse_temperature(held_out, y), inverse_temperature(scores[None], y))


def modest(scores: Floats, y: Classes) -> float:
    """The factor a, at most 1, with which p of no example (scores (n,)) is surer than Platt's targets.

    For where nothing was held out, so that nothing is known of how sure a classifier may be.
    """
    targets = _targets(y)
    least, most = targets[y == 0][0], targets[y == 1][0]
    surest = np.where(scores > 0, np.log(most / (1 - most)), np.log((1 - least) / least))
    return float(min(1.0, (surest / np.maximum(np.abs(scores), 1e-30)).min()))


def probability(factor: float, scores: Floats) -> Floats:
    """p of scores of any shape; above 0.5 exactly where they are above 0, however little."""
    p = sigmoid(factor * scores)
    return np.where(scores > 0, np.maximum(p, np.nextafter(0.5, 1)), np.minimum(p, 0.5))


def shown(p: float) -> float:
    """p as it is shown, to four decimals, above 0.5 exactly where it was."""
    return max(round(float(p), _DECIMALS), 0.5 + 10**-_DECIMALS) if p > 0.5 else round(float(p), _DECIMALS)


def _targets(y: Classes) -> Floats:
    good = int(y.sum())
    return np.where(y == 1, (good + 1) / (good + 2), 1 / (len(y) - good + 2))
