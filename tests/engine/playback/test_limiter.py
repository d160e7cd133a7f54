from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from engine.playback.limiter import Limiter

RATE = 44100
CEILING = 10 ** (-1 / 20)


def in_blocks(limiter, audio, size):
    return np.concatenate([limiter.process(audio[i : i + size]) for i in range(0, len(audio), size)])


def bursts(seconds=0.5):
    """Noise with loud bursts, longer and shorter than the look-ahead."""
    rng = np.random.default_rng(1)
    audio = 0.3 * rng.standard_normal((round(seconds * RATE), 2))
    for start, length in [(0, 1), (700, 20), (3000, 2000), (9000, 3), (15000, 500)]:
        audio[start : start + length] *= rng.uniform(3, 60)
    return audio.astype(np.float32)


@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 400), st.just(2)),
        elements=st.floats(width=32, allow_nan=True, allow_infinity=True),
    ),
    st.integers(1, 150),
)
def test_never_above_the_ceiling(audio, size):
    tail = np.zeros((100, 2), dtype=np.float32)
    out = in_blocks(Limiter(RATE), np.concatenate([audio, tail]), size)
    assert np.all(np.abs(out) <= CEILING)


def test_bursts_come_down_to_the_ceiling_and_not_further():
    limiter = Limiter(RATE)
    out = in_blocks(limiter, bursts(), 256)
    assert np.abs(out).max() <= CEILING
    assert np.abs(out).max() > 0.99 * CEILING


@pytest.mark.parametrize("size", [1, 64, 256, 1000])
def test_block_sizes_do_not_matter(size):
    audio = bursts(0.4)
    whole = Limiter(RATE).process(audio)
    np.testing.assert_allclose(in_blocks(Limiter(RATE), audio, size), whole, atol=1e-7)


def test_below_the_ceiling_it_only_delays():
    audio = np.clip(bursts(), -0.89, 0.89)
    limiter = Limiter(RATE)
    out = in_blocks(limiter, audio, 256)
    np.testing.assert_array_equal(out[limiter.latency :], audio[: -limiter.latency])
    assert not out[: limiter.latency].any()


def test_gain_moves_smoothly_and_recovers():
    audio = np.full((RATE, 2), 0.5, dtype=np.float32)
    audio[5000] = 5.0
    limiter = Limiter(RATE)
    out = in_blocks(limiter, audio, 256)[limiter.latency :]
    gain = out[:, 0] / audio[: len(out), 0]
    fastest = 20 * np.log10(5.0 / CEILING) / limiter.latency  # dB a frame: all of it over the look-ahead
    assert np.abs(np.diff(20 * np.log10(gain))).max() <= fastest * 1.01
    np.testing.assert_allclose(gain[: 5000 - limiter.latency - 1], 1.0)
    np.testing.assert_allclose(gain[-1000:], 1.0, atol=1e-6)


def test_both_channels_get_the_same_gain():
    audio = np.full((2000, 2), [0.8, 0.2], dtype=np.float32)
    audio[1000:, 0] = 2.0
    limiter = Limiter(RATE)
    out = limiter.process(audio)[limiter.latency + 1000 :]
    np.testing.assert_allclose(out[:, 0] / out[:, 1], 10.0, rtol=1e-5)


def test_what_is_not_finite_is_silence():
    audio = np.full((300, 2), 0.5)
    audio[100] = np.nan, np.inf
    limiter = Limiter(RATE)
    out = limiter.process(audio)
    assert not out[limiter.latency + 100].any()
    np.testing.assert_allclose(out[limiter.latency + 101 :], 0.5)


def test_an_empty_block_changes_nothing():
    limiter = Limiter(RATE)
    assert limiter.process(np.zeros((0, 2))).shape == (0, 2)
    assert limiter.process(np.zeros((5, 2))).shape == (5, 2)
