"""Reading between frames.

Conventions: audio is (frames, 2) float32, seen here as one complex number a frame (left + i right), so that one
operation serves both channels.

The curve is the cubic Hermite spline whose slopes are central differences (Catmull and Rom, "A class of local
interpolating splines", 1974): it passes through every frame, so that at whole positions it returns them exactly. It is
no band limit: at a rate above 1 what lies above half the rate divided by it folds back as other pitches, as on a
sampler of old, and at any rate an image of the highest octave stays (a sine of 1 kHz at 44.1 kHz has them below
-90 dB, one of 10 kHz at about -25 dB).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Stereo = npt.NDArray[np.complex64]

_TAPS = np.arange(-1, 3)[:, np.newaxis]
_WEIGHTS = np.array(  # of the four frames around, for 1, x, x^2 and x^3
    [[0.0, -0.5, 1.0, -0.5], [1.0, 0.0, -2.5, 1.5], [0.0, 0.5, 2.0, -1.5], [0.0, 0.0, -0.5, 0.5]], dtype=np.float32
)


def hermite(source: Stereo, positions: npt.NDArray[np.float64], *, loop: bool) -> npt.NDArray[np.float32]:
    """Read `source` at `positions`.

    Parameters
    ----------
    source : ndarray of complex64, shape (length,)
        At least one frame.
    positions : ndarray of float64, shape (n,)
        Outside of the source they go round in a loop; else its first and last frame go on.

    Returns
    -------
    ndarray of float32, shape (n, 2)
    """
    if loop and (positions.min() < 0.0 or positions.max() >= len(source)):
        positions = positions % len(source)
    floor = np.floor(positions)
    taps = source.take(_TAPS + floor.astype(np.intp), mode="wrap" if loop else "clip")
    powers = np.empty((4, len(positions)), dtype=np.float32)
    powers[0] = 1.0
    powers[1] = positions - floor
    np.multiply(powers[1], powers[1], out=powers[2])
    np.multiply(powers[2], powers[1], out=powers[3])
    taps *= _WEIGHTS @ powers
    read: npt.NDArray[np.float32] = (taps[0] + taps[1] + taps[2] + taps[3]).view(np.float32).reshape(-1, 2)
    return read
