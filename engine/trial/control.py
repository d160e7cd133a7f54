"""The control of a trial: agents that learnt from the same examples with their labels shuffled.

They were told of as many good and bad sounds, and of nothing that makes them so.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from corpus.library import Corpus
from corpus.model import Agent
from engine.agent.fitting import refit
from engine.agent.judging import judged_by
from engine.agent.loading import examples_of, model_of
from engine.features import load

Ids = npt.NDArray[np.int64]


def good_by_shuffled_labels(corpus: Corpus, agent: Agent, seed: int, shuffles: int) -> list[Ids]:
    """What each of so many such agents, of the recipe in use, calls good in the whole corpus.

    Raises
    ------
    ModelError
        The agent did not learn here, or its examples are not all there any more.
    """
    model = model_of(corpus, agent)
    given = examples_of(corpus, agent, model)
    parts = [load(corpus, space) for space in agent.spaces]
    generator = np.random.default_rng(seed)
    found = []
    for number in range(shuffles):
        fitted = refit(model.recipe, given.X, generator.permutation(given.y), seed + number)
        ids, z = judged_by(fitted.scores, parts)
        found.append(ids[z > 0])
    return found
