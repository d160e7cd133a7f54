"""Choice: what a query may choose from, and how much."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral

from engine.errors import QueryError

_SEVERAL = ("tags", "licences", "agents", "any_agents", "not_agents")


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

    Raises
    ------
    QueryError
        `k` or `seed` is no number that it can be, or one word stands where several are wanted.
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

    def __post_init__(self) -> None:
        """Refuse what the command line would refuse."""
        if not isinstance(self.k, Integral) or self.k < 1:
            raise QueryError(f"k is {self.k!r}; ask for a whole number of sounds, 1 at least")
        object.__setattr__(self, "k", int(self.k))  # NumPy's become Python's, as FAISS wants them
        if self.seed is not None and (not isinstance(self.seed, Integral) or self.seed < 0):
            raise QueryError(f"the seed is {self.seed!r}; it must be a whole number, 0 at least")
        for name in _SEVERAL:
            if isinstance(given := getattr(self, name), str):
                raise QueryError(f"{name} is {given!r}; several are wanted, as in ({given!r},)")

    @property
    def asked(self) -> tuple[str, ...]:
        """Every agent that has a say, each once."""
        return tuple(dict.fromkeys((*self.agents, *self.any_agents, *self.not_agents)))
