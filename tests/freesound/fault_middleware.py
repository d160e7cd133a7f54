"""Middleware that lets faults strike, around any application that speaks the API or serves files."""

import asyncio
import json

from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from tests.freesound.capture import capture, replay
from tests.freesound.cdn import NOT_FOUND
from tests.freesound.faults import Asked
from tests.freesound.shifts import Shifts
from tests.freesound.throttle import refusal

_PIECES = 8
_GATEWAY = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><h1>502 Bad Gateway</h1></body>\r\n</html>\r\n"
)
_PAGE = "<!DOCTYPE html><html><head><title>Sorry</title></head><body><p>Please come back later.</p></body></html>"
_SHIFTS = {"duplicate": -1, "deletion": 1}


class Cut(Exception):
    """Raised in the middle of an answer, so that the server closes the connection."""


class FaultMiddleware:
    """`elsewhere` is the address to which `redirect` leads."""

    def __init__(self, app, faults, elsewhere):
        self.app = Shifts(app, faults.shifts)
        self.faults = faults
        self.elsewhere = elsewhere

    async def __call__(self, scope, receive, send):
        asked = Asked.of(scope)
        if asked.page == 1:
            self.faults.shifts.pop(asked.listing, None)
        kind = self.faults.strike(asked)
        scope["entry"].fault = kind
        if kind in _SHIFTS:
            self.faults.shifts[asked.listing] = _SHIFTS[kind]
        elif kind == "rangeless":
            scope = {**scope, "headers": [pair for pair in scope["headers"] if pair[0] not in (b"range", b"if-range")]}
        elif kind and (answer := self._instead(kind, asked)):
            return await answer(scope, receive, send)
        elif kind:
            return await self._spoilt(kind, await capture(self.app, scope, receive), send)
        return await self.app(scope, receive, send)

    def _instead(self, kind, asked):
        """The answer that takes the application's place, or None."""
        if kind in ("minute", "day"):
            return JSONResponse({"detail": refusal(60 if kind == "minute" else 2000, kind)}, 429)
        if kind == "error" and asked.place == "api":
            return JSONResponse({"detail": "Server error"}, 500)
        if kind == "redirect":
            return RedirectResponse(f"{self.elsewhere}{asked.address}", 302)
        pages = {"error": (_PAGE, 500), "gateway": (_GATEWAY, 502), "missing": (NOT_FOUND, 404), "html": (_PAGE, 200)}
        if kind in pages:
            return HTMLResponse(*pages[kind])
        if kind in ("disguised", "empty"):
            kind_of_audio = "audio/ogg" if asked.path.endswith(".ogg") else "audio/mpeg"
            return Response(_PAGE if kind == "disguised" else b"", media_type=kind_of_audio)
        return None

    async def _spoilt(self, kind, answer, send):
        """The application's answer, spoilt on its way."""
        if kind == "slow":
            await replay(answer, send, self._slowly(answer.body))
        elif kind == "cut":
            await replay(answer, send, self._half(answer.body))
        elif kind == "malformed":
            await replay(answer.with_body(answer.body[: len(answer.body) // 2]), send)
        elif answer.status == 200:
            await replay(answer.with_body(_with_wrong_list(kind, answer.body)), send)
        else:
            await replay(answer, send)

    async def _slowly(self, body):
        step = len(body) // _PIECES + 1
        for start in range(0, len(body), step):
            await asyncio.sleep(self.faults.pause)
            yield body[start : start + step]

    async def _half(self, body):
        yield body[: len(body) // 2]
        raise Cut


def _with_wrong_list(kind, body):
    answer = json.loads(body)
    if kind == "null":
        answer["results"].insert(len(answer["results"]) // 2, None)
    else:
        answer["count"] = max(0, answer["count"] + (7 if answer["count"] % 2 else -3))
    return json.dumps(answer, ensure_ascii=False).encode()
