"""Choice: what a query may choose from, and how much."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Choice:
    """What to choose from, and how much: the choosing options of the command line.

    Attributes
    ----------
    k : int
        At most so many sounds.
    text : str
        Words to find (see `corpus.store.sounds.Sounds.ids`).
    tags, licences : tuple of str
        All of the tags; one of the licences.
    filter : str
        A filter they must fit (see `corpus.filters`); none if empty.
    agents, any_agents, not_agents : tuple of str
        All of them must call a sound good; one of them at least, where any are named; all must call it bad.
    strict : float, optional
        Good is only what an agent gives this probability at least.
    best : bool
        Where no sound is allowed by the agents, take the k least bad (see `engine.query.judged`).
    with_audio : bool
        Only sounds whose audio is here.
    near : tuple of (str, float)
        Traits, and the values to be near to (see `engine.query.near`).
    fresh : bool
        Leave out what was returned lately (see `corpus.store.returned`), and remember what is returned now.
    spread : float, optional
        Between 1, near alone counts, and 0, only variety does (see `engine.query.spread`).
    seed : int, optional
        Makes chance repeatable.
    """

    k: int = 10
    text: str = ""
    tags: tuple[str, ...] = ()
    licences: tuple[str, ...] = ()
    filter: str = ""
    agents: tuple[str, ...] = ()
    any_agents: tuple[str, ...] = ()
    not_agents: tuple[str, ...] = ()
    strict: float | None = None
    best: bool = False
    with_audio: bool = False
    near: tuple[tuple[str, float], ...] = ()
    fresh: bool = False
    spread: float | None = None
    seed: int | None = None

    @property
    def asked(self) -> tuple[str, ...]:
        """Every agent that has a say, each once."""
        return tuple(dict.fromkeys((*self.agents, *self.any_agents, *self.not_agents)))
