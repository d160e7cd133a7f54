"""Agents that cannot learn or judge, ids and names that are not there, a corpus that is empty: a line and a way on."""

import json
import shutil
import sqlite3

import numpy as np
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
    mirla("agent", "new", "deaf", "--space", "traits9")
    for label, some in (("--good", sounds[:2]), ("--bad", sounds[2:4])):
        mirla("agent", "label", "deaf", label, *some)
    for command in ("train", "score", "curve"):
        one_line(mirla("agent", command, "deaf", check=22), "traits9", "mirla analyse")


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


@pytest.fixture
def tones(sounds, water, mirla):
    """An agent that was trained; changes what is stored of it."""

    def change(what, value, classifier="lda", retrain=True):
        if retrain:
            mirla("agent", "new", "tones", "--classifier", classifier)
            mirla("agent", "label", "tones", "--good", *sounds[:3])
            mirla("agent", "label", "tones", "--bad", *sounds[4:7])
            mirla("agent", "train", "tones")
        with sqlite3.connect(mirla_home(mirla)) as connection:
            if callable(value):
                (old,) = connection.execute(f"select {what} from models").fetchone()
                value = json.dumps(value(json.loads(old)))
            connection.execute(f"update models set {what} = ?", [value])
        connection.close()

    return change


def mirla_home(mirla):
    return f"{mirla('--json', 'status').json['home']}/corpus.sqlite"


DAMAGED = [
    ("lda", "arrays", "{", 7, "version 1 of agent 'tones' is damaged"),
    ("lda", "arrays", "[1, 2]", 7, "version 1 of agent 'tones' is damaged"),
    ("lda", "recipe", "null", 7, "version 1 of agent 'tones' is damaged"),
    ("lda", "arrays", lambda a: a | {"mean": [0.0] * 3}, 27, "its 'mean' of shape (3,) does not fit"),
    ("lda", "arrays", lambda a: a | {"weights": ["x"] * 26}, 27, "its 'weights' is not an array of numbers"),
    ("lda", "arrays", lambda a: a | {"bias": [float("nan")]}, 7, "version 1 of agent 'tones' is damaged"),
    ("lda", "arrays", lambda a: a | {"inverse_temperature": "hot"}, 27, "its 'inverse_temperature' is 'hot'"),
    ("lda", "arrays", lambda a: a | {"inverse_temperature": -1}, 27, "its 'inverse_temperature' is -1"),
    ("knn", "recipe", lambda r: r | {"classifier": "oracle"}, 23, "no classifier 'oracle'"),
    ("knn", "recipe", lambda r: r | {"parameters": {"magic": 1}}, 27, "its recipe cannot be followed"),
    ("knn", "recipe", lambda r: r | {"parameters": 7}, 27, "its recipe cannot be followed"),
    ("knn", "labels_hash", "0", 27, "the labels that it learnt from are not there any more"),
    ("knn", "verdicts", "{}", 27, "what it learnt from was not kept with it"),
    ("knn", "verdicts", '{"x": 0.5}', 27, "the labels that it learnt from are not there any more"),
]


@pytest.mark.parametrize(("classifier", "what", "value", "code", "words"), DAMAGED)
def test_a_model_that_was_damaged(tones, mirla, classifier, what, value, code, words):
    tones(what, value, classifier)
    line = one_line(mirla("agent", "judge", "tones", check=code), words)
    if code != 23:
        assert "`mirla agent train tones`" in line
    one_line(mirla("search", "--agent", "tones", check=code), words)
    assert mirla("--json", "agent", "train", "tones").json["version"] == 2
    assert mirla("--json", "agent", "judge", "tones").json["version"] == 2
    assert mirla("--json", "agent", "show", "tones").json["good"] == 3, "no label is lost"


