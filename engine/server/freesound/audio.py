"""Files over HTTP: previews and downloads, with ETags and byte ranges.

Paths come from the database alone, never from an address. A preview is the sound's file as it is here, whatever its
name says: the type that is answered is that of the file. Of several ranges in one request the whole file is the answer,
as RFC 9110 allows.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

from anyio import to_thread
from starlette.responses import Response, StreamingResponse

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
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
_AT_ONCE = 1 << 18
"""Bytes read at a time."""


def preview(call: Call, folder: int, sound_id: int) -> Response:
    """`previews/<folder>/<id>_<user>-hq.ogg` and its like."""
    if folder != sound_id // 1000:
        raise ApiError(404, "Not found")
    return _file(call, held(call, sound_id, "Not found"), {})


def download(call: Call, sound_id: int) -> Response:
    """`sounds/<id>/download/`: what is here of the sound, the original or a preview."""
    sound = held(call, sound_id, "Not found")
    name, suffix = for_file_name(sound.name) or str(sound.id), sound.file.path.suffix if sound.file else ""
    name = name if name.lower().endswith(suffix.lower()) else name + suffix
    return _file(call, sound, {"content-disposition": f'attachment; filename="{name}"'})


def fresh(call: Call, tag: str) -> bool:
    """Whether the client has this already."""
    known = call.headers.get("if-none-match", "")
    return known.strip() == "*" or tag in (one.strip().removeprefix("W/") for one in known.split(","))


def _file(call: Call, sound: Sound, headers: dict[str, str]) -> Response:
    """A sound's file, or the part of it that is asked for."""
    if sound.file is None:
        raise ApiError(404, "Not found")
    tag = f'"{sound.file.sha256[:32]}"'
    headers = {"etag": tag, "accept-ranges": "bytes", **headers}
    if fresh(call, tag):
        return Response(status_code=304, headers=headers)
    try:
        file = Path(sound.file.path).open("rb")  # noqa: SIM115  # the answer closes it
        size = file.seek(0, 2)
    except OSError:
        raise ApiError(404, "Not found") from None
    start, stop = _wanted(call, tag, size)
    kind = _TYPES.get(sound.file.format.lower(), "application/octet-stream")
    if start >= stop and size:
        file.close()
        headers["content-range"] = f"bytes */{size}"
        return Response(status_code=416, headers=headers)
    part = (start, stop) != (0, size)
    headers["content-length"] = str(stop - start)
    if part:
        headers["content-range"] = f"bytes {start}-{stop - 1}/{size}"
    return StreamingResponse(_bytes(file, start, stop), 206 if part else 200, headers, kind)


def _wanted(call: Call, tag: str, size: int) -> tuple[int, int]:
    """The first byte that is asked for, and where to end; nothing where the file has none of it."""
    match = _RANGE.fullmatch(call.headers.get("range", "").strip())
    if not match or not (match[1] or match[2]) or call.headers.get("if-range", tag) != tag:
        return 0, size
    if not match[1]:
        return max(0, size - int(match[2])), size
    stop = min(size, int(match[2]) + 1) if match[2] else size
    if match[2] and int(match[2]) < int(match[1]):  # no range at all
        return 0, size
    return int(match[1]), stop


async def _bytes(file: BinaryIO, start: int, stop: int) -> AsyncIterator[bytes]:
    """A file's bytes from one place to another; in a thread, since a disk may have to wake up."""
    with file:
        file.seek(start)
        while start < stop and (data := await to_thread.run_sync(file.read, min(_AT_ONCE, stop - start))):
            start += len(data)
            yield data
