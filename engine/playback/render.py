"""Write an arrangement to a file, with the mixer that plays it, and whole or not at all."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import EngineError
from engine.playback.arrangement import arrange
from engine.playback.clip import Clip
from engine.playback.mixer import MAX_VOICES
from engine.playback.offline import OfflinePlayer, Write

FORMATS = {".wav": "WAV", ".flac": "FLAC"}


@dataclass(frozen=True)
class Rendered:
    """What was written: its length in seconds and frames, its sample peak in dBFS (None: silence)."""

    seconds: float
    peak_dbfs: float | None
    frames: int


def render_offline(
    clips: Sequence[Clip],
    rate: int,
    together: bool,
    seconds: float | None,
    out: str | Path,
) -> Rendered:
    """Render `arrange(clips, together=..., seconds=...)` to a stereo file of 24 bits.

    Parameters
    ----------
    clips : sequence of Clip
        All at `rate`. More than the live mixer's voices may sound together: time does not press here.
    rate : int
        In Hz.
    together, seconds
        As in `arrange`.
    out : str or Path
        Ends in .wav or .flac. It is written under a temporary name beside it and renamed when complete.

    Raises
    ------
    EngineError
        If the extension is another one, the file cannot be written, or as in `arrange`.
    """
    placed = arrange(clips, together=together, seconds=seconds)
    with writing(Path(out), rate) as write:
        player = OfflinePlayer(rate, write=write, max_voices=max(MAX_VOICES, len(clips)))
        for item in placed:
            player.start(item.clip, at=item.start, frames=item.frames, loop=item.loop)
        player.advance(max(item.end for item in placed))
        player.close()
    peak = player.stats()["peak"]
    return Rendered(player.position / rate, 20.0 * math.log10(peak) if peak else None, player.position)


@contextlib.contextmanager
def writing(out: Path, rate: int) -> Iterator[Write]:
    """Yield what takes the blocks; the file is there when all were written.

    Raises
    ------
    EngineError
        If the extension is not one of `FORMATS`, or the file cannot be written.
    """
    import soundfile

    if out.suffix.lower() not in FORMATS:
        raise EngineError(f"cannot write {out}: {out.suffix or 'no extension'} is not .wav or .flac; use one of them")
    kind = FORMATS[out.suffix.lower()]
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        part.touch()  # libsndfile says "System error" to all that the system could explain
        with soundfile.SoundFile(os.fsencode(part), "w", rate, 2, subtype="PCM_24", format=kind) as file:
            yield file.write
        part.replace(out)
    except (soundfile.SoundFileError, OSError) as error:
        words = getattr(error, "error_string", None) or getattr(error, "strerror", None) or str(error)
        raise EngineError(
            f"cannot write {out}: {words.strip(' .')}; make room or choose another place with --out"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
