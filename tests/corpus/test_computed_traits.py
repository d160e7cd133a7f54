"""Traits computed here: against FreesoundExtractor, missing where there is nothing to measure, kept up to date."""

import dataclasses
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import soundfile
import sqlalchemy as sa
from essentia.standard import FreesoundExtractor

from corpus import Corpus
from corpus.analysis import measuring, scalars
from corpus.analysis.decode import RATE, decode, essentia
from corpus.analysis.measuring import measure
from corpus.descriptors import SCALARS
from corpus.filters import parse
from corpus.store.filters import clause
from corpus.store.tables import sounds
from corpus.store.vectors import Pending
from corpus.wanted import Query, Wanted

essentia()  # quiet

KEYS = {  # with what our values may be off, as a share of theirs; Essentia sums in float32
    "pitch": ("lowlevel.pitch.mean", 1e-5),
    "pitch_var": ("lowlevel.pitch.var", 1e-4),
    "pitch_min": ("lowlevel.pitch.min", 1e-4),
    "pitch_max": ("lowlevel.pitch.max", 1e-4),
    "pitch_confidence": ("lowlevel.pitch_instantaneous_confidence.mean", 1e-5),
    "pitch_salience": ("lowlevel.pitch_salience.mean", 1e-5),
    "spectral_centroid": ("lowlevel.spectral_centroid.mean", 1e-5),
    "spectral_flatness": ("lowlevel.spectral_flatness_db.mean", 1e-5),
    "spectral_spread": ("lowlevel.spectral_spread.mean", 1e-5),
    "spectral_rolloff": ("lowlevel.spectral_rolloff.mean", 1e-5),
    "zero_crossing_rate": ("lowlevel.zerocrossingrate.mean", 1e-5),
    "dissonance": ("lowlevel.dissonance.mean", 1e-5),
    "silence_rate": ("lowlevel.silence_rate_30dB.mean", 1e-6),
    "loudness": ("lowlevel.loudness_ebu128.integrated", 1e-6),
    "dynamic_range": ("lowlevel.loudness_ebu128.loudness_range", 1e-6),
    "log_attack_time": ("sfx.logattacktime", 1e-5),
    "duration_effective": ("sfx.effective_duration", 1e-6),
    "onset_count": ("rhythm.onset_count", 0),
    "bpm": ("rhythm.bpm_loop", 1e-6),
    "bpm_confidence": ("rhythm.bpm_loop_confidence", 1e-6),
    "tonality_confidence": ("tonal.key.strength", 1e-6),
}
SHORT = {"dynamic_range", "bpm", "bpm_confidence", "tonality_confidence"}
SINGLE = {"drum_cowbell", "elec_tick", "bd_haus", "bd_sone", "tabla_ghe3", "bass_voxy_hit_c", "perc_bell"}
NAMES = sorted({"loop_amen", "elec_wood", "ambi_drone", "loop_garzul", "guit_em9"} | SINGLE)
LONG = {"ambi_drone", "loop_garzul", "guit_em9"}
OF_SILENCE = {"zero_crossing_rate": 0.0, "silence_rate": 1.0, "onset_count": 0, "duration_effective": 0.0}


def pending(path, **more):
    return Pending(1, 1, path, 1.0, 44100, "original", (), levels=False, traits=True, **more)


def computed(path):
    return measure(pending(path)).traits


def tone(path, frequency=440, seconds=1.5, rate=44100, channels=1):
    wave = 0.5 * np.sin(np.arange(round(rate * seconds)) * 2 * np.pi * frequency / rate)
    soundfile.write(path, np.tile(wave[:, None], (1, channels)), rate)
    return path


@pytest.fixture
def own(home, tmp_path):
    """Silence and a tone of 440 Hz, adopted."""
    soundfile.write(tmp_path / "silence.wav", np.zeros(60000), 44100)
    tone(tmp_path / "tone.wav")
    with Corpus(home) as corpus:
        corpus.adopt([tmp_path / "silence.wav", tmp_path / "tone.wav"])
        yield corpus


