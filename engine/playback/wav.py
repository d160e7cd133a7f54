"""A WAV file of 24 bits that can be read at any time while it is written.

Conventions: audio is float32 of shape (frames, channels), full scale at +-1.0. The header is brought up to date with
`settle`: whatever ends the process then, the file holds all that came before it.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.errors import EngineError

SUFFIX = ".wav"
_HEADER = "<4sI4s4sIHHIIHH4sI"
_HEADER_BYTES = struct.calcsize(_HEADER)
_SAMPLE_BYTES = 3
_FULL_SCALE = 2**23 - 1
_MOST_BYTES = 2**32 - 2**16  # its sizes have 32 bits
_PCM = 1


class WavFile:
    """A file being written, under its own name from the start.

    Parameters
    ----------
    path : str or Path
        Ends in .wav; a file of that name must not exist.
    rate : int
        In Hz.
    channels : int

    Attributes
    ----------
    frames : int
        Written so far.

    Raises
    ------
    EngineError
        If it exists, or cannot be made.
    """

    def __init__(self, path: str | Path, rate: int, channels: int = 2) -> None:
        self.path = Path(path)
        self.rate = rate
        self.frames = 0
        self._channels = channels
        if self.path.suffix.lower() != SUFFIX:
            raise EngineError(f"cannot record to {path}: its name does not end in {SUFFIX}; give one that does")
        try:
            self._file = self.path.open("xb", buffering=0)
            self._at(0, self._header())
        except FileExistsError as error:
            raise EngineError(f"cannot record to {path}: it exists and is kept; choose another name") from error
        except OSError as error:
            raise EngineError(f"cannot record to {path}: {error.strerror}; choose another place") from error

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.frames / self.rate

    def write(self, frames: npt.NDArray[np.float32]) -> None:
        """Append frames, all or none.

        Raises
        ------
        OSError
            If there is no room for them, or the file would be larger than a WAV can be.
        """
        samples = np.rint(np.clip(frames, -1.0, 1.0).astype(np.float64) * _FULL_SCALE).astype("<i4")
        data = samples.reshape(-1, 1).view(np.uint8)[:, :_SAMPLE_BYTES].tobytes()
        if self._bytes() + len(data) > _MOST_BYTES:
            raise OSError(0, "a WAV file cannot be larger than 4 GB")
        self._at(_HEADER_BYTES + self._bytes(), data)
        self.frames += len(frames)

    def settle(self) -> None:
        """Bring the header up to date, and the file to the disk."""
        self._at(0, self._header())
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Settle, and drop what was half written."""
        try:
            self._file.truncate(_HEADER_BYTES + self._bytes())
            self.settle()
        finally:
            self._file.close()

    def _bytes(self) -> int:
        return self.frames * self._channels * _SAMPLE_BYTES

    def _header(self) -> bytes:
        size, block = self._bytes(), self._channels * _SAMPLE_BYTES
        return struct.pack(
            _HEADER,
            b"RIFF",
            size + _HEADER_BYTES - 8,
            b"WAVE",
            b"fmt ",
            16,
            _PCM,
            self._channels,
            self.rate,
            self.rate * block,
            block,
            8 * _SAMPLE_BYTES,
            b"data",
            size,
        )

    def _at(self, offset: int, data: bytes) -> None:
        left = memoryview(data)
        self._file.seek(offset)
        while left:
            left = left[self._file.write(left) :]
