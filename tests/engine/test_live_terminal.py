"""`mirla live` in a real terminal (a pseudo-terminal): typed into, completed, interrupted, ended."""

import os
import shutil
import signal
import sqlite3

import pytest

from corpus import Corpus
from tests.terminal import Screen

PROMPT = "mirla>"


class Prompt(Screen):
    """A prompt, and what was said since something was typed."""

    def idle(self, lines):
        """Whether a new prompt waits: the last line but that below it."""
        return PROMPT in lines[-2:]

    def say(self, line, answer=""):
        """Type a line, and wait for what it says and for the next prompt."""
        self.see(self.idle)
        before = self.prompts(self.lines)
        self.press(line + "\r")
        self.see(lambda lines: self.prompts(lines) == before + 1 and self.idle(lines))
        assert answer in self.said(), "\n".join(self.lines)

    def said(self):
        """What came since the last line was typed."""
        places = [place for place, line in enumerate(self.lines) if line.startswith(PROMPT)]
        return "\n".join(self.lines[places[-2] + 1 : places[-1]])

    @staticmethod
    def prompts(lines):
        return sum(line.startswith(PROMPT) for line in lines)


@pytest.fixture
def live(sonic_home, tmp_path):
    """Open prompts; no device is there, and a user's own IPython is lying in wait."""
    opened = []
    startup = tmp_path / "user" / ".ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00.py").write_text("print('a start-up file ran'); raise SystemExit")
    (startup.parent / "ipython_config.py").write_text("print('a configuration was read'); raise SystemExit")

    def begin(*words):
        opened.append(Prompt(sonic_home, "live", *words, HOME=str(tmp_path / "user"), JACK_NO_START_SERVER="1"))
        opened[-1].see(opened[-1].idle)
        return opened[-1]

    yield begin
    for prompt in opened:
        prompt.close()


def test_a_set_from_the_first_line_to_the_last(live, sonic_home, tmp_path):
    prompt = live("--seed", "1")
    assert prompt.lines[0].startswith('165 sounds here. Type a = group("a").random(2)')
    prompt.say('a = group("a").id(100055)')
    prompt.say("a.whatid()", "[100055]")
    prompt.see(lambda lines: "(CC0) | silence" in lines[-1])
    assert any("going on in silence" in line for line in prompt.lines)
    prompt.say("oops.play()", "no name 'oops' here; oops = group(\"oops\") makes a group of it")
    prompt.say("a.similr()", "no verb 'similr'; did you mean similar, similarauto, filter?")
    prompt.say("a.volume(9); a.whatid()", "a: volume 9 is not from 0 to 2")
    prompt.say("a.play() 7", "invalid syntax: a.play() 7")
    prompt.say("1/0", "ZeroDivisionError: division by zero")
    prompt.say("%nothing", "nothing")
    prompt.say("a.info()", "drum_cymbal_open")
    prompt.see(lambda lines: any(line.startswith("a: + 100055 drum_cymbal_open") for line in lines))
    prompt.say("a", "0  100055  drum_cymbal_open")
    prompt.say("s", "a: 1 sounds")
    prompt.say("h = a.sameidauto(100055, tempo=60)")
    prompt.say("h", "going on; .cancel() ends it")
    prompt.say("a.reverse", "nothing was done: reverse wants its brackets, as in reverse()")
    prompt.say("a.playing != []", "True")
    prompt.say("panic")
    prompt.say("a.playing", "[]")
    prompt.press("\x04")
    assert prompt.end() == 0
    assert prompt.modes == prompt.before
    for never in ("Traceback", "<group", "start-up file ran", "configuration was read"):
        assert never not in prompt.text
    assert [path.name for path in (tmp_path / "user").iterdir()] == [".ipython"]
    with Corpus(sonic_home) as corpus:
        [performance] = corpus.performances.all()
        assert performance.ended
        assert [play.sound_id for play in corpus.performances.plays(performance=performance)] == [100055]
    history = sqlite3.connect(sonic_home / "live" / "profile_default" / "history.sqlite")
    assert ("a.whatid()",) in history.execute("select source from history").fetchall()
    history.close()


def test_completion(live):
    prompt = live()
    prompt.say('a = group("a").id(100055)')
    for typed, completed, end in (
        ("a.revers", "a.reverse", "()"),
        ('a.tag("dron', 'a.tag("drone', '", 1)'),
        ("a.id(1000", "a.id(100055", ", again=True)"),
        ("s.stoprec", "s.stoprecording", "()"),
        ("impor", "import", " math"),
    ):
        prompt.see(prompt.idle)
        prompt.press(typed + "\t")
        prompt.see(lambda lines, wanted=f"{PROMPT} {completed}": wanted in lines)
        prompt.press(end + "\r")
    prompt.say("len(a.whatid())", "3")


