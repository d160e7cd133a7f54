"""The main job: adopt, analyse, teach an agent, compare what is near without and with it, render, credit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from corpus.analysis.spaces import default
from corpus.credits import as_text
from corpus.folder import Adoption
from corpus.library import Corpus
from corpus.licences import from_text
from corpus.model import Label, Sound
from engine.agent.training import train
from engine.clips import load, loudness_of
from engine.demo import sonic_pi, synthesis
from engine.errors import DemoError
from engine.playback.render import render_offline
from engine.query.run import Choice, Hit, similar

EXAMPLES = 20
"""Labelled sounds of each class."""
TARGETS = 3
NEIGHBOURS = 5
SECONDS = 20.0
_RATE = 44100
_SEED = 0
_CANDIDATES = 12

_PERCUSSIVE = frozenset("bd clap cowbell cymbal drum drums hat hihat kick perc percussion sn snare tabla tom".split())
_SUSTAINED = frozenset("ambi ambient bass drone field guit guitar hum loop pad voice vinyl wind".split())


@dataclass(frozen=True)
class Material:
    """Sounds to work on: a folder, what is known of it, and what it is in words."""

    folder: Path
    how: Adoption
    about: str


@dataclass(frozen=True)
class Examples:
    """What the example agent is taught: its name, good and bad ids; and sounds of either kind it never saw."""

    agent: str
    good: list[int]
    bad: list[int]
    unseen_good: list[int]
    unseen_bad: list[int]


@dataclass(frozen=True)
class Comparison:
    """The sounds nearest to one target, without and with the agent."""

    target: Sound
    without: list[Hit]
    with_agent: list[Hit]

    @property
    def changed(self) -> int:
        """How many of the nearest sounds the agent refuses."""
        kept = {hit.sound.id for hit in self.with_agent}
        return sum(hit.sound.id not in kept for hit in self.without)


def material(folder: Path | None, scratch: Path) -> Material:
    """The sounds in `folder`, else Sonic Pi's samples, else a set synthesised in `scratch`.

    Raises
    ------
    DemoError
        `folder` is no folder.
    """
    if folder is not None:
        if not folder.is_dir():
            raise DemoError(f"{folder} is not a folder; name one that holds sounds, or none")
        return Material(folder, Adoption(), f"the sounds in {folder}")
    if (sonic_pi.FOLDER / "README.md").is_file():
        how = Adoption(catalogue=sonic_pi.catalogue())
        return Material(sonic_pi.FOLDER, how, "the samples of Sonic Pi, CC0 sounds from Freesound")
    count = synthesis.write(scratch / "synthesised")
    how = Adoption(licence=from_text("CC0"))
    about = f"{count} sounds that mirla synthesised (Sonic Pi's samples are not installed, and no DIR was given)"
    return Material(scratch / "synthesised", how, about)


def examples(sounds: Sequence[Sound]) -> Examples | None:
    """Choose what to teach by tags: percussive against sustained, else the commonest telling tag against the rest.

    At most half of each class is labelled, so that unseen sounds are left. None when tags tell nothing.
    """
    name = "percussive"
    good = [sound.id for sound in sounds if _PERCUSSIVE & set(sound.tags)]
    bad = [sound.id for sound in sounds if _SUSTAINED & set(sound.tags) and not _PERCUSSIVE & set(sound.tags)]
    if min(len(good), len(bad)) < 4:
        counts = Counter(tag for sound in sounds for tag in sound.tags)
        telling = [(count, tag) for tag, count in counts.items() if 4 <= count <= len(sounds) - 4]
        if not telling:
            return None
        name = max(telling, key=lambda pair: (pair[0], pair[1]))[1]
        good = [sound.id for sound in sounds if name in sound.tags]
        bad = [sound.id for sound in sounds if name not in sound.tags]
    generator = np.random.default_rng(_SEED)
    good, bad = (generator.permutation(some).tolist() for some in (good, bad))
    of_good, of_bad = (min(EXAMPLES, len(some) // 2) for some in (good, bad))
    return Examples(name, good[:of_good], bad[:of_bad], good[of_good:], bad[of_bad:])


def teach(corpus: Corpus, lesson: Examples, progress: Callable[[int, int], None]) -> dict[str, Any]:
    """Make, label and train the example agent; returns its scores."""
    about = f"example of the demo: {lesson.agent} sounds"
    known = {agent.name: agent.about for agent in corpus.agents.all()}
    if known.get(lesson.agent, about) != about:  # an agent of the user's own is left alone
        lesson = replace(lesson, agent=f"{lesson.agent}-demo")
    if lesson.agent not in known:
        agent = corpus.agents.create(lesson.agent, about, [default()], "mlp")
        labels: list[tuple[Label, list[int]]] = [("good", lesson.good), ("bad", lesson.bad)]
        for label, ids in labels:
            corpus.agents.annotate(agent, ids, label, who="demo", session="demo")
    return train(corpus, lesson.agent, seed=_SEED, progress=progress)[1]


def compare(corpus: Corpus, lesson: Examples | None, agent: str | None, sounds: Sequence[Sound]) -> list[Comparison]:
    """The nearest sounds to a few targets that the agent never saw, without it and with it.

    One target is of the kind it was taught to like. The others are not, and are chosen so that the agent refuses at
    least two of their nearest sounds, where there are such: elsewhere there would be nothing to see.
    """
    if lesson is None or agent is None:
        return [_compared(corpus, sound.id, ()) for sound in sounds[:TARGETS]]
    chosen = [_compared(corpus, target, (agent,)) for target in lesson.unseen_good[:1]]
    others = [_compared(corpus, target, (agent,)) for target in lesson.unseen_bad[:_CANDIDATES]]
    others.sort(key=lambda one: one.changed < 2)  # stable: the telling ones first
    return chosen + others[: TARGETS - len(chosen)]


def _compared(corpus: Corpus, target: int, agents: tuple[str, ...]) -> Comparison:
    measure = default()  # the measure of that name standardises the space of that name
    without, with_agent = (
        similar(corpus, target, Choice(k=NEIGHBOURS, agents=some), measure).hits for some in ((), agents)
    )
    return Comparison(corpus.sounds.get(target), without, with_agent)


def render(corpus: Corpus, comparisons: Sequence[Comparison], out: Path) -> tuple[dict[str, Any], list[Sound]]:
    """Render each target followed by what was found near it; returns the facts and the sounds that are heard."""
    ids = [sound_id for one in comparisons for sound_id in (one.target.id, *(hit.sound.id for hit in one.with_agent))]
    clips = load(corpus, ids, _RATE)
    written = render_offline(clips, _RATE, together=False, seconds=SECONDS, out=out)
    facts = {"seconds": round(written.seconds, 3), "peak_dbfs": written.peak_dbfs, "lufs": loudness_of(out)}
    return facts, corpus.sounds.many(_heard(ids, [clip.seconds for clip in clips]))


def _heard(ids: Sequence[int], seconds: Sequence[float]) -> list[int]:
    """The ids that are reached before the time is over, each once."""
    starts = np.concatenate([[0.0], np.cumsum(seconds)[:-1]])
    return list(dict.fromkeys(i for i, start in zip(ids, starts, strict=True) if start < SECONDS))


def write_credits(sounds: Sequence[Sound], file: Path) -> None:
    """Write the credits of what is heard, a line a sound."""
    file.write_text(as_text(sound.credited for sound in sounds), encoding="utf-8")
