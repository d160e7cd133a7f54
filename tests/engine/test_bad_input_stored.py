"""Files of the corpus that are lost or damaged after they were taken in: the rest goes on, and nothing is forgotten."""

import shutil

import pytest

from corpus import Corpus
from tests.audio_files import write_tone
from tests.bad_input import one_line

DAMAGE = {
    "gone": lambda file: file.unlink(),
    "empty": lambda file: file.write_bytes(b""),
    "text": lambda file: file.write_text("no sound\n" * 100),
    "a folder": lambda file: (file.unlink(), file.mkdir()),
    "a broken link": lambda file: (file.unlink(), file.symlink_to("nowhere")),
}


@pytest.fixture(scope="module")
def finished_pair(tmp_path_factory):
    """A home with two analysed sounds, and one linked from outside."""
    place = tmp_path_factory.mktemp("pair")
    for number in range(2):
        write_tone(place / f"{number}.wav", 400 + number, seconds=0.2)
    with Corpus(place / "home") as corpus:
        corpus.adopt([place])
        corpus.analyse()
    return place / "home"


@pytest.fixture
def pair(finished_pair, home):
    """A copy of that home, and its two sounds."""
    shutil.copytree(finished_pair, home)
    with Corpus(home) as corpus:
        return corpus.sounds.many(corpus.sounds.ids())


@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_file_costs_only_itself(pair, mirla, tmp_path, how):
    damaged, whole = pair
    DAMAGE[how](damaged.file.path)
    line = one_line(mirla("render", damaged.id, "--out", tmp_path / "out.wav", check=10), "; ")
    assert str(damaged.id) in line or damaged.file.path.name in line
    assert "is missing" in line or how not in ("gone", "a broken link")
    assert [path.name for path in tmp_path.iterdir()] == ["home"]
    mirla("render", whole.id, "--out", tmp_path / "out.wav")
    assert {path.name for path in tmp_path.iterdir()} == {"home", "out.wav"}
    assert mirla("--json", "show", damaged.id).json["sha256"] == damaged.file.sha256
    assert [hit["id"] for hit in mirla("--json", "similar", whole.id).json["results"]] == [damaged.id]
    assert mirla("credits", damaged.id).out


def test_an_analysis_lists_what_is_damaged_and_keeps_what_it_knew(pair, mirla):
    damaged, _ = pair
    before = mirla("--json", "show", damaged.id, "--vectors").json
    damaged.file.path.write_text("no sound\n" * 100)
    ran = mirla("--json", "analyse", "--redo", check=1)
    (failure,) = ran.json["spaces"]["mfcc"]["failed"]
    assert (failure["id"], ran.json["spaces"]["mfcc"]["analysed"]) == (damaged.id, 1)
    assert "cannot be decoded" in failure["error"]
    one_line(ran, f"failed: {damaged.id}: ")
    assert mirla("--json", "show", damaged.id, "--vectors").json == before


OUTPUTS = {"file/out.wav": 20, "nowhere/out.wav": 20, "out.txt": 20, "out": 20, "folder.wav": 2}


@pytest.mark.parametrize("out", OUTPUTS)
def test_an_output_that_cannot_be_written(pair, mirla, tmp_path, out):
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "file").touch()
    ran = mirla("render", pair[0].id, "--out", tmp_path / out, check=OUTPUTS[out])
    assert out in ran.err
    assert "please report" not in ran.err
    assert {path.name for path in tmp_path.iterdir()} == {"folder.wav", "file", "home"}


@pytest.mark.parametrize(("seconds", "code"), [("0", 2), ("-1", 2), ("nan", 20), ("inf", 2), ("soon", 2)])
def test_a_length_that_cannot_be_rendered(pair, mirla, tmp_path, seconds, code):
    ran = mirla("render", pair[0].id, "--out", tmp_path / "out.wav", "--seconds", seconds, check=code)
    assert "please report" not in ran.err
    assert not (tmp_path / "out.wav").exists()
