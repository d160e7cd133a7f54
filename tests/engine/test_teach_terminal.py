"""`mirla agent teach` in a real terminal (a pseudo-terminal that is its controlling one): keys, signals, and kills.

No answer that was acknowledged is ever lost, whenever the program is killed.
"""

import contextlib
import io
import os
import random
import re
import select
import signal
import termios
import time

import pytest
import soundfile
from rich.cells import cell_len

from corpus import Corpus
from corpus.model import Sound
from engine.cli.keys import END, TerminalKeys, keys_from, unknown
from engine.cli.waveform import BLOCKS, PLAIN, levels_for
from tests.terminal import Terminal

CSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@pytest.fixture
def teach(sonic_home):
    """Open terminals in which water is taught."""
    opened = []

    def begin(*options, typed="", **how):
        words = ["agent", "teach", "water", "--silent", *options]
        opened.append(Terminal(sonic_home, *words, **how))
        opened[-1].press(typed)
        opened[-1].until("g good")
        opened[-1].until("LUFS")
        return opened[-1]

    yield begin
    for terminal in opened:
        terminal.close()


def labels(home):
    with Corpus(home) as corpus:
        return [one.label for one in corpus.agents.history(corpus.agents.get("water"))]


def test_a_lesson_from_the_first_key_to_the_last(teach, sonic_home):
    lesson = teach("--seed", "1")
    assert not lesson.modes[3] & termios.ICANON
    for key, words in (("g", "you said good"), ("b", "you said bad"), ("s", "skipped"), ("u", "taken back")):
        lesson.press(key)
        lesson.until(words)
        lesson.until("1 good")
    lesson.press("f")
    lesson.until("like:ID")
    assert lesson.modes[3] & termios.ICANON  # a line is typed as anywhere else
    lesson.press("tag:tabla\n")
    lesson.until("from tag:tabla")
    lesson.resize(30)
    lesson.until("\x1b[J1 good, 1 bad")
    lesson.press("\x1b[A")  # an arrow, which ends in an A
    lesson.press("?")
    lesson.until("? keys")
    lesson.press("g")
    lesson.until("2 good, 1 bad")
    lesson.press("q")
    assert lesson.end() == 0
    assert "agent water: 2 good, 1 bad, version 1" in lesson.text
    assert lesson.modes == lesson.before
    assert labels(sonic_home) == ["good", "bad", "good"]


def test_killed_at_any_moment_no_answer_is_lost(teach, sonic_home):
    """Right after an answer is acknowledged, and a moment after a key whose answer may or may not have come."""
    generator = random.Random(1)
    expected = []
    for run in range(4):
        lesson = teach("--from", "random" if run % 2 else "useful")
        for _ in range(generator.randint(1, 3)):
            key, word = generator.choice([("g", "good"), ("b", "bad")])
            lesson.press(key)
            lesson.until(f"you said {word}")
            expected.append(word)
            time.sleep(0.2)  # or the same key would count as held down
        if run % 2:
            lesson.press("g")
            time.sleep(generator.random() * 0.02)
        assert lesson.kill() == -signal.SIGKILL
        found = labels(sonic_home)
        assert found in (expected, [*expected, "good"])
        expected = found


def test_ctrl_c_and_sigterm_give_the_terminal_back_and_keep_the_answers(teach, sonic_home):
    for ending, code in (("\x03", 130), (signal.SIGTERM, 143), ("\x04", 0)):
        lesson = teach()
        lesson.press("b")
        lesson.until("you said bad")
        if isinstance(ending, str):
            lesson.press(ending)
        else:
            lesson.process.send_signal(ending)
        assert lesson.end() == code
        assert lesson.modes == lesson.before
        assert "Traceback" not in lesson.text
    assert labels(sonic_home) == ["bad"] * 3


def test_ctrl_z_gives_the_terminal_back_until_it_goes_on(teach):
    lesson = teach()
    lesson.press("\x1a")
    assert os.WIFSTOPPED(os.waitpid(lesson.process.pid, os.WUNTRACED)[1])
    assert lesson.modes == lesson.before
    lesson.process.send_signal(signal.SIGCONT)
    lesson.until("0 good, 0 bad")
    lesson.press("g")
    lesson.until("you said good")


