"""The API's front: addresses, keys, limits and errors. What is behind an address is in `resources.py`.

In the order of the real one: unknown addresses are HTML, then the key, then the limit, then the method, then the sound.
"""

import re
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.freesound import resources
from tests.freesound.columns import dumps

SUSPENDED_TOKEN = "5" * 40
_REALM = {"WWW-Authenticate": 'Bearer realm="api"'}
_NO_CREDENTIALS = "Authentication credentials were not provided."
_NOT_FOUND = (
    "<!DOCTYPE html><html><head><title>404 | Freesound</title></head><body><h1>Page not found</h1></body></html>"
)
_MOST_BYTES_OF_URL = 8190
"""What the usual front end accepts in a request's first line."""

_ROUTES = {
    r"search/": resources.search,
    r"search/text/": resources.search,
    r"sounds/(\d+)/": resources.sound,
    r"sounds/(\d+)/analysis/": resources.analysis,
    r"sounds/(\d+)/similar/": resources.similar,
    r"sounds/(\d+)/comments/": resources.comments_of_sound,
    r"users/([^/]+)/": resources.user,
    r"users/([^/]+)/sounds/": resources.sounds_of_user,
    r"users/([^/]+)/packs/": resources.packs_of_user,
    r"packs/(\d+)/": resources.pack,
    r"packs/(\d+)/sounds/": resources.sounds_of_pack,
    r"(?:sounds/\d+/download/|sounds/\d+/download/link/|packs/\d+/download/|me/|me/bookmark_categories/)": None,
}
"""What answers each address; None wants OAuth2, which is not to be had here."""
_UNKNOWN = object()
"""In the place of what answers, where nothing does."""


@dataclass(frozen=True)
class Call:
    """One request to a resource: the catalogue, the base of the addresses, the parameters and the whole address."""

    catalogue: Any
    base: str
    params: dict[str, str]
    url: str


def make_api(server):
    """The application, over `server.catalogue`, `server.token` and `server.limits`."""

    async def api(request):
        path = request.path_params["path"]
        handler, groups = _route(path)
        if handler is _UNKNOWN:
            if not path.endswith("/") and _route(f"{path}/")[0] is not _UNKNOWN:
                return RedirectResponse(str(request.url.replace(path=f"{request.url.path}/")), 301)
            return HTMLResponse(_NOT_FOUND, 404)
        if len(request.url.path) + len(request.url.query) > _MOST_BYTES_OF_URL:
            return HTMLResponse("<html><head><title>414 Request-URI Too Large</title></head></html>", 414)
        try:
            key = _key(request, server.token)
            if words := server.limits.refuse(key):
                raise resources.ApiError(429, words)
            if request.method not in ("GET", "HEAD"):
                raise resources.ApiError(405, f'Method "{request.method}" not allowed.')
            if handler is None:
                raise resources.ApiError(401, _NO_CREDENTIALS)
            call = Call(server.catalogue, server.url, dict(request.query_params), str(request.url))
            return _json(handler(call, *groups))
        except resources.ApiError as error:
            return _json(dumps({"detail": error.detail}), error.status, _REALM if error.status == 401 else {})

    def old_api(request):
        words = "Freesound APIv1 has reached its end of life and is no longer available."
        return JSONResponse({"explanation": words}, 410)

    methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
    return Starlette(routes=[Route("/apiv2/{path:path}", api, methods=methods), Route("/api/{path:path}", old_api)])


def _route(path):
    for pattern, handler in _ROUTES.items():
        if match := re.fullmatch(pattern, path):
            return handler, match.groups()
    return _UNKNOWN, ()


def _key(request, token):
    """The key that the request shows; the header comes first.

    Raises
    ------
    ApiError
        There is none, or it is none of ours.
    """
    scheme, _, given = request.headers.get("authorization", "").strip().partition(" ")
    given = given.strip()
    if scheme.lower() == "token":
        if not given:
            raise resources.ApiError(401, "Invalid token header. No credentials provided.")
        if " " in given:
            raise resources.ApiError(401, "Invalid token header. Token string should not contain spaces.")
    else:
        given = request.query_params.get("token", "")
    if not given:
        raise resources.ApiError(401, _NO_CREDENTIALS)
    if given == SUSPENDED_TOKEN:
        raise resources.ApiError(401, "Suspended token or token pending for approval")
    if given != token:
        raise resources.ApiError(401, "Invalid token")
    return given


def _json(body, status=200, headers=None):
    headers = {"Access-Control-Allow-Origin": "*", **(headers or {})}
    return Response(body, status, headers, media_type="application/json")
