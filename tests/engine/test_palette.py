"""Palettes as other systems read them: a plain reader of each convention, written here, finds what was published."""

import json
import re
import subprocess
import sys
import wave
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

from corpus.analysis.loudness import LevelMeter
from corpus.errors import AudioError, HomeError
from corpus.files import sha256_of
from corpus.folder import Adoption
from corpus.licences import from_text
from engine.errors import PaletteError
from engine.palette import Wish, check_name, publish
from tests.audio_files import tone, write
from tests.bad_input import assert_safe

TONES, TABLAS = (100055, 4832, 75338), (130409, 130413)


def superdirt(pattern):
    """What SuperDirt's `loadSoundFiles` has by name: of each folder the sound files, in the order of the alphabet."""
    folders = [path for path in sorted(pattern.parent.glob(pattern.name)) if path.is_dir() and path.name[0] != "."]
    return {
        folder.name: [path for path in sorted(folder.iterdir()) if path.suffix.lower() in (".wav", ".aif", ".aiff")]
        for folder in folders
    }


def sonic_pi(folder, which):
    """What Sonic Pi's `sample "folder", which` plays: the file of that number, or the first with that in its name.

    It goes into the folder and remembers where it is then, behind any link.
    """
    inside = folder.resolve().iterdir()
    files = sorted(path for path in inside if path.suffix.lower() in (".wav", ".wave", ".flac", ".ogg"))
    if isinstance(which, int):
        return files[which % len(files)]
    return next(path for path in files if which.lower() in path.stem.lower())


def strudel(address, fetch):
    """The addresses that Strudel's `samples(address)` has by name: what `_base` says, else where the map lies."""
    found = json.loads(fetch(address))
    base = found.pop("_base") or address.rpartition("/")[0]
    return {name: [base + file for file in files] for name, files in found.items()}


def audio(path):
    """The samples `(frames, 2)` of a WAV file of 24 bits at 44.1 kHz, by Python's own reader."""
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (44100, 2, 3)
        data = np.frombuffer(file.readframes(file.getnframes()), np.uint8).reshape(-1, 3)
    wide = np.pad(data, ((0, 0), (1, 0))).reshape(-1, 4).copy().view("<i4")
    return (wide.reshape(-1, 2) / 2**31).astype(np.float32)


def levels(path):
    """Loudness in LUFS, and peak in dB below full scale."""
    meter = LevelMeter(44100)
    meter.add(audio(path))
    return meter.loudness(), 20 * np.log10(meter.peak or 1e-9)


def test_each_system_finds_the_same_sound_by_the_same_number(sonic, home):
    publish(sonic, "tones", TONES)
    publish(sonic, "tablas", TABLAS)
    root = home / "palettes"
    banks = superdirt(root / "*")
    assert sorted(banks) == ["tablas", "tones"]

    def fetch(address):
        return Path(urlsplit(address).path.replace("/palettes", str(root))).read_bytes()

    served = strudel("http://127.0.0.1:1/palettes/strudel.json", fetch)
    for place, number in enumerate(TONES):
        path = banks["tones"][place]
        assert re.fullmatch(rf"{place:03}_{number}_[A-Za-z0-9._-]+\.wav", path.name)
        assert sonic_pi(root / "tones", place) == path.resolve() == sonic_pi(root / "tones", str(number))
        assert fetch(served["tones"][place]) == path.read_bytes()
    alone = strudel("http://127.0.0.1:1/palettes/tablas/strudel.json", fetch)
    assert alone["tablas"] == served["tablas"]
    assert len(alone) == 1


def test_sounds_are_equally_loud_and_leave_room_above(sonic, home, tmp_path):
    """Of Sonic Pi's samples, of a tone at another rate, of one with a bang in it, and of one that is very quiet."""
    loud, short = tone(seconds=2, rate=48000), tone(500, seconds=0.05, rate=22050)
    banged = 0.02 * tone(600, seconds=2)
    banged[1000:1003] = 1
    kinds = [(loud, 48000), (short, 22050), (banged, 44100), (0.003 * tone(700, seconds=2), 44100), (loud * 0, 48000)]
    files = [write(tmp_path / f"{place}.wav", *one) for place, one in enumerate(kinds)]
    theirs = sonic.sounds.ids()[::12].tolist()
    own = sonic.adopt(files).ids
    palette = publish(sonic, "mixed", [*theirs, *own])
    measured = {one.id: levels(home / "palettes" / "mixed" / one.file) for one in palette.sounds}
    assert all(peak < -1 for _, peak in measured.values())
    exact = [loudness for number, (loudness, _) in measured.items() if number not in own[2:]]
    np.testing.assert_allclose(exact, -23, atol=0.1)
    banged, quiet, silent = (measured[number] for number in own[2:])
    assert banged[0] < -25
    assert banged[1] > -1.1
    assert -50 < quiet[0] < -35
    assert silent[0] is None
    lengths = [len(audio(home / "palettes" / "mixed" / one.file)) for one in palette.sounds[-5:]]
    np.testing.assert_allclose(lengths, [88200, 2205, 88200, 88200, 88200], atol=1)


