"""Teacher: the verbs of a lesson. An answer is on disk before its verb returns.

A lesson asks sounds that have audio and vectors in the agent's spaces, are not labelled yet, and were not skipped in
this session; a sound that is asked for by its id needs none of that. The next sound is chosen before the answer, so
that it can be loaded meanwhile: `useful` asks by the newest refit there is, which may lack the newest answer.
"""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from corpus.analysis import spaces
from corpus.errors import UnknownAgent, UnknownSound
from corpus.library import Corpus
from corpus.model import Agent, Annotation, Label, Sound
from engine.agent.useful import Pool
from engine.errors import QueryError
from engine.features import FeatureMatrix, side_by_side
from engine.similarity import DEFAULT
from engine.teaching import sources
from engine.teaching.pupil import Pupil
from engine.teaching.status import Given, Status


class Teacher:
    """One lesson of one agent; threads may share it.

    Parameters
    ----------
    corpus : Corpus
    name : str
        The agent's; it is made, over the default space, if there is none.
    who : str
        Who answers.
    measure : str
        What `like` means.
    seed : int, optional
        Makes chance repeatable.

    Attributes
    ----------
    made : bool
        Whether the agent was made just now.
    session : str
        What the answers of this lesson are filed under.

    Raises
    ------
    NoVectors
        There is nothing in a space that the agent looks at.

    Examples
    --------
    >>> t = Teacher(corpus, "water", who="anna")  # doctest: +SKIP
    >>> t.random().sound.name
    >>> t.ok(), t.ko(), t.skip(), t.undo(), t.id(31362)
    >>> t.stop()
    """

    def __init__(
        self,
        corpus: Corpus,
        name: str,
        *,
        who: str,
        measure: str = DEFAULT,
        seed: int | None = None,
    ) -> None:
        self._corpus, self._measure, self._seed = corpus, measure, seed
        self.who = who
        self._agent, self._matrix, self.made = _begin(corpus, name)
        self.session = f"teach-{uuid.uuid4().hex[:8]}"
        self._open = np.intersect1d(self._matrix.ids, corpus.sounds.ids(with_audio=True), assume_unique=True)
        self._lock = threading.RLock()
        self._source: sources.Source | None = None
        self._sound: Sound | None = None
        self._next: Sound | None = None
        self._held: list[int] = []  # to come before the source's own
        self._skipped: set[int] = set()
        self._given: list[Given] = []
        self._status = Status(self._agent.name, self.session)
        self._pupil = Pupil(corpus, self._agent, self._heard)
        self._read_labels()

    @property
    def status(self) -> Status:
        """Where the lesson stands."""
        return self._status

    @property
    def upcoming(self) -> Sound | None:
        """What would come next; a refit or another verb may change it."""
        return self._next

    def source(self, text: str) -> Status:
        """Choose a source in words: `random`, `tag:T`, `search:T`, `like:ID`, `useful`; `id:ID` asks for one sound.

        `like` alone means the sound that is being asked.

        Raises
        ------
        QueryError
            There is no such source.
        """
        kind, what = sources.parse(text)
        if kind in ("id", "like"):
            sound_id = int(what) if what else self._asked().id
            return self.id(sound_id) if kind == "id" else self.like(sound_id)
        verb: Callable[..., Status] = getattr(self, kind)
        return verb(what) if what else verb()

    def random(self) -> Status:
        """Ask sounds in an order of chance."""
        return self._from(self._by_chance())

    def tag(self, tag: str) -> Status:
        """Ask sounds with a tag, in an order of chance."""
        return self._from(sources.tagged(self._corpus, tag, self._open, self._seed))

    def search(self, text: str) -> Status:
        """Ask what a search finds, by rank."""
        return self._from(sources.found(self._corpus, text, self._open))

    def like(self, sound_id: int) -> Status:
        """Ask the nearest to a sound, the nearest first.

        Raises
        ------
        UnknownSound, NoVectors
            There is no such sound, or the measure knows nothing of it.
        """
        return self._from(sources.near(self._corpus, sound_id, self._measure, self._open))

    def useful(self) -> Status:
        """Ask the most useful sounds (see `engine.agent.useful`)."""
        with self._lock:
            asked = [*self._labels, *self._skipped]
            open_ids = np.setdiff1d(self._open, np.array(asked, np.int64), assume_unique=True)
            pool = Pool(self._matrix, open_ids, asked, self._seed or 0)
            return self._from(sources.Useful(pool))

    def id(self, sound_id: int) -> Status:
        """Ask one sound, whatever was said of it; then go on as before, or at random.

        Raises
        ------
        UnknownSound
            There is no such sound.
        QueryError
            It is kept for testing.
        """
        sound = self._corpus.sounds.get(sound_id)
        with self._lock:
            if self._sound and self._sound.id == sound_id:
                return self._status
            label = self._labels.get(sound_id)
            if label and label.test:
                raise QueryError(f"sound {sound_id} is kept for testing this agent: it is not to learn from it")
            self._source = self._source or self._by_chance()
            self._instead(sound)
            return self._settle()

    def ok(self) -> Status:
        """Call the sound good, and go on."""
        return self._answer("good")

    def ko(self) -> Status:
        """Call the sound bad, and go on."""
        return self._answer("bad")

    def skip(self) -> Status:
        """Say nothing of the sound, and go on; it does not come again in this session."""
        return self._answer(None)

    def again(self) -> Status:
        """Ask the same sound again."""
        with self._lock:
            self._asked()
            return self._status

    def undo(self) -> Status:
        """Take the last answer of this session back, as a fact of its own, and ask that sound again.

        Raises
        ------
        QueryError
            There is none left.
        """
        with self._lock:
            if not self._given:
                raise QueryError("nothing left to undo in this session; `mirla agent undo` takes older ones back")
            last = self._given[-1]
            if last.said is None:
                self._skipped.discard(last.sound.id)
            else:
                self._corpus.agents.undo(self._agent, self.session, who=self.who)
            self._given.pop()
            self._instead(last.sound)
            self._read_labels()
            return self._settle()

    def stop(self, progress: Callable[[int, int], None] | None = None) -> dict[str, Any]:
        """End the lesson; what the agent learnt is kept as its next version, where there are new labels of both kinds.

        Returns
        -------
        dict
            `agent`, `session`, `good`, `bad`, `test`; `version` and `scores` of the model in use, None without one;
            `problem`: why it cannot learn from these labels, which are kept all the same, else None.
        """
        self.close()
        with self._lock:
            self._read_labels()
            facts = {key: getattr(self._status, key) for key in ("agent", "session", "good", "bad", "test")}
            return facts | self._pupil.keep(progress)

    def close(self) -> None:
        """End the refits; answers are kept anyway. A second time does nothing."""
        self._pupil.close()

    @property
    def behind(self) -> bool:
        """Whether there are labels that the agent's model did not learn from."""
        return self._pupil.behind

    def _by_chance(self) -> sources.Source:
        return sources.by_chance("random", self._open, self._seed)

    def _from(self, source: sources.Source) -> Status:
        with self._lock:
            first = self._first(source)
            if first is None:
                raise QueryError(
                    f"no sound to ask from {source.name}: none has audio and vectors and is not labelled yet"
                )
            self._source, self._held, self._sound = source, [], first
            return self._settle()

    def _answer(self, said: Label | None) -> Status:
        with self._lock:
            sound = self._asked()
            if said is None:
                self._skipped.add(sound.id)
            else:
                self._corpus.agents.annotate(self._agent, [sound.id], said, who=self.who, session=self.session)
            self._given.append(Given(sound, said, self._pupil.verdict(sound.id)))
            self._sound = self._next
            self._held = self._held[1:]
            self._read_labels()
            return self._settle()

    def _asked(self) -> Sound:
        if self._sound is None:
            raise QueryError(f"no sound is being asked; choose a source: {sources.SOURCES}")
        return self._sound

    def _instead(self, sound: Sound) -> None:
        """Ask a sound in place of the one that is being asked, which comes again after it."""
        present = [self._sound.id] if self._sound else []
        self._held = [*present, *(sound_id for sound_id in self._held if sound_id != sound.id)]
        self._sound = sound

    def _read_labels(self) -> None:
        """Take in what is said by now, by whomever."""
        labels = self._corpus.agents.annotations(self._agent)
        self._labels: dict[int, Annotation] = {label.sound_id: label for label in labels}
        self._status = replace(
            self._status,
            good=sum(one.label == "good" and not one.test for one in labels),
            bad=sum(one.label == "bad" and not one.test for one in labels),
            test=sum(one.test for one in labels),
        )

    def _settle(self) -> Status:
        """After a verb: choose what comes next, have the agent refitted, and say where the lesson stands."""
        if isinstance(self._source, sources.Useful) and self._sound:
            self._source.pool.ask(self._sound.id)
        self._next = self._following()
        self._status = replace(
            self._status,
            source=self._source.name if self._source else "",
            sound=self._sound,
            last=self._given[-1] if self._given else None,
        )
        self._ask_refit()
        return self._status

    def _following(self) -> Sound | None:
        """What comes after the sound that is being asked: first what was put back."""
        while self._held:
            with contextlib.suppress(UnknownSound):
                return self._corpus.sounds.get(self._held[0])
            del self._held[0]
        return self._first(self._source) if self._source else None

    def _first(self, source: sources.Source) -> Sound | None:
        """The first of a source that may be asked; one that was deleted meanwhile is passed over."""
        gone: set[int] = set()
        while True:
            present = {self._sound.id} if self._sound else set()
            chosen = source.first(self._labels.keys() | self._skipped | present | gone)
            if chosen is None:
                return None
            try:
                return self._corpus.sounds.get(chosen)
            except UnknownSound:
                gone.add(chosen)

    def _ask_refit(self) -> None:
        useful = self._source if isinstance(self._source, sources.Useful) else None
        if self._status.good and self._status.bad:
            asked = {sound.id for sound in (self._sound, self._next) if sound}
            self._pupil.refit(asked | set(useful.pool.ids.tolist() if useful else ()))
            return
        self._pupil.forget()
        self._status = replace(self._status, learnt=self._pupil.learnt)
        if useful:
            useful.judged(None)

    def _heard(self, answer: dict[str, Any]) -> None:
        """Take in what the refitting process says; in a thread of its own."""
        with self._lock:
            if not (self._status.good and self._status.bad):
                return
            judged = self._pupil.take(answer)
            self._status = replace(self._status, learnt=self._pupil.learnt)
            if judged and isinstance(self._source, sources.Useful):
                self._source.judged(self._pupil.p)
                self._next = self._following()


def _begin(corpus: Corpus, name: str) -> tuple[Agent, FeatureMatrix, bool]:
    """An agent and what it looks at; whether it was made now, which it is not where it would see nothing."""
    try:
        agent = corpus.agents.get(name)
        return agent, side_by_side(corpus, agent.spaces), False
    except UnknownAgent:
        matrix = side_by_side(corpus, [spaces.default()])
        return corpus.agents.create(name, "", [spaces.default()], "mlp"), matrix, True
