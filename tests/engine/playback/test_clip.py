from __future__ import annotations

import numpy as np
import pytest
import soundfile

from engine.errors import EngineError
from engine.playback import clip_from_array, load_clip
from engine.playback.clip import MOST_SEMITONES, gain_towards, shift_pitch

RATE = 44100
PLAIN = {"id": 7, "name": "seven", "loudness": None, "rate": RATE}


def test_mono_goes_to_both_sides(tmp_path):
    audio = np.linspace(-0.5, 0.5, 100, dtype=np.float32)
    soundfile.write(tmp_path / "mono.wav", audio, RATE, subtype="FLOAT")
    clip = load_clip(tmp_path / "mono.wav", **PLAIN)
    assert (clip.id, clip.name, clip.rate, clip.gain) == (7, "seven", RATE, 1.0)
    assert clip.frames.dtype == np.float32
    np.testing.assert_array_equal(clip.frames, np.column_stack([audio, audio]))


def test_stereo_stays_and_is_copied():
    audio = np.array([[0.1, 0.2], [0.3, 0.4]], dtype=np.float32)
    clip = clip_from_array(audio, RATE, **PLAIN)
    np.testing.assert_array_equal(clip.frames, audio)
    assert not np.shares_memory(clip.frames, audio)


def test_more_channels_are_averaged():
    clip = clip_from_array(np.array([[0.1, 0.2, 0.6]]), RATE, **PLAIN)
    np.testing.assert_allclose(clip.frames, [[0.3, 0.3]], rtol=1e-6)


def test_what_is_not_finite_becomes_silence_before_it_is_resampled():
    audio = np.full(4800, 0.25)
    audio[[10, 20, 30]] = np.nan, np.inf, -np.inf
    clip = clip_from_array(audio, RATE, **PLAIN)
    assert np.all(clip.frames[[10, 20, 30]] == 0.0)
    assert np.isfinite(clip_from_array(audio, 48000, **PLAIN).frames).all()


def test_resampling_keeps_duration_and_pitch():
    audio = np.sin(2 * np.pi * 1000 * np.arange(48000) / 48000)
    clip = clip_from_array(audio, 48000, **PLAIN)
    expected = np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)
    assert clip.seconds == pytest.approx(1.0, abs=1e-4)
    np.testing.assert_allclose(clip.frames[500:-500, 0], expected[500:-500], atol=1e-3)


@pytest.mark.parametrize(
    ("loudness", "decibels"),
    [
        (-23.0, 0.0),
        (-10.0, -13.0),
        (-33.0, 10.0),
        (-60.0, 20.0),  # no more than +20 dB
        (None, 0.0),
        (float("-inf"), 0.0),
        (float("nan"), 0.0),
    ],
)
def test_gain(loudness, decibels):
    assert gain_towards(-23.0, loudness) == pytest.approx(10 ** (decibels / 20))


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.write_text("no audio")])
def test_a_file_that_cannot_be_decoded_is_one_line(tmp_path, make):
    path = tmp_path / "broken.wav"
    make(path)
    with pytest.raises(EngineError, match=r"cannot decode .*broken\.wav: .+; choose another sound") as caught:
        load_clip(path, **PLAIN)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("semitones", [-12.0, -5.0, 3.0, 12.0])
def test_a_shifted_sound_has_another_pitch_and_stays_where_it_was(semitones):
    when = np.arange(2 * RATE)
    tone = 0.3 * np.sin(2 * np.pi * 500 * when / RATE)
    tone[(when < RATE // 2) | (when > RATE)] = 0.0
    clip = clip_from_array(tone, RATE, **PLAIN)
    shifted = shift_pitch(clip, semitones)
    assert (clip.key, shifted.key, shifted.id) == (7, (7, semitones), 7)
    assert shifted.frames.shape == clip.frames.shape
    spectrum = np.abs(np.fft.rfft(shifted.frames[int(0.6 * RATE) : int(0.9 * RATE), 0], 10 * RATE))
    pitch = 0.1 * np.argmax(spectrum)
    assert 12 * np.log2(pitch / 500) == pytest.approx(semitones, abs=0.2)
    power = np.convolve(shifted.frames[:, 0] ** 2, np.ones(441) / 441, "same")
    first, last = np.flatnonzero(power > power.max() / 4)[[0, -1]]
    assert [first / RATE, last / RATE] == pytest.approx([0.5, 1.0], abs=0.015)


def test_no_shift_is_the_same_sound_and_an_impossible_one_is_one_line():
    clip = clip_from_array(np.zeros(100), RATE, **PLAIN)
    assert shift_pitch(clip, 0.0).key == 7
    assert len(shift_pitch(clip_from_array(np.zeros(0), RATE, **PLAIN), 5.0).frames) == 0
    for semitones in (float("nan"), float("inf"), MOST_SEMITONES + 1):
        with pytest.raises(EngineError, match=f"cannot shift by {semitones} semitones: give a number from -36 to 36"):
            shift_pitch(clip, semitones)
