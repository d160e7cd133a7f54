"""Palettes under `mirla check` and `--repair`: files, maps, credits, and what others see of them."""

import os

import numpy as np
import pytest

from corpus import Corpus
from corpus.backup import backup, restore
from corpus.credits import of_palette
from corpus.publishing import Made
from corpus.settings import Settings
from tests.corpus.injuries import found


@pytest.fixture
def published(corpus):
    """Two versions of a palette, the first of one sound, the second of two."""
    ids = corpus.sounds.ids().tolist()[:2]
    for count in (1, 2):
        made = [
            Made(number, f"{place:03}.wav", np.zeros((99, 2), np.float32), 44100, corpus.sounds.get(number).credited)
            for place, number in enumerate(ids[:count])
        ]
        with corpus.palette_folder.alone():
            corpus.palette_folder.publish("drips", None, made, of_palette)
        if count == 1:
            backup(corpus.database)
    assert corpus.check().wrong == []
    return corpus.home / "palettes" / "drips"


def test_palettes_are_held_against_their_rows(corpus, published):
    content = (published / "001.wav").read_bytes()
    (published / "001.wav").unlink()
    report = corpus.check()
    assert found(report) == {("missing", "palettes/drips/001.wav")}
    assert all("publish the palette again" in words for _, words in corpus.repair(report).left)
    (published / "001.wav").write_bytes(content[:-1] + b"x")
    assert found(corpus.check()) == {("damaged", "palettes/drips/001.wav")}
    (published / "001.wav").unlink()
    os.mkfifo(published / "001.wav")  # is not waited for
    assert found(corpus.check()) == {("damaged", "palettes/drips/001.wav")}


def test_credits_and_maps_are_written_again(corpus, published):
    texts = [published / "CREDITS.txt", published / "strudel.json", published.parent / "strudel.json"]
    before = [file.read_bytes() for file in texts]
    for damage in (b"xx", b"\xff\xfe"):
        for file in texts:
            file.write_bytes(damage)
        report = corpus.check()
        assert found(report) == {("damaged", str(file.relative_to(corpus.home))) for file in texts}
        assert corpus.repair(report).left == []
        assert [file.read_bytes() for file in texts] == before


def test_a_publication_that_was_cut_short_is_ended(corpus, published):
    published.unlink()
    for former in (None, ".drips-1"):
        if former:
            published.unlink()
            published.symlink_to(former)
        report = corpus.check()
        assert found(report) == {("missing", "palettes/drips")}
        assert corpus.repair(report).done == ["palettes/drips: is again what the database says"]
        assert (published / "001.wav").is_file()
        assert corpus.check().wrong == []


def test_a_newer_version_than_the_database_knows_is_kept_for_when_it_does(corpus, published):
    """As after a restore."""
    content = (published / "001.wav").read_bytes()
    corpus.close()
    kept = restore(Settings.load(corpus.home)).kept
    with Corpus(corpus.home) as earlier:
        report = earlier.check()
        assert "newer version" in report.damaged[0].error
        assert earlier.repair(report).left == []
        assert not (published / "001.wav").exists()
        assert earlier.check().wrong == []
    assert (corpus.home / "quarantine" / "palettes" / ".drips-2" / "001.wav").read_bytes() == content
    restore(Settings.load(corpus.home), kept)
    with Corpus(corpus.home) as later:
        assert later.repair(later.check()).left == []
        assert (published / "001.wav").read_bytes() == content
        assert later.check().wrong == []


def test_a_folder_of_ones_own_in_a_palettes_place_is_left_and_said(corpus, published):
    published.unlink()
    published.mkdir()
    (published / "mine.txt").write_text("mine")
    for _ in range(2):
        (left,) = corpus.repair(corpus.check()).left
        assert left[0] == "palettes/drips"
        assert "move it away" in left[1]
    assert (published / "mine.txt").read_text() == "mine"
