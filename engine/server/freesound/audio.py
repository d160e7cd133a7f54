"""Files over HTTP: previews, downloads and pictures, with ETags, and byte ranges of what lies on disk.

Paths come from the database alone, never from an address. A preview is the sound's file as it is here, whatever its
name says: the type that is answered is that of the file.
"""

from __future__ import annotations

import re
from pathlib import Path

from starlette.responses import FileResponse, Response

from corpus.model import Sound
from corpus.text import for_file_name
from engine.server.freesound.call import ApiError, Call
from engine.server.freesound.resources import held

PREVIEW = re.compile(r"previews/([0-9]{1,10})/([0-9]{1,10})_[0-9]{1,10}-(?:hq|lq)\.(?:ogg|mp3)")
_TYPES = {
    "ogg": "audio/ogg",
    "mp3": "audio/mpeg",
    "mpeg": "audio/mpeg",
    "wav": "audio/wav",
    "flac": "audio/flac",
    "aiff": "audio/aiff",
    "m4a": "audio/mp4",
}


def preview(call: Call, folder: int, sound_id: int) -> Response:
    """`previews/<folder>/<id>_<user>-hq.ogg` and its like."""
    if folder != sound_id // 1000:
        raise ApiError(404, "Not found")
    return _file(call, held(call, sound_id, "Not found"), None)


def download(call: Call, sound_id: int) -> Response:
    """`sounds/<id>/download/`: what is here of the sound, the original or a preview."""
    sound = held(call, sound_id, "Not found")
    return _file(call, sound, f"{for_file_name(sound.name) or sound.id}")


def _file(call: Call, sound: Sound, name: str | None) -> Response:
    file = sound.file
    if file is None or not file.path.is_file():
        raise ApiError(404, "Not found")
    tag = f'"{file.sha256[:32]}"'
    if fresh(call, tag):
        return Response(status_code=304, headers={"etag": tag})
    kind = _TYPES.get(file.format.lower(), "application/octet-stream")
    if name is not None and not name.lower().endswith(file.path.suffix.lower()):
        name += file.path.suffix
    return FileResponse(Path(file.path), headers={"etag": tag}, media_type=kind, filename=name)


def fresh(call: Call, tag: str) -> bool:
    """Whether the client has this already."""
    known = call.headers.get("if-none-match", "")
    return known.strip() == "*" or tag in (one.strip().removeprefix("W/") for one in known.split(","))
