"""The ASGI application: addresses, who is let in, limits and errors. What is behind an address is in `resources`.

A request is refused, in this order, for the machine it names, its rate, its token, its address, its method. Every
refusal is JSON, `{"detail": …}`. Logs name the path alone: query strings may hold a token.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson
from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from corpus.errors import CorpusError, StoreError
from corpus.library import Corpus
from corpus.model import LAST_LOCAL_ID
from engine.errors import EngineError
from engine.server import security
from engine.server.freesound import audio, legacy, pictures, resources
from engine.server.freesound.call import ApiError, Call, Served
from engine.server.freesound.options import Options
from engine.server.freesound.page import page
from engine.server.freesound.shelf import Later, Shelf
from engine.server.limits import Rate

Handler = Callable[..., Mapping[str, Any] | Response]
log = logging.getLogger("mirla.freesound")

_KEPT = 128_000_000
"""Bytes of answers, pictures and columns kept."""
_THREADS = 4
_NO_CREDENTIALS = "Authentication credentials were not provided."
_ANY_ORIGIN = (b"access-control-allow-origin", b"*")
_PREFLIGHT = {
    "access-control-allow-methods": "GET, HEAD, OPTIONS",
    "access-control-allow-headers": "Authorization, Range, If-None-Match, Content-Type",
    "access-control-max-age": "86400",
}
_SOUND = r"sounds/([0-9]{1,18})/"
_USER = r"users/([^/]+)/"
_PACK = r"packs/([0-9]{1,18})/"
ROUTES: dict[str, Handler] = {
    r"search/": resources.search,
    r"search/text/": resources.search,
    _SOUND: resources.sound,
    rf"{_SOUND}analysis/": resources.analysis,
    rf"{_SOUND}similar/": resources.similar,
    rf"{_SOUND}comments/": resources.comments,
    rf"{_SOUND}download/": audio.download,
    rf"{_SOUND}download/link/": resources.download_link,
    _USER: resources.user,
    rf"{_USER}sounds/": resources.sounds_of_user,
    rf"{_USER}packs/": resources.packs_of_user,
    _PACK: resources.pack,
    rf"{_PACK}sounds/": resources.sounds_of_pack,
    f"{audio.PREVIEW.pattern}/": audio.preview,
    f"{pictures.PICTURE.pattern}/": pictures.picture,
}
"""What answers each address below the base, with the parts of the address; numbers come as numbers."""
_SLOW = {pictures.picture}
"""What is done beside the others. Queries are not, since threads that take turns at Python's lock halve their rate, but
for those that must first make something of the whole corpus: one of these at a time."""


def freesound_app(corpus: Corpus, options: Options | None = None) -> Starlette:
    """A local Freesound over a corpus, as an ASGI application.

    Parameters
    ----------
    corpus : Corpus
        Stays open as long as the application is asked.
    options : Options, optional

    Raises
    ------
    ServerError
        It is to be open to other machines without a token.
    """
    options = options or Options()
    security.check(options.host, options.token)
    corpus.sounds.hold_texts()
    served = Served(corpus, options, Shelf(corpus, _KEPT))
    rate = Rate(options.limits.per_second, options.limits.at_once)
    routes = _compiled(ROUTES)
    old_routes = _compiled({**legacy.ROUTES, **ROUTES})
    threads, slow = CapacityLimiter(_THREADS), CapacityLimiter(1)

    async def answer(request: Request) -> Response:
        old = legacy.asks(request.url.path, request.url.query, options)
        try:
            response = await _answered(request, old)
        except ApiError as error:
            response = _refusal(error, old)
        except Exception:
            log.exception("failed to answer %s", request.url.path)
            response = _refusal(ApiError(500, "Server error"), old)
        response.raw_headers.append(_ANY_ORIGIN)
        return response

    async def _answered(request: Request, old: bool) -> Response:
        host = request.headers.get("host", "")
        if not security.allows(host, options.host):
            raise ApiError(421, "This server does not go by that name; ask it by its address.")
        if not rate.allows(request.client.host if request.client else ""):
            limit = f"{options.limits.per_second * 60:.0f}/minute"
            raise ApiError(429, f"Request was throttled because of exceeding a request limit rate ({limit})")
        if request.method == "OPTIONS":
            return Response(headers=_PREFLIGHT)
        call = _call(request, host, served)
        path = request.url.path
        if path != "/":
            _check_token(request, call, options)
        if request.method not in ("GET", "HEAD"):
            raise ApiError(405, f'Method "{request.method}" not allowed.')
        if path == "/":
            return HTMLResponse(await to_thread.run_sync(page, call, limiter=threads))
        handler, parts = _route(old_routes if old else routes, path)
        try:
            if handler in _SLOW:
                raise Later
            with served.shelf.hurried():
                found = _safely(handler, call, parts)
        except Later:
            some = threads if handler in _SLOW else slow
            found = await to_thread.run_sync(_safely, handler, call, parts, limiter=some)
        if isinstance(found, Response):
            return found
        return json_response(legacy.cleaned(found) if old else found)

    methods = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]
    routes_of_all = [Route("/{path:path}", answer, methods=methods)]
    return Starlette(routes=routes_of_all, exception_handlers={HTTPException: _unrouted})


def _unrouted(_request: Request, error: Exception) -> Response:
    """What never came to `answer`: an address with a line's end in it, a method that nobody knows."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _refusal(ApiError(status, {404: "Not found", 405: "Method not allowed."}.get(status, "Server error")))


