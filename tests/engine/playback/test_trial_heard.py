"""A listening test on a real, paced device: JACK's server with its dummy driver."""

import io
import os
import signal

from corpus.cli.app import App
from engine.agent.training import train
from engine.cli.listening import listen
from engine.playback import Player
from engine.trial.listening import questions, start
from tests.engine.test_agent import taught


def test_what_is_heard_is_not_named(jack, sonic, mirla, monkeypatch):
    taught(sonic)
    train(sonic, "percussive")
    monkeypatch.setattr("sys.stdin", io.StringIO("g\na\nb\nb\ng\n"))
    done = mirla("--json", "trial", "percussive", "--pairs", 2, "--device", jack.device)
    assert done.json["over"]
    plan = sonic.trials.last(sonic.agents.get("percussive")).plan
    assert "device" not in done.err
    assert done.err.count("1 of 2: what was found near it\n") == 2, "played again"
    for pair in plan["pairs"]:
        assert sonic.sounds.get(pair["target"]).name not in done.err


def test_what_is_heard_no_more_is_named(jack, sonic, monkeypatch, capsys):
    taught(sonic)
    train(sonic, "percussive")
    trial = start(sonic, "percussive", 2)
    player = Player(jack.device)

    class Keys(io.StringIO):
        """The device dies before the second answer."""

        def readline(self):
            if self.tell() and player._line.process.is_alive():
                os.kill(player._line.process.pid, signal.SIGKILL)
                player._line.process.join()
            return super().readline()

    monkeypatch.setattr("sys.stdin", Keys("g\nb\ng\n"))
    listen(App(), sonic, trial, "me", player)
    names = [sonic.sounds.get(one.sound_id).name for one in questions(sonic, trial)]
    shown = capsys.readouterr().err
    asked = [line for line in shown.splitlines() if " of 2: " in line]
    assert [line.endswith(f": {name}") for line, name in zip(asked, names, strict=True)] == [False, False, True, True]
    assert shown.count("going on in silence") == 1
