"""Calibrated probabilities: p = 1 / (1 + exp(-a z)) of a score z; p > 0.5 exactly when z > 0.

a is fitted on held-out scores; it is 1 for classifiers that are calibrated by nature.
"""

from __future__ import annotations

import numpy as np

from engine.agent.forms import Classes, Floats


def inverse_temperature(held_out: Floats, y: Classes) -> float:
    """The factor a that makes `1 / (1 + exp(-a z))` likeliest for held-out scores z (repeats, n); ~0 if they are noise.

    References
    ----------
    C. Guo et al., "On Calibration of Modern Neural Networks", ICML 2017 (temperature scaling).
    """
    from scipy.optimize import minimize_scalar

    sign = np.where(y == 1, 1.0, -1.0)
    size = max(float(np.abs(held_out).mean()), 1e-30)  # scores may be of any size
    found = minimize_scalar(
        lambda t: np.logaddexp(0, -np.exp(t) / size * held_out * sign).mean(), bounds=(-7, 5), method="bounded"
    )
    return float(np.exp(found.x) / size)
