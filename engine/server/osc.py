"""The OSC server: messages in, verbs done, replies and events out. No packet stops it; what it cannot do is counted.

One thread reads. A verb takes its turn with its group or the session as it would at the prompt, and the thread that
did it sends the reply, so that none waits for another's. Verbs that are immediate happen at once, whatever waits.
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any, NamedTuple

from engine.errors import VerbError
from engine.performing.handle import Handle
from engine.performing.verbs import Outcome, Speaker
from engine.server.answers import as_values
from engine.server.arguments import arguments
from engine.server.packets import LONGEST, Malformed, Message, TooLong, read, written
from engine.server.routes import OF_ALL, OF_GROUPS, Route
from engine.server.sockets import LOOPBACK, Clients, allowed, bound, lost
from engine.server.subscribers import SECONDS, Address, Subscribers
from engine.session import Session

MOST_WAITING = 2000
"""Commands that wait for their turn; what comes beyond is dropped, and its sender told."""
MOST_GROUPS = 256
_REPLY, _EVENT = "/mirla/reply", "/mirla/event"
_TEXT = 1000  # characters of an event
_POLL_SECONDS = 0.25
_DONTWAIT = getattr(socket, "MSG_DONTWAIT", 0)
_NOBODY = -1


class _Asked(NamedTuple):
    """A command, as its reply has to name it."""

    sender: Address
    address: str
    id: str
    values: list[Any]


class OscServer:
    """Answers OSC until it is closed.

    Parameters
    ----------
    session : Session
    port : int
        0 is any that is free.
    others : sequence of IPv4Network
        Who is let in besides this machine.

    Raises
    ------
    ServerError
        The port cannot be had.
    """

    def __init__(self, session: Session, port: int, others: Clients = ()) -> None:
        self._session, self._others = session, others
        self._socket = bound(socket.SOCK_DGRAM, port, others)
        self._socket.settimeout(_POLL_SECONDS)
        self.host, self.port = self._socket.getsockname()
        self._subscribers = Subscribers()
        self._room = threading.Semaphore(MOST_WAITING)
        self._counts = dict.fromkeys(("packets", "commands", "malformed", "refused", "dropped", "unsent"), 0)
        self._counting = threading.Lock()
        self._handles: dict[int, Handle] = {}
        self._numbers = itertools.count(1)
        self._closed = False
        self._unlisten = session.on(self._tell)
        self._thread = threading.Thread(target=self._run, name="mirla-osc", daemon=True)
        self._thread.start()

    @property
    def counts(self) -> dict[str, int]:
        """What came, and what became of it.

        `packets` came from who is let in, with so many `commands`; `malformed` of the packets were no OSC that is
        taken; `refused` came from others. `dropped` commands came while too many waited, `lost` packets while the
        system's buffer was full. `unsent` replies and events could not be sent.
        """
        with self._counting:
            return {**self._counts, "lost": lost(self._socket), "subscribers": len(self._subscribers)}

    def close(self) -> dict[str, int]:
        """Take no more, and let go of the port; what still waits is not answered. Returns the last counts."""
        self._closed = True
        self._send(b"", (LOOPBACK, self.port))  # wakes the thread
        self._thread.join()
        self._unlisten()
        counts = self.counts
        self._socket.close()
        return counts

    def _run(self) -> None:
        due = 0.0
        while not self._closed:
            with contextlib.suppress(OSError):  # nothing came; or, on some systems, a reply did not arrive
                packet, sender = self._socket.recvfrom(LONGEST + 1)
                if not self._closed:
                    self._take(packet, sender)
            if time.monotonic() > due:
                self._expire()
                due = time.monotonic() + _POLL_SECONDS

    def _take(self, packet: bytes, sender: Address) -> None:
        if not allowed(sender[0], self._others):
            self._count("refused")
            return
        self._count("packets")
        self._subscribers.heard(sender)
        try:
            messages = read(packet)
        except Malformed:
            self._count("malformed")
            return
        for message in messages:
            self._hear(message, sender)

    def _hear(self, message: Message, sender: Address) -> None:
        """Do one message; what no program of mirla's would send is not answered, so that none answers answers."""
        address, values = message
        if not address.startswith("/mirla/") or address in (_REPLY, _EVENT):
            self._count("malformed")
            return
        self._count("commands")
        own = [values.pop()] if values and isinstance(values[-1], str) and values[-1].startswith("#") else [""]
        asked = _Asked(sender, address, own[0], values)
        outcome = self._session.done(
            None, partial(self._do, asked)
        )  # this is the only thread that hears: nothing ends it
        if outcome.error is not None:
            self._reply(asked, False, [str(outcome.error)])

    def _do(self, asked: _Asked) -> None:
        group, route = _route(asked.address)
        if route.verb is None:
            self._reply(asked, True, self._own(route.name, asked))
            return
        given, named = arguments(route.verb, asked.values)
        route.verb.check(given, named)
        speaker = self._session if group is None else self._group(group)  # made only by what makes sense
        waits = route.verb.manner in ("chained", "answered")
        if waits and not self._room.acquire(blocking=False):
            self._count("dropped")
            self._reply(asked, False, [f"dropped: {MOST_WAITING} commands wait already; say less at once"])
            return
        future = speaker.perform(route.verb, given, named)
        future.add_done_callback(lambda done: self._done(asked, route, waits, done))

    def _group(self, name: str) -> Speaker:
        groups = self._session.groups
        if name not in groups and len(groups) >= MOST_GROUPS:
            raise VerbError(f"there are {MOST_GROUPS} groups already; use one of them")
        return self._session.group(name)

    def _own(self, name: str, asked: _Asked) -> list[Any]:
        """Do what is the server's own."""
        if name == "cancel":
            handle = self._handles.pop(asked.values[0], None) if len(asked.values) == 1 else None
            if handle is None:
                raise VerbError(f"cancel {asked.values}: nothing has that number; similarauto and its like answer one")
            handle.cancel()
            return []
        if name == "unsubscribe":
            self._subscribers.remove(asked.sender)
            return []
        self._subscribers.add(asked.sender)
        return [SECONDS]

    def _done(self, asked: _Asked, route: Route, waited: bool, done: Future[Outcome]) -> None:
        """Reply; in the thread that did it."""
        if waited:
            self._room.release()
        outcome = done.result()
        if outcome.error is not None:
            self._reply(asked, False, [str(outcome.error)])
            return
        answer = outcome.answer
        if isinstance(answer, Handle):
            answer = self._numbered(answer)
        elif route.name == "status" and isinstance(answer, dict):
            answer = {**answer, "osc": self.counts}
        self._reply(asked, True, as_values(answer))

    def _numbered(self, handle: Handle) -> int:
        self._handles = {number: one for number, one in self._handles.items() if not one.done}
        number = next(self._numbers)
        self._handles[number] = handle
        return number

    def _reply(self, asked: _Asked, ok: bool, values: Sequence[Any]) -> None:
        try:
            packet = written(_REPLY, [asked.address, asked.id, int(ok), *values])
        except TooLong as error:
            packet = written(_REPLY, [asked.address, asked.id, 0, str(error)])
        self._send(packet, asked.sender)

    def _tell(self, kind: str, group: str | None, sound_id: int | None, words: str) -> None:
        """Send an event to all subscribers; called by any thread of the session."""
        self._send_event(
            self._subscribers.present(), kind, group or "", _NOBODY if sound_id is None else sound_id, words
        )

    def _expire(self) -> None:
        late = self._subscribers.expired()
        self._send_event(late, "unsubscribed", "", _NOBODY, f"not heard of for {SECONDS} s; subscribe again")

    def _send_event(self, to: Sequence[Address], kind: str, group: str, sound_id: int, words: str) -> None:
        if to:
            packet = written(_EVENT, [kind, group, sound_id, words[:_TEXT]])
            for address in to:
                self._send(packet, address)

    def _send(self, packet: bytes, to: Address) -> None:
        try:
            self._socket.sendto(packet, _DONTWAIT, to)
        except OSError:
            self._count("unsent")

    def _count(self, what: str) -> None:
        with self._counting:
            self._counts[what] += 1


def _route(address: str) -> tuple[str | None, Route]:
    """The group that an address names, if it names one, and what it means."""
    _, _, *parts = address.split("/")
    table = OF_ALL if len(parts) == 1 else OF_GROUPS
    if len(parts) not in (1, 2) or parts[-1] not in table:
        raise VerbError(f"there is no address {address[:100]!r}; docs/osc.md lists all")
    return (parts[0] if len(parts) == 2 else None), table[parts[-1]]
