"""Fixtures of the engine's tests."""

import shutil

import pytest

from corpus import Corpus
from tests.browser import chromium


@pytest.fixture(scope="session")
def measured_home(finished_home, tmp_path_factory):
    """The finished home with all of Essentia's spaces; to be copied, not changed."""
    home = tmp_path_factory.mktemp("measured") / "home"
    shutil.copytree(finished_home, home)
    with Corpus(home) as corpus:
        assert not corpus.analyse(["mfcc_frames", "traits9"]).failed
    return home


@pytest.fixture(scope="session")
def measured(measured_home):
    """That corpus, open, for tests that only read."""
    with Corpus(measured_home) as corpus:
        yield corpus


@pytest.fixture(scope="session")
def browse():
    """Open a page in a real browser: `with browse(path) as opened` (see `tests.browser`)."""
    with chromium() as browse:
        yield browse
