"""Audio of unusual shape, from adoption to credits: one sample, silence, eight channels, 8 kHz and 192 kHz."""

import numpy as np
import pytest
import soundfile

from corpus import Corpus
from tests.audio_files import FORMATS, tone, write

SHAPES = {
    "plain": (tone(800), 44100),
    "one sample": (np.array([0.5]), 44100),
    "one sample at 8 kHz": (np.array([0.5]), 8000),
    "one sample at 192 kHz": (np.array([0.5]), 192000),
    "silence": (np.zeros(22050), 44100),
    "silence in eight channels": (np.zeros((22050, 8)), 44100),
    "eight channels": (tone(801, channels=8), 44100),
    "one of eight channels": (tone(802, channels=8) * np.eye(8)[5], 44100),
    "8 kHz": (tone(803, rate=8000), 8000),
    "192 kHz": (tone(804, rate=192000), 192000),
    "192 kHz in eight channels": (tone(805, rate=192000, channels=8), 192000),
}
FILES = {
    **{f"{shape} as WAV": (samples, rate, "wav") for shape, (samples, rate) in SHAPES.items()},
    **{
        f"{shape} as FLAC": (*SHAPES[shape], "flac") for shape in ("one sample", "silence", "eight channels", "192 kHz")
    },
    **{f"{shape} as {kind}": (*SHAPES[shape], kind) for shape in ("one sample", "silence") for kind in ("ogg", "mp3")},
    "one sample as opus": (np.array([0.5]), 48000, "opus"),
    "silence as aiff": (np.zeros(22050), 44100, "aiff"),
}


@pytest.fixture(scope="module")
def analysed(tmp_path_factory):
    """A home with all of them adopted and analysed: the home, the sounds by name, and what the analysis said."""
    folder = tmp_path_factory.mktemp("shapes")
    for number, (name, (samples, rate, kind)) in enumerate(FILES.items()):
        # a little softer each, since the same bytes twice would be one sound
        write(folder / f"{name}.{kind}", samples * (1 - number / 1000), rate, kind)
    home = tmp_path_factory.mktemp("home")
    with Corpus(home) as corpus:
        report = corpus.adopt([folder])
        assert not report.failed
        analysis = corpus.analyse()
        return home, {sound.name: sound for sound in corpus.sounds.many(report.ids)}, analysis


def test_all_are_adopted_as_they_are(analysed):
    _, held, _ = analysed
    assert held.keys() == FILES.keys()
    for name, (samples, rate, kind) in FILES.items():
        file = held[name].file
        assert (file.samplerate, file.channels, file.format) == (
            rate,
            samples.shape[1] if samples.ndim > 1 else 1,
            kind,
        )
        assert file.frames == len(samples)


def test_all_can_be_measured(analysed):
    """Also those of which less than one sample is left at 44100 Hz."""
    assert analysed[2].failed == []
    assert analysed[2].spaces["mfcc"].analysed == len(FILES)


@pytest.mark.parametrize("name", FILES)
def test_similar(analysed, mirla, name):
    home, held, _ = analysed
    hits = mirla("--json", "similar", held[name].id, "-k", 100, home=home).json["results"]
    assert {hit["id"] for hit in hits} == {held[other].id for other in FILES if other != name}
    distances = [hit["distance"] for hit in hits]
    assert distances == sorted(distances)
    assert np.isfinite(distances).all()


@pytest.mark.parametrize("name", FILES)
def test_render(analysed, mirla, tmp_path, name):
    home, held, _ = analysed
    samples, rate, _ = FILES[name]
    rendered = mirla("--json", "render", held[name].id, "--out", tmp_path / "out.wav", home=home).json
    out, out_rate = soundfile.read(tmp_path / "out.wav")
    assert (out_rate, out.shape) == (44100, (pytest.approx(len(samples) * 44100 / rate, abs=1), 2))
    assert np.isfinite(out).all()
    if "silence" in name or len(out) == 0:
        assert (rendered["peak_dbfs"], rendered["lufs"], np.abs(out).max(initial=0)) == (None, None, 0)
    elif "one sample" not in name:
        assert rendered["lufs"] == pytest.approx(-23, abs=0.5)
        assert rendered["peak_dbfs"] == pytest.approx(20 * np.log10(np.abs(out).max()), abs=0.01)


@pytest.mark.parametrize("name", FILES)
def test_show_and_credits(analysed, mirla, name):
    home, held, _ = analysed
    samples, rate, _ = FILES[name]
    shown = mirla("--json", "show", held[name].id, "--vectors", home=home).json
    assert shown["duration"] == pytest.approx(len(samples) / rate)
    assert (shown["loudness_lufs"] is None) == ("silence" in name)
    assert shown["peak"] == pytest.approx(np.abs(samples).max(), abs=0.05, rel=0.5)
    assert [len(vector) for vector in shown["vectors"].values()] == [26]
    assert np.isfinite(list(shown["vectors"].values())).all()
    assert mirla("credits", held[name].id, home=home).out == held[name].credit + "\n"


def test_all_of_them_together(analysed, mirla, tmp_path):
    home, held, _ = analysed
    ids = [sound.id for sound in held.values()]
    mirla("render", *ids, "--together", "--out", tmp_path / "out.wav", home=home)
    out, _ = soundfile.read(tmp_path / "out.wav")
    assert out.shape == (22050, 2)
    assert np.isfinite(out).all()
    assert 0.01 < np.abs(out).max() <= 1
    assert FORMATS.keys() >= {kind for *_, kind in FILES.values()}


@pytest.fixture(scope="module")
def silent(tmp_path_factory):
    """A home with nothing but silence, all of the same length: no vector differs from another."""
    folder = tmp_path_factory.mktemp("silent")
    for number, kind in enumerate(("wav", "aiff", "flac", "wav"), 1):
        write(folder / f"{number}.{kind}", np.zeros((22050, number)), kind=kind)
    with Corpus(folder / "home") as corpus:
        ids = corpus.adopt([folder]).ids
        assert not corpus.analyse().failed
    return folder / "home", ids


def test_sounds_that_do_not_differ_have_no_distance(silent, mirla):
    home, ids = silent
    hits = mirla("--json", "similar", ids[0], home=home).json["results"]
    assert [(hit["id"], hit["distance"]) for hit in hits] == [(sound, 0) for sound in ids[1:]]


def test_an_agent_cannot_learn_from_sounds_that_do_not_differ(silent, mirla):
    home, ids = silent
    mirla("agent", "new", "quiet", home=home)
    mirla("agent", "label", "quiet", "--good", *ids[:2], home=home)
    mirla("agent", "label", "quiet", "--bad", *ids[2:], home=home)
    done = mirla("agent", "train", "quiet", home=home, check=23)
    assert "all alike in mfcc" in done.err
    assert len(done.err.splitlines()) == 1
