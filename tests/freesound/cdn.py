"""The CDN: previews with byte ranges, no key wanted; and `/elsewhere/`, where redirects lead and nobody should go."""

import re

from starlette.applications import Starlette
from starlette.responses import FileResponse, HTMLResponse, JSONResponse
from starlette.routing import Route

from tests.freesound.previews import preview

_NAME = re.compile(r"(\d+)/(\d+)_\d+-(hq|lq)\.(ogg|mp3)")
_TYPES = {"ogg": "audio/ogg", "mp3": "audio/mpeg"}
NOT_FOUND = "<html><head><title>404 Not Found</title></head><body><center><h1>404 Not Found</h1></center></body></html>"
TRAP = {"id": 666, "name": "not from here", "tags": [], "username": "mallory", "license": "https://example.org/"}


def make_cdn(server):
    """The application, over `server.catalogue` and `server.folder`."""

    def previews(request):
        name = _NAME.fullmatch(request.path_params["name"])
        known = name and int(name[1]) == int(name[2]) // 1000
        original = server.catalogue.original(int(name[2])) if known else None
        if original is None:
            return HTMLResponse(NOT_FOUND, 404)
        return FileResponse(preview(original, f"{name[3]}-{name[4]}", server.folder), media_type=_TYPES[name[4]])

    def elsewhere(request):
        return JSONResponse({"count": 1, "previous": None, "next": None, "results": [TRAP], **TRAP})

    def missing(request):
        return HTMLResponse(NOT_FOUND, 404)

    routes = [Route("/previews/{name:path}", previews), Route("/elsewhere/{path:path}", elsewhere)]
    return Starlette(routes=[*routes, Route("/{path:path}", missing)])
