"""What one client may ask of a server: requests a second, lengths, time.

Lengths are of what a request says. How fast a connection has to be is kept by `Watched`, uvicorn's protocol with
deadlines, since uvicorn itself waits for ever for a request that was begun. It also keeps how many connections there
are: one that has nothing to do gives way to a new one, of the client that has most of these; where all are at work,
the application is told that the server is `BUSY`, to refuse in its own words.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

import h11
import orjson
from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_SECONDS = 10.0
"""How long a client may take to say what it wants."""
STALLED_SECONDS = 30.0
"""How long a client may take no more of an answer."""
CONNECTIONS = 250
BUSY = "busy"
"""In the state of a request: that there are too many."""
_CLIENTS = 1000


@dataclass(frozen=True)
class Limits:
    """How much one client, which is one address, may ask.

    Attributes
    ----------
    per_second : float
        Requests a second in the long run.
    at_once : int
        Requests beyond that which may come in a burst.
    connections : int
        How many connections there may be, of all clients.
    text, filter, numbers : int
        The longest words to find and the longest filter, in characters; the longest vector.
    """

    per_second: float = 2000.0
    at_once: int = 4000
    connections: int = CONNECTIONS
    text: int = 1000
    filter: int = 20_000
    numbers: int = 4096


class Rate:
    """Counts requests by client: a bucket that holds `at_once` and fills by `per_second`.

    Only the clients that asked last are remembered.
    """

    def __init__(self, per_second: float, at_once: int, clock: Callable[[], float] = monotonic) -> None:
        self._per_second = per_second
        self._at_once = at_once
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def allows(self, client: str) -> bool:
        """Count a request; whether it may be answered."""
        at = self._clock()
        left, since = self._buckets.pop(client, (float(self._at_once), at))
        left = min(self._at_once, left + (at - since) * self._per_second)
        self._buckets[client] = (left - 1 if left >= 1 else left, at)
        if len(self._buckets) > _CLIENTS:
            self._buckets.popitem(last=False)
        return left >= 1


class Watched(H11Protocol):
    """A connection that is closed when a request that was begun does not end, or an answer is not taken.

    There are no more than uvicorn's `limit_concurrency`, whose own refusal knows neither form nor name.
    """

    request_seconds = REQUEST_SECONDS
    stalled_seconds = STALLED_SECONDS
    since = 0.0
    """When something was last heard of it."""
    _request: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Start to wait for a request, and have another connection give way if there are too many."""
        self.since = monotonic()
        self._most, self.limit_concurrency = self.limit_concurrency, None
        super().connection_made(transport)
        self._wait()
        if self._most is not None and len(self.connections) > self._most:
            self._make_room()

    def _make_room(self) -> None:
        idle = [one for one in self.connections if isinstance(one, Watched) and one is not self and not one.at_work]
        if not idle:
            self.app_state = {**self.app_state, BUSY: True}
            return
        clients = Counter(one.client and one.client[0] for one in idle)
        (most, _), *_ = clients.most_common(1)
        oldest = min((one for one in idle if (one.client and one.client[0]) == most), key=lambda one: one.since)
        oldest.transport.abort()
        self.connections.discard(oldest)

    @property
    def at_work(self) -> bool:
        """Whether a request is being answered."""
        return self.cycle is not None and not self.cycle.response_complete

    def data_received(self, data: bytes) -> None:
        """Take some of a request, and wait for the rest if it is not all."""
        self.since = monotonic()
        super().data_received(data)
        self._wait()

    def _wait(self) -> None:
        unfinished = self.conn.their_state in (h11.IDLE, h11.SEND_BODY)
        if not unfinished or self.transport.is_closing():
            self._stop("_request")
        elif self._request is None:
            self._request = self.loop.call_later(self.request_seconds, self.transport.abort)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP; in the midst of an answer by no word."""
        if self.conn.our_state is not h11.IDLE:
            self.transport.abort()
            return
        body = orjson.dumps({"detail": msg})
        headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
        headers.append((b"content-length", str(len(body)).encode()))
        for event in (h11.Response(status_code=400, headers=headers), h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def pause_writing(self) -> None:
        """Start to wait for the client to take more."""
        super().pause_writing()
        self._stalled = self.loop.call_later(self.stalled_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """It has taken some."""
        super().resume_writing()
        self._stop("_stalled")

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing to wait for any more."""
        self._stop("_request", "_stalled")
        super().connection_lost(exc)

    def _stop(self, *timers: str) -> None:
        for name in timers:
            if (timer := getattr(self, name)) is not None:
                timer.cancel()
                setattr(self, name, None)
