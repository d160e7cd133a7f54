"""Hand the audio of a clip to the audio process through shared memory, without a copy on its side.

The parent copies the frames into a segment, the audio process maps it and says so, and the parent removes the
segment's name at once: the memory then lives as long as it is mapped, and nothing is left behind however
either process ends.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from engine.errors import EngineError
from engine.playback.clip import Clip

SHARED_FOLDER = "/dev/shm"  # where Linux keeps it; other systems have no such folder


class Ticket(NamedTuple):
    """What the audio process needs to map a clip: the segment's name and all of the clip but its audio."""

    segment: str
    length: int  # frames
    id: int
    rate: int
    gain: float
    name: str


@contextmanager
def lend(clip: Clip) -> Iterator[Ticket]:
    """Put a clip into shared memory for as long as the audio process needs to map it.

    Raises
    ------
    EngineError
        If there is not enough shared memory.
    """
    size = max(1, clip.frames.nbytes)  # a segment of no bytes is refused
    _require_room(size, clip)
    segment = SharedMemory(create=True, size=size)
    try:
        view = _frames(segment, len(clip.frames))
        view[:] = clip.frames
        del view  # or the segment could not be closed
        yield Ticket(segment.name, len(clip.frames), clip.id, clip.rate, clip.gain, clip.name)
    finally:
        segment.close()
        segment.unlink()


def borrow(ticket: Ticket) -> tuple[Clip, SharedMemory]:
    """Map a lent clip. The segment refuses to close (BufferError) while anything still reads the clip."""
    segment = SharedMemory(ticket.segment)
    frames = _frames(segment, ticket.length)
    frames.flags.writeable = False
    return Clip(ticket.id, frames, ticket.rate, ticket.gain, ticket.name), segment


def _frames(segment: SharedMemory, length: int) -> npt.NDArray[np.float32]:
    assert segment.buf is not None  # it is open
    # frombuffer: an ndarray made on the buffer would not keep the segment from being closed under it
    return np.frombuffer(segment.buf, dtype=np.float32, count=2 * length).reshape(length, 2)


def _require_room(size: int, clip: Clip) -> None:
    # Linux promises more than there is, and kills whoever then writes to it
    if not Path(SHARED_FOLDER).is_dir():
        return
    room = os.statvfs(SHARED_FOLDER)
    free = room.f_bavail * room.f_frsize
    if size > free:
        raise EngineError(
            f"{clip.name!r} needs {size >> 20} MB of shared memory and {SHARED_FOLDER} has {free >> 20} MB "
            "free: unload other sounds or make it larger"
        )
