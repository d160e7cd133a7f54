"""`mirla preflight`: ready on a real device, and one line for each thing that is not."""

import shutil
from pathlib import Path

import pytest

from corpus import Corpus
from corpus.folder import Adoption
from engine.demo import sonic_pi
from tests.conftest import SAMPLES

NAMES = ("schema", "device", "sounds", "audio", "vectors", "agents", "caches", "disk", "memory", "licences")
FEW = ("drum_cymbal_open", "drum_bass_soft", "tabla_ghe3", "bd_haus")


@pytest.fixture(scope="module")
def few_home(tmp_path_factory):
    """A home with a few sounds, measured; to be copied."""
    home = tmp_path_factory.mktemp("few") / "home"
    with Corpus(home) as corpus:
        corpus.adopt([SAMPLES / f"{name}.flac" for name in FEW], Adoption(catalogue=sonic_pi.catalogue()))
        assert not corpus.analyse(jobs=1).failed
    return home


@pytest.fixture
def few(few_home, home):
    shutil.copytree(few_home, home)
    return home


@pytest.fixture
def fly(mirla):
    """The checks that are made, by name; on no device unless one is named."""

    def run(*words, device="no such device", check=1):
        done = mirla("--json", "preflight", "--device", device, *words, check=check)
        answer = done.json
        assert [one["name"] for one in answer["checks"]] == list(NAMES)
        assert all("\n" not in one["detail"] for one in answer["checks"])
        assert answer["ready"] == all(one["ok"] for one in answer["checks"]) == (check == 0)
        return {one["name"]: one for one in answer["checks"]}

    return run


def not_ok(checks):
    return {name: one["detail"] for name, one in checks.items() if not one["ok"] and name != "device"}


def test_ready_on_a_device(few, fly, jack):
    checks = fly("--use", "commercial", device=jack.device, check=0)
    assert "no drop-outs in 2 s" in checks["device"]["detail"]
    assert checks["audio"]["detail"] == "all 4 decoded from end to end"
    assert checks["licences"]["detail"] == "Creative Commons 0 4"
    assert (few / "cache").is_dir()


def test_the_lines_and_the_verdict(few, mirla):
    done = mirla("preflight", "--device", "no such device", "--sample", "25%", check=1)
    lines = done.out.splitlines()
    assert len(lines) == len(NAMES) + 1
    assert lines[1].startswith("NOT OK  device    no sound device")
    assert lines[1].endswith("plug one in, or choose one of `mirla devices` with --device")
    assert lines[3] == "ok      audio     1 of 4 decoded from end to end"
    assert lines[-1] == "not ready: device"


def test_audio_that_is_damaged_or_gone(few, fly):
    with Corpus(few) as corpus:
        first, second, *_ = (sound.file.path for sound in corpus.sounds.many(corpus.sounds.ids()))
    content = first.read_bytes()
    first.chmod(0o600)
    first.write_bytes(content[: len(content) // 2])
    second.unlink()
    found = not_ok(fly())
    assert set(found) == {"audio"}
    assert "is damaged or cut short: not all of it can be decoded" in found["audio"]
    assert ", and 1 more" in found["audio"]


def test_what_was_not_measured_or_learnt(few, fly, mirla, tmp_path):
    with Corpus(few) as corpus:
        ids = [sound.id for sound in corpus.sounds.many(corpus.sounds.ids())]
        shutil.copy(SAMPLES / "perc_bell.flac", tmp_path / "bell.flac")
        corpus.adopt([tmp_path / "bell.flac"])
    mirla("agent", "new", "soft")
    mirla("agent", "label", "soft", "--good", ids[0], ids[1])
    mirla("agent", "label", "soft", "--bad", ids[2])
    mirla("agent", "train", "soft")
    mirla("agent", "label", "soft", "--bad", ids[3])
    found = not_ok(fly("--use", "commercial", "--agent", "soft"))
    assert found["vectors"] == "1 sounds lack vectors in mfcc; `mirla analyse --space mfcc`"
    assert found["agents"] == ("agent soft has other labels than version 1 learnt from; `mirla agent train soft`")
    assert found["licences"].startswith("1 sounds may not be used for money: 1000000000; leave them out with --licence")
    assert set(found) == {"vectors", "agents", "licences"}


def test_what_is_not_there_at_all(fly, home):
    found = not_ok(fly("--palette", "kit", "--agent", "nobody"))
    assert "no palette 'kit'" in found["sounds"]
    assert "no agent 'nobody'" in found["agents"]
    for name in ("audio", "vectors", "memory", "licences"):  # what was not looked at is not ok
        assert found[name] == "no sounds to look at; see to the line of the sounds"


def test_too_little_shared_memory(few, fly, monkeypatch):
    size = shutil.disk_usage("/")
    monkeypatch.setattr(
        "engine.preflight.shutil.disk_usage",
        lambda path: size._replace(free=1000 if str(path) == "/dev/shm" else size.free),
    )
    found = not_ok(fly())
    assert found["memory"].startswith("0.0 GB free at /dev/shm, 0.0 GB wanted for sounds; empty it, or have it made")


def test_of_a_palette_only_its_sounds(few, fly, mirla):
    with Corpus(few) as corpus:
        one, other = corpus.sounds.many(corpus.sounds.ids())[:2]
    mirla("palette", "publish", "kit", one.id)
    Path(other.file.path).unlink()
    checks = fly("--palette", "kit")
    assert not_ok(checks) == {}
    assert checks["sounds"]["detail"] == "palette kit, 1 sounds, published whole"


def test_a_corpus_that_cannot_be_opened(mirla, home):
    home.mkdir()
    (home / "corpus.sqlite").write_text("no database at all, but some words that are long enough to be read as one")
    answer = mirla("--json", "preflight", check=1).json
    assert [one["name"] for one in answer["checks"]] == ["schema"]
    assert "is not an SQLite database" in answer["checks"][0]["detail"]


@pytest.mark.parametrize("sample", ["0", "101", "half", "nan%"])
def test_samples_that_are_none(mirla, sample):
    assert "is no percentage above 0, such as 10%" in mirla("preflight", "--sample", sample, check=2).err
