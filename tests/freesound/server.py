"""Freesound, for the tests: `engine.server.freesound` over a corpus of its own, with what upstream does otherwise
(`quirks.py`), faults and a log as middleware around it; and a CDN. Each on loopback, on a port of its own, in a thread.

    with Freesound(folder) as freesound:              Sonic Pi's samples
        requests.get(f"{freesound.url}/search/", headers={"Authorization": f"Token {freesound.token}"})
    with Freesound(folder, sounds=10_000) as freesound:    made-up sounds without audio

`url` is the API's base, `cdn_url` the CDN's, on another host name. `requests` lists what was asked, `faults` switches
faults, `limits` sets the throttling, `delete`, `restore` and `change` are what happens to sounds upstream.
"""

import asyncio
import socket
from threading import Thread

import uvicorn

from engine.server.freesound import freesound_app
from tests.freesound import large, samples
from tests.freesound.capture import Remembered
from tests.freesound.catalogue import Catalogue, Changing
from tests.freesound.cdn import make_cdn
from tests.freesound.fault_middleware import FaultMiddleware
from tests.freesound.faults import Faults
from tests.freesound.log import Log
from tests.freesound.quirks import SUSPENDED_TOKEN, Quirks
from tests.freesound.throttle import Limits

_QUIET = {"log_config": None, "log_level": "critical", "access_log": False, "lifespan": "off", "ws": "none"}
_PLAIN = {"http": "h11", "loop": "asyncio", "timeout_keep_alive": 60, "timeout_graceful_shutdown": 1}


class Freesound:
    token = "k3y" * 13 + "s"
    suspended_token = SUSPENDED_TOKEN

    def __init__(self, folder, sounds=None):
        self.folder = folder
        self._sockets = [_listening(), _listening()]
        ports = [each.getsockname()[1] for each in self._sockets]
        self.url = f"http://127.0.0.1:{ports[0]}/apiv2"
        self.cdn_url = f"http://localhost:{ports[1]}"
        self.requests = []
        self.faults = Faults()
        self.limits = Limits()
        if sounds is None:
            self.catalogue = Changing(folder / "home", *samples.records(folder))
        else:
            self.catalogue = Catalogue(folder / "home", large.records(sounds))

    def __enter__(self):
        corpus = self.catalogue.corpus
        api = Quirks(Remembered(freesound_app(corpus), corpus.database.version), self)
        self._servers = [self._server(api, "api"), self._server(make_cdn(self), "cdn")]
        self._thread = Thread(target=asyncio.run, args=[self._serve()], name="freesound", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        for server in self._servers:
            server.should_exit = True
        self._thread.join(20)
        assert not self._thread.is_alive(), "the local Freesound does not stop"
        for each in self._sockets:
            each.close()
        self.catalogue.corpus.close()

    def reset(self):
        """As new: no faults, no limits, an empty log, all sounds as they were."""
        self.faults.clear()
        self.faults.struck.clear()
        self.faults.pause = Faults.pause
        self.requests.clear()
        self.limits = Limits()
        self.catalogue.reset()

    def delete(self, sound_id, from_index=True):
        """Delete a sound; without `from_index` it stays in lists, as `null`."""
        self.catalogue.delete(sound_id, from_index)

    def restore(self, sound_id):
        """Bring a deleted sound back: to a client, a new one."""
        self.catalogue.restore(sound_id)

    def change(self, sound_id, **facts):
        """Change fields of a sound, as `name="x", tags=["y"]`."""
        self.catalogue.change(sound_id, **facts)

    def asked(self, place=None, path=""):
        """The entries of the log of one place (`api` or `cdn`) whose path has `path` in it."""
        return [entry for entry in self.requests if place in (None, entry.place) and path in entry.path]

    def _server(self, app, place):
        app = Log(FaultMiddleware(app, self.faults, f"{self.cdn_url}/elsewhere"), place, self.requests)
        return uvicorn.Server(uvicorn.Config(app, **_QUIET, **_PLAIN))

    async def _serve(self):
        pairs = zip(self._servers, self._sockets, strict=True)
        await asyncio.gather(*(server.serve(sockets=[each]) for server, each in pairs))


def _listening():
    """A socket that takes connections from now on, so that nobody need wait for the thread.

    The protocol is named because asyncio switches Nagle's algorithm off only then: it costs 40 ms an answer.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen(128)
    listening.setblocking(False)
    return listening
