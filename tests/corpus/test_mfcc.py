"""Space `mfcc` against Essentia's FreesoundExtractor itself, to the last bit."""

import numpy as np
import pytest
import soundfile
from essentia.standard import FreesoundExtractor

from corpus.analysis import measuring
from corpus.analysis.decode import decode, essentia
from corpus.analysis.measuring import measure
from corpus.analysis.spaces import extractor, fingerprinted, probe
from corpus.errors import AudioError
from corpus.store.vectors import Pending

essentia()  # quiet


def pending(path, spaces=("mfcc",), duration=1.0, rate=44100):
    return Pending(1, 1, path, duration, rate, "original", spaces, levels=False)


def freesound(path):
    """What FreesoundExtractor says of a file: 13 means and 13 variances."""
    pool, _ = FreesoundExtractor(lowlevelStats=["mean", "var"], rhythmStats=["mean"], tonalStats=["mean"])(str(path))
    return np.concatenate([pool["lowlevel.mfcc.mean"], pool["lowlevel.mfcc.var"]])


def assert_bit_for_bit(path):
    ours = measure(pending(path)).vectors["mfcc"]
    assert ours.dtype == np.float32
    np.testing.assert_array_equal(ours, freesound(path), err_msg=str(path))


@pytest.mark.parametrize("place", range(0, 120, 8))
def test_real_files_agree_with_freesound_extractor(samples, place):
    assert_bit_for_bit(samples[place])


@pytest.mark.parametrize(
    ("suffix", "rate", "gain"),
    [("ogg", 44100, 1), ("ogg", 48000, 4), ("mp3", 44100, 1), ("aiff", 22050, 1), ("wav", 96000, 4), ("flac", 8000, 1)],
)
def test_other_formats_rates_and_clipping_agree(samples, tmp_path, suffix, rate, gain):
    """A gain of 4 drives decoded audio beyond full scale, where loaders differ."""
    signal, _ = soundfile.read(samples[60])
    options = {"subtype": "FLOAT"} if suffix == "wav" else {}
    path = tmp_path / f"sound.{suffix}"
    soundfile.write(path, signal * gain, rate, **options)
    assert_bit_for_bit(path)


def test_a_long_file_is_streamed_to_the_same_bits(samples, monkeypatch):
    whole = measure(pending(samples[-1])).vectors["mfcc"]
    monkeypatch.setattr(measuring, "LONG", 0)
    monkeypatch.setattr(measuring, "decode", lambda path: pytest.fail("decoded whole"))
    streamed = measure(pending(samples[-1]))
    np.testing.assert_array_equal(streamed.vectors["mfcc"], whole)
    assert streamed.provenance["mfcc"]["decoder"] == "essentia, streamed"


@pytest.mark.parametrize(("channels", "options"), [(2, {"format": "OGG", "subtype": "OPUS"}), (5, {})])
def test_what_essentia_cannot_read_is_measured_too_whole_or_streamed(samples, tmp_path, monkeypatch, channels, options):
    """Opus crashes it now and then, more than two channels it refuses."""
    signal, _ = soundfile.read(samples[60], always_2d=True)
    path = tmp_path / ("sound.opus" if options else "sound.wav")
    soundfile.write(path, np.repeat(signal[:, :1], channels, axis=1), 48000, **options)
    whole = measure(pending(path))
    assert whole.provenance["mfcc"]["decoder"].startswith("libsndfile")
    monkeypatch.setattr(measuring, "LONG", 0)
    np.testing.assert_array_equal(measure(pending(path)).vectors["mfcc"], whole.vectors["mfcc"])


def test_streamed_levels_equal_those_of_the_whole_file(samples, monkeypatch):
    task = Pending(1, 1, samples[-1], 1.0, soundfile.info(samples[-1]).samplerate, "original", (), levels=True)
    whole = measure(task)
    monkeypatch.setattr(measuring, "LONG", 0)
    streamed = measure(task)
    assert streamed.loudness == pytest.approx(whole.loudness, abs=1e-9)
    assert streamed.peak == pytest.approx(whole.peak, abs=1e-9)


def test_librosa_space_is_librosas_own_numbers(samples):
    import librosa

    audio = decode(samples[50])
    frames = librosa.feature.mfcc(y=audio.at_44100, sr=44100, n_mfcc=13)
    ours = measure(pending(samples[50], ("mfcc_librosa",))).vectors["mfcc_librosa"]
    np.testing.assert_allclose(ours, np.concatenate([frames.mean(axis=1), frames.var(axis=1)]), rtol=1e-5)


def test_silence_is_the_floor_of_the_scale():
    vector = extractor("mfcc").compute(np.zeros(44100, np.float32))
    assert vector[0] == pytest.approx(-200 * np.sqrt(40), rel=1e-4)
    assert np.abs(vector[1:13]).max() < 0.1


def test_a_long_file_is_refused_by_a_space_that_cannot_stream(samples, monkeypatch):
    monkeypatch.setattr(measuring, "LONG", 0)
    failed = measure(pending(samples[-1], ("mfcc_librosa",), duration=600.0)).failed
    assert failed == {"mfcc_librosa": "10 minutes are too long for space 'mfcc_librosa'; cut it into shorter files"}


def test_a_file_that_is_gone_is_said_to_be_missing(tmp_path):
    with pytest.raises(AudioError, match=r"gone\.wav is missing; put it back"):
        measure(pending(tmp_path / "gone.wav"))


def test_the_probe_never_changes():
    """Fingerprints hang on it: its samples are fixed here to float32 accuracy."""
    signal = probe()
    assert (len(signal), signal.dtype) == (22050, np.float32)
    np.testing.assert_allclose(signal[[0, 1, 100, 5000, 20000]], EXPECTED_PROBE, rtol=1e-4, atol=1e-6)


EXPECTED_PROBE = [0.0, 0.30772752, -0.09587447, 0.02391981, 0.0]


def test_fingerprint_follows_the_parameters_and_the_answers(monkeypatch):
    before = fingerprinted("mfcc").fingerprint
    fingerprinted.cache_clear()
    assert fingerprinted("mfcc").fingerprint == before
    space = extractor("mfcc")
    monkeypatch.setitem(space.parameters, "pinned", "otherwise")
    fingerprinted.cache_clear()
    assert fingerprinted("mfcc").fingerprint != before
    monkeypatch.undo()
    monkeypatch.setattr("corpus.analysis.spaces.probe", lambda: probe() * 0.5)
    fingerprinted.cache_clear()
    assert fingerprinted("mfcc").fingerprint != before
    fingerprinted.cache_clear()
