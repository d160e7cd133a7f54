"""`mirla serve` as a process of its own, ended in any case."""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path


@contextlib.contextmanager
def serving(home, *arguments, plain=False, **environment):
    """Start it; yields the process, whose `where` is what it answered, or `plain` its lines."""
    program = Path(sys.executable).with_name("mirla")
    command = [program, "--home", str(home), "serve", *map(str, arguments), *([] if plain else ["--json"])]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | environment
    )
    try:
        if plain:
            process.where = list(iter(process.stdout.readline, "Ctrl-C stops it\n"))
        else:
            process.where = json.loads(process.stdout.readline())
        yield process
    finally:
        process.kill()
        process.communicate()
