"""The effects of a group: one chain, in the order in which they were first put in."""

from __future__ import annotations

from engine.errors import VerbError
from engine.performing.grouped import Grouped
from engine.performing.verbs import chained


class Effected(Grouped):
    """Verbs of effects; those that are registered from outside go by `effect`."""

    @chained
    def lowpf(self, freq: float = 440.0) -> None:
        """Keep what is below a frequency in Hz."""
        self._affect("lowpf", freq=freq)

    @chained
    def highpf(self, freq: float = 1200.0) -> None:
        """Keep what is above a frequency in Hz."""
        self._affect("highpf", freq=freq)

    @chained
    def bandpf(self, freq: float = 440.0) -> None:
        """Keep what is around a frequency in Hz."""
        self._affect("bandpf", freq=freq)

    @chained
    def reverb(self, mix: float = 0.5) -> None:
        """Put the group into a room; `mix` is how much of it, from 0 to 1."""
        self._affect("reverb", mix=mix)

    @chained
    def delay(self, decay: float = 3.0) -> None:
        """Repeat what is heard, dying away over so many seconds."""
        self._affect("delay", decay=decay)

    @chained
    def chorus(self, mix: float = 0.5) -> None:
        """Thicken the sound with detuned copies, from 0 to 1."""
        self._affect("chorus", mix=mix)

    @chained
    def vibrato(self, amount: float = 0.01) -> None:
        """Let the pitch waver."""
        self._affect("vibrato", amount=amount)

    @chained
    def bitcrush(self, bits: float = 4.0) -> None:
        """Leave so many bits of each sample."""
        self._affect("bitcrush", bits=bits)

    @chained
    def distort(self, drive: float = 10.0) -> None:
        """Distort, by so many dB."""
        self._affect("distort", drive=drive)

    @chained
    def rmod(self, freq: float = 700.0) -> None:
        """Ring modulation: multiply with a sine of a frequency in Hz."""
        self._affect("rmod", freq=freq)

    @chained
    def compress(self) -> None:
        """Compress: what is loud less loud, so that the rest can be louder."""
        self._affect("compress")

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
        from engine.playback.effects import settle

        self._set_effects({**self._effects, name: dict(settle(name, values, named))})

    def _set_effects(self, chain: dict[str, dict[str, float]]) -> None:
        self._rig.tell(lambda instrument: instrument.effects(self.name, list(chain.items())))
        self._effects = chain
