"""The most useful sounds to label next, several at once: each is chosen as if those before it had been asked."""

from __future__ import annotations

import numpy as np

from corpus.library import Corpus
from engine.agent.judging import judge
from engine.agent.useful import Pool
from engine.features import side_by_side
from engine.query.run import Answer, Hit


def suggest(corpus: Corpus, name: str, k: int, seed: int = 0) -> tuple[int | None, Answer]:
    """Choose k sounds with audio that an agent would learn most from (see `engine.agent.useful`).

    Parameters
    ----------
    corpus : Corpus
    name : str
        The agent's.
    k : int
        At most so many.
    seed : int
        Draws the pool where there are more than 2048 to choose from.

    Returns
    -------
    version, answer
        The version that judged, None where none was trained; the most useful first, `distance` being that to the
        nearest sound asked.

    Raises
    ------
    UnknownAgent
        There is no such agent.
    NoVectors
        There is nothing in a space it looks at.
    TrainingError
        Its model cannot judge any more.
    """
    agent = corpus.agents.get(name)
    matrix = side_by_side(corpus, agent.spaces)
    asked = [label.sound_id for label in corpus.agents.annotations(agent)]
    open_ids = np.intersect1d(matrix.ids, corpus.sounds.ids(with_audio=True), assume_unique=True)
    open_ids = np.setdiff1d(open_ids, np.array(asked, np.int64), assume_unique=True)
    pool = Pool(matrix, open_ids, asked, seed)
    verdicts = judge(corpus, name) if corpus.agents.model(agent) else None
    p = None
    if verdicts is not None and verdicts.p is not None:
        p = np.array([verdicts.of(sound_id)["p"] for sound_id in pool.ids.tolist()], np.float64)
    chosen: list[int] = []
    apart: list[float] = []
    while len(chosen) < k and (best := pool.best(chosen, p)) is not None:
        apart.append(float(pool.apart[np.searchsorted(pool.ids, best)]))
        chosen.append(best)
        pool.ask(best)
    hits = [
        Hit(
            rank=rank,
            sound=sound,
            distance=distance if np.isfinite(distance) else None,
            agents={name: verdicts.of(sound.id)} if verdicts else {},
        )
        for rank, (sound, distance) in enumerate(zip(corpus.sounds.many(chosen), apart, strict=True), 1)
    ]
    return verdicts.version if verdicts else None, Answer(hits, len(open_ids))
