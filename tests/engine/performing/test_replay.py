"""Logs of sets: the same sounds at the same times, whatever the corpus would answer now."""

import json

import pytest

from engine.errors import SetError
from engine.performing.replay import Log
from engine.playback.offline import OfflinePlayer
from engine.session import Session


def written(path, *entries):
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return path


def said(at, verb, *given, group="a", answer=None, **named):
    return {"at": at, "group": group, "verb": verb, "given": given, "named": named, "answer": answer}


class Listening(OfflinePlayer):
    """Notes when each sound starts, in seconds."""

    def __init__(self):
        super().__init__()
        self.started = []

    def start(self, clip, **how):
        self.started.append((round(self.position / self.rate, 3), how["group"], clip.id, how["rate"]))
        return super().start(clip, **how)


def replay(home, log):
    player, words = Listening(), []
    with Session(home, rendering=player, say=words.append) as session:
        Log.read(log).run(session)
        after = {name: [sound.id for sound in group.sounds] for name, group in session.groups.items()}
    return player.started, after, words


def test_the_same_sounds_at_the_same_times(sonic_home, tmp_path):
    log = written(
        tmp_path / "set.jsonl",
        said(0.5, "tag", "no such tag", 2, answer=[4832, 100055]),
        said(2.0, "play", 0.5),
        said(2.0, "similar", 0, agent="nobody", group="b", answer=[100055]),
        said(1.0, "similarauto", tempo=0.1),
        said(1.0, "whatid", answer=[4832, 100055]),
        said(1.0, "record", str(tmp_path / "again.wav"), group=None),
        said(3.0, "stop", group=None),
        said(3.5, "play", group="b"),
    )
    started, after, words = replay(sonic_home, log)
    assert words == []
    assert after == {"a": [4832, 100055], "b": [100055]}
    assert started == [
        (0.5, "a", 4832, 1.0),
        (0.5, "a", 100055, 1.0),
        (2.0, "b", 100055, 1.0),
        (3.5, "b", 100055, 1.0),
    ]
    assert not (tmp_path / "again.wav").exists()


def test_a_sound_that_is_gone_is_one_line_and_keeps_no_other_back(sonic_home, tmp_path):
    log = written(
        tmp_path / "set.jsonl",
        said(0.0, "random", 3, answer=[4832, 7, 100055]),
        said(0.0, "fly", 3),
        said(0.0, "play", group="a/b"),
        said(0.0, "volume", 99),
    )
    _, after, words = replay(sonic_home, log)
    assert after == {"a": [4832, 100055]}
    assert len(words) == 4
    assert words[0].startswith("a: no sound 7")
    assert words[1] == "a: fly: no such verb any more; it is passed over"
    assert "'a/b' can be no group" in words[2]
    assert words[3] == "a: volume 99 is not from 0 to 2"


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[1]",
        "7",
        '{"at": 1}',
        '{"at": "1", "verb": "play", "group": "a"}',
        '{"at": NaN, "verb": "play", "group": "a"}',
        '{"at": 1, "verb": 7, "group": "a"}',
        '{"at": 1, "verb": "play", "group": 7}',
        '{"at": 1, "verb": "play", "group": "a", "given": "abc"}',
        '{"at": 1, "verb": "play", "group": "a", "named": [1]}',
        '{"at": 1, "verb": "play", "group": "a", "more": 1}',
        "[" * 100_000,
    ],
)
def test_lines_that_are_no_commands(line, tmp_path):
    (tmp_path / "set.jsonl").write_text(json.dumps(said(0, "play")) + "\n\n" + line + "\n")
    with pytest.raises(SetError, match=r"set\.jsonl, line 3 is no command of a set") as caught:
        Log.read(tmp_path / "set.jsonl")
    assert "\n" not in str(caught.value)


def test_an_empty_log_plays_nothing(sonic_home, tmp_path):
    assert replay(sonic_home, written(tmp_path / "set.jsonl")) == ([], {}, [])
