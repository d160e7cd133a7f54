"""Runs commands for the tests of a failing disk: `python -m tests.torture.forking`, with `failing.so` preloaded.

Reads a line of JSON for each, `{"home", "work", "log", "env"}`, forks, and answers with its exit code. All is imported
before, so a run takes no longer than its work.
"""

import importlib
import json
import os
import sys
from pathlib import Path

from tests.torture.driver import PRELOADED, run_here


def main() -> None:
    """Until standard input ends."""
    for name in PRELOADED:
        importlib.import_module(name)
    for line in sys.stdin:
        asked = json.loads(line)
        if (child := os.fork()) == 0:
            code = 1
            try:
                run_here(asked["work"], Path(asked["home"]), Path(asked["log"]), Path(os.devnull), asked["env"])
            except SystemExit as end:
                code = int(end.code or 0)
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
