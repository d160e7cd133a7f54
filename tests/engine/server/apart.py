"""A network namespace with nothing but loopback, and `mirla serve` in it."""

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def namespace():
    """What goes before a command for it to run in the namespace; None where the system does not let us make one."""
    root = os.geteuid() == 0
    make, enter = (["-n"], ["-n"]) if root else (["-r", "-n"], ["-U", "--preserve-credentials", "-n"])
    command = ["unshare", *make, "sh", "-c", "ip link set lo up && echo up && exec sleep 600"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as holder:
        try:
            up = holder.stdout.readline() == b"up\n"
            yield ["nsenter", "-t", str(holder.pid), *enter, "--"] if up else None
        finally:
            holder.kill()


@contextmanager
def serving(within, home, log, *options):
    """The address of the API that `mirla serve` answers; `within` is what goes before the command."""
    program = Path(sys.executable).with_name("mirla")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [*within, program, "--home", home, "serve", "--freesound", str(port), *options]
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        try:
            url = f"http://127.0.0.1:{port}/apiv2"
            deadline = time.monotonic() + 60
            while subprocess.run([*within, "curl", "-s", "-o", "/dev/null", url], check=False, timeout=60).returncode:
                if process.poll() is not None or time.monotonic() > deadline:
                    pytest.fail(f"mirla serve does not answer:\n{log.read_text()}")
                time.sleep(0.1)
            yield url
        finally:
            process.terminate()
