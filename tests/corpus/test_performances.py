"""What is kept of a performance: as it was said, on the disk at once, and longer than its sounds."""

import multiprocessing
import os

import numpy as np
import pytest

from corpus import Corpus
from corpus.errors import PerformanceError
from corpus.model import Command
from corpus.store import schema
from tests.audio_files import write_tone


@pytest.fixture
def corpus(home, tmp_path):
    with Corpus(home) as corpus:
        corpus.adopt([write_tone(tmp_path / f"{name}.wav", pitch) for name, pitch in (("one", 300), ("two", 400))])
        yield corpus


def test_a_performance_is_kept_as_it_went(corpus):
    one, two = corpus.sounds.many(corpus.sounds.ids().tolist())
    first = corpus.performances.begin(7, "Cellar")
    assert (first.seed, first.title, first.ended) == (7, "Cellar", None)
    corpus.performances.said(first, [Command(0.5, "a", "tag", ("metal", 3), {"agent": "water"}, [one.id, two.id])])
    corpus.performances.said(first, [Command(2.0, None, "panic", error="no")])
    numbers = corpus.performances.plays_began(first, [(0.6, "a", one), (0.7, "a", two)])
    corpus.performances.plays_lasted({numbers[0]: (1.5, 1.0)})
    corpus.performances.plays_lasted({numbers[0]: (2.5, 1.0)})
    corpus.performances.end(first)
    other = corpus.performances.begin(None, "")
    corpus.performances.plays_began(other, [(0.0, "", two)])

    tag, panic = corpus.performances.commands(first)
    assert (tag.at, tag.group, tag.verb, tag.given, tag.named) == (0.5, "a", "tag", ["metal", 3], {"agent": "water"})
    assert (tag.answer, tag.error) == ([one.id, two.id], None)
    assert (panic.group, panic.answer, panic.error) == (None, None, "no")
    plays = corpus.performances.plays(performance=first)
    assert [(play.id, play.sound_id, play.at, play.seconds, play.heard) for play in plays] == [
        (numbers[0], one.id, 0.6, 2.5, 1.0),
        (numbers[1], two.id, 0.7, None, None),
    ]
    assert plays[0].credit == one.credited
    assert len(corpus.performances.plays()) == 3
    assert corpus.performances.plays(since=plays[0].began)
    assert corpus.performances.plays(since="2999") == []
    assert [performance.ended is None for performance in corpus.performances.all()] == [False, True]


def test_the_first_end_counts(corpus, monkeypatch):
    performance = corpus.performances.begin()
    corpus.performances.end(performance)
    ended = corpus.performances.get(performance.id).ended
    monkeypatch.setattr("corpus.store.performances.now", lambda: "2999-01-01T00:00:00Z")
    corpus.performances.end(performance)
    assert corpus.performances.get(performance.id).ended == ended


def test_plays_and_their_credits_outlast_their_sounds(corpus):
    sound = corpus.sounds.get(corpus.sounds.ids()[0])
    performance = corpus.performances.begin()
    corpus.performances.plays_began(performance, [(0.0, "a", sound)])
    corpus.forget([sound.id], for_good=True)
    assert [play.credit["line"] for play in corpus.performances.plays()] == [sound.credit]


def test_what_json_cannot_hold_is_kept_as_text(corpus):
    itself = []
    itself.append(itself)
    odd = (
        "\ud800",
        b"\xff",
        float("nan"),
        float("inf"),
        2**70,
        object,
        np.float32(0.5),
        {3: {1}},
        (None, True),
        itself,
    )
    performance = corpus.performances.begin()
    corpus.performances.said(performance, [Command(0, "\ud800", "\ud800", odd, {"\ud800": odd}, odd, "\ud800")])
    (command,) = corpus.performances.commands(performance)
    given = command.given
    assert given[:5] == ["\ufffd", str(b"\xff"), "nan", "inf", str(2**70)]
    assert given[5:9] == [str(object), 0.5, {"3": [1]}, [None, True]]
    assert "…" in str(given[9])
    assert command.answer[:9] == given[:9] == command.named["\ufffd"][:9]
    assert (command.group, command.verb, command.error) == ("\ufffd", "\ufffd", "\ufffd")


