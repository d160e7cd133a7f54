"""Agents that cannot learn or judge, ids and names that are not there, a corpus that is empty: a line and a way on."""

import shutil

import pytest

from corpus import Corpus
from tests.audio_files import write_tone
from tests.bad_input import one_line

SOUNDS = 8
UNKNOWN = [0, 7, 999_999_999, 1_000_000_000 + SOUNDS + 1, 2**31, 2**63, 10**30]


@pytest.fixture(scope="module")
def analysed(tmp_path_factory):
    """A home with analysed sounds, the last of them not analysed."""
    place = tmp_path_factory.mktemp("agents")
    for number in range(SOUNDS):
        write_tone(place / f"{number}.wav", 300 + 50 * number, seconds=0.1)
    with Corpus(place / "home") as corpus:
        corpus.adopt([place])
        corpus.analyse()
        write_tone(place / "late.wav", 999)
        corpus.adopt([place / "late.wav"])
    return place / "home"


@pytest.fixture
def sounds(analysed, home):
    """Ids of a copy of that home."""
    shutil.copytree(analysed, home)
    with Corpus(home) as corpus:
        return corpus.sounds.ids().tolist()


@pytest.fixture
def water(sounds, mirla):
    """An agent that knows nothing; labels sounds."""
    mirla("agent", "new", "water")

    def label(good=(), bad=()):
        for label, ids in ("--good", good), ("--bad", bad):
            if ids:
                mirla("agent", "label", "water", label, *ids)

    return label


@pytest.mark.parametrize("sound", UNKNOWN)
def test_an_id_that_does_not_exist(sounds, mirla, tmp_path, sound):
    mirla("agent", "new", "water")
    for command in (
        ("show", sound),
        ("similar", sound),
        ("render", sounds[0], sound, "--out", tmp_path / "out.wav"),
        ("play", sound),
        ("credits", sounds[0], sound),
        ("analyse", sound),
        ("agent", "label", "water", "--good", sounds[0], sound),
        ("agent", "unlabel", "water", sound),
    ):
        one_line(mirla(*command, check=8), f"no sound {sound}")
    assert mirla("--json", "agent", "show", "water").json["good"] == 0
    assert not (tmp_path / "out.wav").exists()


def test_a_negative_id_is_no_option(sounds, mirla):
    one_line(mirla("show", "--", -1, check=8), "no sound -1")


@pytest.mark.parametrize("command", [("show",), ("train",), ("judge",), ("label", "--good", "1000000000")])
def test_an_agent_that_does_not_exist(sounds, mirla, command):
    first, *rest = command
    one_line(mirla("agent", first, "[/]\x1b", *rest, check=9), "no agent '[/]\\x1b'", "mirla agent new")


@pytest.mark.parametrize("name", ["", " ", "\x1b[2J", "new\nline", "\u202e"])
def test_an_agent_that_cannot_be_called_so(sounds, mirla, name):
    one_line(mirla("agent", "new", name, check=9), "give it a word")


def test_an_agent_that_exists_already(water, mirla):
    one_line(mirla("agent", "new", "water", check=9), "'water' already", "mirla agent show")


@pytest.mark.parametrize(("good", "bad"), [(0, 0), (4, 0), (0, 4)])
def test_labels_of_one_class_only(sounds, water, mirla, good, bad):
    water(sounds[:good], sounds[:bad])
    line = one_line(mirla("agent", "train", "water", check=23), f"{good} good and {bad} bad")
    assert f"mirla agent label water --{'bad' if good else 'good'}" in line
    assert mirla("--json", "agent", "show", "water").json["version"] is None


@pytest.mark.parametrize(("good", "bad"), [(1, 1), (1, 4), (2, 2), (2, 3), (4, 4)])
def test_fewer_examples_than_folds(sounds, water, mirla, good, bad):
    water(sounds[:good], sounds[good : good + bad])
    report = mirla("--json", "agent", "train", "water").json
    assert (report["good"], report["bad"], report["version"]) == (good, bad, 1)
    if min(good, bad) == 1:
        assert report["accuracy"] is None
        assert "fewer than two" in report["protocol"]
    else:
        low, high = report["accuracy"]["interval"]
        assert 0 <= low <= report["accuracy"]["value"] <= high <= 1
        assert f"{min(good, bad)}-fold" in report["protocol"]
    verdicts = mirla("--json", "agent", "judge", "water").json["verdicts"]
    assert [verdict["id"] for verdict in verdicts] == sounds
    assert all(0 <= verdict["p"] <= 1 for verdict in verdicts[:-1])
    assert verdicts[-1]["p"] is None, "it was not analysed"
    mirla("search", "--agent", "water")


def test_an_agent_that_was_never_trained(sounds, water, mirla):
    for command in (
        ("agent", "judge", "water"),
        ("search", "--agent", "water"),
        ("similar", sounds[0], "--agent", "water"),
    ):
        one_line(mirla(*command, check=23), "not trained yet", "mirla agent train water")


def test_a_label_on_what_was_not_analysed_is_left_out_and_said(sounds, water, mirla):
    water(sounds[:2], [sounds[3], sounds[-1]])
    done = mirla("agent", "train", "water")
    assert "2 good, 1 bad" in done.out
    assert f"left out, since they have no vectors: {sounds[-1]}" in done.err
    assert mirla("--json", "agent", "train", "water").json["left_out"] == [sounds[-1]]
    assert mirla("--json", "agent", "show", "water").json["bad"] == 2, "no label is lost"


def test_labels_on_nothing_that_was_analysed(sounds, water, mirla):
    water(sounds[-1:])
    one_line(mirla("agent", "train", "water", check=22), sounds[-1], "mirla analyse")


@pytest.mark.parametrize("seed", [-1, 10**30, "x"])
def test_a_seed_that_cannot_be_used(sounds, water, mirla, seed):
    water(sounds[:2], sounds[2:4])
    assert "--seed" in mirla("agent", "train", "water", "--seed", seed, check=2).err
    if seed != 10**30:  # numpy takes any number that is not negative
        assert "--seed" in mirla("random", "--seed", seed, check=2).err


EMPTY = {
    ("status",): 0,
    ("search",): 0,
    ("search", "drum"): 0,
    ("random",): 0,
    ("measures",): 0,
    ("credits",): 0,
    ("credits", "--format", "csv"): 0,
    ("analyse",): 0,
    ("agent", "list"): 0,
    ("show", 1): 8,
    ("similar", 1): 8,
    ("render", 1, "--out", "out.wav"): 8,
    ("play", 1): 8,
    ("agent", "train", "water"): 9,
    ("similar", 1, "--measure", "magic"): 21,
    ("render", "--out", "out.wav"): 2,
    ("analyse", "--space", "magic"): 12,
}


@pytest.mark.parametrize("command", EMPTY, ids=lambda command: " ".join(map(str, command)))
def test_an_empty_corpus(home, mirla, command):
    code = EMPTY[command]
    ran = mirla(*command, check=code)
    assert "please report" not in ran.err
    assert ran.out + ran.err or command == ("credits",)
    if code == 0:
        assert isinstance(mirla("--json", *command).json, dict)
    elif code != 2:
        one_line(ran)
        assert mirla("--json", *command, check=code).json["code"] == code


def test_an_agent_of_an_empty_corpus(home, mirla):
    mirla("agent", "new", "water")
    one_line(mirla("agent", "train", "water", check=23), "0 good and 0 bad")
    one_line(mirla("agent", "judge", "water", check=23), "not trained yet")
