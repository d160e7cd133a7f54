"""Onsets: made clicks are found where they are, silence has none, and what is stale is looked for again."""

import numpy as np
import pytest

from corpus import Corpus
from corpus.analysis import onsets as finder
from corpus.analysis.decode import RATE
from corpus.analysis.onsets import fingerprint, onsets, onsets_of_file
from tests.audio_files import write, write_tone

TIMES = (0.0, 0.3, 0.45, 1.0, 1.6, 2.31)


def clicks(times, seconds, rate=RATE, floor=1e-4):
    """Bursts of noise that die away within hundredths of a second, over a floor of noise."""
    generator = np.random.default_rng(0)
    samples = floor * generator.standard_normal(round(seconds * rate))
    for at in times:
        burst = generator.standard_normal(round(0.05 * rate)) * np.exp(-np.arange(round(0.05 * rate)) / 0.01 / rate)
        samples[round(at * rate) :][: len(burst)] += 0.2 * burst
    return samples.astype(np.float32)


@pytest.mark.parametrize("floor", [0, 1e-4, 1e-2])
def test_clicks_are_found_before_they_begin_and_within_20_ms(floor):
    found = onsets(clicks(TIMES, 3, floor=floor))
    assert len(found) == len(TIMES)
    early = np.array(TIMES) - found
    assert early[0] == 0
    assert (early[1:] > 0).all()
    assert (early < 0.020).all()


def test_silence_and_what_nobody_hears_have_none():
    assert len(onsets(np.zeros(RATE, np.float32))) == 0
    assert len(onsets(clicks(TIMES, 3) * np.float32(1e-4))) == 0
    assert len(onsets(np.zeros(0, np.float32))) == 0
    assert onsets(np.full(1, 0.5, np.float32)).tolist() in ([], [0])


def test_a_long_sound_has_the_same_onsets_piece_by_piece(tmp_path, monkeypatch):
    times = np.arange(0.0, 12.9, 0.37)
    samples = clicks(times, 13)
    whole = onsets(samples)
    assert len(whole) == len(times)
    monkeypatch.setattr(finder, "_PIECE", 3 * RATE)
    np.testing.assert_allclose(onsets(samples), whole, atol=0.007)
    path = write(tmp_path / "long.wav", samples)
    np.testing.assert_allclose(onsets_of_file(path), whole, atol=0.007)
    np.testing.assert_allclose(onsets_of_file(path, 6), whole[whole < 6], atol=0.007)


def test_analyse_keeps_them_looks_again_for_what_is_stale_and_lists_what_failed(home, tmp_path, mirla):
    files = [write(tmp_path / "clicks.flac", clicks(TIMES, 3, 48000), 48000, "flac"), write_tone(tmp_path / "tone.wav")]
    with Corpus(home) as corpus:
        ids = corpus.adopt(files).ids
        clicked, toned = corpus.sounds.many(ids)
        assert corpus.onsets.of(clicked.id) is None
        report = corpus.analyse(onsets=True, jobs=1)
        assert (report.onsets.analysed, report.onsets.skipped, report.failed) == (2, 0, [])
        np.testing.assert_allclose(corpus.onsets.of(clicked.id), TIMES, atol=0.020)
        assert corpus.onsets.of(toned.id).tolist() == [0]
        assert corpus.onsets.up_to_date(fingerprint()) == {(one.id, one.file.id) for one in (clicked, toned)}
        with corpus.database.write() as connection:
            for one in (clicked, toned):
                corpus.onsets.put(connection, one.id, one.file.id, "of old", np.ones(1))
        toned.file.path.unlink()
    answer = mirla("analyse", "--onsets", "--jobs", 1, "--json", check=1).json
    assert (answer["onsets"]["analysed"], [one["id"] for one in answer["onsets"]["failed"]]) == (1, [toned.id])
    assert answer["spaces"]["mfcc"] == {"analysed": 0, "skipped": 2, "failed": []}
    assert mirla("show", clicked.id, "--json").json["onsets"] == len(TIMES)
    assert "onsets: 6" in mirla("show", clicked.id).out
    assert "onsets: of 2 sounds" in mirla("status").out
