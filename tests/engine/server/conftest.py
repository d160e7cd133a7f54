"""Fixtures: a local Freesound over sounds of one's own, and one over what was harvested from the tests' Freesound."""

import asyncio
import contextlib
import shutil
import socket
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread

import pytest
import requests
import uvicorn

from corpus import Corpus
from corpus.wanted import Query, Wanted
from engine.agent.training import train
from engine.server.freesound import Options
from engine.server.freesound.serve import freesound_server as make_server
from engine.server.freesound.serve import listening
from tests.engine.server.listening import client, connect, live, nothing_thrown, played_home, server  # noqa: F401
from tests.engine.server.old_clients import make_home


@dataclass
class Local:
    """A running server: its corpus, its address, and how to ask it."""

    corpus: Corpus
    port: int
    session: requests.Session
    server: uvicorn.Server

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/apiv2"

    def ask(self, path="search/", headers=None, method="GET", **params):
        """The answer, whatever it is."""
        where = path if path.startswith("http") else f"{self.url}/{path}"
        return self.session.request(method, where, params=params, headers=headers, timeout=20, allow_redirects=False)

    def get(self, path="search/", status=200, **params):
        """The JSON that is answered."""
        answer = self.ask(path, **params)
        assert answer.status_code == status, answer.text[:300]
        assert answer.headers["content-type"] == "application/json"
        return answer.json()

    def detail(self, path="search/", status=400, **params):
        return self.get(path, status, **params)["detail"]

    def all(self, path="search/", **params):
        """Rows of all pages, by `next`."""
        page = self.get(path, **{"page_size": 150, **params})
        rows = page["results"]
        while page["next"]:
            page = self.get(page["next"])
            rows += page["results"]
        return rows

    def ids(self, path="search/", **params):
        return [row["id"] for row in self.all(path, fields="id", **params)]

    def raw(self, request, seconds=20):
        """What comes back for some bytes, until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), seconds) as connection:
            connection.sendall(request)
            found = b""
            with contextlib.suppress(ConnectionResetError):
                while piece := connection.recv(65536):
                    found += piece
        return found


@contextmanager
def running(home, options=None):
    """A server in a thread, over a corpus that is opened for it."""
    with Corpus(home) as corpus, listening("127.0.0.1", 0) as taken, requests.Session() as session:
        server = make_server(corpus, options or Options())
        thread = Thread(target=asyncio.run, args=[server.serve(sockets=[taken])], daemon=True)
        thread.start()
        try:
            yield Local(corpus, taken.getsockname()[1], session, server)
        finally:
            server.should_exit = True
            thread.join(20)
        assert not thread.is_alive(), "the server does not stop"


@pytest.fixture(scope="session")
def own_home(finished_home, tmp_path_factory):
    """A copy of the finished home, with an agent, that servers may use; to be read, not changed."""
    home = tmp_path_factory.mktemp("own") / "home"
    shutil.copytree(finished_home, home)
    with Corpus(home) as corpus:
        sounds = corpus.sounds.many(corpus.sounds.ids().tolist())
        agent = corpus.agents.create("drums", "", ["mfcc"], "logistic")
        for label, wanted in (("good", True), ("bad", False)):
            some = [sound.id for sound in sounds if sound.name.startswith(("bd", "drum", "sn")) is wanted]
            corpus.agents.annotate(agent, some[::3], label, who="test", session="t")
        train(corpus, "drums")
    return home


@pytest.fixture(scope="session")
def own(own_home):
    """A local Freesound over Sonic Pi's samples as adopted."""
    with running(own_home) as local:
        yield local


@pytest.fixture(scope="session")
def harvested_home(freesound_server, tmp_path_factory):
    """All of its sounds, without audio."""
    home = tmp_path_factory.mktemp("harvested") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIRLA_FREESOUND_URL", freesound_server.url)
        patch.setenv("FREESOUND_TOKEN", freesound_server.token)
        patch.setenv("MIRLA_FREESOUND_PER_MINUTE", "100000")
        patch.setenv("MIRLA_FREESOUND_PER_DAY", "100000")
        freesound_server.reset()
        with Corpus(home) as corpus:
            report = corpus.harvest(Wanted((Query(filter="duration:[0 TO *]"),), audio="none"))
            assert (report.state, report.added) == ("done", 165)
    return home


@pytest.fixture(scope="session")
def harvested(harvested_home):
    """A local Freesound over them."""
    with running(harvested_home) as local:
        yield local


@pytest.fixture(scope="session")
def small_home(tmp_path_factory, samples):
    """A small home for old clients; to be read, not changed."""
    return make_home(tmp_path_factory.mktemp("small"), samples)


@pytest.fixture(scope="session")
def small(small_home):
    """That corpus, open."""
    with Corpus(small_home) as corpus:
        yield corpus


@pytest.fixture(scope="session")
def today(small_home):
    """It as `mirla serve --freesound PORT` serves it."""
    with running(small_home) as local:
        yield local


@pytest.fixture(scope="session")
def old(small_home):
    """It with `--legacy`."""
    with running(small_home, Options(legacy=True)) as local:
        yield local


@pytest.fixture(scope="session")
def mapped(small_home):
    """It with `--legacy --map-unknown-ids`."""
    with running(small_home, Options(legacy=True, map_unknown_ids=True)) as local:
        yield local
