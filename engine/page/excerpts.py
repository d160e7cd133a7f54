"""Excerpts: the beginning of what is audible in a sound, short, at one loudness, as MP3 inside a page.

An excerpt is levelled as the player levels a sound: -23 LUFS by its own loudness, raised by 20 dB at most, behind the
limiter at -1 dBFS, faded at both ends. Mono stays mono; more than two channels become their mean.
"""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from corpus.errors import AudioError
from corpus.model import Sound

SECONDS = 3.0
"""Length of an excerpt at most."""
RATE = 44100
_SEARCHED = 60.0
"""Seconds of a sound in which the audible beginning is looked for."""
_AUDIBLE_DB = -40.0
"""What counts as audible, relative to the peak of these seconds."""
_LEAD_IN = 0.01
"""Seconds kept before it."""
_SHORTEST = 0.1
"""Seconds that an excerpt has at least, for decoders' sake; silence follows what is shorter."""
_COMPRESSION = 0.7
"""libsndfile's scale from 0 to 1: 112 kbit/s."""

Frames = npt.NDArray[np.float32]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Excerpt:
    """What a page needs of a sound to play it.

    Attributes
    ----------
    sound : Sound
    uri : str or None
        The MP3 as a data URI; None where there is nothing to hear.
    lacks : str
        Then why, in words that follow the sound's name.
    seconds : float
        Length of the excerpt.
    cut : bool
        Whether the sound goes on.
    """

    sound: Sound
    uri: str | None = None
    lacks: str = ""
    seconds: float = 0.0
    cut: bool = False

    @property
    def credit(self) -> str:
        """The line that credits the sound's maker, and says what was changed."""
        if self.uri is None:
            return self.sound.credit
        cut = f"cut to {self.seconds:.1f} s, " if self.cut else ""
        return f"{self.sound.credit}, changed: {cut}levelled and compressed to MP3"


def excerpts(sounds: Sequence[Sound], progress: Progress | None = None) -> list[Excerpt]:
    """An excerpt of each sound, in their order; one that cannot be heard says why instead of failing."""
    made = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # decoders and encoder let other threads run
        for excerpt in pool.map(_excerpt, sounds):
            made.append(excerpt)
            if progress:
                progress(len(made), len(sounds))
    return made


def _excerpt(sound: Sound) -> Excerpt:
    if sound.file is None:
        return Excerpt(sound, lacks="has no audio here")
    try:
        frames, rate = _read(sound.file.path)
    except AudioError:
        return Excerpt(sound, lacks="cannot be decoded any more" if sound.file.path.is_file() else "lost its file")
    begin = _audible(frames, rate)
    if begin is None:
        return Excerpt(sound, lacks="is silent")
    taken = frames[begin : begin + round(SECONDS * rate)]
    cut = len(taken) < sound.file.frames
    uri = "data:audio/mpeg;base64," + base64.b64encode(_mp3(_levelled(taken, rate))).decode()
    return Excerpt(sound, uri, "", len(taken) / rate, cut)


def _read(path: Path) -> tuple[Frames, int]:
    """The first minute of a file, its rate; at most two channels, all of it finite.

    Raises
    ------
    AudioError
        It is missing, or no decoder can read it.
    """
    from corpus.analysis.decode import decode, open_file

    try:
        with open_file(path) as file:
            rate = file.samplerate
            frames = file.read(round(_SEARCHED * rate), dtype="float32", always_2d=True)
    except (RuntimeError, OSError):
        audio = decode(path)  # another decoder, for the files that libsndfile refuses
        frames, rate = audio.samples[: round(_SEARCHED * audio.rate)], audio.rate
    if frames.shape[1] > 2:
        frames = frames.mean(axis=1, keepdims=True, dtype=np.float32)
    return np.nan_to_num(frames, nan=0.0, posinf=0.0, neginf=0.0), rate


def _audible(frames: Frames, rate: int) -> int | None:
    """The frame just before the first audible one; None in silence."""
    levels = np.abs(frames).max(axis=1, initial=0)
    peak = levels.max(initial=0)
    if peak <= 10 ** (-90 / 20):
        return None
    first = int(np.argmax(levels >= peak * 10 ** (_AUDIBLE_DB / 20)))
    return max(0, first - round(_LEAD_IN * rate))


def _levelled(frames: Frames, rate: int) -> Frames:
    """As the player would have it, by its own mixer, at `RATE`."""
    from corpus.analysis.loudness import LevelMeter
    from engine.playback.clip import clip_from_array
    from engine.playback.mixer import Mixer

    meter = LevelMeter(rate)
    meter.add(frames)
    missing = max(0, round(_SHORTEST * rate) - len(frames))
    clip = clip_from_array(
        np.pad(frames, ((0, missing), (0, 0))), rate, id=0, name="", loudness=meter.loudness(), rate=RATE
    )
    mixer = Mixer(RATE, channels=frames.shape[1])
    mixer.start(clip)
    mixer.render(mixer.latency)
    return mixer.render(len(clip.frames))


def _mp3(frames: Frames) -> bytes:
    import soundfile

    encoded = io.BytesIO()
    soundfile.write(
        encoded,
        frames,
        RATE,
        format="MP3",
        subtype="MPEG_LAYER_III",
        bitrate_mode="CONSTANT",
        compression_level=_COMPRESSION,
    )
    return encoded.getvalue()
