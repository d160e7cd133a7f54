"""A home of tones of every format, for what is hurt and mended."""

import pytest

from corpus import Corpus
from tests.corpus.tones import copied, make_tones


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """The home as it was made; not to be changed."""
    return make_tones(tmp_path_factory.mktemp("tones"))


@pytest.fixture
def corpus(kept, home):
    """A copy of it."""
    with Corpus(copied(kept, home)) as corpus:
        yield corpus
