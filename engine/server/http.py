"""Palettes over HTTP, as Strudel and other pages in browsers load them: the map of all, and their files.

What is served is `<home>/palettes/`, and nothing outside it: no hidden file, no link that leads out. Any page may load
it (CORS), but must name this machine as it is known here, so that no other name is made to point at it. Files are
asked for again each time, by their ETag, since a palette may be published anew.
"""

from __future__ import annotations

import json
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
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.server.guard import Guard
from engine.server.palettes_page import page
from engine.server.sockets import ANYWHERE, LOOPBACK, Clients, allowed

MAP = "strudel.json"
_OPEN = ("/palettes/", f"/{MAP}")
"""What pages from elsewhere may read."""


def palette_app(home: Path, others: Clients = ()) -> ASGIApp:
    """Make an ASGI application of the palettes of a home.

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
    app = Starlette(routes=routes, middleware=[Middleware(_Invited, others=others)])
    app.router.redirect_slashes = False
    return Guard(
        app, ANYWHERE if others else LOOPBACK, _OPEN, lambda _, status, words: PlainTextResponse(words, status)
    )


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


class _Invited:
    """Lets in who was allowed, and has answers asked for again each time."""

    def __init__(self, app: ASGIApp, others: Clients) -> None:
        self._app, self._others = app, others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        if not allowed(request.client.host if request.client else LOOPBACK, self._others):
            refusal = PlainTextResponse("not allowed: `mirla serve --allow` names who is", 403)
            await refusal(scope, receive, send)
            return

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["cache-control"] = "no-cache"
            await send(message)

        await self._app(scope, receive, sent)