def test_strangers_names_stay_within_a_narrow_terminal(teach, sonic_home):
    with Corpus(sonic_home) as corpus:
        [found] = corpus.sounds.many([4832])
        wild = "\x1b[2J\r" + "鼓" * 20 + "e\u0301" * 30
        with corpus.database.write() as connection:
            sound = Sound(4832, wild, username="\x1b]0;x\x07", tags=("\x1b[1m", "ドラム"), file=found.file)
            corpus.sounds.update(connection, [sound], {})
    lesson = teach("--from", "id:4832", columns=30)
    lesson.press("b")
    lesson.until("1 bad")
    assert lesson.kill()
    shown = lesson.text
    assert "\x1b[2J" not in shown
    assert "\\x1b[2J\\r鼓" in shown
    assert "\x1b]0" not in shown
    for line in re.split(r"[\r\n]+", CSI.sub("", shown)):
        assert cell_len(line) <= 30, line
    assert any(block in shown for block in BLOCKS)


def test_a_dumb_or_ascii_terminal_gets_plain_lines(teach):
    lesson = teach(TERM="dumb")
    lesson.press("g")
    lesson.until("you said good · 1 good, 0 bad · from random")
    assert "\x1b" not in lesson.text
    assert levels_for("ascii") == levels_for(None) == PLAIN


def test_keys_held_down_count_once_and_sequences_not_at_all():
    master, slave = os.openpty()
    with contextlib.closing(os.fdopen(slave)) as stream, TerminalKeys(stream) as keys:
        assert keys.key(0) is None
        os.write(master, b"ggg\x1b[A\x1bOPb")
        assert [keys.key(1) for _ in range(4)] == ["g", None, None, "b"]
        time.sleep(0.2)
        os.write(master, b"b")
        assert keys.key(1) == "b"
        os.close(master)
        assert keys.key(1) == END


def test_keys_from_a_pipe_are_words_or_letters_without_sequences():
    lines = "G\nGOOD\n good \n\x1b[A\nb\x1b[Bad\n\n\x1bOP\nUndo\nNonsense\n"
    with keys_from(io.StringIO(lines)) as keys:
        keys.drop()  # each line is meant
        assert [keys.key(0) for _ in range(7)] == ["g", "g", "g", "b", "u", "nonsense", END]
    assert unknown("x" * 99) == f"no key '{'x' * 20}…'; ? shows the keys"


def test_keys_pressed_before_a_sound_are_dropped():
    master, slave = os.openpty()
    with contextlib.closing(os.fdopen(slave)) as stream:
        os.write(master, b"g\n")
        assert select.select([stream], [], [], 1)[0]
        with TerminalKeys(stream) as keys:
            assert keys.key(0.1) is None
            os.write(master, b"Gb")
            assert keys.key(1) == "g"
            os.write(master, b"s")
            time.sleep(0.05)
            keys.drop()  # what was read already, and what was not
            assert keys.key(0.1) is None
            os.write(master, b"u")
            assert keys.key(1) == "u"
            for stop in "q", END:  # meant at any time
                os.write(master, b"g" + stop.encode() + b"b")
                keys.drop()
                assert [keys.key(0.1), keys.key(0.1)] == [stop, None]
    os.close(master)


def test_keys_typed_ahead_answer_no_sound(teach, sonic_home):
    lesson = teach(typed="gbg")
    lesson.press("?x")
    lesson.until("? keys")
    lesson.until("no key 'x'; ? shows the keys")
    lesson.press("q")
    assert lesson.end() == 0
    assert "agent water: 0 good, 0 bad" in lesson.text
    assert lesson.text.count("g good") == 2  # not again for the unknown key


def test_a_terminal_that_does_not_say_its_width_has_80_columns(teach):
    lesson = teach(columns=0)
    lesson.press("?")
    lesson.until("g good · b bad · s skip · a or space again · u undo · f another source")


def test_ctrl_c_quotes_a_name_for_the_shell(sonic_home):
    lesson = Terminal(sonic_home, "agent", "teach", "my$agent", "--silent", columns=200)
    try:
        lesson.until("LUFS")
        lesson.press("g")
        lesson.until("1 good")
        lesson.press("\x03")
        assert lesson.end() == 130
        assert "`mirla agent train 'my$agent'`" in lesson.text
    finally:
        lesson.close()


def test_the_wave_of_a_sound(samples):
    from engine.cli.waveform import waveform

    frames = soundfile.read(samples[-1], dtype="float32", always_2d=True)[0]
    drawn = waveform(frames, 40)
    assert len(drawn) == 40
    assert "█" in drawn
    assert waveform(frames[:0], 40) == ""
    assert waveform(frames[:3] * 0, 40) == "▁▁▁"
