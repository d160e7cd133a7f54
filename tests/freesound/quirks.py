"""What Freesound does otherwise than a local Freesound, as middleware around `engine.server.freesound`.

In the order of the real one: unknown addresses are HTML, then the key, then the limit, then the method, then the sound.
The rest: what is not in the index or not in the database, the one default space, audio and images on another host.
"""

import json
import re
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse

from engine.server.freesound.app import ROUTES
from tests.freesound.capture import capture, replay

SUSPENDED_TOKEN = "5" * 40
_REALM = {"WWW-Authenticate": 'Bearer realm="api"'}
_NO_CREDENTIALS = "Authentication credentials were not provided."
_NOT_FOUND = (
    "<!DOCTYPE html><html><head><title>404 | Freesound</title></head><body><h1>Page not found</h1></body></html>"
)
_TOO_LONG = "<html><head><title>414 Request-URI Too Large</title></head></html>"
_MOST_BYTES_OF_URL = 8190
"""What the usual front end accepts in a request's first line."""
_ON_CDN = ("previews/", "displays/")
_WITH_OAUTH2 = re.compile(r"sounds/\d+/download/(link/)?|packs/\d+/download/|me/(bookmark_categories/)?")
_KNOWN = [re.compile(route) for route in ROUTES if not route.startswith(_ON_CDN)]
_OF_SOUND = re.compile(r"sounds/(\d+)/(\w*)/?")


class Refused(Exception):
    """An answer with `{"detail": …}`."""

    def __init__(self, status, detail):
        super().__init__(detail)
        self.status = status
        self.detail = detail


class Quirks:
    """Around the application that serves `server.catalogue.corpus`; `server` has the token, the limits, both hosts."""

    def __init__(self, app, server):
        self.app = app
        self.server = server

    async def __call__(self, scope, receive, send):
        try:
            answer = self._front(scope)
        except Refused as refusal:
            realm = _REALM if refusal.status == 401 else {}
            answer = JSONResponse({"detail": refusal.detail}, refusal.status, realm)
        if answer:
            return await answer(scope, receive, send)
        answer = await capture(self.app, self._asked(scope), receive)
        return await replay(answer.with_body(self._told(answer.body)), send)

    def _front(self, scope):
        """What is answered before anything is looked up; None: go on."""
        path = scope["path"]
        base, _, rest = path.partition("/apiv2/")
        if base:
            return JSONResponse({"explanation": "Freesound APIv1 has reached its end of life."}, 410)
        if not _is_known(rest):
            if _is_known(f"{rest}/"):
                return RedirectResponse(f"{path}/?{scope['query_string'].decode()}", 301)
            return HTMLResponse(_NOT_FOUND, 404)
        if len(path) + len(scope["query_string"]) > _MOST_BYTES_OF_URL:
            return HTMLResponse(_TOO_LONG, 414)
        key = _key(Headers(scope=scope).get("authorization", ""), _params(scope).get("token", ""), self.server.token)
        if words := self.server.limits.refuse(key):
            raise Refused(429, words)
        if scope["method"] not in ("GET", "HEAD"):
            raise Refused(405, f'Method "{scope["method"]}" not allowed.')
        if _WITH_OAUTH2.fullmatch(rest):
            raise Refused(401, _NO_CREDENTIALS)
        sound = _OF_SOUND.fullmatch(rest)
        if sound and int(sound[1]) in self.server.catalogue.nulls and sound[2] != "similar":
            raise Refused(404, "Not found" if sound[2] == "analysis" else "No Sound matches the given query.")
        return None

    def _asked(self, scope):
        """The request as the application is to see it."""
        params = _params(scope)
        if (params.get("similar_to") or scope["path"].endswith("/similar/")) and not params.get("similarity_space"):
            params["similarity_space"] = "laion_clap"
        unlisted = self.server.catalogue.unlisted
        if unlisted and params.get("filter", "x").strip():
            without = f"-id:({' OR '.join(map(str, sorted(unlisted)))})"
            params["filter"] = f"({params['filter']}) {without}" if "filter" in params else without
        return {**scope, "query_string": urlencode(params).encode()}

    def _told(self, body):
        """The application's JSON as upstream tells it."""
        nulls = self.server.catalogue.nulls
        if nulls and b'"results":[' in body:
            answer = json.loads(body)
            answer["results"] = [None if row.get("id") in nulls else row for row in answer["results"]]
            body = json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()
        for place in _ON_CDN:
            body = body.replace(f'"{self.server.url}/{place}'.encode(), f'"{self.server.cdn_url}/{place}'.encode())
        return body


def _is_known(rest):
    return _WITH_OAUTH2.fullmatch(rest) or any(route.fullmatch(rest) for route in _KNOWN)


def _params(scope):
    return dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True))


def _key(header, parameter, token):
    """The key that the request shows; the header comes first.

    Raises
    ------
    Refused
        There is none, or it is none of ours.
    """
    scheme, _, given = header.strip().partition(" ")
    given = given.strip()
    if scheme.lower() == "token":
        if not given:
            raise Refused(401, "Invalid token header. No credentials provided.")
        if " " in given:
            raise Refused(401, "Invalid token header. Token string should not contain spaces.")
    else:
        given = parameter
    if not given:
        raise Refused(401, _NO_CREDENTIALS)
    if given == SUSPENDED_TOKEN:
        raise Refused(401, "Suspended token or token pending for approval")
    if given != token:
        raise Refused(401, "Invalid token")
    return given
