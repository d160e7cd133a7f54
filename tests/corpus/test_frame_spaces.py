"""Spaces `traits9` and `mfcc_frames` against Essentia's FreesoundExtractor and against NumPy."""

import dataclasses

import numpy as np
import pytest
import soundfile
from essentia.standard import FrameGenerator, FreesoundExtractor, OnsetRate, PitchYin

from corpus import Corpus
from corpus.analysis import decode as decode_module
from corpus.analysis import frames, measuring, mfcc, spaces, traits
from corpus.analysis.decode import RATE, decode, essentia
from corpus.analysis.measuring import measure
from corpus.analysis.mfcc_frames import gaussian
from corpus.analysis.spaces import extractor
from corpus.store.vectors import Pending

essentia()  # quiet

TOLERANCE = 2e-5
"""Relative; Essentia sums its statistics, and YIN's differences, in float32."""
KEYS = (
    "pitch",
    "pitch_instantaneous_confidence",
    "pitch_salience",
    "spectral_centroid",
    "spectral_spread",
    "spectral_flatness_db",
    "zerocrossingrate",
    "dissonance",
)
SAMPLES = (0, 25, 60, 77, 95, 110)
UPPER = np.triu_indices(13)


def pending(path, spaces=("traits9",), duration=1.0, rate=44100):
    return Pending(1, 1, path, duration, rate, "original", spaces, levels=False)


def vector(path, space="traits9"):
    return measure(pending(path, (space,))).vectors[space]


@pytest.mark.parametrize("place", SAMPLES)
def test_traits_agree_with_freesound_extractor(samples, place):
    pool, _ = FreesoundExtractor(lowlevelStats=["mean", "var"], rhythmStats=["mean"], tonalStats=["mean"])(
        str(samples[place])
    )
    ours = vector(samples[place])
    for first, statistic in ((0, "mean"), (9, "var")):
        theirs = [pool[f"lowlevel.{key}.{statistic}"] for key in KEYS]
        np.testing.assert_allclose(ours[first : first + 8], theirs, rtol=TOLERANCE, atol=1e-9)
    # it takes the duration for a whole number of hops; the onsets are the same
    duration = len(decode(samples[place]).at_44100) / RATE
    assert ours[8] * duration == pytest.approx(pool["rhythm.onset_count"], rel=1e-6)
    assert ours[8] == pytest.approx(pool["rhythm.onset_rate"], abs=pool["rhythm.onset_rate"] * 1024 / RATE / duration)


def test_yin_is_essentias_own_frame_by_frame(samples):
    mono = decode(samples[100]).at_44100
    some = np.array(list(FrameGenerator(mono, frameSize=2048, hopSize=1024)))
    theirs = np.array([PitchYin(frameSize=2048)(frame) for frame in some])
    np.testing.assert_allclose(traits.yin(some), theirs, rtol=1e-4, atol=1e-4)


def test_what_is_pinned_is_what_freesound_extractor_leaves_as_it_is():
    from essentia import standard

    pinned = {
        "PitchYin": traits._YIN,
        "PitchSalience": traits._SALIENCE,
        "SpectralPeaks": traits._PEAKS,
        "ZeroCrossingRate": traits._CROSSINGS,
        "BarkBands": traits._BARK,
        "Onsets": traits._ONSETS,
    }
    for name, parameters in pinned.items():
        algorithm = getattr(standard, name)()
        for parameter, value in parameters.items():
            expected = value if isinstance(value, str) else pytest.approx(value, rel=1e-6)
            assert algorithm.paramValue(parameter) == expected, (name, parameter)


def test_onset_rate_is_that_of_each_second(samples):
    mono = decode(next(path for path in samples if path.stem == "loop_amen")).at_44100
    onsets, rate = OnsetRate()(mono)
    duration = len(mono) / RATE
    lengths = np.array([1.0, duration - 1])
    rates = np.array([(onsets < 1).sum(), (onsets >= 1).sum()]) / lengths
    ours = traits.traits(mono)
    assert ours[8] == pytest.approx(rate, rel=1e-6)
    assert ours[17] == pytest.approx(np.average((rates - rate) ** 2, weights=lengths), rel=1e-4)


def test_mfcc_frames_are_mean_and_covariance_of_the_frames_of_mfcc(samples):
    for path in (samples[0], samples[90]):
        some = mfcc.coefficients(decode(path).at_44100).astype(np.float64)
        ours = vector(path, "mfcc_frames")
        assert ours.shape == (104,)
        np.testing.assert_allclose(ours[:13], some.mean(axis=0), rtol=1e-6)
        np.testing.assert_allclose(ours[13:], np.cov(some.T, bias=True)[UPPER], rtol=1e-5, atol=1e-3)
        plain = vector(path, "mfcc")
        np.testing.assert_allclose(ours[:13], plain[:13], rtol=1e-4, atol=1e-3)
        np.testing.assert_allclose(ours[13:][UPPER[0] == UPPER[1]], plain[13:], rtol=1e-3)


def test_one_frame_has_no_covariance():
    ours = gaussian(np.arange(13, dtype=np.float32)[None])
    np.testing.assert_array_equal(ours, [*range(13), *[0] * 91])


