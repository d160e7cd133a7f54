"""Previews are measured as far as the sound goes that Freesound has: what decoding adds behind it does not count."""

import json
from dataclasses import replace

import numpy as np
import pytest
import soundfile
import sqlalchemy as sa

from corpus import Corpus
from corpus.analysis import measuring
from corpus.analysis.decode import decode, samples_in
from corpus.analysis.measuring import measure, seconds_that_count
from corpus.store.vectors import Pending
from tests.audio_files import write
from tests.freesound.previews import preview

PREVIEW = Pending(1, 1, None, 1.0, 44100, "hq-ogg", ("mfcc", "mfcc_librosa"), levels=True)


def pending(path, **facts):
    info = soundfile.info(path)
    return replace(PREVIEW, path=path, duration=info.duration, samplerate=info.samplerate, **facts)


def assert_same(ours, theirs):
    assert (ours.loudness, ours.peak) == (theirs.loudness, theirs.peak)
    assert ours.vectors.keys() == theirs.vectors.keys() >= {"mfcc"}
    for name, values in theirs.vectors.items():
        np.testing.assert_array_equal(ours.vectors[name], values, err_msg=name)


@pytest.fixture
def padded(samples, tmp_path):
    """A sound, and the same with half a second of noise behind it: `(sound, padded, its seconds)`."""
    signal, rate = soundfile.read(samples[60], always_2d=True)
    noise = np.random.default_rng(1).uniform(-0.9, 0.9, (rate // 2, signal.shape[1]))
    sound = write(tmp_path / "sound.wav", signal, rate)
    return sound, write(tmp_path / "padded.wav", np.concatenate([signal, noise]), rate), len(signal) / rate


def test_what_is_behind_the_served_duration_does_not_count(padded):
    sound, longer, seconds = padded
    trimmed = measure(pending(longer, served=seconds))
    assert_same(trimmed, measure(pending(sound)))
    assert trimmed.provenance["mfcc"]["trimmed"] == "to the served duration"


def test_streamed_too(padded, monkeypatch):
    sound, longer, seconds = padded
    expected = measure(pending(sound, spaces=("mfcc",)))
    monkeypatch.setattr(measuring, "LONG", 0)
    monkeypatch.setattr(measuring, "decode", lambda path: pytest.fail("decoded whole"))
    streamed = measure(pending(longer, spaces=("mfcc",), served=seconds))
    np.testing.assert_array_equal(streamed.vectors["mfcc"], expected.vectors["mfcc"])
    assert streamed.loudness == pytest.approx(expected.loudness, abs=1e-9)
    assert streamed.peak == expected.peak
    assert streamed.provenance["mfcc"]["trimmed"] == "to the served duration"


@pytest.mark.parametrize("rate", [44100, 48000])
@pytest.mark.parametrize("kind", ["hq-ogg", "hq-mp3"])
@pytest.mark.parametrize("served", [None, 0.3, 13312.6 / 44100, 1.0])
def test_a_preview_is_the_same_streamed_and_whole(samples, tmp_path, monkeypatch, rate, kind, served):
    signal, _ = soundfile.read(samples[120], always_2d=True)
    path = preview(write(tmp_path / "sound.wav", signal, rate), kind, tmp_path)
    task = pending(path, spaces=("mfcc",), source=kind, served=served)
    whole = measure(task)
    monkeypatch.setattr(measuring, "LONG", 0)
    streamed = measure(task)
    np.testing.assert_array_equal(streamed.vectors["mfcc"], whole.vectors["mfcc"])


def test_an_original_is_untouched(padded):
    _, longer, seconds = padded
    original = measure(pending(longer, source="original", served=seconds))
    assert_same(original, measure(pending(longer, source="original")))
    assert "trimmed" not in original.provenance["mfcc"]


@pytest.mark.parametrize("factor", [None, 0, 1.1, 40])
def test_without_a_usable_duration_it_is_left_whole(padded, factor):
    sound, _, seconds = padded
    whole = measure(pending(sound, served=factor and seconds * factor))
    assert_same(whole, measure(pending(sound)))
    assert "trimmed" not in whole.provenance["mfcc"]


def test_few_decimals_round_to_the_nearest_sample(padded):
    sound, longer, seconds = padded
    for slip in (-0.4, 0.4):
        assert samples_in(seconds + slip / 44100, 44100) == soundfile.info(sound).frames
        assert_same(measure(pending(longer, served=seconds + slip / 44100)), measure(pending(sound)))
    task = pending(sound, served=round(seconds + 0.0005, 3))
    assert seconds_that_count(task) == task.served, "three decimals may round up beyond the end"


def test_the_tail_that_essentia_leaves_on_ogg_is_cut_off(samples, tmp_path):
    original = soundfile.info(samples[60])
    path = preview(samples[60], "hq-ogg", tmp_path)
    decoded = decode(path)
    assert 0 < len(decoded.samples) - original.frames < 2048, "else nothing is tested"
    bare = write(tmp_path / "bare.wav", decoded.samples[: original.frames], original.samplerate, subtype="FLOAT")
    assert_same(measure(pending(path, served=original.duration)), measure(pending(bare)))


@pytest.mark.parametrize("kind", ["hq-ogg", "lq-ogg", "hq-mp3", "lq-mp3"])
def test_previews_start_with_their_originals_and_sound_like_them(samples, tmp_path, kind):
    """No delay by the encoder is left: cross-correlation is greatest at 0, and there about as great as it should be."""
    for path in samples[60:160:20]:
        original = soundfile.read(path, always_2d=True)[0].mean(axis=1)
        signal = decode(preview(path, kind, tmp_path)).samples.mean(axis=1)
        size = 2 * max(len(original), len(signal))
        product = np.fft.irfft(np.fft.rfft(signal, size) * np.fft.rfft(original, size).conj(), size)
        assert np.argmax(product) == 0, path.name
        assert product[0] == pytest.approx(np.sum(original**2), rel=0.25), path.name


def test_what_is_harvested_is_trimmed_and_what_is_adopted_is_not(samples, home, tmp_path):
    with Corpus(home) as corpus:
        corpus.adopt([samples[60]])
        path = preview(samples[60], "hq-ogg", tmp_path)
        corpus.adopt([write(tmp_path / "a.ogg", *soundfile.read(path), kind="ogg")])
        with corpus.database.write() as connection:
            connection.execute(sa.text("update files set source = 'hq-ogg' where format = 'ogg'"))
            connection.execute(sa.text("update sounds set duration = duration / 2"))
        assert not corpus.analyse().failed
        with corpus.database.read() as connection:
            facts = [
                json.loads(text) for text in connection.execute(sa.text("select facts from provenances")).scalars()
            ]
        assert {each["source"]: each.get("trimmed") for each in facts} == {
            "original": None,
            "hq-ogg": "to the served duration",
        }
        original, half = corpus.sounds.many(corpus.sounds.ids().tolist())
        whole = measure(pending(original.file.path)).vectors["mfcc"]
        np.testing.assert_array_equal(corpus.vectors.of_sound(original.id)["mfcc"], whole)
        expected = measure(pending(half.file.path, served=half.duration)).vectors["mfcc"]
        np.testing.assert_array_equal(corpus.vectors.of_sound(half.id)["mfcc"], expected)
        assert np.abs(expected - whole).max() > 1
