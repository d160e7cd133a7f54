"""Writing down what is heard, while it is heard.

The callback copies each block into a ring in shared memory and waits for nothing; a thread of the performer's process
takes it out and writes the file. What finds no room in the ring, or on the disk, is lost, counted and said, and the
sound goes on.

Conventions: audio is float32 of shape (frames, 2). The file has its name from the start and its header is settled every
second, so that whatever ends the performance, at most the last second of it is missing.
"""

from __future__ import annotations

import contextlib
import mmap
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.playback.shared import Segment
from engine.playback.wav import WavFile

RING_SECONDS = 10.0  # how long a disk may be busy with something else
TAKE_SECONDS = 0.1
SETTLE_SECONDS = 0.8  # with the time to take and to write, less than a second
_HEAD_BYTES = 64  # the counters, on a cache line of their own
_WRITTEN, _READ, _LOST = range(3)


class Ring:
    """Frames on their way from one process to the other: one writes, one reads, and neither waits.

    Parameters
    ----------
    memory : mmap
        Of `ring_bytes`; zeros to begin with.
    """

    def __init__(self, memory: mmap.mmap) -> None:
        self._counts = np.frombuffer(memory, dtype=np.int64, count=_HEAD_BYTES // 8)
        self._frames = np.frombuffer(memory, dtype=np.float32, offset=_HEAD_BYTES).reshape(-1, 2)
        self._seen = 0

    @property
    def lost(self) -> int:
        """Frames that found no room."""
        return int(self._counts[_LOST])

    def put(self, block: npt.NDArray[np.float32]) -> None:
        """Append a block of one channel or more, of which two are kept; all of it, or nothing. For the writer."""
        count, size = len(block), len(self._frames)
        written = int(self._counts[_WRITTEN])
        if written + count - int(self._counts[_READ]) > size:
            self._counts[_LOST] += count
            return
        begin = written % size
        first = min(count, size - begin)
        self._frames[begin : begin + first] = block[:first, :2]  # one channel goes to both
        self._frames[: count - first] = block[first:, :2]
        self._counts[_WRITTEN] = written + count

    def take(self) -> npt.NDArray[np.float32]:
        """Return what was there at the last call and was not taken yet. For the reader.

        A processor may show the count before the frames, though never for so long as there is between two calls.
        """
        read, upto = int(self._counts[_READ]), self._seen
        self._seen = int(self._counts[_WRITTEN])
        frames = np.take(self._frames, np.arange(read, upto), axis=0, mode="wrap")
        self._counts[_READ] = upto
        return frames


def make_ring(rate: int) -> Segment:
    """Shared memory for a ring."""
    return Segment(np.zeros(_HEAD_BYTES + 8 * round(RING_SECONDS * rate), dtype=np.uint8), "a recording")


class Recorder:
    """A recording under way, and the thread that writes it.

    Parameters
    ----------
    path : str or Path
        Ends in .wav; a file of that name must not exist.
    rate : int
        In Hz.
    tell : callable
        Told in one line what went wrong, and at the end what was written. Called from the thread.

    Raises
    ------
    EngineError
        If the file cannot be made, or there is no shared memory for the ring.
    """

    def __init__(self, path: str | Path, rate: int, tell: Callable[[str], None]) -> None:
        self.segment = make_ring(rate)
        self._ring = Ring(self.segment.map(write=True))
        self._file = WavFile(path, rate)
        self._tell = tell
        self._unwritten = 0
        self._said = False
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mirla-recording", daemon=True)
        self._thread.start()

    @property
    def path(self) -> Path:
        """The file."""
        return self._file.path

    @property
    def seconds(self) -> float:
        """Written so far."""
        return self._file.seconds

    @property
    def lost(self) -> int:
        """Frames that found no room, in the ring or on the disk."""
        return self._ring.lost + self._unwritten

    @property
    def done(self) -> bool:
        """Whether the file is finished."""
        return not self._thread.is_alive()

    def stop(self) -> None:
        """End it, once what is in the ring is written. Returns at once."""
        self._ending.set()

    def wait(self) -> None:
        """Wait until the file is finished, after `stop`."""
        self._thread.join()

    def _run(self) -> None:
        settled = time.monotonic()
        while not self._ending.wait(TAKE_SECONDS):
            self._write(self._ring.take())
            if time.monotonic() - settled > SETTLE_SECONDS:
                settled = time.monotonic()
                with contextlib.suppress(OSError):  # the next frames will say it
                    self._file.settle()
        for _ in range(2):  # what came since the last look, and the block that was being copied
            self._write(self._ring.take())
            time.sleep(TAKE_SECONDS)
        self._write(self._ring.take())
        self._finish()

    def _write(self, frames: npt.NDArray[np.float32]) -> None:
        """Write frames, or count them and say so the first time; the end tells how many they were."""
        reason = "the disk is too slow; record to another place"
        try:
            if len(frames):
                self._file.write(frames)
        except OSError as error:
            self._unwritten += len(frames)
            reason = f"{error.strerror}; make room, or record to another place"
        if self.lost and not self._said:
            self._said = True
            self._tell(f"recording {self.path}: some of it is lost after {self.seconds:.1f} s: {reason}")

    def _finish(self) -> None:
        try:
            self._file.close()
        except OSError as error:
            self._tell(f"recording {self.path}: {error.strerror}; its end may be missing")
            return
        lost = f", {self.lost / self._file.rate:.1f} s lost" if self.lost else ""
        self._tell(f"recorded {self.path}: {self.seconds:.1f} s{lost}")
