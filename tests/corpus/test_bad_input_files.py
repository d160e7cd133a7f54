"""Files that cannot be taken in: each costs one line with the reason and the way out, and no good file beside it."""

import os
import re

import numpy as np
import pytest
import soundfile

from corpus import Corpus
from corpus.analysis.inspect import inspect
from corpus.errors import AudioError
from corpus.files import sha256_of
from tests.audio_files import FORMATS, flip, keep_share, tone, write, write_tone
from tests.bad_input import assert_safe, run, unprivileged

CUT = {f"{share:.0%}.{kind}": (kind, share) for kind in FORMATS for share in (0.5, 0.9)}
"""Files cut off after half, and shortly before their end."""

WORDS = {
    **dict.fromkeys(CUT, "cut short|cannot be decoded|holds no samples"),
    "flipped.flac": "damaged",
    "flipped-bit.flac": "damaged",
    "empty.wav": r"empty \(0 bytes\)",
    "no-samples.wav": "holds no samples",
    "nan.wav": "NaN or infinite",
    "nan-late.aiff": "NaN or infinite",
    "infinite.wav": "NaN or infinite",
    "text.wav": "cannot be decoded",
    "text.mp3": "cannot be decoded",
    "zeros.flac": "cannot be decoded",
    "zeros.mp3": "cannot be decoded",
    "caf.wav": "is CAF, which mirla does not take",
    "pipe.wav": "not a regular file",
    "device.wav": "not a regular file",
    "broken-link.wav": "does not exist",
    "circle.wav": "does not exist",
    "unreadable.wav": "cannot be read: Permission denied",
}
"""What is said of each bad file of the folder."""


