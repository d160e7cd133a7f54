"""Packing and unpacking under torture: killed at random moments, there is the old corpus or the new one, never half.

20 kills of each; `make torture` makes 200 (`MIRLA_TORTURE`).
"""

import multiprocessing
import os
import random
import shutil
import time

import pytest
import sqlalchemy as sa

from corpus import Corpus
from corpus.store.tables import files
from corpus.unpacking import check
from tests.corpus.packed import dump, furnish, made_home
from tests.corpus.packing_again import pack_on_and_on, unpack_on_and_on

RUNS = int(os.environ.get("MIRLA_TORTURE", "20"))


@pytest.fixture(scope="module")
def context():
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.corpus.packing_again", "corpus.unpacking", "corpus.packing"])
    return context


@pytest.fixture(scope="module")
def furnished(tmp_path_factory, samples):
    home = made_home(tmp_path_factory.mktemp("furnished") / "home", samples[:4], linked=samples[4])
    with Corpus(home) as corpus:
        furnish(corpus)
        corpus.pack(home.parent / "corpus.tar")
    return home


def test_unpacking_killed_at_random_moments_leaves_the_old_corpus_or_the_new(furnished, samples, tmp_path, context):
    template, archive = made_home(tmp_path / "template", samples[3:8]), furnished.parent / "corpus.tar"
    calm = shutil.copytree(template, tmp_path / "calm")
    with Corpus(calm) as corpus:
        old = dump(corpus)
        begun = time.monotonic()
        corpus.unpack(archive)
        lasts, new = time.monotonic() - begun, dump(corpus)
    generator, states = random.Random(5), []
    for run in range(RUNS):
        folder = tmp_path / f"run-{run}"
        folder.mkdir()
        process = context.Process(target=unpack_on_and_on, args=(template, folder, archive))
        process.start()
        while not (folder / "home-0").exists():
            assert process.is_alive()
            time.sleep(0.002)
        time.sleep(generator.uniform(0, 1.5 * lasts))
        process.kill()
        process.join()
        for home in folder.glob("home-*"):
            left = list(home.glob(".unpacking-*"))
            with Corpus(home) as corpus:
                found = dump(corpus)
                assert found in (old, new)
                assert corpus.soundness.problems() == []
                assert all(path.is_file() for path in paths(corpus))
                states.append((found == new, bool(left), lying(home) == {str(path) for path in paths(corpus)}))
                corpus.unpack(archive)
                assert dump(corpus) == new
                assert lying(home) == {str(path) for path in paths(corpus)}, "what the killed one left has its row"
                assert (home / "palettes" / "kicks" / "000_x.wav").is_file()
        shutil.rmtree(folder)
    assert {done for done, _, _ in states} == {True, False}, "some were killed before the end, some after"
    assert any(left for _, left, _ in states), "some were killed at work"


def paths(corpus):
    with corpus.database.read() as connection:
        return [corpus.home / path for path in connection.execute(sa.select(files.c.path)).scalars()]


def lying(home):
    return {str(path) for path in (home / "sounds").rglob("*") if path.is_file()}


def test_packing_killed_at_random_moments_leaves_an_archive_that_is_whole(furnished, tmp_path, context):
    file = tmp_path / "stick" / "corpus.tar"
    file.parent.mkdir()
    generator, cut, kept = random.Random(6), 0, []
    for _ in range(RUNS):
        before = file.stat().st_mtime_ns if file.exists() else 0
        process = context.Process(target=pack_on_and_on, args=(furnished, file))
        process.start()
        while not file.exists() or file.stat().st_mtime_ns == before:
            assert process.is_alive()
            time.sleep(0.002)
        time.sleep(generator.uniform(0, 0.3))
        process.kill()
        process.join()
        assert check(file).sounds == 6
        partial = list(file.parent.glob(".mirla-*.partial"))
        cut += bool(partial)
        kept += [path for path in file.parent.iterdir() if path not in (file, *partial)]
        for path in partial:
            path.unlink()
    assert kept == []
    assert cut, "some were killed while they wrote"
