"""The register of effects: what each is called, what can be set of it, and how it is made.

A definition is given the rate and the values and returns a processor (`engine.playback.rack`), which turns blocks of
shape (2, frames) into as many. The decorator makes an `Effect` of it; from what that declares, the verbs, OSC's routes
and the documentation are made. Another package adds one by an entry point of the group `mirla.effects`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from numbers import Real

from corpus.plugins import Registry
from engine.errors import EngineError
from engine.playback.rack import Processor, Rack

Chain = Sequence[tuple[str, Mapping[str, float]]]


@dataclass(frozen=True)
class Parameter:
    """What can be set of an effect: values beyond `low` and `high` are brought back to them."""

    name: str
    default: float
    low: float
    high: float
    unit: str
    about: str


@dataclass(frozen=True)
class Effect:
    """A named effect.

    Attributes
    ----------
    name, about : str
        What it is called, and one line for people.
    parameters : tuple of Parameter
        In the order in which they are given without names.
    make : callable
        From the rate in Hz and a value for each parameter, by name, to a processor.
    """

    name: str
    about: str
    parameters: tuple[Parameter, ...]
    make: Callable[..., Processor]

    def values(self, given: Mapping[str, float]) -> dict[str, float]:
        """A value for each parameter: what is given, within its limits, or its default.

        Raises
        ------
        EngineError
            There is no such parameter, or a value is not a finite number.
        """
        names = [parameter.name for parameter in self.parameters]
        for name, value in given.items():
            if name not in names:
                known = f"its parameters are {', '.join(names)}" if names else "it has no parameters"
                raise EngineError(f"effect {self.name!r} has no {name!r}; {known}")
            if not isinstance(value, Real) or not math.isfinite(value):
                raise EngineError(f"{name} {value!r} of effect {self.name!r} is not a finite number: give one")
        return {
            one.name: min(max(float(given.get(one.name, one.default)), one.low), one.high) for one in self.parameters
        }


EFFECTS: Registry[Effect] = Registry("mirla.effects", Effect)
"""By name, those of other packages last."""


def effect(name: str, about: str, *parameters: Parameter) -> Callable[[Callable[..., Processor]], Effect]:
    """Declare the decorated definition as a new effect.

    Examples
    --------
    >>> @effect("halve", "half as loud")                                      # doctest: +SKIP
    ... def halve(rate):
    ...     return lambda audio: 0.5 * audio
    """

    def declare(make: Callable[..., Processor]) -> Effect:
        return EFFECTS.register(Effect(name, about, parameters, make))

    return declare


def checked(chain: Chain) -> list[tuple[str, dict[str, float]]]:
    """Return a chain with a value for each parameter.

    Raises
    ------
    EngineError
        An effect or a parameter is unknown, or a value is not a finite number.
    """
    whole = []
    for name, given in chain:
        found = EFFECTS.get(name)
        if found is None:
            raise EngineError(f"no effect {name!r}; known are {', '.join(EFFECTS)}{EFFECTS.why_broken()}")
        whole.append((name, found.values(given)))
    return whole


def rack(chain: Chain, rate: int) -> Rack | None:
    """Make a chain of effects, each a name and values for some of its parameters; None if it is empty.

    Raises
    ------
    EngineError
        As `checked`, or if an effect cannot be made.
    """
    makers = [partial(EFFECTS[name].make, rate, **values) for name, values in checked(chain)]
    try:
        return Rack(makers) if makers else None
    except Exception as error:
        names = ", ".join(name for name, _ in chain)
        raise EngineError(f"effects {names} cannot be made: {type(error).__name__}: {error}") from error
