"""A session that answers OSC, on sounds of a real corpus and without a device, and a client that speaks to it."""

import contextlib
import shutil
import socket
import threading

import pytest
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import build_msg

from engine.playback.offline import OfflinePlayer
from engine.server.osc import OscServer
from engine.session import Session

PATIENCE = 60


class Deviceless(Session):
    """A live session, but for its instrument: that plays for nobody."""

    def _open(self):
        return OfflinePlayer()


class Client:
    """Another program: what it sends, and what comes back, which it asks for by the id of its command."""

    def __init__(self, port):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.socket.settimeout(PATIENCE)
        self.server = ("127.0.0.1", port)
        self.events = []
        self._asked = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, address, *values):
        self.socket.sendto(build_msg(address, list(values)).dgram, self.server)

    def hear(self):
        """The next packet: its address and values."""
        message = OscMessage(self.socket.recv(70_000))
        return message.address, message.params

    def ask(self, address, *values):
        """Whether a command was done, and what it answered; events on the way are kept."""
        self._asked += 1
        own = f"#{self._asked}"
        self.send(address, *values, own)
        while True:
            kind, (*head, ok) = self._head()
            if kind == "/mirla/event":
                self.events.append([*head, ok])
            elif head[1] == own:
                assert (kind, head[0]) == ("/mirla/reply", address)
                return bool(head[2]), ok

    def answer(self, address, *values):
        """What a command answered, which has to be done."""
        ok, values = self.ask(address, *values)
        assert ok, values
        return values

    def refusal(self, address, *values):
        """Why a command was not done."""
        ok, (words,) = self.ask(address, *values)
        assert not ok
        return words

    def event(self, kind):
        """The next event of a kind."""
        while True:
            for event in self.events:
                if event[0] == kind:
                    self.events.remove(event)
                    return event
            address, values = self.hear()
            assert address == "/mirla/event"
            self.events.append(values)

    def _head(self):
        address, values = self.hear()
        return (address, [*values[:3], values[3:]]) if address == "/mirla/reply" else (address, values)


@pytest.fixture(scope="module")
def played_home(finished_home, tmp_path_factory):
    """A copy of the finished home, for the journals of these tests."""
    home = tmp_path_factory.mktemp("played") / "home"
    shutil.copytree(finished_home, home)
    return home


@pytest.fixture
def live(played_home):
    """A live session without a device; `lines` is what it said."""
    lines = []
    with Deviceless(played_home, seed=1, say=lines.append) as session:
        session.lines = lines
        yield session


@pytest.fixture
def nothing_thrown(monkeypatch):
    """No thread ends by an exception."""
    thrown = []
    monkeypatch.setattr(threading, "excepthook", thrown.append)
    yield
    assert thrown == []


@pytest.fixture
def server(live, nothing_thrown):
    """The session's OSC server."""
    with contextlib.closing(OscServer(live, 0)) as made:
        yield made


@pytest.fixture
def connect():
    """Make clients of a server."""
    with contextlib.ExitStack() as clients:
        yield lambda server: clients.enter_context(Client(server.port))


@pytest.fixture
def client(server, connect):
    """A client of the server."""
    return connect(server)