def test_appended_sounds_come_behind_and_change_no_number(sonic, home):
    first = publish(sonic, "tones", TONES)
    before = {path.name: sha256_of(path) for path in superdirt(home / "palettes" / "*")["tones"]}
    second = publish(sonic, "tones", [TABLAS[0], TONES[0], TABLAS[0]], Wish(append=True))
    assert second.sounds[:3] == first.sounds
    assert [sound.id for sound in second.sounds[3:]] == [TABLAS[0]]
    now = {path.name: sha256_of(path) for path in superdirt(home / "palettes" / "*")["tones"]}
    assert now.items() > before.items()
    assert [now[sound.file] for sound in second.sounds] == [sound.sha256 for sound in second.sounds]


def test_what_is_published_is_replaced_only_when_asked(sonic, home):
    publish(sonic, "tones", TONES)
    with pytest.raises(PaletteError, match=r"with 3 sounds; --append .* --replace"):
        publish(sonic, "tones", TABLAS)
    assert len(superdirt(home / "palettes" / "*")["tones"]) == 3
    remembered = sonic_pi(home / "palettes" / "tones", 2)
    publish(sonic, "tones", TABLAS, Wish(replace=True))
    assert len(audio(remembered)) > 0, "who plays the old one can go on"
    assert [sonic_pi(home / "palettes" / "tones", n).name[:10] for n in (0, 1)] == ["000_130409", "001_130413"]
    folders = [path.name for path in (home / "palettes").iterdir() if path.is_dir() and not path.is_symlink()]
    assert sorted(folders) == [".tones-1", ".tones-2"]
    publish(sonic, "tones", TONES, Wish(replace=True))
    assert not (home / "palettes" / ".tones-1").exists()


def test_a_removed_palette_is_gone_and_can_come_again(mirla, sonic_home):
    mirla("palette", "publish", "tones", *TONES)
    removed = mirla("palette", "remove", "tones", "--json").json
    assert (removed["palette"], len(removed["sounds"])) == ("tones", 3)
    assert superdirt(sonic_home / "palettes" / "*") == {}
    assert json.loads((sonic_home / "palettes" / "strudel.json").read_text()) == {"_base": ""}
    assert "no palette 'tones'" in mirla("palette", "remove", "tones", check=28).err
    mirla("palette", "publish", "tones", *TABLAS)
    assert len(superdirt(sonic_home / "palettes" / "*")["tones"]) == 2


def test_the_command_line_chooses_as_queries_do(mirla, sonic_home):
    like = mirla("palette", "publish", "near", "--like", 4832, "-n", 4, "--filter", "duration:[0 TO 2]", "--json").json
    nearest = mirla("similar", 4832, "-k", 3, "--filter", "duration:[0 TO 2]", "--json").json["results"]
    assert [sound["id"] for sound in like["sounds"]] == [4832, *(hit["id"] for hit in nearest)]
    assert like["folder"] == str(sonic_home / "palettes" / "near")
    assert [sound["index"] for sound in like["sounds"]] == [0, 1, 2, 3]
    assert all((sonic_home / "palettes" / "near" / sound["file"]).is_file() for sound in like["sounds"])
    found = mirla("palette", "publish", "found", "--search", "tabla", "-k", 2, "--json").json
    searched = mirla("search", "tabla", "-k", 2, "--json").json["results"]
    assert [sound["id"] for sound in found["sounds"]] == [hit["id"] for hit in searched]
    tagged = mirla("palette", "publish", "tagged", "--tag", "drum", "-n", 1, "--json").json
    assert len(tagged["sounds"]) == 1
    listed = mirla("palette", "list", "--json").json["palettes"]
    assert [one["palette"] for one in listed] == ["found", "near", "tagged"]
    assert mirla("palette", "show", "near", "--json").json == like == listed[1]
    assert "near:3" in mirla("palette", "show", "near").out