def named(corpus, word):
    return next(sound.id for sound in corpus.sounds.many(corpus.sounds.ids().tolist()) if word in sound.name)


@pytest.mark.parametrize("name", NAMES)
def test_they_are_what_freesound_extractor_has(samples, name):
    path = next(path for path in samples if path.stem == name)
    statistics = ["mean", "var", "min", "max"]
    pool, _ = FreesoundExtractor(lowlevelStats=statistics, rhythmStats=["mean"], tonalStats=["mean"])(str(path))
    ours = computed(path)
    for trait, (key, tolerance) in KEYS.items():
        if ours[trait] is None:
            assert trait in SHORT
            continue
        assert ours[trait] == pytest.approx(pool[key], rel=tolerance, abs=1e-9), trait
    assert (ours["tonality"] is None) == (name == "elec_tick")
    assert ours["tonality"] in (None, f"{pool['tonal.key.key']} {pool['tonal.key.scale']}")
    if name in LONG:
        assert ours["dynamic_range"] is not None
    if name.startswith("loop"):
        assert ours["bpm"] is not None


def test_they_have_freesounds_names_and_types(samples):
    for path in (samples[-1], next(path for path in samples if path.stem == "loop_breakbeat")):
        found = computed(path)
        assert set(found) == set(scalars.NAMES) <= set(SCALARS)
        for name, value in found.items():
            assert value is None or type(value) is SCALARS[name], name


@pytest.mark.parametrize(
    ("frequency", "midi", "name"), [(440, 69, "A4"), (261.63, 60, "C4"), (1244.5, 87, "D#6"), (82.41, 40, "E2")]
)
def test_a_tone_has_its_note(tmp_path, frequency, midi, name):
    found = computed(tone(tmp_path / "tone.wav", frequency))
    assert (found["note_midi"], found["note_name"]) == (midi, name)
    assert found["note_confidence"] > 0.9
    assert found["pitch"] == pytest.approx(frequency, rel=0.05)


def test_a_sound_that_begins_once_is_a_single_event(samples):
    events = {path.stem: computed(path)["single_event"] for path in samples if path.stem in NAMES}
    assert {name for name, single in events.items() if single} == SINGLE


def test_silence_has_only_what_can_be_counted(tmp_path):
    soundfile.write(tmp_path / "silence.wav", np.zeros(4 * RATE), RATE)
    found = computed(tmp_path / "silence.wav")
    assert {name: value for name, value in found.items() if value is not None} == OF_SILENCE


def test_silence_behind_a_tone_has_no_pitch_that_counts(tmp_path):
    long = np.concatenate([decode(tone(tmp_path / "tone.wav")).at_44100, np.zeros(3 * RATE)])
    soundfile.write(tmp_path / "long.wav", long, RATE)
    found, short = computed(tmp_path / "long.wav"), computed(tmp_path / "tone.wav")
    assert found["pitch"] == pytest.approx(440, rel=0.05)
    assert found["pitch_min"] > 400
    assert found["spectral_centroid"] == pytest.approx(short["spectral_centroid"], rel=0.2)


def test_noise_has_no_note_and_no_tempo(tmp_path):
    soundfile.write(tmp_path / "noise.wav", np.random.default_rng(1).normal(size=4 * RATE) / 10, RATE)
    found = computed(tmp_path / "noise.wav")
    missing = {"note_name", "note_midi", "note_confidence", "bpm", "bpm_confidence"}
    assert {name for name, value in found.items() if value is None} == missing
    assert found["spectral_flatness"] < 0.2


@pytest.mark.parametrize("length", [1, 2, 100, 2000])
def test_a_click_has_neither_pitch_nor_beat_nor_key(tmp_path, length):
    soundfile.write(tmp_path / "click.wav", np.r_[0.9, np.zeros(length - 1)], RATE)
    found = computed(tmp_path / "click.wav")
    for name in ("pitch", "pitch_min", "note_name", "note_midi", "bpm", "bpm_confidence", "tonality", "dynamic_range"):
        assert found[name] is None, name
    assert found["single_event"] is True
    assert np.isfinite([value for value in found.values() if isinstance(value, float)]).all()


