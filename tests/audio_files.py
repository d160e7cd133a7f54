"""Audio files for the tests: every format mirla takes, as loud or as odd as one likes."""

import os

import numpy as np
import soundfile

FORMATS = {
    "wav": ("WAV", "PCM_16"),
    "aiff": ("AIFF", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
}


def tone(hertz=440.0, *, seconds=0.5, rate=44100, channels=1):
    """A sine with a little noise of its own in every channel, shape (frames, channels); another pitch, other bytes."""
    time = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(round(hertz)).standard_normal((len(time), channels))
    return 0.3 * np.sin(2 * np.pi * hertz * time)[:, None] + 0.01 * noise


def write(path, samples, rate=44100, kind="wav", subtype=None):
    """Write samples as `kind` says, whatever bytes the path is made of; returns the path."""
    form, usual = FORMATS[kind]
    soundfile.write(os.fsencode(path), samples, rate, format=form, subtype=subtype or usual)
    return path


def write_tone(path, hertz=440.0, *, kind="wav", **shape):
    """Write a tone (see `tone`) as `kind` says; Opus takes no 44100 Hz, so its rate is 48000 unless told."""
    shape.setdefault("rate", 48000 if kind == "opus" else 44100)
    return write(path, tone(hertz, **shape), shape["rate"], kind)


def keep_share(path, share):
    """Cut a file off after `share` of its bytes; returns the path."""
    os.truncate(path, int(path.stat().st_size * share))
    return path


def flip(path, first, count):
    """Flip all bits of `count` bytes from the byte `first` on; returns the path."""
    content = bytearray(path.read_bytes())
    content[first : first + count] = bytes(byte ^ 0xFF for byte in content[first : first + count])
    path.write_bytes(content)
    return path
