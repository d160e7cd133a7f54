"""Several people: how far annotators and agents agree, and one agent merged from many.

Agreement is Cohen's kappa over the sounds that both have labelled: 1 where they always agree, 0 where no more than by
chance. A voice is one person's last word on a sound within one agent.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from corpus import said
from corpus.analysis import spaces
from corpus.library import Corpus
from corpus.model import Agent, Annotation, Label
from engine.agent.evaluate import Estimate, wilson
from engine.agent.flucoma_network import FLUCOMA

Rule = Literal["majority", "newest", "list"]
Labelled = Mapping[int, str]
"""Labels by sound."""

_RESAMPLES = 2000


@dataclass(frozen=True)
class Pair:
    """How far two agree, on the sounds that both have labelled.

    `kappa` is None where it has no meaning: no such sound, or both gave all of them the same one label.
    """

    a: str
    b: str
    n: int
    same: int
    kappa: Estimate | None

    def as_json(self) -> dict[str, Any]:
        """`{"a", "b", "n", "same", "kappa"}`."""
        return {**vars(self), "kappa": self.kappa.as_json() if self.kappa else None}


@dataclass(frozen=True)
class Agreement:
    """Each pair of annotators, and each pair of agents by the labels that count in them."""

    annotators: list[Pair]
    agents: list[Pair]

    def as_json(self) -> dict[str, Any]:
        """`{"annotators", "agents"}`, lists of pairs."""
        return {name: [pair.as_json() for pair in pairs] for name, pairs in vars(self).items()}


@dataclass(frozen=True)
class Merged:
    """A merged agent, and the sounds on which voices differed: each with what was said and what was decided."""

    agent: Agent
    conflicts: list[dict[str, Any]]


def kappa(a: Labelled, b: Labelled, seed: int = 0) -> Pair:
    """Cohen's kappa, (p_o - p_e) / (1 - p_e), with a 95 % interval.

    p_o is the share of sounds with the same label, p_e what it would be by chance, each dealing labels at their own
    rates. The interval is a percentile bootstrap over sounds, never narrower than Wilson's for p_o (at this p_e), since
    a bootstrap of a few sounds that all agree finds no doubt at all.

    References
    ----------
    J. Cohen, A coefficient of agreement for nominal scales, Educ. Psychol. Meas. 20, 1960.
    """
    both = sorted(a.keys() & b.keys())
    cells = np.zeros(4)
    for number in both:
        cells[2 * (a[number] == "good") + (b[number] == "good")] += 1
    n, same = len(both), int(cells[0] + cells[3])
    (value,) = _kappas(cells[None]) if n else [np.nan]
    if np.isnan(value):
        return Pair("", "", n, same, None)
    resampled = _kappas(np.random.default_rng(seed).multinomial(n, cells / n, size=_RESAMPLES).astype(float))
    low, high = np.nanpercentile(resampled, [2.5, 97.5])
    by_chance = _by_chance(cells[None])[0]
    least, most = ((share - by_chance) / (1 - by_chance) for share in wilson(same / n, n))
    interval = max(-1.0, min(float(low), float(least))), min(1.0, max(float(high), float(most)))
    return Pair("", "", n, same, Estimate(float(value), interval, n))


def agreement(corpus: Corpus, names: Sequence[str]) -> Agreement:
    """How far the annotators of these agents agree (a person's newest word counts), and the agents among themselves.

    Raises
    ------
    UnknownAgent
        There is no such agent.
    """
    agents = [corpus.agents.get(name) for name in dict.fromkeys(names)]
    people: dict[str, dict[int, Annotation]] = {}
    for agent in agents:
        for one in said.words(corpus.agents.history(agent)):
            own = people.setdefault(one.who, {})
            if one.sound_id not in own or own[one.sound_id].at <= one.at:
                own[one.sound_id] = one
    return Agreement(
        _pairs({who: {number: str(one.label) for number, one in own.items()} for who, own in people.items()}),
        _pairs({agent.name: _labels(corpus.agents.annotations(agent)) for agent in agents}),
    )


def merge(corpus: Corpus, name: str, sources: Sequence[str], rule: Rule) -> Merged:
    """Make an agent of the labels of others, over the spaces and with the classifier of the first that learns.

    Where voices differ, `majority` takes what most say and leaves a tie open, `newest` takes what was said last, and
    `list` leaves them all open. What is left open has no label in the new agent. The same fact in two agents (of which
    one is a copy) is one voice. A sound that anyone keeps for testing is for testing. The sources stay as they are, and
    all voices with them: the new agent has one for each sound.

    Raises
    ------
    UnknownAgent
        A source does not exist, or the new name is taken or unusable.
    """
    agents = [corpus.agents.get(source) for source in dict.fromkeys(sources)]
    voices: dict[int, dict[tuple[str, str, str], Annotation]] = {}
    for agent in agents:
        for one in said.words(corpus.agents.history(agent)):
            voices.setdefault(one.sound_id, {})[one.who, one.at, str(one.label)] = one
    session = f"merge-{uuid.uuid4().hex[:8]}"
    facts, conflicts = [], []
    for number, heard in sorted(voices.items()):
        some = sorted(heard.values(), key=lambda one: (one.at, one.id or 0))
        label = _decided(some, rule)
        if label:
            newest = [one for one in some if one.label == label][-1]
            facts.append(replace(newest, session=session, test=any(one.test for one in some)))
        if len({one.label for one in some}) > 1:
            words = [{"who": one.who, "label": one.label, "when": one.at} for one in some]
            conflicts.append({"id": number, "label": label, "said": words})
    first = next((one for one in agents if one.classifier != FLUCOMA), None)
    looks_at, classifier = (first.spaces, first.classifier) if first else ([spaces.default()], "mlp")
    merged = corpus.agents.create(name, f"merged from {', '.join(sources)}", looks_at, classifier, facts)
    return Merged(merged, conflicts)


def _decided(some: Sequence[Annotation], rule: Rule) -> Label | None:
    """The label of one sound by the rule, None where it stays open; `some` in order of time."""
    votes = Counter(one.label for one in some)
    if len(votes) == 1 or rule == "newest":
        return some[-1].label
    if rule == "majority" and votes["good"] != votes["bad"]:
        return "good" if votes["good"] > votes["bad"] else "bad"
    return None


def _pairs(labelled: Mapping[str, Labelled]) -> list[Pair]:
    pairs = ((a, b) for a, b in combinations(sorted(labelled), 2))
    return [replace(kappa(labelled[a], labelled[b]), a=a, b=b) for a, b in pairs]


def _labels(facts: Iterable[Annotation]) -> dict[int, str]:
    return {one.sound_id: str(one.label) for one in facts}


def _by_chance(cells: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """p_e of tables (r, 4): a and b both bad, a bad and b good, a good and b bad, both good."""
    n = cells.sum(axis=1)
    a, b = (cells[:, 2] + cells[:, 3]) / n, (cells[:, 1] + cells[:, 3]) / n
    return np.asarray(a * b + (1 - a) * (1 - b))


def _kappas(cells: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Kappa of such tables; NaN where all labels are the same one."""
    agreed, by_chance = (cells[:, 0] + cells[:, 3]) / cells.sum(axis=1), _by_chance(cells)
    some = by_chance < 1
    return np.where(some, (agreed - by_chance) / np.where(some, 1 - by_chance, 1), np.nan)
