"""SIGKILL at random moments over every command that writes: nothing is damaged, nothing acknowledged is lost.

20 kills of each command; `make torture` makes `MIRLA_TORTURE` of each, goes on where it was stopped, and prints what
it has (`build/torture.json`).
"""

import hashlib
import json
import os
from functools import cache
from pathlib import Path

import pytest

from tests.torture.driver import Torture
from tests.torture.jobs import WRITING, Makers

KILLS = int(os.environ.get("MIRLA_TORTURE", "20"))
COUNTS = Path("build", "torture.json") if "MIRLA_TORTURE" in os.environ else None
COMMANDS = (*WRITING, "teach", "live")
if COUNTS is None:  # these have tests of their own, which kill as often
    COMMANDS = tuple(one for one in COMMANDS if one not in ("analyse", "harvest", "palette", "pack", "unpack"))
AT_ONCE = 10
"""Kills after which the counts are written down."""


@pytest.fixture(scope="module")
def makers(tmp_path_factory):
    return Makers(tmp_path_factory.mktemp("torture"))


@pytest.mark.parametrize("command", COMMANDS)
def test_killed_at_random_moments_nothing_is_lost(command, makers, tmp_path, request, capsys):
    given = [request.getfixturevalue("freesound")] if command == "harvest" else []
    done = read().get(command, 0)
    if done >= KILLS:
        with capsys.disabled():
            print(f"\n{command}: {done} kills, made before of this same program", flush=True)
        return
    torture = Torture(command, getattr(makers, command)(*given), tmp_path, done)
    while done + torture.count.kills < KILLS:
        torture.run(min(torture.count.kills + AT_ONCE, KILLS - done))
        keep(command, done + torture.count.kills)
    with capsys.disabled():
        one = torture.count
        print(f"\n{command}: {done + one.kills} kills ({one.homes} homes, {one.ended} ended before)", flush=True)


@cache
def program():
    """What stands for the program as it is: kills of another say nothing of it."""
    digest = hashlib.sha256()
    for path in sorted(path for folder in ("corpus", "engine", "migrations") for path in Path(folder).rglob("*.py")):
        digest.update(f"{path}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def read():
    """How many kills there were of each command of this program."""
    known = json.loads(COUNTS.read_text()) if COUNTS and COUNTS.exists() else {}
    return known.get("kills", {}) if known.get("program") == program() else {}


def keep(command, kills):
    """Write down how many there were of one."""
    if COUNTS:
        COUNTS.parent.mkdir(exist_ok=True)
        whole = {"program": program(), "kills": read() | {command: kills}}
        COUNTS.write_text(json.dumps(whole) + "\n")
