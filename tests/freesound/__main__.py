"""`python -m tests.freesound [--sounds N]`: a local Freesound in a process of its own, until its standard input ends.

Says where it is, as one line of JSON. For benchmarks, which must not share an interpreter with the server.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from tests.freesound.server import Freesound


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sounds", type=int, help="made-up sounds instead of Sonic Pi's samples")
    sounds = parser.parse_args().sounds
    with tempfile.TemporaryDirectory(prefix="freesound-") as folder, Freesound(Path(folder), sounds) as freesound:
        where = {"url": freesound.url, "cdn_url": freesound.cdn_url, "token": freesound.token}
        print(json.dumps(where), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
