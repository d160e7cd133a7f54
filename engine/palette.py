"""Palettes: sounds made ready for TidalCycles, Sonic Pi, Strudel and any sampler, and published under a name.

Files are WAV, 24 bits, stereo at 44.1 kHz: all of these read that, and all play one-channel files 3 dB softer than
others. Each is brought to the player's loudness (-23 LUFS, raised by 20 dB at most), but for sounds whose peaks would
come nearer than 1 dB to full scale: they stay softer, not squashed. (Of Sonic Pi's 165 samples these are 10; limiting
them as the player does made all but one no louder than 1.2 dB more.) Names begin with the place, from 000, so that the
alphabet has them in order.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from corpus.credits import commercial, of_palette
from corpus.library import Corpus
from corpus.model import Palette, Sound
from corpus.publishing import Made
from corpus.text import for_file_name
from engine.clips import load
from engine.errors import PaletteError
from engine.playback.clip import TARGET_LUFS, Clip, gain_towards

RATE = 44100
"""In Hz."""
MOST = 1000
"""Sounds in a palette: three digits keep them in order."""
_CEILING = 10 ** (-1.05 / 20)
"""So that rounding to 24 bits, too, leaves peaks below -1 dBFS."""
_FADE_SECONDS = 0.010
_UNCHANGED_DB = 0.05
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,59}")
_RESERVED = {"con", "prn", "aux", "nul", "rest", "silence"} | {
    f"{port}{n}" for port in ("com", "lpt") for n in range(10)
}
"""Words that mean something else, in Windows or in patterns."""

Use = Literal["commercial"]


@dataclass(frozen=True)
class Wish:
    """How a palette is to be published.

    Attributes
    ----------
    append, replace : bool
        What is to happen to a palette of that name: one of them, or it is an error that there is one.
    seconds : float, optional
        Cut each sound to this, with a short fade.
    use : str, optional
        What licences must not forbid.
    """

    append: bool = False
    replace: bool = False
    seconds: float | None = None
    use: Use | None = None


def publish(
    corpus: Corpus,
    name: str,
    ids: Sequence[int],
    wish: Wish | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Palette:
    """Publish sounds under a name, in their order, each once.

    Raises
    ------
    PaletteError
        The name cannot be used or is taken, there is nothing or too much to publish, or a licence forbids the use.
    UnknownSound, AudioError
        One of the sounds is not held, or has no audio that can be decoded.
    HomeError
        The folder cannot be written. In any of these cases what was published before stays as it was.
    """
    wish = wish or Wish()
    check_name(name)
    if not ids:
        raise PaletteError(f"there is no sound to publish as palette {name!r}; choose some")
    sounds = corpus.sounds.many(list(dict.fromkeys(ids)))
    folder = corpus.palette_folder
    with folder.alone():
        kept = _kept(corpus, name, wish)
        held = {sound.id for sound in kept.sounds} if kept else set()
        new = [sound for sound in sounds if sound.id not in held]
        _check(name, kept, new, wish)
        places = range(len(held), len(held) + len(new))

        def made() -> Iterator[Made]:
            for done, (place, sound) in enumerate(zip(places, new, strict=True), 1):
                yield _made(corpus, place, sound, wish.seconds)
                if progress:
                    progress(done, len(new))

        return folder.publish(name, kept, made(), of_palette)


def remove(corpus: Corpus, name: str) -> Palette:
    """Take a palette back; what it was.

    Raises
    ------
    PaletteError
        There is none of that name.
    """
    with corpus.palette_folder.alone():
        palette = published(corpus, name)
        corpus.palette_folder.remove(palette)
    return palette


def published(corpus: Corpus, name: str) -> Palette:
    """A palette by its name.

    Raises
    ------
    PaletteError
        There is none.
    """
    palette = corpus.palettes.get(name)
    if palette is None:
        raise PaletteError(f"no palette {name!r}; `mirla palette list` shows them")
    return palette


def check_name(name: str) -> None:
    """Refuse what could be no folder, no OSC address or no word of a pattern in one of the systems.

    Raises
    ------
    PaletteError
        It is such a name.
    """
    if not _NAME.fullmatch(name):
        raise PaletteError(
            f"{name!r} cannot name a palette; take letters, digits, _ and -, a letter first, at most 60 in all"
        )
    if name.lower() in _RESERVED:
        raise PaletteError(f"{name!r} is a word with another meaning; choose another name for the palette")


def as_json(corpus: Corpus, palette: Palette) -> dict[str, Any]:
    """A palette as the command line answers it."""
    return {
        "palette": palette.name,
        "folder": str(address(corpus, palette)),
        "version": palette.version,
        "published": palette.published,
        "sounds": [{"index": sound.index, "id": sound.id, "file": sound.file} for sound in palette.sounds],
    }


def address(corpus: Corpus, palette: Palette) -> Path:
    """The folder that other systems read, whatever its version."""
    return corpus.palette_folder.root / palette.name


def levelled(clip: Clip) -> tuple[npt.NDArray[np.float32], float]:
    """A clip's frames at the player's loudness, or as near to it as its peaks leave room for, and by how many dB so."""
    from corpus.analysis.loudness import LevelMeter

    meter = LevelMeter(clip.rate)
    meter.add(clip.frames)
    gain = gain_towards(TARGET_LUFS, meter.loudness())
    if meter.peak * gain > _CEILING:
        gain = _CEILING / meter.peak
    return clip.frames * np.float32(gain), 20 * math.log10(gain)


def _kept(corpus: Corpus, name: str, wish: Wish) -> Palette | None:
    """What stays of a palette of that name."""
    other = next((one.name for one in corpus.palettes.all() if one.name.lower() == name.lower()), name)
    if other != name:
        raise PaletteError(f"palette {other!r} has the same name but for capitals, which some disks take for one")
    if corpus.palette_folder.foreign(name):
        raise PaletteError(f"{corpus.palette_folder.root / name} is there and was not published; move it away")
    palette = corpus.palettes.get(name)
    if palette is None or wish.replace:
        return None
    if not wish.append:
        raise PaletteError(
            f"palette {name!r} is published, with {len(palette.sounds)} sounds; --append adds to it, --replace begins "
            "it anew"
        )
    if damaged := corpus.palette_folder.damaged(palette):
        raise PaletteError(
            f"palette {name!r}: {damaged[0]} is missing or was changed since; publish all with --replace"
        )
    return palette


def _check(name: str, kept: Palette | None, new: Sequence[Sound], wish: Wish) -> None:
    before = kept.sounds if kept else ()
    if len(before) + len(new) > MOST:
        raise PaletteError(f"palette {name!r} would have {len(before) + len(new)} sounds; {MOST} is the most")
    if wish.use == "commercial":
        credited = [*(sound.credit for sound in before), *(sound.credited for sound in new)]
        forbidden = [credit["id"] for credit in credited if not commercial(credit)]
        if forbidden:
            named = ", ".join(map(str, forbidden[:5])) + ", …" * (len(forbidden) > 5)
            raise PaletteError(
                f"{len(forbidden)} of {len(credited)} sounds are not licensed for commercial use: {named}; leave them "
                "out, or choose with --licence"
            )


def _made(corpus: Corpus, place: int, sound: Sound, seconds: float | None) -> Made:
    (clip,) = load(corpus, [sound.id], RATE)
    assert sound.file is not None
    changes = []
    if seconds is not None and clip.seconds > seconds:
        clip = _cut(clip, seconds)
        changes.append(f"cut to {clip.seconds:.1f} s")
    if sound.file.samplerate != RATE:
        changes.append("resampled to 44.1 kHz")
    frames, decibels = levelled(clip)
    if abs(decibels) > _UNCHANGED_DB:
        changes.append("levelled")
    credit = sound.credited
    if changes:
        credit["line"] += f", changed: {_listed(changes)}"
    user = for_file_name(sound.username or "local", 30)
    file = f"{place:03}_{sound.id}_{user}_{for_file_name(Path(sound.name).stem)}.wav"
    return Made(sound.id, file, frames, RATE, credit)


def _cut(clip: Clip, seconds: float) -> Clip:
    frames = clip.frames[: max(1, round(seconds * clip.rate))].copy()
    fade = min(len(frames), round(_FADE_SECONDS * clip.rate))
    frames[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)[:, np.newaxis]
    return Clip(id=clip.id, frames=frames, rate=clip.rate, gain=clip.gain, name=clip.name)


def _listed(words: Sequence[str]) -> str:
    return " and ".join([*([", ".join(words[:-1])] if words[1:] else []), words[-1]])
