"""The README's commands do what it says: each line of its console blocks is run, in order, in one shell session."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

README = Path(__file__).parents[1] / "README.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def user(tmp_path_factory, freesound_server):
    """A new user's environment: a home folder with some recordings in it, `mirla` on the path, and a Freesound."""
    freesound_server.reset()
    home = tmp_path_factory.mktemp("user")
    (home / "recordings" / "rain").mkdir(parents=True)
    noise = np.random.default_rng(5).normal(size=44100) * 0.1
    soundfile.write(home / "recordings" / "rain" / "gutter.wav", noise, 44100)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MIRLA_")}
    key = {"MIRLA_FREESOUND_URL": freesound_server.url, "FREESOUND_TOKEN": freesound_server.token}
    return environment | key | {"HOME": str(home), "PATH": path}


def blocks(language):
    return [body for kind, body in BLOCK.findall(README.read_text()) if kind == language]


def run(script, user):
    return subprocess.run(["bash", "-e"], input=script, text=True, capture_output=True, env=user, cwd=user["HOME"])


@pytest.fixture(scope="module")
def session(user):
    """What the console blocks print, run as one script."""
    commands = [line[2:] for body in blocks("console") for line in body.splitlines()]
    assert len(commands) > 15
    return run("\n".join(f"echo '## {i}' && {command}" for i, command in enumerate(commands)), user), commands


def test_every_command_of_the_readme_succeeds(session):
    done, commands = session
    reached = int(re.findall(r"^## (\d+)$", done.stdout, re.MULTILINE)[-1])
    assert done.returncode == 0, f"{commands[reached]}\n{done.stderr}"
    assert reached == len(commands) - 1


def test_the_readme_commands_leave_what_they_promise(session, user):
    home = Path(user["HOME"])
    assert soundfile.info(home / "set.wav").frames == 8 * 44100
    assert (home / "credits.csv").read_text().startswith("id,name,username")
    assert "gutter" in session[0].stdout
    assert (home / "report.html").read_text().startswith("<!DOCTYPE html>")
    assert "menegass" in (home / "credits.txt").read_text()


def test_the_python_example_runs(session, user):
    for body in blocks("python"):
        done = run(f"{sys.executable} - <<'END'\n{body}END\n", user)
        assert done.returncode == 0, done.stderr
        assert "licensed under" in done.stdout
