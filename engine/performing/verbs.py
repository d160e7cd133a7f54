"""Verbs: what a performer says to a group or to the session. One table of them for the prompt, OSC, docs and tests.

A method becomes a verb by one of four decorators, which also say how it happens:

- `chained`: in the order of what was said to its group, in a thread of its own; returns the group at once;
- `immediate`: now, before anything that still waits; returns the group;
- `answered`: in that order, and the caller waits for what it answers;
- `handled`: now; returns a handle to cancel what it began.

No verb raises: what goes wrong is one line said, unless the session was told to raise.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Concatenate, Literal, NamedTuple, ParamSpec, Protocol, TypeVar, cast

from engine.errors import VerbError

Manner = Literal["chained", "immediate", "answered", "handled"]
P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Verb:
    """One verb.

    Attributes
    ----------
    name : str
    manner : str
        How it happens: see the module.
    parameters : tuple of inspect.Parameter
        Without `self`.
    function : callable
        What does it, given the group or the session first.
    """

    name: str
    manner: Manner
    parameters: tuple[inspect.Parameter, ...]
    function: Callable[..., Any]

    @property
    def about(self) -> str:
        """What it does, in a line."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0]

    @property
    def usage(self) -> str:
        """Its name and parameters with their defaults, as one would type them."""
        plain = [each.replace(annotation=inspect.Parameter.empty) for each in self.parameters]
        return f"{self.name}{inspect.Signature(plain)}"

    def check(self, given: Sequence[Any], named: Mapping[str, Any]) -> None:
        """Refuse arguments that it does not take.

        Raises
        ------
        VerbError
            Too many, too few, or a name that it does not know.
        """
        try:
            inspect.Signature(self.parameters).bind(*given, **named)
        except TypeError as error:
            raise VerbError(f"{self.name}: {error}; it is {self.usage}") from error


class Outcome(NamedTuple):
    """What became of a verb: its answer, or what went wrong."""

    answer: Any = None
    error: Exception | None = None


class Speaker(Protocol):
    """What has verbs: a group, or the session."""

    raising: bool
    """Whether what goes wrong is raised, not only said."""

    def perform(self, verb: Verb, given: Sequence[Any], named: Mapping[str, Any]) -> Future[Outcome]:
        """Do a verb in its manner. The future itself never raises."""


S = TypeVar("S", bound=Speaker)


def chained(function: Callable[Concatenate[S, P], object]) -> Callable[Concatenate[S, P], S]:
    """Make a verb that takes its turn and returns its group at once."""
    return _verb("chained", function)


def immediate(function: Callable[Concatenate[S, P], object]) -> Callable[Concatenate[S, P], S]:
    """Make a verb that happens now and returns its group."""
    return _verb("immediate", function)


def answered(function: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Make a verb whose answer the caller waits for."""
    return _verb("answered", function)


def handled(function: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Make a verb that begins something, now, and returns the handle that cancels it."""
    return _verb("handled", function)


def verbs_of(kind: type) -> dict[str, Verb]:
    """All verbs of a class, by name, in alphabetical order."""
    found = ((name, getattr(member, "verb", None)) for name, member in inspect.getmembers(kind))
    return {name: made for name, made in found if isinstance(made, Verb)}


def _verb(manner: Manner, function: Callable[..., Any]) -> Callable[..., Any]:
    parameters = tuple(inspect.signature(function).parameters.values())[1:]
    made = Verb(function.__name__, manner, parameters, function)

    @functools.wraps(function)
    def said(self: Speaker, *given: Any, **named: Any) -> Any:
        future = self.perform(made, given, named)
        if manner in ("chained", "immediate") and not self.raising:
            return self
        outcome = future.result()
        if outcome.error and self.raising:
            raise outcome.error
        return outcome.answer if manner in ("answered", "handled") else self

    said.verb = made  # type: ignore[attr-defined]  # a function takes attributes
    return cast(Callable[..., Any], said)
