"""Fixtures: the local Freesound with Sonic Pi's samples; `tests/conftest.py` imports them."""

import pytest

from tests.freesound.asking import Asking
from tests.freesound.server import Freesound


@pytest.fixture(scope="session")
def freesound_server(tmp_path_factory):
    """One server for the whole session; tests take `freesound`."""
    with Freesound(tmp_path_factory.mktemp("freesound")) as server:
        yield server


@pytest.fixture
def freesound(freesound_server):
    """The local Freesound as new: no faults, no limits, nothing asked, all sounds there."""
    freesound_server.reset()
    yield freesound_server
    freesound_server.reset()


@pytest.fixture
def ask(freesound):
    """Ask the server with its key."""
    asking = Asking(freesound)
    yield asking
    asking.session.close()
