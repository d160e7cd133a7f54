"""Running what documents tell a reader to type: the lines of their console blocks, in order, in one shell session."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(document, language):
    """The bodies of a document's blocks in one language."""
    return [body for kind, body in _BLOCK.findall(document.read_text()) if kind == language]


def commands(document):
    """What a reader types: a line for each command."""
    return [line.removeprefix("$ ") for body in blocks(document, "console") for line in body.splitlines()]


def environment(home):
    """A new user's: a home folder, and `mirla` on the path."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    kept = {key: value for key, value in os.environ.items() if not key.startswith("MIRLA_")}
    return kept | {"HOME": str(home), "PATH": path}


def in_bash(lines, user):
    """Run commands as one script, which ends at the first that fails."""
    script = "\n".join(f"echo '## {i}'; {line}" for i, line in enumerate(lines))
    script += "\necho '## the end'\n"
    return subprocess.run(
        ["bash", "-e"], input=script, text=True, capture_output=True, env=user, cwd=user["HOME"], check=False
    )


def reached(done, lines):
    """The command that a script got to, or `the end`."""
    last = re.findall(r"^## (.+)$", done.stdout, re.MULTILINE)[-1]
    return lines[int(last)] if last.isdigit() else last
