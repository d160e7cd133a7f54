"""A local Freesound as a server of its own, by uvicorn."""

from __future__ import annotations

import socket

import uvicorn

from corpus.library import Corpus
from engine.errors import ServerError
from engine.server.freesound.app import freesound_app
from engine.server.freesound.options import Options
from engine.server.web import web_server


def freesound_server(corpus: Corpus, options: Options | None = None) -> uvicorn.Server:
    """A server that was not started yet; `await server.serve(sockets=[listening(...)])` runs it."""
    options = options or Options()
    return web_server(freesound_app(corpus, options), options.limits.connections)


def listening(host: str, port: int) -> socket.socket:
    """A socket that takes connections from now on; port 0 is any that is free.

    The protocol is named because asyncio switches Nagle's algorithm off only then: it costs 40 ms an answer.

    Raises
    ------
    ServerError
        The port cannot be had.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        made = socket.socket(family, kind, protocol or socket.IPPROTO_TCP)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(128)
        made.setblocking(False)
    except (OSError, OverflowError, UnicodeError) as error:
        words = getattr(error, "strerror", None) or str(error)
        raise ServerError(f"cannot listen on {host}, port {port}: {words}; choose another port") from error
    return made