@pytest.mark.parametrize(("rate", "channels"), [(44100, 2), (48000, 2), (22050, 1), (44100, 4)])
def test_a_long_file_is_streamed_to_the_same_values(samples, tmp_path, monkeypatch, rate, channels):
    signal, _ = soundfile.read(next(path for path in samples if path.stem == "loop_garzul"), always_2d=True)
    soundfile.write(tmp_path / "sound.wav", np.tile(signal[:, :1], (1, channels)), rate)
    whole = computed(tmp_path / "sound.wav")
    monkeypatch.setattr(measuring, "LONG", 0)
    monkeypatch.setattr(measuring, "decode", lambda path: pytest.fail("decoded whole"))
    streamed = computed(tmp_path / "sound.wav")
    assert {name for name in whole if whole[name] is not None and streamed[name] is None} == {"bpm_confidence"}
    for name, value in streamed.items():
        if name != "bpm_confidence":
            assert value == (pytest.approx(whole[name], rel=2e-3) if isinstance(value, float) else whole[name]), name


@pytest.mark.parametrize("long", [128 << 20, 0])
def test_of_a_preview_only_the_seconds_that_count(samples, tmp_path, monkeypatch, long):
    signal, rate = soundfile.read(next(path for path in samples if path.stem == "loop_garzul"))
    soundfile.write(tmp_path / "cut.wav", signal[: 4 * rate], rate)
    soundfile.write(tmp_path / "whole.wav", signal, rate)
    expected = computed(tmp_path / "cut.wav")
    monkeypatch.setattr(measuring, "LONG", long)
    task = dataclasses.replace(pending(tmp_path / "whole.wav"), duration=8.0, source="hq-ogg", served=4.0)
    found = measure(task).traits
    for name, value in found.items():
        if value is not None:
            assert value == (pytest.approx(expected[name], rel=1e-3) if isinstance(value, float) else expected[name])


def test_they_are_computed_only_when_asked_for(own, mirla):
    own.close()
    assert "traits" not in mirla("--json", "analyse").json
    first = mirla("--json", "analyse", "--traits").json
    assert first["traits"] == {"analysed": 2, "skipped": 0, "failed": []}
    assert first["spaces"]["mfcc"]["skipped"] == 2
    assert mirla("--json", "analyse", "--traits").json["traits"] == {"analysed": 0, "skipped": 2, "failed": []}
    assert "traits: 2 analysed, 0 up to date, 0 failed" in mirla("analyse", "--traits", "--redo").out


def test_they_are_shown_with_where_they_come_from(own, mirla):
    own.analyse(traits=True)
    shown = mirla("--json", "show", named(own, "silence")).json["traits"]
    of_silence = dict.fromkeys(scalars.NAMES) | OF_SILENCE
    assert shown == {name: {"value": value, "from": "analysis"} for name, value in of_silence.items()}
    assert list(shown) == sorted(shown)
    assert "pitch=missing," in mirla("show", named(own, "silence")).out
    assert "note_name=A4" in mirla("show", named(own, "tone")).out


def test_a_filter_finds_the_tone(own):
    own.analyse(traits=True)
    wanted = clause(parse("pitch:[400 TO 480]"), datetime.now(UTC))
    with own.database.read() as connection:
        assert connection.execute(sa.select(sounds.c.id).where(wanted)).scalars().all() == [named(own, "tone")]


def test_another_extractor_makes_them_stale(own):
    own.analyse(traits=True)
    with own.database.write() as connection:
        connection.execute(sa.text("update traits set fingerprint = 'of an older version', warmth = 1"))
    report = own.analyse(traits=True).traits
    assert (report.analysed, report.skipped) == (2, 0)
    assert "warmth" not in own.traits(named(own, "tone")), "what an older one computed is gone"
    assert own.analyse(traits=True).traits.skipped == 2


