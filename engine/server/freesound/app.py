"""The ASGI application: addresses, who is let in, limits and errors. What is behind an address is in `resources`.

A request is refused, in this order, for the machine it names, for there being too many (both in `Guard`), for its rate,
its token, its method, its format, its address. Every refusal is JSON, `{"detail": …}`, but to old clients (see
`legacy`). Logs name the path alone: query strings may hold a token.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

import orjson
from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from corpus.errors import CorpusError, StoreError
from corpus.library import Corpus
from engine.errors import EngineError
from engine.server import security
from engine.server.freesound import audio, legacy, people, pictures, resources
from engine.server.freesound.call import ApiError, Call, Served
from engine.server.freesound.options import Options
from engine.server.freesound.page import page
from engine.server.freesound.shelf import Later, Shelf
from engine.server.guard import Guard
from engine.server.limits import Rate

Handler = Callable[..., Mapping[str, Any] | Response]
log = logging.getLogger("mirla.freesound")

_KEPT = 128_000_000
"""Bytes of answers, pictures and columns kept."""
_THREADS = 4
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
_NO_CREDENTIALS = "Authentication credentials were not provided."
_READABLE = ("/apiv2/",)
"""What pages from elsewhere may read: all but the page for people."""
_SOUND = r"sounds/([0-9]{1,18})/"
_USER = r"users/(?P<name>[^/]+)/"
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
    _USER: people.user,
    rf"{_USER}sounds/": people.sounds_of_user,
    rf"{_USER}packs/": people.packs_of_user,
    _PACK: people.pack,
    rf"{_PACK}sounds/": people.sounds_of_pack,
    f"{audio.PREVIEW.pattern}/": audio.preview,
    f"{pictures.PICTURE.pattern}/": pictures.picture,
}
"""What answers each address below the base, with the parts of the address; numbers come as numbers, but in names."""
_SLOW = {pictures.picture}
"""What is done beside the others. Queries are not, since threads that take turns at Python's lock halve their rate, but
for those that must first make something of the whole corpus: one of these at a time."""


def freesound_app(corpus: Corpus, options: Options | None = None) -> ASGIApp:
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

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        old = _is_old(scope, options)
        try:
            response = await answer(request, old)
        except ApiError as error:
            response = _refusal(error, old)
        except Exception:
            log.exception("failed to answer %.200s", scope["path"])
            response = _refusal(ApiError(500, "Server error"), old)
        await response(scope, receive, send)

    async def answer(request: Request, old: bool) -> Response:
        if not rate.allows(request.client.host if request.client else ""):
            limit = f"{options.limits.per_second * 60:.0f}/minute"
            raise ApiError(429, f"Request was throttled because of exceeding a request limit rate ({limit})")
        call, path = _call(request, served), raw_path(request.scope)
        if path != "/":
            _check_token(request, call, options)
        if request.method not in ("GET", "HEAD"):
            raise ApiError(405, f'Method "{request.method}" not allowed.')
        if path == "/":
            return HTMLResponse(await to_thread.run_sync(page, call, limiter=threads))
        if (form := call.params.get("format", "json")) != "json":
            raise ApiError(400, f"format={form[:40]} is not written here; leave it out, or ask for format=json")
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

    def refuse(scope: Scope, status: int, words: str) -> Response:
        return _refusal(ApiError(status, words), _is_old(scope, options))

    return Guard(app, options.host, _READABLE, refuse)


def _is_old(scope: Scope, options: Options) -> bool:
    """Whether a request is to be answered in the old forms."""
    return legacy.asks(scope["path"], scope["query_string"].decode("latin-1"), options)


def raw_path(scope: Scope) -> str:
    """The path as it was asked for, so that a part may have a slash in it; safe to put into a link."""
    return quote(scope["raw_path"].decode("latin-1"), safe="%/:@!$&'()*+,;=~")


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
        raise ApiError(400, _without_advice(str(error))) from None


def _without_advice(words: str) -> str:
    """What a fault says, but for what to type into a terminal, which clients have not."""
    parts = [part for part in words.split("; ") if "--" not in part and "`mirla" not in part]
    return "; ".join(parts) or "This cannot be answered."


def _route(routes: list[tuple[re.Pattern[str], Handler]], path: str) -> tuple[Handler, tuple[Any, ...]]:
    """What answers a path, with or without a slash at its end, and the parts of the address."""
    _, base, rest = path.partition("/apiv2/")
    if base and not _:
        rest = rest if rest.endswith("/") else f"{rest}/"
        for pattern, handler in routes:
            if match := pattern.fullmatch(rest):
                named = "name" in pattern.groupindex
                return handler, tuple(_part(unquote(text or ""), named) for text in match.groups())
    raise ApiError(404, "Not found")


def _part(text: str, named: bool) -> str | int:
    """A part of an address as a number, if it is one that an id or a folder could have."""
    return text if named or not _NUMBER.fullmatch(text) else int(text)


def _call(request: Request, served: Served) -> Call:
    host, query = request.headers["host"], request.scope["query_string"].decode("latin-1")
    query = query.removesuffix("?&format=json")  # freesound.js puts it behind whole addresses
    pairs = parse_qsl(query, keep_blank_values=True, errors="replace")
    here = f"{request.scope['scheme']}://{host}"
    kept = urlencode([pair for pair in pairs if pair[0] != "token"])
    url = here + raw_path(request.scope) + (f"?{kept}" if kept else "")
    params = dict(pairs)
    if agents := [value for name, value in pairs if name == "agent"]:
        params["agent"] = ",".join(agents)
    return Call(served, f"{here}/apiv2", params, url, request.headers)


def _check_token(request: Request, call: Call, options: Options) -> None:
    if not options.token:
        return
    given = security.shown(request.headers.get("authorization", ""), call.params.get("token", ""))
    if not given:
        raise ApiError(401, _NO_CREDENTIALS)
    if not security.same(given, options.token):
        raise ApiError(401, "Invalid token")
