"""Inspection: a foreign file is decoded from end to end before it is let in. Runs in a supervised worker."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from corpus.analysis.decode import blocks, decode, open_file
from corpus.errors import AudioError
from corpus.files import sha256_of

SUFFIXES = (".wav", ".aif", ".aiff", ".flac", ".ogg", ".oga", ".opus", ".mp3")
"""Endings by which sounds are found in a folder. What a file holds is read from its content."""

_FORMATS = {
    "WAV": "wav",
    "WAVEX": "wav",
    "AIFF": "aiff",
    "FLAC": "flac",
    "OGG": "ogg",
    "MP3": "mp3",
    "MPEG": "mp3",
}
_UNSIZED = (0, 0xFFFFFFFF)
_OGG_TAIL = 1 << 16
_END_OF_STREAM = 4
_HEAD = 8
_ID3 = 10
"""Bytes that open an ID3 tag; the last four say how long it is, seven bits each."""
_XING_ENDS = 192
"""No Xing header ends further than this from the start of its frame."""


@dataclass(frozen=True)
class Inspected:
    """What a file holds: `format` is the ending it should have."""

    sha256: str
    format: str
    samplerate: int
    channels: int
    frames: int


def inspect(path: Path) -> Inspected:
    """Decode a file from end to end.

    Raises
    ------
    AudioError
        It is missing, empty, cut short, no audio, of another format, or holds samples that are not numbers.
    """
    try:
        if not path.exists():
            raise AudioError("does not exist; check its name, or where its link leads")
        if not path.is_file():
            raise AudioError("is not a regular file; record what it gives to a file first")
        if not path.stat().st_size:
            raise AudioError("is empty (0 bytes); copy it again")
        sha256 = sha256_of(path)
    except OSError as error:
        raise AudioError(f"cannot be read: {error.strerror or error}; see to its permissions and its disk") from error
    try:
        found = _by_libsndfile(path, sha256)
    except RuntimeError:
        return _by_any_decoder(path, sha256)
    if missing := _cut_short(path, found):
        raise AudioError(f"is cut short: {missing}; copy it again, or re-export what is there")
    return found


def by_header(path: Path, sha256: str) -> Inspected:
    """What the header of a file says, which was let in with this hash.

    Raises
    ------
    AudioError
        It is of another format.
    RuntimeError
        libsndfile cannot open it.
    """
    with open_file(path) as file:
        kind = "opus" if file.subtype == "OPUS" else _FORMATS.get(file.format)
        if kind is None:
            raise AudioError(f"is {file.format}, which mirla does not take; convert it to WAV or FLAC")
        return Inspected(sha256, kind, file.samplerate, file.channels, file.frames)


def _by_libsndfile(path: Path, sha256: str) -> Inspected:
    found, decoded = by_header(path, sha256), 0
    try:
        for block, _ in blocks(path):
            decoded += len(block)
            if not np.isfinite(block).all():
                raise AudioError("holds samples that are NaN or infinite; re-export it")
    except RuntimeError as error:
        raise AudioError("is damaged or cut short: not all of it can be decoded; copy it again") from error
    if decoded < found.frames:
        raise AudioError(
            f"is cut short: its header promises {found.frames} samples, {decoded} are there; "
            "copy it again, or re-export what is there"
        )
    if not decoded:
        raise AudioError("holds no samples; re-export it")
    return found


def _by_any_decoder(path: Path, sha256: str) -> Inspected:
    audio = decode(path)
    kind = path.suffix.lower().lstrip(".")
    frames, channels = audio.samples.shape
    return Inspected(sha256, kind, audio.rate, channels, frames)


def _cut_short(path: Path, found: Inspected) -> str:
    """What libsndfile passes over: a WAV, AIFF or MP3 shorter than its header says, an Ogg without its last page."""
    there = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_HEAD)
        file.seek(max(0, there - _OGG_TAIL))
        tail = file.read()
    if found.format in ("ogg", "opus"):
        return "" if _ends_with_its_last_page(tail) else "its last Ogg page is missing"
    promised = _promised_by_xing(path) if found.format == "mp3" else _promised_by_chunks(head)
    return f"its header promises {promised} bytes, {there} are there" if there < promised else ""


def _promised_by_chunks(head: bytes) -> int:
    """The least number of bytes that the head of a WAV or AIFF promises; 0 where it promises none."""
    if head[:4] not in (b"RIFF", b"FORM"):
        return 0
    size = int.from_bytes(head[4:8], "little" if head[:4] == b"RIFF" else "big")
    return 0 if size in _UNSIZED else size + 8 - 1  # a padding byte may be forgotten


def _promised_by_xing(path: Path) -> int:
    """The least number of bytes that the Xing header in the first frame of an MP3 promises; 0 without one.

    libsndfile takes the header's word and fills what is missing with silence.
    """
    with path.open("rb") as file:
        head = file.read(_ID3)
        tagged = head[:3] == b"ID3" and len(head) == _ID3  # its words may be any, "Xing" among them
        size = sum(byte << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True)) if tagged else -_ID3
        file.seek(_ID3 + size)
        frame = file.read(_XING_ENDS)
    header = re.search(rb"(?:Xing|Info)\0\0\0[\3\7\x0b\x0f].{4}(.{4})", frame, re.DOTALL)
    return _ID3 + size + int.from_bytes(header[1], "big") if header else 0


def _ends_with_its_last_page(tail: bytes) -> bool:
    """Whether the last Ogg page is whole and says that it is the last."""
    page = tail[max(0, tail.rfind(b"OggS")) :]
    whole = 27 + page[26] + sum(page[27 : 27 + page[26]]) if len(page) > 26 else 28
    return page.startswith(b"OggS") and len(page) >= whole and bool(page[5] & _END_OF_STREAM)