def make_bad(folder):
    for number, (name, (kind, share)) in enumerate(CUT.items()):
        keep_share(write_tone(folder / name, 1000 + number, kind=kind, seconds=1), share)
    size = write_tone(folder / "flipped.flac", 2000, kind="flac").stat().st_size
    flip(folder / "flipped.flac", size // 2, 4096)
    flip(write_tone(folder / "flipped-bit.flac", 2001, kind="flac"), size // 2, 1)
    (folder / "empty.wav").touch()
    write(folder / "no-samples.wav", np.zeros(0))
    for name, value, place in (("nan.wav", np.nan, 0), ("infinite.wav", -np.inf, 1), ("nan-late.aiff", np.nan, -1)):
        samples = tone(2002)
        samples[place] = value
        write(folder / name, samples, kind=name.rpartition(".")[2], subtype="FLOAT")
    for name in ("text.wav", "text.mp3"):
        (folder / name).write_text(f"This is {name}.\n" * 500)
    for name in ("zeros.flac", "zeros.mp3"):
        (folder / name).write_bytes(bytes(5000))
    soundfile.write(folder / "caf.wav", tone(2003), 44100, format="CAF", subtype="PCM_16")
    os.mkfifo(folder / "pipe.wav")
    (folder / "device.wav").symlink_to("/dev/zero")
    (folder / "broken-link.wav").symlink_to("nowhere.wav")
    (folder / "circle.wav").symlink_to("circle.wav")
    write_tone(folder / "unreadable.wav", 2004).chmod(0)


def make_good(folder):
    for number, kind in enumerate(FORMATS):
        write_tone(folder / f"good-{kind}.{kind}", 200 + number, kind=kind)
    write_tone(folder / "wav-in-truth.ogg", 300)
    write_tone(folder / "mp3-in-truth.wav", 301, kind="mp3")
    (folder / "folder.wav").mkdir()
    write_tone(folder / "folder.wav" / "inside.flac", 302, kind="flac")


GOOD = {**{f"good-{kind}": kind for kind in FORMATS}, "wav-in-truth": "wav", "mp3-in-truth": "mp3", "inside": "flac"}
"""The good ones beside them by name, and the format that each has in truth."""


@pytest.fixture(scope="module")
def adopted(tmp_path_factory):
    """A home after the adoption of all of them, and what the command wrote."""
    folder = tmp_path_factory.mktemp("mixed")
    make_bad(folder)
    make_good(folder)
    home = tmp_path_factory.mktemp("home")
    places = (folder, folder / "missing.wav")
    return home, run("--json", "adopt", *places, home=home, check=1, before=unprivileged())


@pytest.fixture(scope="module")
def held(adopted):
    """The sounds that are held after their analysis, by name."""
    home, _ = adopted
    with Corpus(home) as corpus:
        assert not corpus.analyse().failed
        return {sound.name: sound for sound in corpus.sounds.many(corpus.sounds.ids())}


def words_about(ran, name):
    return [failure["error"] for failure in ran.json["failed"] if failure["path"].endswith("/" + name)]


@pytest.mark.parametrize("name", [*WORDS, "missing.wav"])
def test_a_bad_file_costs_one_line_with_the_reason_and_the_way_out(adopted, name):
    _, ran = adopted
    (words,) = words_about(ran, name)
    assert re.search(WORDS.get(name, "does not exist"), words)
    assert re.search(r"; \w+", words), f"no way out in: {words}"
    assert name not in words, "the line begins with the path; once is enough"
    assert sum(f"/{name}: " in line for line in ran.err.splitlines()) == 1


def test_each_line_is_a_failure_and_safe_to_print(adopted):
    _, ran = adopted
    lines = [line for line in ran.err.splitlines() if "mirla analyse" not in line]
    assert all(line.startswith("failed: ") for line in lines)
    assert len(lines) == len(ran.json["failed"])
    assert_safe(ran.err)


def test_no_more_and_no_less_is_taken_in_than_the_good_ones(adopted, held):
    _, ran = adopted
    assert set(held) == set(GOOD)
    assert ran.json["ids"] == sorted(sound.id for sound in held.values())
    assert ran.json["added"] == len(GOOD)


def test_nothing_is_left_lying_about(adopted, held):
    home, _ = adopted
    kept = {path for path in home.rglob("*") if path.is_file() and not path.name.startswith("corpus.sqlite")}
    assert kept == {sound.file.path for sound in held.values()}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_file_beside_them_is_kept_measured_and_plays(adopted, held, mirla, tmp_path, name):
    home, _ = adopted
    sound = held[name]
    assert sound.file.path.suffix == f".{GOOD[name]}"
    assert sha256_of(sound.file.path) == sound.file.sha256
    assert sound.duration == pytest.approx(0.5, abs=0.06)  # MP3 comes with its encoder's padding
    assert sound.file.loudness == pytest.approx(-10.5, abs=1)
    out = tmp_path / "out.wav"
    rendered = mirla("--json", "render", sound.id, "--out", out, home=home).json
    assert rendered["lufs"] == pytest.approx(-23, abs=0.5)
    assert soundfile.info(out).duration == pytest.approx(sound.duration, abs=0.01)


@pytest.mark.parametrize("header", [b"Xing", b"Info"])
@pytest.mark.parametrize(
    "words", [b"", b"Info about the take. " * 50, b"Xing of course. " * 50], ids=["", "Info", "Xing"]
)
def test_an_mp3_is_measured_by_its_own_header_whatever_its_tags_say(tmp_path, header, words):
    audio = write_tone(tmp_path / "audio.mp3", 303, kind="mp3").read_bytes().replace(b"Xing", header)
    tag = b"ID3\3\0\0" + bytes([0, 0, len(words) >> 7, len(words) & 127]) + words if words else b""
    (tmp_path / "whole.mp3").write_bytes(tag + audio)
    (tmp_path / "cut.mp3").write_bytes(tag + audio[: len(audio) // 2])
    assert inspect(tmp_path / "whole.mp3").frames == 22050
    with pytest.raises(AudioError, match="cut short"):
        inspect(tmp_path / "cut.mp3")
