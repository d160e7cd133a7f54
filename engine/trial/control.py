"""The control of a trial: agents that learnt from the same examples with their labels shuffled.

They were told of as many good and bad sounds, and of nothing that makes them so.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from corpus.library import Corpus
from corpus.model import Agent
from engine.agent.classifiers import Mlp
from engine.agent.judging import logits
from engine.features import side_by_side

Ids = npt.NDArray[np.int64]


def good_by_shuffled_labels(corpus: Corpus, agent: Agent, seed: int, shuffles: int) -> list[Ids]:
    """What each of so many such agents calls good, of the whole corpus; none where the agent has no examples here."""
    labels = [label for label in corpus.agents.annotations(agent) if not label.test]
    if not labels:
        return []
    matrix = side_by_side(corpus, agent.spaces)
    X = matrix.X[matrix.rows([label.sound_id for label in labels])]
    y = np.array([label.label == "good" for label in labels], np.int64)
    generator = np.random.default_rng(seed)
    found = []
    for number in range(shuffles):
        z = logits(Mlp(seed + number).fit(X, generator.permutation(y)).arrays_, matrix.X)
        found.append(matrix.ids[z > 0])
    return found