def _compiled(routes: Mapping[str, Handler]) -> list[tuple[re.Pattern[str], Handler]]:
    return [(re.compile(pattern), handler) for pattern, handler in routes.items()]


def json_response(data: Mapping[str, Any], status: int = 200) -> Response:
    """JSON as the API writes it: compact, raw UTF-8."""
    body = orjson.dumps(data, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(body, status, media_type="application/json")


def _refusal(error: ApiError, old: bool = False) -> Response:
    if old:
        told = legacy.refusal(error)
        return Response(status_code=error.status) if told is None else json_response(told, error.status)
    response = json_response({"detail": error.detail}, error.status)
    if error.status == 401:
        response.headers["www-authenticate"] = 'Bearer realm="api"'
    return response


def _safely(handler: Handler, call: Call, parts: tuple[Any, ...]) -> Mapping[str, Any] | Response:
    """What answers, with what the corpus and the engine refuse as answers."""
    try:
        return handler(call, *parts)
    except StoreError as error:
        log.error("%s", error)
        raise ApiError(500, "The search server could not be reached or some unexpected error occurred.") from None
    except (CorpusError, EngineError) as error:
        raise ApiError(400, str(error)) from None


def _route(routes: list[tuple[re.Pattern[str], Handler]], path: str) -> tuple[Handler, tuple[Any, ...]]:
    """What answers a path, with or without a slash at its end, and the parts of the address."""
    _, base, rest = path.partition("/apiv2/")
    if base and not _:
        rest = rest if rest.endswith("/") else f"{rest}/"
        for pattern, handler in routes:
            if match := pattern.fullmatch(rest):
                return handler, tuple(_part(text) for text in match.groups())
    raise ApiError(404, "Not found")


def _part(text: str | None) -> Any:
    if text is None or not (text.isascii() and text.isdigit()):
        return text or ""
    return min(int(text), LAST_LOCAL_ID + 1)  # which is no sound's


def _call(request: Request, host: str, served: Served) -> Call:
    query = request.url.query.removesuffix("?&format=json")  # freesound.js puts it behind whole addresses
    pairs = parse_qsl(query, keep_blank_values=True, errors="replace")
    base = f"{request.url.scheme}://{host}/apiv2"
    kept = urlencode([pair for pair in pairs if pair[0] != "token"])
    url = f"{request.url.scheme}://{host}{request.url.path}" + (f"?{kept}" if kept else "")
    params = dict(pairs)
    if agents := [value for name, value in pairs if name == "agent"]:
        params["agent"] = ",".join(agents)
    return Call(served, base, params, url, request.headers)


def _check_token(request: Request, call: Call, options: Options) -> None:
    if not options.token:
        return
    given = security.shown(request.headers.get("authorization", ""), call.params.get("token", ""))
    if not given:
        raise ApiError(401, _NO_CREDENTIALS)
    if not security.same(given, options.token):
        raise ApiError(401, "Invalid token")
