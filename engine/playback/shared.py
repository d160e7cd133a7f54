"""Memory that the performer's process and the audio process both see: sounds, and what is recorded.

Conventions: audio is float32 of shape (frames, 2). The memory is a file without a name, on Linux in memory alone. Its
descriptor goes through the pipe and both processes map it, so that a sound is held once, another audio process can be
given it again, and nothing is left behind however either process ends.
"""

from __future__ import annotations

import mmap
import os
import tempfile
import weakref
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from engine.errors import EngineError
from engine.playback.clip import Clip

SHARED_FOLDER = "/dev/shm"  # where Linux keeps it; elsewhere a temporary file does, which the system caches
FILES = 16384  # each sound takes two descriptors here, and one in the audio process


class Segment:
    """Shared memory with a content.

    Parameters
    ----------
    content : ndarray
        Contiguous; copied.
    what : str
        Whose it is, for the message.

    Attributes
    ----------
    size : int
        In bytes.
    fd : int
        Its descriptor, to be handed over; closed with the last reference to this.

    Raises
    ------
    EngineError
        If there is not so much.
    """

    def __init__(self, content: npt.NDArray[np.generic], what: str) -> None:
        self.size = max(1, content.nbytes)  # nothing cannot be mapped
        folder = SHARED_FOLDER if Path(SHARED_FOLDER).is_dir() else tempfile.gettempdir()
        try:
            with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
                file.truncate(self.size)
                data = np.ascontiguousarray(content).data.cast("B") if content.size else memoryview(b"")
                while data:  # written, not copied into a mapping: what does not fit is an error then, not a signal
                    data = data[file.write(data) :]
                self.fd = os.dup(file.fileno())
        except OSError as error:
            raise EngineError(
                f"{what} needs {self.size / 1e6:.1f} MB of shared memory in {folder}: {error.strerror}; "
                "unload other sounds or make it larger"
            ) from error

        weakref.finalize(self, os.close, self.fd)

    def map(self, *, write: bool = False) -> mmap.mmap:
        """Its memory, in this process."""
        return map_memory(self.fd, self.size, write=write)


class Ticket(NamedTuple):
    """What the audio process needs beside a segment to make a clip of it."""

    size: int  # of the segment, in bytes
    length: int  # frames
    id: int
    rate: int
    gain: float
    name: str
    semitones: float


def share(clip: Clip) -> tuple[Clip, Segment]:
    """Copy a clip into shared memory, and return it as it is there."""
    segment = Segment(clip.frames, repr(clip.name))
    return replace(clip, frames=_frames(segment.map(), len(clip.frames))), segment


def ticket(clip: Clip, segment: Segment) -> Ticket:
    """Describe a shared clip to the audio process."""
    return Ticket(segment.size, len(clip.frames), clip.id, clip.rate, clip.gain, clip.name, clip.semitones)


def borrow(ticket: Ticket, fd: int) -> tuple[Clip, mmap.mmap]:
    """Map a shared clip. The memory refuses to close (BufferError) while anything still reads the clip."""
    memory = map_memory(fd, ticket.size)
    frames = _frames(memory, ticket.length)
    return Clip(ticket.id, frames, ticket.rate, ticket.gain, ticket.name, ticket.semitones), memory


def map_memory(fd: int, size: int, *, write: bool = False) -> mmap.mmap:
    """Map a segment by its descriptor, which may be closed then."""
    return mmap.mmap(fd, size, access=mmap.ACCESS_WRITE if write else mmap.ACCESS_READ)


def allow_files() -> None:
    """Let this process hold as many descriptors as many short sounds take, where the system permits it."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _frames(memory: mmap.mmap, length: int) -> npt.NDArray[np.float32]:
    return np.frombuffer(memory, dtype=np.float32, count=2 * length).reshape(length, 2)
