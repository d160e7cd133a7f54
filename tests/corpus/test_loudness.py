"""Loudness against EBU's own test signals and pyloudnorm."""

import numpy as np
import pyloudnorm
import pytest
import soundfile

from corpus.analysis.loudness import LevelMeter

RATE = 48000


def measured(signal, rate=RATE, block=None):
    meter = LevelMeter(rate)
    for first in range(0, len(signal), block or len(signal)):
        meter.add(signal[first : first + (block or len(signal))].astype(np.float32))
    return meter


def tone(decibels, seconds, rate=RATE):
    time = np.arange(round(seconds * rate)) / rate
    return np.column_stack([10 ** (decibels / 20) * np.sin(2 * np.pi * 1000 * time)] * 2)


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
@pytest.mark.parametrize("level", [-23.0, -33.0])
def test_ebu_tech_3341_cases_1_and_2(level, rate):
    assert measured(tone(level, 20, rate), rate).loudness() == pytest.approx(level, abs=0.1)


def test_ebu_tech_3341_case_3_gates_what_is_quiet():
    signal = np.concatenate([tone(-36, 10), tone(-23, 60), tone(-36, 10)])
    assert measured(signal).loudness() == pytest.approx(-23, abs=0.1)


def test_real_sounds_agree_with_pyloudnorm(samples):
    """Cut to whole tenths of a second, since pyloudnorm rounds the number of blocks and BS.1770 rounds down."""
    for path in samples[90:160:5]:
        signal, rate = soundfile.read(path, always_2d=True)
        signal = signal[: len(signal) // (rate // 10) * (rate // 10)]
        assert len(signal) >= 0.4 * rate
        heard = np.repeat(signal, 2, axis=1) if signal.shape[1] == 1 else signal
        reference = pyloudnorm.Meter(rate, filter_class="DeMan").integrated_loudness(heard)
        assert measured(signal, rate).loudness() == pytest.approx(reference, abs=0.02), path


def test_blocks_do_not_change_the_answer(samples):
    signal, rate = soundfile.read(samples[150], always_2d=True)
    whole = measured(signal, rate)
    for block in (1000, 4411, 65536):
        parts = measured(signal, rate, block)
        assert parts.loudness() == pytest.approx(whole.loudness(), abs=1e-9)
        assert parts.peak == whole.peak


def test_a_mono_sound_counts_in_both_loudspeakers():
    stereo = tone(-23, 5)
    assert measured(stereo[:, :1]).loudness() == pytest.approx(measured(stereo).loudness(), abs=1e-6)


def test_a_short_sound_has_a_loudness_too():
    """A tenth of a second of tone, as if silence followed to the end of one gating block of 400 ms: -6 dB."""
    short = measured(tone(-23, 0.1)).loudness()
    assert short == pytest.approx(-23 - 6.02, abs=0.3)


@pytest.mark.parametrize("frames", [0, 1, 48000])
def test_silence_has_none(frames):
    meter = measured(np.zeros((frames, 2)), block=4800)
    assert (meter.loudness(), meter.peak) == (None, 0.0)


def test_an_end_that_fills_no_block_is_heard_too():
    """0.4 s of silence, then 80 ms of tone: no whole step of 100 ms holds the tone."""
    signal = np.concatenate([np.zeros((round(0.4 * RATE), 2)), tone(-23, 0.08)])
    assert measured(signal).loudness() == pytest.approx(-23 + 10 * np.log10(0.08 / 0.4), abs=0.5)
