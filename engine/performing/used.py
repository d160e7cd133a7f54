"""What a verb's query goes by, for the journal: its measure, its seed, and the versions of the agents that choose."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from corpus.library import Corpus
from engine.query.choice import Choice

_used: ContextVar[dict[str, Any] | None] = ContextVar("used", default=None)


@contextlib.contextmanager
def noted() -> Iterator[dict[str, Any]]:
    """What is used in here, in this thread; of several queries the last one's."""
    facts: dict[str, Any] = {}
    before = _used.set(facts)
    try:
        yield facts
    finally:
        _used.reset(before)


def note(corpus: Corpus, choice: Choice, measure: str) -> None:
    """Note what a query goes by. A version is None of an agent that has none yet.

    Raises
    ------
    UnknownAgent
        There is no such agent.
    """
    facts = _used.get()
    if facts is not None:
        facts |= {"measure": measure, "seed": choice.seed}
        names = dict.fromkeys((*choice.agents, *choice.any_agents, *choice.not_agents))
        if names:
            facts["agents"] = {name: corpus.agents.version(corpus.agents.get(name)) for name in names}
