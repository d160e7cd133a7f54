"""The commands of docs/ do what is said there."""

import re
import shutil

import pytest

from tests import verbs_table
from tests.conftest import SAMPLES
from tests.documents import ROOT, blocks, commands, environment, in_bash, reached

TUTORIAL = ROOT / "docs" / "tutorial.md"
AGENTS = ROOT / "docs" / "agents.md"
KINDS = ("ambi", "bass", "bd", "drum", "elec", "perc")


@pytest.fixture(scope="module")
def user(tmp_path_factory):
    """A beginner with a folder of sounds for each kind."""
    home = tmp_path_factory.mktemp("beginner")
    for kind in KINDS:
        (home / "sounds" / kind).mkdir(parents=True)
        for sample in SAMPLES.glob(f"{kind}_*.flac"):
            shutil.copy(sample, home / "sounds" / kind)
    return environment(home)


def test_every_command_of_the_tutorial_succeeds(user):
    done = in_bash(commands(TUTORIAL), user)
    assert reached(done, commands(TUTORIAL)) == "the end", done.stderr
    kappa = re.search(r"^drums and from_ben +\d+ +\d+ +(\S+)", done.stdout, re.MULTILINE)
    assert 0 < float(kappa[1]) < 1, "ben does not like all that is soft"


def test_every_command_about_agents_succeeds(tmp_path):
    done = in_bash(commands(AGENTS), environment(tmp_path))
    assert reached(done, commands(AGENTS)) == "the end", done.stderr
    assert (tmp_path / "bench.html").read_text().startswith("<!DOCTYPE html>")


def test_the_table_of_verbs_is_that_of_the_code():
    assert verbs_table.in_document().strip() == verbs_table.table().strip(), "run python -m tests.verbs_table"


def test_the_script_of_the_documentation_runs(mirla, sonic_home, tmp_path):
    [script] = blocks(verbs_table.LIVE, "python")
    (tmp_path / "set.py").write_text(script)
    done = mirla("--json", "render", "--script", tmp_path / "set.py", "--seed", 1, "--out", tmp_path / "set.wav")
    assert (done.json["seconds"], done.json["errors"]) == (10.0, 0)
