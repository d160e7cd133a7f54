"""The two arms of a trial: a target's first neighbour among all sounds in play, and among those an agent calls good.

In play is what the agent was never taught, since it knows those: they are neither targets nor results.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from corpus.library import Corpus
from corpus.model import Agent
from engine.agent.judging import judge
from engine.errors import QueryError
from engine.features import among
from engine.similarity.measures import measure

Ids = npt.NDArray[np.int64]


class Arms:
    """Sounds in play, and what is found near them.

    Parameters
    ----------
    corpus : Corpus
    agent : Agent
    measure_name : str
        What near means.
    with_audio : bool
        Only sounds that can be heard are in play.

    Attributes
    ----------
    version : int
        Of the agent.
    targets, pool, good : int64 arrays, ascending
        What may be asked about; what may be found without the agent; and with it.

    Raises
    ------
    TrainingError, NoVectors, UnknownMeasure
        The agent cannot judge, or there is nothing to compare.
    QueryError
        Fewer than two sounds in play are known to the measure, or the agent calls fewer than two of those good.
    """

    def __init__(self, corpus: Corpus, agent: Agent, measure_name: str, *, with_audio: bool = False) -> None:
        self._corpus = corpus
        self._measure = measure(measure_name)
        verdicts = judge(corpus, agent.name)
        self.version = verdicts.version
        self.pool = np.setdiff1d(corpus.sounds.ids(with_audio=with_audio), taught(corpus, agent))
        self.good = np.intersect1d(self.pool, verdicts.good)
        self.targets = np.intersect1d(self.pool, self._measure.knows(corpus))
        heard = " with audio" if with_audio else ""
        if len(self.targets) < 2:
            raise QueryError(
                f"{len(self.targets)} sounds{heard} that agent {agent.name!r} was not taught are known to measure "
                f"{measure_name}; a trial wants many more, so adopt or harvest some"
            )
        if len(self.good) < 2:
            raise QueryError(
                f"agent {agent.name!r} calls {len(self.good)} of {len(self.pool)} sounds{heard} that it was not taught "
                "good, so there is nothing to find with it; teach it more"
            )

    def firsts(self, target: int, pools: Sequence[Ids]) -> list[int | None]:
        """The first neighbour of a sound within each of some pools, None where there is none."""
        around = self._measure.around(self._corpus, target)
        found = []
        for pool in pools:
            nearest = around.nearest(1, around.ids[among(around.ids, pool)] if around.held else pool)[0]
            found.append(int(nearest[0]) if len(nearest) else None)
        return found

    def drawn(self, seed: int, more: Sequence[Ids] = ()) -> Iterator[tuple[int, list[int | None]]]:
        """Targets at random, none twice, each with its first neighbours: with the agent, without, in `more` pools.

        Targets for which one of the two arms finds nothing are left out.
        """
        for target in np.random.default_rng(seed).permutation(self.targets).tolist():
            firsts = self.firsts(target, [self.good, self.pool, *more])
            if firsts[0] is not None and firsts[1] is not None:
                yield target, firsts


def taught(corpus: Corpus, agent: Agent) -> Ids:
    """Ids of all sounds that the agent was ever told about to learn from, ascending."""
    return np.unique([fact.sound_id for fact in corpus.agents.history(agent) if not fact.test]).astype(np.int64)
