"""Wishes: what a performer asks of the corpus, as a choice that the query engine knows.

Whatever can be said of one query can be said as a default of a group or of the session: agents and the measure.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypedDict, cast

from corpus.library import Corpus
from corpus.model import Sound
from engine.errors import VerbError
from engine.performing import used
from engine.query.answer import Answer
from engine.query.choice import Choice
from engine.query.run import random_sounds, search, similar
from engine.similarity import DEFAULT


class Wish(TypedDict, total=False):
    """Options of a query by name: those of `Choice`, and a measure. One name may stand for a tuple of names."""

    agent: str | Sequence[str]
    any_agent: str | Sequence[str]
    not_agent: str | Sequence[str]
    tags: str | Sequence[str]
    licence: str | Sequence[str]
    filter: str
    near: Mapping[str, float]
    strict: float | None
    best: bool
    fresh: bool
    spread: float | None
    seed: int | None
    measure: str | None


_SEVERAL = {
    "agent": "agents",
    "any_agent": "any_agents",
    "not_agent": "not_agents",
    "tags": "tags",
    "licence": "licences",
}
"""What one name or several may be given for, by what `Choice` calls it."""
_MOST = 64
"""Sounds that one verb brings at most: as many as there are voices."""


@dataclass
class Defaults:
    """What counts where a verb does not say: agents that must call a sound good, and the measure."""

    agents: tuple[str, ...] | None = None
    measure: str | None = None


class Asking:
    """Asks the corpus.

    Parameters
    ----------
    corpus : Corpus
    seed : int or None
        Makes chance repeatable.
    defaults : sequence of Defaults
        The first that says something counts.
    """

    def __init__(self, corpus: Corpus, chance: random.Random, defaults: Sequence[Defaults]) -> None:
        self.corpus = corpus
        self._chance = chance
        self._defaults = defaults

    def held(self, ids: Sequence[int]) -> list[Sound]:
        """Sounds by id."""
        return list(self.corpus.sounds.many([_whole(each, "a sound's id") for each in ids]))

    def found(self, size: int, wish: Wish, without: Sequence[int] = (), text: str = "") -> Answer:
        """What words find and fits, by rank, or by nearness to wanted traits."""
        return self._ask(
            size, wish, without, lambda choice, measure: search(self.corpus, replace(choice, text=str(text)))
        )

    def drawn(self, size: int, wish: Wish, without: Sequence[int] = (), **how: Any) -> Answer:
        """What fits, by chance."""
        return self._ask(
            size,
            wish,
            without,
            lambda choice, measure: random_sounds(self.corpus, choice, **how, measure_name=measure),
        )

    def near(
        self,
        size: int,
        target: int | Sequence[int],
        wish: Wish,
        without: Sequence[int] = (),
        unlike: Sequence[int] = (),
        text: str = "",
    ) -> Answer:
        """What fits, the nearest to some sounds first."""
        return self._ask(
            size,
            wish,
            without,
            lambda choice, measure: similar(self.corpus, target, replace(choice, text=str(text)), measure, unlike),
        )

    def measure(self, wish: Wish) -> str:
        """The measure that counts."""
        said = wish.get("measure") or next((each.measure for each in self._defaults if each.measure), None)
        return said or DEFAULT

    def _ask(self, size: int, wish: Wish, without: Sequence[int], ask: Callable[[Choice, str], Answer]) -> Answer:
        """Ask for more than wanted by those that are not, so that enough are left."""
        size = _whole(size, "how many sounds")
        if not 1 <= size <= _MOST:
            raise VerbError(f"cannot bring {size} sounds at once: ask for 1 to {_MOST}")
        kept = frozenset(without)
        choice = self._choice(size + len(kept), wish)
        used.note(self.corpus, choice, self.measure(wish))
        answer = ask(choice, self.measure(wish))
        hits = [hit for hit in answer.hits if hit.sound.id not in kept][:size]
        answer.hits[:] = hits
        return answer

    def _choice(self, k: int, wish: Wish) -> Choice:
        options: dict[str, Any] = {}
        for name, value in wish.items():
            if name not in Wish.__annotations__:
                raise VerbError(f"no option {name!r} of a query; known are {', '.join(Wish.__annotations__)}")
            if value is None or name == "measure":
                continue
            if name in _SEVERAL:
                options[_SEVERAL[name]] = (value,) if isinstance(value, str) else tuple(cast(Sequence[str], value))
            elif name == "near":
                options["near"] = tuple(wish["near"].items())
            else:
                options[name] = value
        if "agent" not in wish:
            options["agents"] = next((each.agents for each in self._defaults if each.agents is not None), ())
        options.setdefault("seed", self._chance.getrandbits(31))
        return Choice(k=k, with_audio=True, **options)


def _whole(value: Any, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise VerbError(f"{value!r} is not {what}: say a whole number")
    return int(value)
