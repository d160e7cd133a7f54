"""Palettes over HTTP, as Strudel and other pages in browsers load them: the map of all, and their files.

What is served is `<home>/palettes/`, and nothing outside it: no hidden file, no link that leads out. Any page may load
it (CORS), but must name this machine as it is known here, so that no other name is made to point at it. Files are
asked for again each time, by their ETag, since a palette may be published anew.
"""

from __future__ import annotations

import json
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from engine.server.palettes_page import page
from engine.server.security import allows
from engine.server.sockets import ANYWHERE, LOOPBACK, Clients, allowed

MAP = "strudel.json"
_OPEN = ("/palettes/", f"/{MAP}")
"""What pages from elsewhere may read."""
_PREFLIGHT = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "GET, HEAD, OPTIONS",
    "access-control-allow-headers": "Range, If-None-Match, Content-Type",
    "access-control-allow-private-network": "true",
    "access-control-max-age": "86400",
}


def palette_app(home: Path, others: Clients = ()) -> Starlette:
    """The palettes of a home as an ASGI application.

    Parameters
    ----------
    home : Path
    others : sequence of IPv4Network
        Who is let in besides this machine.
    """
    folder = home / "palettes"

    def strudel(request: Request) -> Response:
        return JSONResponse({**read_map(folder), "_base": f"http://{request.headers['host']}/palettes"})

    def root(request: Request) -> Response:
        return HTMLResponse(page(folder, palettes(folder), f"http://{request.headers['host']}/{MAP}"))

    routes = [
        Route("/", root),
        Route(f"/{MAP}", strudel),
        Mount("/palettes", _Files(directory=folder, check_dir=False)),
    ]
    return Starlette(routes=routes, middleware=[Middleware(_Guard, others=others)])


def read_map(folder: Path) -> dict[str, Any]:
    """Strudel's map as it was published; empty before anything was."""
    try:
        found: dict[str, Any] = json.loads((folder / MAP).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return found


def palettes(folder: Path) -> dict[str, list[str]]:
    """The published palettes and their files, as the map has them."""
    return {name: files for name, files in read_map(folder).items() if not name.startswith("_")}


class _Files(StaticFiles):
    """The files below a folder that may come and go."""

    def lookup_path(self, path: str) -> tuple[str, Any]:
        """Find a file; no hidden one."""
        if any(part.startswith(".") for part in Path(path).parts):
            return "", None
        return super().lookup_path(path)

    async def check_config(self) -> None:
        """Have no file instead of an error where nothing was published yet."""
        if not Path(str(self.directory)).is_dir():
            raise HTTPException(status_code=404)


class _Guard:
    """Lets in who may ask, and says who may read the answers."""

    def __init__(self, app: ASGIApp, others: Clients) -> None:
        self._app, self._others = app, others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = self._refusal(scope)
        if refused is not None:
            await refused(scope, receive, send)
            return

        async def sent(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["x-content-type-options"] = "nosniff"
                headers["cache-control"] = "no-cache"
                if scope["path"].startswith(_OPEN):
                    headers["access-control-allow-origin"] = "*"
                    headers["access-control-expose-headers"] = "Content-Length, Content-Range, ETag"
            await send(message)

        await self._app(scope, receive, sent)

    def _refusal(self, scope: Scope) -> Response | None:
        request = Request(scope)
        host = request.client.host if request.client else LOOPBACK
        if not allowed(host, self._others):
            return PlainTextResponse("not allowed: `mirla serve --allow` names who is", 403)
        if not allows(request.headers.get("host", ""), ANYWHERE if self._others else LOOPBACK):
            return PlainTextResponse("this machine has another name: ask by its address", 421)
        if request.method == "OPTIONS" and scope["path"].startswith(_OPEN):
            return Response(status_code=204, headers=_PREFLIGHT)
        return None
