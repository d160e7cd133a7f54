"""A local Freesound: the API and a CDN on loopback, each on a port of its own, in a thread.

    with Freesound(folder) as freesound:              Sonic Pi's samples
        requests.get(f"{freesound.url}/search/", headers={"Authorization": f"Token {freesound.token}"})
    with Freesound(folder, sounds=300_000) as freesound:   made-up sounds without audio

`url` is the API's base, `cdn_url` the CDN's, on another host name. `requests` lists what was asked, `faults` switches
faults, `limits` sets the throttling, `delete`, `restore` and `change` are what happens to sounds upstream. Another
application takes the API's place as `make_app`, a function of this server; faults and log stay around it.
"""

import asyncio
import socket
from threading import Thread

import uvicorn

from tests.freesound.api import SUSPENDED_TOKEN, make_api
from tests.freesound.cdn import make_cdn
from tests.freesound.fault_middleware import FaultMiddleware
from tests.freesound.faults import Faults
from tests.freesound.large import Large
from tests.freesound.log import Log
from tests.freesound.samples import Samples
from tests.freesound.throttle import Limits

_QUIET = {"log_config": None, "log_level": "critical", "access_log": False, "lifespan": "off", "ws": "none"}
_PLAIN = {"http": "h11", "loop": "asyncio", "timeout_keep_alive": 60, "timeout_graceful_shutdown": 1}


class Freesound:
    token = "k3y" * 13 + "s"
    suspended_token = SUSPENDED_TOKEN

    def __init__(self, folder, sounds=None, make_app=make_api):
        self.folder = folder
        self._sounds = sounds
        self._make_app = make_app
        self._sockets = [_listening(), _listening()]
        ports = [each.getsockname()[1] for each in self._sockets]
        self.url = f"http://127.0.0.1:{ports[0]}/apiv2"
        self.cdn_url = f"http://localhost:{ports[1]}"
        self.requests = []
        self.faults = Faults()
        self.limits = Limits()
        self.catalogue = self._new_catalogue()

    def __enter__(self):
        self._servers = [self._server(make, place) for make, place in ((self._make_app, "api"), (make_cdn, "cdn"))]
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

    def reset(self):
        """As new: no faults, no limits, an empty log, all sounds as they were."""
        self.faults.clear()
        self.faults.struck.clear()
        self.faults.pause = Faults.pause
        self.requests.clear()
        self.limits = Limits()
        if self.catalogue.touched:
            self.catalogue = self._new_catalogue()

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

    def _new_catalogue(self):
        if self._sounds is None:
            return Samples(self.url, self.cdn_url, self.folder)
        return Large(self.url, self.cdn_url, self._sounds)

    def _server(self, make, place):
        app = FaultMiddleware(make(self), self.faults, f"{self.cdn_url}/elsewhere")
        return uvicorn.Server(uvicorn.Config(Log(app, place, self.requests), **_QUIET, **_PLAIN))

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
