"""The effects of a group: one chain, in the order in which they were first put in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.errors import VerbError
from engine.performing.grouped import Grouped
from engine.performing.verbs import chained
from engine.playback.effects import EFFECTS


class Effected(Grouped):
    """Verbs of effects; what else can be set of one is given by name. `effect` knows those of other packages too."""

    @chained
    def lowpf(self, /, freq: float = 440.0, **more: float) -> None:
        """Keep what is below a frequency in Hz."""
        self._affect("lowpf", freq, **more)

    @chained
    def highpf(self, /, freq: float = 1200.0, **more: float) -> None:
        """Keep what is above a frequency in Hz."""
        self._affect("highpf", freq, **more)

    @chained
    def bandpf(self, /, freq: float = 440.0, **more: float) -> None:
        """Keep what is around a frequency in Hz."""
        self._affect("bandpf", freq, **more)

    @chained
    def reverb(self, /, mix: float = 0.5, **more: float) -> None:
        """Put the group into a room; `mix` is how much of it, from 0 to 1."""
        self._affect("reverb", mix, **more)

    @chained
    def delay(self, /, decay: float = 3.0, **more: float) -> None:
        """Repeat what is heard, dying away over so many seconds."""
        self._affect("delay", decay, **more)

    @chained
    def chorus(self, /, mix: float = 0.5, **more: float) -> None:
        """Thicken the sound with detuned copies, from 0 to 1."""
        self._affect("chorus", mix, **more)

    @chained
    def vibrato(self, /, amount: float = 0.01, **more: float) -> None:
        """Let the pitch waver."""
        self._affect("vibrato", amount, **more)

    @chained
    def bitcrush(self, /, bits: float = 4.0, **more: float) -> None:
        """Leave so many bits of each sample."""
        self._affect("bitcrush", bits, **more)

    @chained
    def distort(self, /, drive: float = 10.0, **more: float) -> None:
        """Distort, by so many dB."""
        self._affect("distort", drive, **more)

    @chained
    def rmod(self, /, freq: float = 700.0, **more: float) -> None:
        """Ring modulation: multiply with a sine of a frequency in Hz."""
        self._affect("rmod", freq, **more)

    @chained
    def compress(self, /, **more: float) -> None:
        """Compress: what is loud less loud, so that the rest can be louder."""
        self._affect("compress", **more)

    @chained
    def effect(self, /, name: str, *values: float, **named: float) -> None:
        """Put an effect into the group's chain, or change it; `bypass` takes it out."""
        self._affect(name, *values, **named)

    @chained
    def bypass(self, name: str | None = None) -> None:
        """Take one effect out of the chain, or all."""
        if name is not None and name not in self._effects:
            there = ", ".join(self._effects) or "none"
            raise VerbError(f"group {self.name} has no effect {name!r}; it has {there}")
        self._set_effects({} if name is None else {one: how for one, how in self._effects.items() if one != name})

    def _affect(self, name: str, *values: float, **named: float) -> None:
        given, settled = asked(name, values, named)
        for one, value in given.items():
            if settled[one] != value:
                self._say(f"{name}: {one} {value:g} is out of bounds, {settled[one]:g} it is")
        self._set_effects({**self._effects, name: settled})

    def _set_effects(self, chain: dict[str, dict[str, float]]) -> None:
        self._rig.tell(lambda instrument: instrument.effects(self.name, list(chain.items())))
        self._effects = chain


def asked(
    name: str, given: Sequence[float], named: Mapping[str, float]
) -> tuple[Mapping[str, float], dict[str, float]]:
    """What is given for an effect, in the order of its parameters or by name; and with it a value for each of them.

    Raises
    ------
    EngineError
        There is no such effect or parameter, or a value is not a finite number.
    """
    effect = EFFECTS.get(name)
    if effect is None:
        raise VerbError(f"no effect {name!r}; known are {', '.join(EFFECTS)}{EFFECTS.why_broken()}")
    names = [parameter.name for parameter in effect.parameters]
    if len(given) > len(names):
        raise VerbError(f"effect {name!r} takes {', '.join(names) or 'no values'}, not {len(given)} values")
    known = {**dict(zip(names, given, strict=False)), **named}
    return known, effect.values(known)
