"""HTTP servers, each in a thread of its own beside the others: uvicorn with deadlines, whose log is of faults alone."""

from __future__ import annotations

import socket
import threading
from types import TracebackType

import uvicorn
from starlette.types import ASGIApp

from engine.server.limits import CONNECTIONS, Watched

_IDLE_SECONDS = 30
_LONGEST_HEAD = 64 * 1024


def web_server(app: ASGIApp, connections: int = CONNECTIONS) -> uvicorn.Server:
    """A server that was not started yet, for so many connections at once.

    `await server.serve(sockets=[…])` runs it.
    """
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=Watched,
            loop="asyncio",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",  # what clients do wrong is no news
            access_log=False,
            server_header=False,
            proxy_headers=False,  # whoever asks could claim to be another
            limit_concurrency=connections,
            h11_max_incomplete_event_size=_LONGEST_HEAD,
            timeout_keep_alive=_IDLE_SECONDS,
            timeout_graceful_shutdown=1,
        )
    )


class Running:
    """A server at work, until the end of a `with` block.

    Parameters
    ----------
    server : uvicorn.Server
    listening : socket
        Where it takes connections.
    """

    def __init__(self, server: uvicorn.Server, listening: socket.socket) -> None:
        self._server = server
        self._thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listening]}, name="mirla-http", daemon=True
        )
        self._thread.start()

    def __enter__(self) -> Running:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join()
