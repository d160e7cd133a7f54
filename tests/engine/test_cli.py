"""The command line: help with examples, JSON as promised, fast and lazy."""

import json
import subprocess
import sys

import click
import pytest

from corpus.store import schema
from engine.cli import cli

HIT = {"audio", "rank", "id", "name", "username", "licence", "duration", "tags", "distance", "score", "agents"}


def commands(group, path=()):
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield (*path, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


@pytest.mark.parametrize("path", list(commands(cli)), ids=" ".join)
def test_every_command_has_help_with_an_example(mirla, path):
    done = mirla(*path, "--help")
    assert "Example:\n" in done.out
    assert f"mirla {path[0]}" in done.out.split("Example:")[1]


def test_help_loads_nothing_heavy():
    script = "import sys; from engine.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    script += "print(sorted({'numpy','sqlalchemy','rich','essentia','faiss','sklearn'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_query_with_an_agent_loads_neither_scikit_learn_nor_alembic(sonic, sonic_home):
    from engine.agent.training import train

    agent = sonic.agents.create("a", "", ["mfcc"], "mlp")
    sonic.agents.annotate(agent, [100055, 100057, 100053], "good", who="me", session="s")
    sonic.agents.annotate(agent, [100051, 100065, 130427], "bad", who="me", session="s")
    train(sonic, "a")
    script = (
        "import sys; from engine.cli import main\n"
        f"try: main(['--home', {str(sonic_home)!r}, 'similar', '4832', '--agent', 'a'])\nexcept SystemExit: pass\n"
        "print(sorted({'alembic','essentia','sklearn','scipy','librosa'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr


def test_json_answers_are_as_promised(mirla, finished_home, tmp_path):
    def answer(*arguments, check=0):
        return mirla("--json", *arguments, home=finished_home, check=check).json

    status = answer("status")
    assert status | {"home": "", "bytes": 0} == {
        "home": "",
        "schema": schema.HEAD,
        "sounds": 165,
        "with_audio": 165,
        "seconds": 323.775,
        "bytes": 0,
        "gone": 0,
        "spaces": {"mfcc": 165},
        "onsets": 0,
        "agents": [],
        "licences": {"Creative Commons 0": 165},
    }
    shown = answer("show", "100055", "--vectors")
    assert shown["name"] == "drum_cymbal_open"
    assert shown["path"] == "sounds/100/100055__menegass__drum_cymbal_open.flac"
    assert len(shown["vectors"]["mfcc"]) == 26
    found = answer("search", "cymbal", "-k", "2")
    assert (found["total"], len(found["results"])) == (6, 2)
    assert set(found["results"][0]) == HIT
    near = answer("similar", "100055", "-k", "3")
    assert (near["measure"], near["allowed"], len(near["results"])) == ("mfcc", 164, 3)
    assert [hit["rank"] for hit in near["results"]] == [1, 2, 3]
    assert len(answer("random", "-k", "4")["results"]) == 4
    measures = {row["name"]: row for row in answer("measures")["measures"]}
    assert measures["mfcc"] | {"about": ""} == {
        "name": "mfcc", "space": "mfcc", "dims": 26, "metric": "euclidean", "sounds": 165, "about": "",
    }  # fmt: skip
    credit = answer("credits", "100055")["credits"][0]
    assert credit["line"].startswith(
        "drum_cymbal_open by menegass (https://freesound.org/people/menegass/sounds/100055/)"
    )
    rendered = answer("render", "100055", "4832", "--seconds", "2", "--out", str(tmp_path / "x.wav"))
    assert set(rendered) == {"out", "seconds", "peak_dbfs", "lufs"}
    assert rendered["seconds"] == 2.0
    assert rendered["peak_dbfs"] <= -1.0
    assert answer("show", "7", check=8)["code"] == 8


def test_agents_from_label_to_verdict(mirla, sonic_home):
    mirla("agent", "new", "metal", "--about", "bright")
    mirla("agent", "label", "metal", "--good", "100055", "100057", "100053", "75338")
    counts = mirla("--json", "agent", "label", "metal", "--bad", "100051", "100065", "130427", "4832").json
    assert counts == {"agent": "metal", "good": 4, "bad": 4, "test": 0}
    mirla("agent", "label", "metal", "--good", "130427", "--test")
    assert mirla("--json", "agent", "unlabel", "metal", "4832").json == {
        "agent": "metal",
        "good": 4,
        "bad": 2,
        "test": 1,
    }
    trained = mirla("--json", "agent", "train", "metal").json
    promised = {"agent", "version", "good", "bad", "accuracy", "balanced", "auc", "baseline", "protocol"}
    assert promised < set(trained)
    assert set(trained["accuracy"]) == {"value", "interval", "n"}
    judged = mirla("--json", "agent", "judge", "metal").json
    assert (judged["agent"], judged["version"], len(judged["verdicts"])) == ("metal", 1, 165)
    assert {verdict["label"] for verdict in judged["verdicts"]} == {"good", "bad"}
    assert all((verdict["p"] > 0.5) == (verdict["label"] == "good") for verdict in judged["verdicts"])
    (listed,) = mirla("--json", "agent", "list").json["agents"]
    shown = mirla("--json", "agent", "show", "metal").json
    assert listed == {key: shown[key] for key in listed}
    assert (listed["name"], listed["about"], listed["version"], listed["scores"]["accuracy"]["n"]) == (
        "metal",
        "bright",
        1,
        6,
    )
    assert "version 1" in mirla("agent", "show", "metal").out


def test_ids_alone_are_for_another_command(mirla, finished_home):
    found = mirla("--json", "search", "cymbal", "-k", 3, home=finished_home).json["results"]
    assert mirla("search", "cymbal", "-k", 3, "--ids", home=finished_home).out.split() == [
        str(hit["id"]) for hit in found
    ]
    assert mirla("--json", "search", "cymbal", "-k", 3, "--ids", home=finished_home).json["results"] == found


def test_text_search_joins_excludes_and_quotes(mirla, finished_home):
    def names(*arguments):
        return {
            hit["name"] for hit in mirla("--json", "search", "-k", "99", *arguments, home=finished_home).json["results"]
        }

    every = names("cymbal")
    assert names("cymbal", "drum") < every
    assert every - names("--", "cymbal", "-drum") == names("cymbal", "drum")
    assert names("tabla ghe") == {f"tabla_ghe{n}" for n in range(1, 9)} - set()
    assert names("cymbals") == every, "words are stemmed"
    assert names("--tag", "DRUM", "cymbal") == names("drum", "cymbal")
    assert names("--licence", "by") == set()
    assert len(names("--licence", "CC0")) == 99


def test_chance_is_even_and_repeatable(mirla, finished_home):
    first, again, other = (
        mirla("--json", "random", "-k", "30", "--seed", seed, home=finished_home).json["results"] for seed in (1, 1, 2)
    )
    assert first == again != other
    assert len({hit["id"] for hit in first}) == 30


@pytest.mark.parametrize(
    "arguments",
    [["similar", "x"], ["similr", "1"], ["similar", "1", "-k", "0"], ["agent", "label", "a", "1"], ["adopt"]],
)
def test_wrong_usage_is_exit_code_2(mirla, arguments):
    done = mirla(*arguments, check=2)
    assert done.out == ""
    assert "Error: " in done.err or "Usage: " in done.err


def test_global_options_may_stand_behind_the_command(mirla, finished_home):
    done = mirla("status", "--json", "--home", finished_home, home="/nowhere/at/all")
    assert json.loads(done.out)["sounds"] == 165


def test_a_reader_that_goes_away_is_no_error(finished_home):
    from pathlib import Path

    program = Path(sys.executable).with_name("mirla")
    command = f"'{program}' --home '{finished_home}' credits | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert (done.stderr, len(done.stdout.splitlines())) == ("", 1)


def test_good_and_bad_at_once_is_refused(mirla, sonic_home):
    mirla("agent", "new", "a")
    done = mirla("agent", "label", "a", "--good", "100055", "--bad", "4832", check=2)
    assert "call it twice" in done.err
    assert mirla("--json", "agent", "show", "a").json["bad"] == 0


@pytest.mark.parametrize("arguments", [["similar", "abc"], ["simlar"], ["show", "7"], ["similar"]])
def test_an_error_is_one_json_object_too(mirla, finished_home, arguments):
    done = mirla("--json", *arguments, home=finished_home, check=None)
    assert done.code != 0
    assert done.json["code"] == done.code
    assert done.json["error"]


def test_tags_are_found_as_they_were_typed(mirla, home, tmp_path):
    import numpy as np
    import soundfile

    soundfile.write(tmp_path / "x.wav", np.random.default_rng(0).normal(size=9000) * 0.1, 44100)
    mirla("adopt", tmp_path / "x.wav", "--tag", "Field Recording", "--licence", "by 3.0")
    for arguments in (["--tag", "Field Recording"], ["--tag", "field-recording"], ["--licence", "by"]):
        assert mirla("--json", "search", *arguments).json["total"] == 1
    assert mirla("--json", "search", "--licence", "by 4.0").json["total"] == 0
    assert mirla("--json", "search", "!!!").json["total"] == 0
