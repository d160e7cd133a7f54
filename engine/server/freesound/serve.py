"""A local Freesound as a server of its own, by uvicorn."""

from __future__ import annotations

import socket

import uvicorn

from corpus.library import Corpus
from engine.errors import ServerError
from engine.server.freesound.app import freesound_app
from engine.server.freesound.options import Options
from engine.server.limits import Watched

_IDLE_SECONDS = 30
_LONGEST_HEAD = 64 * 1024


def freesound_server(corpus: Corpus, options: Options | None = None) -> uvicorn.Server:
    """A server that was not started yet; `await server.serve(sockets=[listening(...)])` runs it."""
    options = options or Options()
    config = uvicorn.Config(
        freesound_app(corpus, options),
        http=Watched,
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # whoever asks could claim to be another
        limit_concurrency=options.limits.connections,
        timeout_keep_alive=_IDLE_SECONDS,
        timeout_graceful_shutdown=1,
        h11_max_incomplete_event_size=_LONGEST_HEAD,
    )
    return uvicorn.Server(config)


def serve_freesound(corpus: Corpus, port: int, options: Options | None = None) -> None:
    """Answer until interrupted.

    Raises
    ------
    ServerError
        The port cannot be had, or it is to be open to other machines without a token.
    """
    options = options or Options()
    server = freesound_server(corpus, options)
    server.run(sockets=[listening(options.host, port)])


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