@pytest.mark.parametrize("space", ["traits9", "mfcc_frames"])
def test_a_long_file_is_streamed_to_the_same_numbers(samples, monkeypatch, space):
    whole = vector(samples[-1], space)
    monkeypatch.setattr(measuring, "LONG", 0)
    monkeypatch.setattr(measuring, "decode", lambda path: pytest.fail("decoded whole"))
    streamed = measure(pending(samples[-1], (space,)))
    np.testing.assert_allclose(streamed.vectors[space], whole, rtol=1e-6)
    by = {"traits9": "libsndfile", "mfcc_frames": "essentia"}[space]
    assert streamed.provenance[space]["decoder"] == f"{by}, streamed"


@pytest.mark.parametrize(("rate", "channels"), [(48000, 2), (22050, 1), (96000, 5), (11111, 1)])
def test_a_long_file_of_another_rate_is_resampled_to_the_same_numbers(samples, tmp_path, monkeypatch, rate, channels):
    signal, _ = soundfile.read(samples[100], always_2d=True)
    path = tmp_path / "sound.wav"
    soundfile.write(path, np.tile(signal[:, :1], (12 * rate // len(signal) + 1, channels)), rate)
    whole = vector(path)
    monkeypatch.setattr(measuring, "LONG", 0)
    monkeypatch.setattr(decode_module, "_PIECE", 3)
    np.testing.assert_allclose(vector(path), whole, rtol=1e-3)


def test_only_the_seconds_that_count_are_streamed(samples, monkeypatch):
    mono = decode(samples[-1]).at_44100
    expected = traits.traits(mono[: round(1.5 * RATE)])
    np.testing.assert_allclose(traits.traits_of_file(samples[-1], 1.5), expected, rtol=1e-6)


@pytest.mark.parametrize("length", [1, 500, 1024, 1025, 2047, 2048, 2049, 5000])
@pytest.mark.parametrize("size", [1, 700, 3000, 10000])
def test_frames_cut_from_blocks_are_essentias(length, size):
    mono = np.random.default_rng(1).normal(size=length).astype(np.float32)
    blocks = [mono[first : first + size] for first in range(0, length, size)]
    np.testing.assert_array_equal(np.concatenate(list(frames.centred(blocks))), np.array(list(frames.frames(mono))))
    plain = list(FrameGenerator(mono, frameSize=1024, hopSize=512, startFromZero=True))
    np.testing.assert_array_equal(np.concatenate(list(frames.cut(blocks, 1024, 512))), np.array(plain))


def test_frames_are_computed_once_for_all_spaces(samples, monkeypatch):
    counted = []
    window, spectrum = frames.algorithms()
    monkeypatch.setattr(frames, "algorithms", lambda: (lambda frame: counted.append(1) or window(frame), spectrum))
    names = ("mfcc", "mfcc_frames", "traits9")
    several = measure(pending(samples[60], names)).vectors
    assert len(counted) == len(list(frames.frames(decode(samples[60]).at_44100)))
    assert frames._answers is None, "what was shared would stay in memory"
    for name in names:
        np.testing.assert_array_equal(several[name], vector(samples[60], name))
    again = measure(pending(samples[61], names)).vectors
    assert not np.array_equal(again["mfcc"], several["mfcc"]), "nothing is kept for the next sound"


def test_silence_has_no_pitch_and_that_is_kept(home, tmp_path, mirla):
    soundfile.write(tmp_path / "silence.wav", np.zeros(60000), 44100)
    soundfile.write(tmp_path / "tone.wav", 0.5 * np.sin(np.arange(60000) * 2 * np.pi * 440 / 44100), 44100)
    with Corpus(home) as corpus:
        corpus.adopt([tmp_path / "silence.wav", tmp_path / "tone.wav"])
        assert not corpus.analyse(["traits9", "mfcc_frames", "mfcc"]).failed
        ids, X = corpus.vectors.matrix("traits9")
        silent = next(sound.id for sound in corpus.sounds.many(ids.tolist()) if sound.name.startswith("silence"))
    quiet, tone = X[ids == silent][0], X[ids != silent][0]
    assert np.flatnonzero(np.isnan(quiet)).tolist() == [0, 9]
    np.testing.assert_array_equal(np.delete(quiet, [0, 9, 5]), 0)
    assert quiet[5] == 1
    assert tone[0] == pytest.approx(440, rel=0.02)
    shown = mirla("--json", "show", silent, "--vectors").json["vectors"]["traits9"]
    assert (shown[0], shown[1]) == (None, 0.0)
    assert "traits9: missing 0 0" in mirla("show", silent, "--vectors").out


@pytest.mark.parametrize(("wrong", "words"), [(3, "nan"), (0, "inf")])
def test_nothing_else_may_be_missing(samples, monkeypatch, wrong, words):
    space = extractor("traits9")
    answer = np.zeros(18, np.float32)
    answer[wrong] = float(words)
    broken = dataclasses.replace(space, compute=lambda mono: answer)
    monkeypatch.setattr(measuring, "extractor", lambda name: broken)
    assert measure(pending(samples[0])).failed == {"traits9": f"space 'traits9' came out as {words}"}


def test_help_lists_what_the_registry_holds(mirla):
    words = " ".join(mirla("analyse", "--help").out.split())
    assert f"Known: {', '.join(['mfcc (default)', *spaces.known()[1:]])}." in words
    assert {"mfcc_librosa", "mfcc_frames", "traits9"} <= set(spaces.known())