def test_what_is_said_meanwhile_comes_above_what_is_being_typed(live):
    prompt = live()
    prompt.say("import threading; said = threading.Event()")
    prompt.say("threading.Thread(target=lambda: said.wait() and s.say('the \\x1b[2J wall is wet')).start()")
    prompt.say("threading.Timer(1, said.set).start()")
    prompt.press("1 + ")
    prompt.see(lambda lines: "the \\x1b[2J wall is wet" in lines and f"{PROMPT} 1 +" in lines[-2:])
    prompt.press("41\r")
    prompt.see(lambda lines: "42" in lines)


def test_ctrl_c_does_not_end_the_sound(live):
    prompt = live()
    prompt.say('a = group("a").id(100055)')
    prompt.press("a.who")
    prompt.see(lambda lines: f"{PROMPT} a.who" in lines)
    prompt.press("\x03")
    prompt.see(prompt.idle)
    prompt.press("print('wait' + 'ing'); wait(1000)\r")
    prompt.see(lambda lines: "waiting" in lines)
    prompt.press("\x03")
    prompt.see(lambda lines: any(line.endswith("stopped waiting; the sound goes on") for line in lines))
    prompt.say("a.info()", "playing")
    prompt.press("\x04")
    assert prompt.end() == 0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("line", ["", "while True: wait(0.01)\r\r"], ids=["at the prompt", "in a loop"])
def test_told_to_end_it_fades_and_writes_the_set_to_its_end(live, sonic_home, how, line):
    prompt = live()
    prompt.say('a = group("a").id(100055); a.whatid()')
    prompt.say("print('wait' + 'ing')")
    prompt.press(line)
    if line:
        prompt.see(lambda lines: not prompt.idle(lines))
    os.kill(prompt.process.pid, how)
    assert prompt.end() == 0
    assert prompt.modes == prompt.before
    assert "Traceback" not in prompt.text
    with Corpus(sonic_home) as corpus:
        [performance] = corpus.performances.all()
        verbs = [one.verb for one in corpus.performances.commands(performance)]
        assert performance.ended
        assert "stop" in verbs
        assert [play.seconds is None for play in corpus.performances.plays()] == [False]


def test_a_terminal_that_is_closed_ends_the_set(live, sonic_home):
    prompt = live()
    prompt.say('a = group("a").id(100055); a.whatid()')
    os.close(prompt.master)
    os.close(prompt._slave)
    prompt.master, prompt._slave = os.openpty()
    assert prompt.process.wait(60) == 0
    with Corpus(sonic_home) as corpus:
        assert corpus.performances.all()[0].ended
        assert [play.seconds is None for play in corpus.performances.plays()] == [False]


def test_a_script_and_then_the_prompt(live, tmp_path):
    (tmp_path / "set.py").write_text('a = group("a").id(100055)\noops\nb = group("b")\na.whatid()\n')
    prompt = live(str(tmp_path / "set.py"))
    assert any("line 2: no name 'oops' here" in line for line in prompt.lines)
    assert "[100055]" in prompt.lines
    prompt.say("b.whatid(); a.whatid()", "[100055]")


def test_a_script_that_is_stopped_leaves_the_sound_and_its_names(live, sonic_home, tmp_path):
    (tmp_path / "set.py").write_text('a = group("a").id(100055)\nprint("waiting")\nwait(1000)\n')
    prompt = Prompt(sonic_home, "live", str(tmp_path / "set.py"), HOME=str(tmp_path), JACK_NO_START_SERVER="1")
    try:
        prompt.see(lambda lines: "waiting" in lines)
        prompt.press("\x03")
        prompt.see(lambda lines: any(line.endswith("the script was stopped; the sound goes on") for line in lines))
        prompt.say("a.info()", "drum_cymbal_open")
    finally:
        prompt.close()


def test_debug_shows_the_trace(live):
    live("--debug").say("1/0", "Traceback")


def test_without_sounds(live, sonic_home):
    shutil.rmtree(sonic_home)
    prompt = live()
    assert "no sounds here yet: `mirla demo` or `mirla adopt DIR` brings some; Ctrl-D ends" in prompt.lines
    prompt.say('a = group("a").random(); a.whatid()', "a: no sound: the corpus is empty; `mirla adopt DIR`")
