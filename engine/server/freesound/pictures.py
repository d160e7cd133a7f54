"""Waveforms and spectrograms, drawn here as PNG; the sizes are Freesound's.

Audio is read a column of the picture at a time, so that memory stays flat however long a sound is.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt
from starlette.responses import Response

from engine.server.freesound.audio import fresh
from engine.server.freesound.call import ApiError, Call
from engine.server.freesound.resources import held

PICTURE = re.compile(r"displays/([0-9]{1,10})/([0-9]{1,10})_[0-9]{1,10}_(wave|spec)(_bw)?_(M|L)\.png")
_SIZES = {"M": (120, 71), "L": (900, 201)}
"""Columns and rows."""
_FRAME = 2048
_MOST_READ = 1 << 14
"""Frames read of a column's time."""
_QUIETEST = -90.0
_GREY, _COLOUR = ((255, 255, 255), (0, 0, 0)), ((13, 17, 33), (94, 222, 196))
"""Background and foreground."""

Pixels = npt.NDArray[np.uint8]
_ONE_AT_A_TIME = Lock()


def picture(call: Call, folder: int, sound_id: int, kind: str, grey: str, size: str) -> Response:
    """`displays/<folder>/<id>_<user>_wave_bw_M.png` and its like."""
    sound = held(call, sound_id, "Not found")
    if folder != sound_id // 1000 or sound.file is None:
        raise ApiError(404, "Not found")
    tag = f'"{sound.file.sha256[:24]}-{kind}{grey}{size}"'
    headers = {"etag": tag, "cache-control": "max-age=86400"}
    if fresh(call, tag):
        return Response(status_code=304, headers=headers)
    path = sound.file.path
    with _ONE_AT_A_TIME:  # however many a page shows, the others get their turn
        body = call.served.shelf.get(("picture", tag), lambda: drawn(path, kind, size, _GREY if grey else _COLOUR))
    return Response(body, media_type="image/png", headers=headers)


def drawn(path: Path, kind: str, size: str, colours: tuple[tuple[int, int, int], tuple[int, int, int]]) -> bytes:
    """A picture of a file.

    Raises
    ------
    ApiError
        The file cannot be read.
    """
    import soundfile

    columns, rows = _SIZES[size]
    try:
        with soundfile.SoundFile(path) as file:
            shade = (_wave if kind == "wave" else _spectrum)(file, columns, rows)
    except (soundfile.SoundFileError, OSError, MemoryError, ValueError):
        raise ApiError(404, "Not found") from None
    back, front = (np.array(colour, np.float32) for colour in colours)
    return png((back + shade[..., None] * (front - back)).round().astype(np.uint8))


def png(pixels: Pixels) -> bytes:
    """A picture (rows, columns, 3) as PNG (https://www.w3.org/TR/png/), without any filter."""
    rows, columns, _ = pixels.shape
    lines = np.zeros((rows, 1 + 3 * columns), np.uint8)
    lines[:, 1:] = pixels.reshape(rows, -1)
    header = struct.pack(">IIBBBBB", columns, rows, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes())), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )


def _parts(file: Any, columns: int, least: int) -> Iterator[npt.NDArray[np.float32]]:
    """Mono audio (n,) from the time of each column on, `least` frames or as many as there are."""
    for column in range(columns):
        start, stop = column * file.frames // columns, (column + 1) * file.frames // columns
        file.seek(start)
        read = file.read(min(max(stop - start, least), _MOST_READ), dtype="float32", always_2d=True)
        yield np.nan_to_num(read).mean(axis=1) if len(read) else np.zeros(1, np.float32)


def _wave(file: Any, columns: int, rows: int) -> npt.NDArray[np.float32]:
    """Shade (rows, columns): 1 between the lowest and the highest sample of each column."""
    extremes = np.array([(part.min(), part.max()) for part in _parts(file, columns, 1)], np.float32).clip(-1, 1)
    middle = (rows - 1) / 2
    high, low = (np.round(middle * (1 - extremes[:, side])) for side in (1, 0))
    line = np.arange(rows)[:, None]
    return ((line >= high) & (line <= low)).astype(np.float32)


def _spectrum(file: Any, columns: int, rows: int) -> npt.NDArray[np.float32]:
    """Shade (rows, columns): the level in dB over a logarithmic frequency, the highest at the top."""
    window = np.hanning(_FRAME).astype(np.float32)
    edges = np.geomspace(1, _FRAME // 2, rows + 1)
    lower = np.minimum(edges[:-1].astype(int), _FRAME // 2 - 1)
    shade = np.empty((rows, columns), np.float32)
    for column, part in enumerate(_parts(file, columns, _FRAME)):
        frame = np.zeros(_FRAME, np.float32)
        frame[: min(len(part), _FRAME)] = part[:_FRAME]
        level = 20 * np.log10(np.abs(np.fft.rfft(frame * window)) / (_FRAME / 4) + 1e-10)
        shade[:, column] = (1 - np.maximum.reduceat(level, lower) / _QUIETEST)[::-1]
    return shade.clip(0, 1)
