"""The effects by name: those of pedalboard here, those that it lacks in `engine.playback.swaying`.

Conventions: as in `engine.playback.rack` and `engine.playback.registry`.

No effect here delays what passes it but `vibrato`, by 2 frames and its swaying; `delay`, `chorus` and `reverb` sound on
beside what passes undelayed.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np

from engine.errors import EngineError
from engine.playback import swaying
from engine.playback.rack import MOST, Audio, Processor
from engine.playback.registry import EFFECTS, Chain, Effect, Parameter, checked, effect, rack

__all__ = ["EFFECTS", "Chain", "Effect", "Parameter", "checked", "effect", "prepare", "rack", "swaying"]


def plugged(plugin: Any, rate: int) -> Processor:
    """A processor of one of pedalboard's plugins."""

    def process(audio: Audio) -> Audio:
        made: Audio = plugin.process(audio, rate, buffer_size=audio.shape[1], reset=False)
        return made

    # it makes room, and would forget all if it needed more later; and it learns which axis is which, which a block of
    # one or two frames would not tell
    process(np.zeros((2, MOST), dtype=np.float32))
    return process


def prepare(rate: int) -> None:
    """Make one of each, those of other packages too: what an effect has to load is loaded before there is sound."""
    for name in EFFECTS:
        with suppress(EngineError):  # it is said when somebody asks for it
            rack([(name, {})], rate)


_MIX = partial(Parameter, "mix", low=0.0, high=1.0, unit="", about="share of the effect, against the sound as it was")


def _freq(default: float, about: str) -> Parameter:
    return Parameter("freq", default, 20.0, 18000.0, "Hz", about)


def _ladder(mode: str, rate: int, freq: float) -> Processor:
    from pedalboard import LadderFilter

    # above 0.45 of the rate the filter is unstable or does nothing
    return plugged(LadderFilter(getattr(LadderFilter.Mode, mode), cutoff_hz=min(freq, 0.45 * rate)), rate)


@effect("lowpf", "low-pass filter, 24 dB an octave", _freq(440.0, "what lies above is taken away"))
def lowpf(rate: int, freq: float) -> Processor:
    """Pedalboard's ladder filter."""
    return _ladder("LPF24", rate, freq)


@effect("highpf", "high-pass filter, 24 dB an octave", _freq(1200.0, "what lies below is taken away"))
def highpf(rate: int, freq: float) -> Processor:
    """Pedalboard's ladder filter."""
    return _ladder("HPF24", rate, freq)


@effect("bandpf", "band-pass filter, 12 dB an octave on either side", _freq(440.0, "what lies around is left"))
def bandpf(rate: int, freq: float) -> Processor:
    """Pedalboard's ladder filter."""
    return _ladder("BPF24", rate, freq)


@effect(
    "reverb",
    "a room around the sound",
    _MIX(0.5),
    Parameter("room", 0.5, 0.0, 1.0, "", "size of the room"),
    Parameter("damp", 0.5, 0.0, 1.0, "", "how much of the high tones the walls take"),
)
def reverb(rate: int, mix: float, room: float, damp: float) -> Processor:
    """Pedalboard's Freeverb; its dry level counts double and its wet level three times."""
    from pedalboard import Reverb

    return plugged(Reverb(room_size=room, damping=damp, wet_level=mix, dry_level=(1.0 - mix) / 2.0), rate)


@effect("bitcrush", "fewer bits", Parameter("bits", 4.0, 1.0, 24.0, "bits", "how many are left"))
def bitcrush(rate: int, bits: float) -> Processor:
    """Pedalboard's."""
    from pedalboard import Bitcrush

    return plugged(Bitcrush(bit_depth=bits), rate)


@effect("distort", "overdriven, soft at first", Parameter("drive", 10.0, 0.0, 60.0, "dB", "gain in front of the curve"))
def distort(rate: int, drive: float) -> Processor:
    """Pedalboard's hyperbolic tangent."""
    from pedalboard import Distortion

    return plugged(Distortion(drive_db=drive), rate)


@effect(
    "chorus",
    "several of it, a little apart",
    _MIX(0.5),
    Parameter("speed", 1.0, 0.0, 20.0, "Hz", "how often it sways"),
    Parameter("depth", 0.25, 0.0, 1.0, "", "how far it sways"),
)
def chorus(rate: int, mix: float, speed: float, depth: float) -> Processor:
    """Pedalboard's."""
    from pedalboard import Chorus

    return plugged(Chorus(rate_hz=speed, depth=depth, mix=mix), rate)


@effect(
    "compress",
    "loud parts turned down",
    Parameter("threshold", -20.0, -60.0, 0.0, "dB", "level above which they are"),
    Parameter("ratio", 4.0, 1.0, 20.0, "", "how many dB above it become one"),
    Parameter("attack", 5.0, 0.1, 500.0, "ms", "how soon"),
    Parameter("release", 100.0, 1.0, 5000.0, "ms", "how long after"),
)
def compress(rate: int, threshold: float, ratio: float, attack: float, release: float) -> Processor:
    """Pedalboard's."""
    from pedalboard import Compressor

    return plugged(Compressor(threshold, ratio, attack, release), rate)