def test_credits_say_what_was_changed_and_what_is_forbidden(sonic, home, tmp_path):
    for place, licence in enumerate(("by-nc", "sampling+", "https://creativecommons.org/licenses/by-nd/4.0/", "CC0")):
        file = write(tmp_path / f"{place}.wav", tone(300 + place, seconds=2, rate=48000), 48000)
        sonic.adopt([file], Adoption(licence=from_text(licence)))
    own = sonic.sounds.ids()[-4:].tolist()
    palette = publish(sonic, "mine", own, Wish(seconds=0.5))
    lines = (home / "palettes" / "mine" / "CREDITS.txt").read_text().splitlines()
    assert lines[0] == f"{sonic.sounds.get(own[0]).credit}, changed: cut to 0.5 s, resampled to 44.1 kHz and levelled"
    assert lines[4:6] == ["", "Mind:"]
    words = [line.partition(": ") for line in lines[6:]]
    assert [(file, limits) for file, _, limits in words] == [
        (palette.sounds[0].file, "not for commercial use"),
        (palette.sounds[1].file, "only as a part of something new, and not in advertising"),
        (palette.sounds[2].file, "not to be shared when changed"),
    ]
    assert len(audio(home / "palettes" / "mine" / palette.sounds[0].file)) == 22050
    with pytest.raises(PaletteError, match=f"3 of 4 sounds .* commercial use: {own[0]}, {own[1]}, {own[2]};"):
        publish(sonic, "sold", own, Wish(use="commercial"))
    publish(sonic, "sold", own[3:], Wish(use="commercial"))
    with pytest.raises(PaletteError, match="commercial"):
        publish(sonic, "mine", own[3:], Wish(append=True, use="commercial"))


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            "../up",
            "a/b",
            "..",
            ".hidden",
            "two words",
            "#1",
            "a*",
            "a,b",
            "a?",
            "[a]",
            "{a}",
            "1st",
            "_base",
            "-n",
        ),
        *("é", "CON", "com1", "silence", "a\n", "a\x1b[2J", "a" * 61),
    ],
)
def test_names_that_others_cannot_read_are_refused(name):
    with pytest.raises(PaletteError) as caught:
        check_name(name)
    assert_safe(str(caught.value))


def test_what_cannot_be_published_leaves_what_is(mirla, sonic, sonic_home, tmp_path):
    publish(sonic, "tones", TONES)
    published = superdirt(sonic_home / "palettes" / "*")
    gone = sonic.adopt([write(tmp_path / "gone.wav", tone(900))]).ids[0]
    sonic.sounds.get(gone).file.path.unlink()
    with pytest.raises(AudioError, match="is missing"):
        publish(sonic, "tones", [TABLAS[0], gone], Wish(append=True))
    with pytest.raises(PaletteError, match="no sound to publish"):
        publish(sonic, "tones", [], Wish(append=True))
    with pytest.raises(PaletteError, match="'tones' has the same name but for capitals"):
        publish(sonic, "Tones", TABLAS)
    (sonic_home / "palettes" / "mine").mkdir()
    with pytest.raises(PaletteError, match="mine is there and was not published"):
        publish(sonic, "mine", TABLAS)
    assert "no sound 77" in mirla("palette", "publish", "tones", 77, "--append", check=8).err
    for words in ((), (4832, "--tag", "drum"), ("--like", 4832, "--search", "x"), (4832, "--append", "--replace")):
        mirla("palette", "publish", "other", *words, check=2)
    (sonic_home / "palettes" / "mine").rmdir()
    assert superdirt(sonic_home / "palettes" / "*") == published
    assert [path.name for path in (sonic_home / "palettes").glob(".tones-*")] == [".tones-1"]


def test_a_palette_that_was_changed_by_hand_is_not_appended_to(sonic, home):
    palette = publish(sonic, "tones", TONES)
    path = home / "palettes" / "tones" / palette.sounds[1].file
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(PaletteError, match=f"{path.name} is missing or was changed since; .* --replace"):
        publish(sonic, "tones", TABLAS, Wish(append=True))
    publish(sonic, "tones", TONES, Wish(replace=True))
    assert [sound.sha256 for sound in publish(sonic, "same", TONES).sounds] == [
        sound.sha256 for sound in palette.sounds
    ]


def test_a_palette_of_more_than_a_thousand_is_refused(sonic, monkeypatch):
    monkeypatch.setattr("engine.palette.MOST", 3)
    publish(sonic, "tones", TONES)
    with pytest.raises(PaletteError, match="would have 4 sounds; 3 is the most"):
        publish(sonic, "tones", TABLAS[:1], Wish(append=True))


def test_a_full_disk_leaves_the_palette_as_it_was(sonic_home):
    """By a limit on the size of files, set in a process of its own."""
    script = f"""
import resource, signal
from corpus import Corpus
from corpus.errors import HomeError
from engine.palette import Wish, publish
corpus = Corpus({str(sonic_home)!r})
publish(corpus, "tones", [4832])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
try:
    publish(corpus, "tones", [4832, 100055], Wish(replace=True))
except HomeError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert "cannot write to" in done.stdout, done.stderr
    assert len(superdirt(sonic_home / "palettes" / "*")["tones"]) == 1
    assert not (sonic_home / "palettes" / ".tones-2").exists()


def test_a_folder_that_cannot_be_written_is_one_line(sonic, home):
    (home / "palettes").write_text("")
    with pytest.raises(HomeError, match="cannot write to"):
        publish(sonic, "tones", TONES)