def test_another_file_makes_them_stale(own, tmp_path):
    own.analyse(traits=True)
    number = named(own, "tone")
    with own.database.write() as connection:
        connection.execute(sa.text("update files set preferred = false where sound_id = :id"), {"id": number})
        connection.execute(
            sa.text(
                "insert into files (sound_id, path, linked, preferred, source, sha256, bytes, format, samplerate, "
                "channels, frames, added) select sound_id, :path, true, true, source, 'x', bytes, format, samplerate, "
                "channels, frames, added from files where sound_id = :id"
            ),
            {"id": number, "path": str(tone(tmp_path / "other.wav", 880))},
        )
    report = own.analyse(traits=True).traits
    assert (report.analysed, report.skipped) == (1, 1)
    assert own.traits(number)["note_name"]["value"] == "A5"


def test_redo_and_ids(own):
    own.analyse(traits=True)
    report = own.analyse(ids=[named(own, "tone")], traits=True, redo=True).traits
    assert (report.analysed, report.skipped) == (1, 0)


def test_a_file_that_vanished_is_one_listed_failure(own, mirla):
    own.analyse()
    number = named(own, "tone")
    Path(own.sounds.get(number).file.path).unlink()
    report = own.analyse(traits=True)
    assert [(sound_id, "is missing" in words) for sound_id, words in report.traits.failed] == [(number, True)]
    assert report.failed == report.traits.failed
    assert not report.spaces["mfcc"].failed
    assert mirla("--json", "analyse", "--traits", check=None).json["traits"]["failed"][0]["id"] == number


def test_what_fails_here_leaves_the_spaces_alone(samples, monkeypatch):
    def broken(*_):
        raise RuntimeError("not today")

    monkeypatch.setattr(measuring, "scalars", broken)
    found = measure(dataclasses.replace(pending(samples[0]), spaces=("mfcc",)))
    assert (found.traits, found.no_traits, found.failed) == (None, "not today", {})
    assert found.vectors["mfcc"].shape == (26,)


def test_frames_are_computed_once_for_spaces_and_traits(samples, monkeypatch):
    counted = []
    frames = measuring.scalars.__globals__["frames"]
    window, spectrum = frames.algorithms()
    monkeypatch.setattr(frames, "algorithms", lambda: (lambda frame: counted.append(1) or window(frame), spectrum))
    measure(dataclasses.replace(pending(samples[60]), spaces=("mfcc", "traits9")))
    assert len(counted) == len(list(frames.frames(decode(samples[60]).at_44100)))


def test_what_is_served_counts_where_nothing_is_computed(freesound, home, monkeypatch):
    monkeypatch.setenv("MIRLA_FREESOUND_URL", freesound.url)
    monkeypatch.setenv("FREESOUND_TOKEN", freesound.token)
    with Corpus(home) as corpus:
        corpus.harvest(Wanted((Query(ids=(4832,)),), audio="none"))
        with corpus.database.write() as connection:
            found = dict.fromkeys(scalars.NAMES) | {"pitch": 441.5}
            corpus.descriptors.put(connection, 4832, "computed", found)
            corpus.descriptors.put(connection, 4832, "api", {"bpm": None})
        shown = corpus.traits(4832)
    assert shown["pitch"] == {"value": 441.5, "from": "analysis"}
    assert shown["spectral_centroid"]["from"] == "freesound"
    assert shown["warmth"]["from"] == "freesound"
    assert {name: one["from"] for name, one in shown.items() if one["value"] is None} == {"bpm": "analysis"}


def test_forgetting_a_sound_forgets_them(own):
    own.analyse(traits=True)
    number = named(own, "tone")
    own.forget([number], for_good=True)
    with own.database.read() as connection:
        assert number not in set(connection.execute(sa.text("select sound_id from traits")).scalars())
