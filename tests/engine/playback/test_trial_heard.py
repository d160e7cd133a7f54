"""A listening test on a real, paced device: JACK's server with its dummy driver."""

import io

from engine.agent.training import train
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