def test_what_there_is_not_is_one_line(corpus):
    with pytest.raises(PerformanceError, match="no performance 9; `mirla sets`"):
        corpus.performances.get(9)
    with pytest.raises(PerformanceError, match="beyond 64 bits"):
        corpus.performances.begin(2**63)


def test_what_was_said_is_there_after_a_kill(home):
    process = multiprocessing.get_context("spawn").Process(target=play_and_die, args=(home,))
    process.start()
    process.join()
    assert process.exitcode == 9
    with Corpus(home) as corpus:
        (performance,) = corpus.performances.all()
        assert [command.verb for command in corpus.performances.commands(performance)] == ["play"]


def play_and_die(home):
    corpus = Corpus(home)
    performance = corpus.performances.begin()
    corpus.performances.said(performance, [Command(0, "a", "play")])
    os._exit(9)


@pytest.mark.parametrize("answer", [4832, "4832", "1e3", 0.5, 3.0, 2**63, -1, True, None, "null", "", [4832], {"a": 1}])
def test_an_answer_comes_back_as_it_was(corpus, answer):
    performance = corpus.performances.begin()
    corpus.performances.said(performance, [Command(0.0, "a", "whatid", answer=answer)])
    (command,) = corpus.performances.commands(performance)
    assert (command.answer, type(command.answer)) == (answer, type(answer))


def test_answers_of_an_earlier_schema_come_back(home, monkeypatch):
    with monkeypatch.context() as earlier:
        earlier.setattr(schema, "HEAD", "0012")
        with Corpus(home) as corpus, corpus.database.write() as connection:
            connection.exec_driver_sql("insert into performances (id, begun) values (1, '2026')")
            row = "insert into commands (performance_id, at, verb, arguments, answer) values (1, ?, 'ok', ?, ?)"
            for at, answer in enumerate(("4832", "0.5", '"4832"', "[1]", "null", None)):
                connection.exec_driver_sql(row, (at, '{"given": [], "named": {}}', answer))
    with Corpus(home) as corpus:
        commands = corpus.performances.commands(corpus.performances.get(1))
        assert [one.answer for one in commands] == [4832, 0.5, "4832", [1], None, None]
        assert corpus.performances.get(1).facts == commands[0].facts == {}


def test_facts_are_kept_and_noted_anew(corpus):
    performance = corpus.performances.begin(facts={"loudness": -30.0})
    assert performance.facts == {"loudness": -30.0}
    corpus.performances.note(performance, {"loudness": -30.0, "device": "JACK \ud800"})
    assert corpus.performances.get(performance.id).facts == {"loudness": -30.0, "device": "JACK \ufffd"}
    corpus.performances.said(performance, [Command(1.0, "a", "similar", facts={"agents": {"water": 3}})])
    assert corpus.performances.commands(performance)[0].facts == {"agents": {"water": 3}}


def test_performances_in_numbers(corpus):
    one, two = corpus.sounds.many(corpus.sounds.ids().tolist())
    first, empty, last = (corpus.performances.begin(title=title) for title in ("first", "empty", "last"))
    said = [Command(0.5, "a", "play"), Command(1.0, "a", "said", facts={"kind": "event"}), Command(7.0, None, "stop")]
    corpus.performances.said(first, said)
    corpus.performances.said(last, [Command(1.0, "a", "ok", facts={"kind": "lesson"})])
    corpus.performances.plays_lasted(
        {corpus.performances.plays_began(last, [(1.0, "a", one), (2.0, "a", two)])[0]: (9.0, 0.0)}
    )
    found = [(one.performance, one.commands, one.plays, one.seconds) for one in corpus.performances.summaries()]
    assert found == [(first, 2, 0, 7.0), (empty, 0, 0, 0.0), (last, 1, 2, 10.0)]