@pytest.mark.parametrize("classifier", ["knn", "lda"])
def test_an_example_that_is_no_longer_there(tones, sounds, mirla, classifier):
    """What is learnt anew needs it, what was kept does not."""
    tones("seed", "0", classifier)
    with sqlite3.connect(mirla_home(mirla)) as connection:
        connection.execute("delete from vectors where sound_id = ?", [sounds[0]])
    connection.close()
    if classifier == "lda":
        mirla("agent", "judge", "tones")
    else:
        words = f"it learnt from sound {sounds[0]}, whose vectors are not there any more"
        one_line(mirla("agent", "judge", "tones", check=27), words)
    report = mirla("--json", "agent", "train", "tones").json
    assert (report["good"], report["bad"], report["left_out"]) == (2, 3, [sounds[0]])
    mirla("agent", "judge", "tones")


def test_the_same_sound_both_ways_the_last_counts(sounds, water, mirla):
    water(sounds[:3], sounds[:2])
    report = mirla("--json", "agent", "train", "water").json
    assert (report["good"], report["bad"]) == (1, 2)
    history = {one["id"]: one["label"] for one in mirla("--json", "agent", "show", "water").json["labels"]}
    assert history == {sounds[0]: "bad", sounds[1]: "bad", sounds[2]: "good"}


def test_sounds_that_are_all_alike(sounds, water, mirla):
    water(sounds[:3], sounds[3:6])
    with sqlite3.connect(mirla_home(mirla)) as connection:
        connection.execute("update vectors set data = (select data from vectors limit 1)")
    connection.close()
    for command in ("train", "score", "curve"):
        one_line(mirla("agent", command, "water", check=23), "6 sounds that agent 'water' was taught are all alike")


def test_numbers_that_lack_are_infinite_huge_or_never_change(sounds, water, mirla):
    water(sounds[:4], sounds[4:8])
    home = mirla_home(mirla)
    with sqlite3.connect(home) as connection:
        rows = connection.execute("select sound_id, data from vectors").fetchall()
        for place, (number, data) in enumerate(rows):
            values = np.frombuffer(data, "<f4").copy()
            values[3], values[4] = 7, 3e38 * (-1) ** place
            values[[5, 6]] = (np.nan, np.inf) if place == 2 else values[[5, 6]]
            connection.execute("update vectors set data = ? where sound_id = ?", [values.tobytes(), number])
    connection.close()
    for classifier in ("mlp", "logistic", "lda", "svm", "knn", "bayes", "gp"):
        report = mirla("--json", "agent", "score", "water", "--classifier", classifier).json
        assert report["accuracy"]["n"] == 8
    done = mirla("agent", "train", "water")
    assert "1 of 26 features are the same in all examples" in done.err
    assert "1 examples lack a number" in done.err
    assert "PCA has 8 components in place of 20" in done.err
    assert all(0 <= one["p"] <= 1 for one in mirla("--json", "agent", "judge", "water").json["verdicts"][:-1])


@pytest.mark.parametrize("command", ["score", "curve", "why"])
def test_commands_on_labels_that_do_not_suffice(sounds, water, mirla, command):
    more = [sounds[0]] if command == "why" else []
    one_line(mirla("agent", command, "water", *more, check=23), "mirla agent")
    water(sounds[:1], sounds[1:2])
    if command != "why":
        assert "fewer than two" in mirla("agent", command, "water").out
    else:
        mirla("agent", "train", "water")
        assert "cannot be left out" in mirla("agent", "why", "water", sounds[2]).out
        one_line(mirla("agent", "why", "water", 7, check=8), "no sound 7")
        one_line(mirla("agent", "why", "water", sounds[-1], check=22), "mirla analyse")


def test_a_classifier_that_does_not_exist(sounds, mirla):
    assert "known are mlp" in mirla("agent", "new", "water", "--classifier", "oracle", check=2).err
    mirla("agent", "new", "water")
    assert "known are mlp" in mirla("agent", "score", "water", "--classifier", "oracle", check=2).err
    assert "forest, gp, auto" in " ".join(mirla("agent", "new", "--help").out.split())
