"""Previews, encoded when first asked for: stereo at most, 16 bit before the encoder, at the original rate."""

from threading import Lock

import numpy as np
import soundfile

_ENCODERS = {
    "hq-ogg": {"format": "OGG", "subtype": "VORBIS", "compression_level": 0.4},
    "lq-ogg": {"format": "OGG", "subtype": "VORBIS", "compression_level": 0.9},
    "hq-mp3": {"format": "MP3", "subtype": "MPEG_LAYER_III", "compression_level": 0.1},
    "lq-mp3": {"format": "MP3", "subtype": "MPEG_LAYER_III", "compression_level": 0.9},
}
_BLOCK = 1 << 14
_encoding = Lock()


def preview(original, kind, folder):
    """The preview of the file `original`: `kind` is `hq-ogg`, `lq-ogg`, `hq-mp3` or `lq-mp3`."""
    path = folder / f"{original.stem}-{kind.replace('-', '.')}"
    with _encoding:
        if not path.exists():
            unfinished = path.with_suffix(".part")
            _encode(original, unfinished, _ENCODERS[kind])
            unfinished.replace(path)
    return path


def _encode(original, path, encoder):
    """Encode block by block: libsndfile's Vorbis encoder crashes on long ones in one go.

    The 16 bits go in as floats, since its MP3 encoder makes noise of stereo int16 (libsndfile's pull request 1106).
    """
    with soundfile.SoundFile(original) as source:
        channels = min(source.channels, 2)
        with soundfile.SoundFile(path, "w", source.samplerate, channels, **encoder) as preview:
            for block in source.blocks(_BLOCK, dtype="int16", always_2d=True):
                preview.write(block[:, :channels] / np.float32(1 << 15))
