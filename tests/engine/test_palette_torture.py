"""Publishing under torture: killed at random moments, and read all the while. Nobody ever sees half a palette.

20 kills; `make torture` makes 200 (`MIRLA_TORTURE`).
"""

import multiprocessing
import os
import random
import time
from pathlib import Path

from corpus import Corpus
from corpus.files import sha256_of
from engine.palette import Wish, publish

RUNS = int(os.environ.get("MIRLA_TORTURE", "20"))
FIRST, SECOND = (100055, 4832, 75338), (130409, 130413, 4832, 13138)


def test_killed_at_random_moments_a_palette_is_old_or_new_and_never_half(sonic_home):
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["engine.palette", "soundfile", "alembic.command", "scipy.signal", "corpus.analysis.decode"]
    )
    generator, root, reads, unfinished = random.Random(3), sonic_home / "palettes", 0, set()
    with Corpus(sonic_home) as corpus:
        whole = [contents(published(corpus, ids)) for ids in (FIRST, SECOND)]
        for _ in range(RUNS):
            before = (root / "p").readlink()
            process = context.Process(target=publish_on_and_on, args=(sonic_home,))
            process.start()
            wait_for(lambda before=before: (root / "p").readlink() != before, process)
            end = time.monotonic() + generator.uniform(0, 0.15)
            while time.monotonic() < end:
                reads += read(root / "p") in whole
            process.kill()
            process.join()
            assert read(root / "p") in whole
            left = {path for path in root.glob(".p-*") if path.name != str((root / "p").readlink())}
            unfinished |= {len(list(path.iterdir())) for path in left}
            assert contents(published(corpus, FIRST)) == whole[0]
            assert len(list(root.glob(".p-*"))) == 2, "what was left is cleared"
            assert {path.name for path in root.iterdir() if "-" not in path.name} == {"p", "strudel.json", ".lock"}
    assert reads >= RUNS
    assert unfinished - {len(one) for one in whole}, "some were killed half way"


def published(corpus, ids):
    publish(corpus, "p", ids, Wish(replace=True))
    return corpus.palette_folder.root / "p"


def publish_on_and_on(home):
    with Corpus(home) as corpus:
        while True:
            published(corpus, SECOND)
            published(corpus, FIRST)


def wait_for(condition, process):
    """As long as it takes, if the process lives."""
    while not condition():
        assert process.is_alive()
        time.sleep(0.005)


def contents(folder):
    """The digests of a folder's files by name."""
    return {path.name: sha256_of(path) for path in sorted(folder.iterdir())}


def read(link):
    """The contents of a palette as one reads them who opens its folder once; anew if it was published twice since."""
    while True:
        folder = link.parent / link.readlink()
        try:
            return contents(folder)
        except FileNotFoundError:
            assert version(link.readlink()) > version(folder) + 1, "what one reads stays until the next but one"


def version(folder):
    return int(Path(folder).name.rpartition("-")[2])
