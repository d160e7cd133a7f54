"""The README's commands do what it says: each line of its console blocks is run, in order, in one shell session."""

import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.documents import ROOT, blocks, commands, environment, in_bash, reached

README = ROOT / "README.md"


@pytest.fixture(scope="module")
def user(tmp_path_factory, freesound_server):
    """A new user's environment: a home folder with some recordings in it, `mirla` on the path, and a Freesound."""
    freesound_server.reset()
    home = tmp_path_factory.mktemp("user")
    (home / "recordings" / "rain").mkdir(parents=True)
    noise = np.random.default_rng(5).normal(size=44100) * 0.1
    soundfile.write(home / "recordings" / "rain" / "gutter.wav", noise, 44100)
    key = {"MIRLA_FREESOUND_URL": freesound_server.url, "FREESOUND_TOKEN": freesound_server.token}
    return environment(home) | key


@pytest.fixture(scope="module")
def session(user):
    """What the console blocks print, run as one script."""
    return in_bash(commands(README), user)


def test_every_command_of_the_readme_succeeds(session):
    assert len(commands(README)) > 15
    assert reached(session, commands(README)) == "the end", session.stderr


def test_the_readme_commands_leave_what_they_promise(session, user):
    home = Path(user["HOME"])
    assert soundfile.info(home / "set.wav").frames == 8 * 44100
    assert (home / "credits.csv").read_text().startswith("id,name,username")
    assert "gutter" in session.stdout
    assert (home / "report.html").read_text().startswith("<!DOCTYPE html>")
    assert "menegass" in (home / "credits.txt").read_text()


def test_the_python_example_runs(session, user):
    for body in blocks(README, "python"):
        done = in_bash([f"{sys.executable} - <<'END'\n{body}END"], user)
        assert done.returncode == 0, done.stderr
        assert "licensed under" in done.stdout
