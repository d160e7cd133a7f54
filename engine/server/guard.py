"""What every HTTP server here does before and after it answers: who is let in, and which pages may read the answers.

Any page may read what is open (CORS), but each request must name this machine as it is known here (see `security`).
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from engine.server.limits import BUSY
from engine.server.security import allows

Refuse = Callable[[Scope, int, str], Response]
_PREFLIGHT = {
    "access-control-allow-methods": "GET, HEAD, OPTIONS",
    "access-control-allow-headers": "Authorization, Range, If-None-Match, Content-Type",
    "access-control-allow-private-network": "true",
    "access-control-max-age": "86400",
}


class Guard:
    """An application behind a door.

    Parameters
    ----------
    app : ASGIApp
    listening : str
        The address or name that the server was told.
    readable : tuple of str
        How the paths begin that pages from elsewhere may read.
    refuse : callable
        A refusal as the application writes it: of a request, with a status, in some words.
    """

    def __init__(self, app: ASGIApp, listening: str, readable: tuple[str, ...], refuse: Refuse) -> None:
        self._app, self._listening, self._readable, self._refuse = app, listening, readable, refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        readable = scope["path"].startswith(self._readable)

        async def sent(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["x-content-type-options"] = "nosniff"
                if readable:
                    headers["access-control-allow-origin"] = "*"
                    headers["access-control-expose-headers"] = "Content-Length, Content-Range, ETag"
            await send(message)

        await (self._instead(scope, readable) or self._app)(scope, receive, sent)

    def _instead(self, scope: Scope, readable: bool) -> Response | None:
        """What is answered instead of what was asked for."""
        if not allows(Request(scope).headers.get("host", ""), self._listening):
            return self._refuse(scope, 421, "This server does not go by that name; ask it by its address.")
        if scope.get("state", {}).get(BUSY):
            response = self._refuse(scope, 503, "Too many ask at once; ask again later.")
            response.headers["connection"] = "close"
            return response
        if scope["method"] == "OPTIONS" and readable:
            return Response(status_code=204, headers=_PREFLIGHT)
        return None
