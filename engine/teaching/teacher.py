"""Teacher: the verbs of a lesson. An answer is on disk before its verb returns.

A lesson asks sounds that have audio and vectors in the agent's spaces, are not labelled yet, and were not skipped in
this session; a sound that is asked for by its id needs none of that. The next sound is chosen before the answer, so
that it can be loaded meanwhile: `useful` asks by the newest refit there is, which may lack the newest answer.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Set
from dataclasses import replace
from typing import Any

import numpy as np

from corpus.errors import LabelsError
from corpus.library import Corpus
from corpus.model import Annotation, Label, Sound
from corpus.store.naming import check_person
from engine.agent.examples import counts
from engine.agent.useful import Pool
from engine.errors import QueryError
from engine.similarity import DEFAULT
from engine.teaching import sources
from engine.teaching.asking import Asking
from engine.teaching.pupil import Pupil, begin
from engine.teaching.status import Given, Status


class Teacher:
    """One lesson of one agent; threads may share it.

    Parameters
    ----------
    corpus : Corpus
    name : str
        The agent's; if there is none, it is made with the first answer, over the default space.
    who : str
        Who answers.
    measure : str
        What `like` means.
    seed : int, optional
        Makes chance repeatable.

    Attributes
    ----------
    made : bool
        Whether there was no such agent yet.
    session : str
        What the answers of this lesson are filed under.

    Raises
    ------
    LabelsError
        `who` is no name.
    UnknownAgent, NoVectors, TrainingError
        As for `engine.teaching.pupil.begin`.

    Examples
    --------
    >>> t = Teacher(corpus, "water", who="anna")  # doctest: +SKIP
    >>> t.random().sound.name
    >>> t.ok(), t.ko(), t.skip(), t.undo(), t.id(31362)
    >>> t.stop()
    """

    def __init__(self, corpus: Corpus, name: str, *, who: str, measure: str = DEFAULT, seed: int | None = None) -> None:
        self._corpus, self._measure, self._seed = corpus, measure, seed
        check_person(who)
        self.who = who
        agent, self._matrix = begin(corpus, name)
        self.made = not agent.id
        self.session = f"teach-{uuid.uuid4().hex[:8]}"
        self._open = np.intersect1d(self._matrix.ids, corpus.sounds.ids(with_audio=True), assume_unique=True)
        self._lock = threading.RLock()
        self._asking = Asking(corpus)
        self._skipped: set[int] = set()
        self._given: list[Given] = []
        self._status = Status(agent.name, self.session)
        self._pupil = Pupil(corpus, agent, self._heard)
        self._read_labels()

    @property
    def status(self) -> Status:
        """Where the lesson stands."""
        return self._status

    @property
    def upcoming(self) -> Sound | None:
        """What would come next; a refit or another verb may change it."""
        return self._asking.coming

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
            sound_id = int(what) if what else self._asking.present.id
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
            if self._asking.sound == sound:
                return self._status
            label = self._labels.get(sound_id)
            if label and label.test:
                raise QueryError(f"sound {sound_id} is kept for testing this agent: it is not to learn from it")
            self._asking.source = self._asking.source or self._by_chance()
            self._asking.instead(sound)
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
            return replace(self._status, sound=self._asking.present)

    def undo(self) -> Status:
        """Take the last answer of this session back, as a fact of its own, and ask that sound again.

        Raises
        ------
        QueryError
            There is none left.
        UnknownAgent
            The agent was deleted.
        LabelsError
            Another took it back already; the sound is asked again all the same.
        """
        with self._lock:
            if not self._given:
                raise QueryError("nothing left to undo in this session; `mirla agent undo` takes older ones back")
            last = self._given[-1]
            refused: LabelsError | None = None
            try:
                if last.fact is not None:
                    self._corpus.agents.undo(self._pupil.there(), who=self.who, fact=last.fact)
            except LabelsError as error:
                refused = error
            self._given.pop()
            self._skipped.discard(last.sound.id)
            self._asking.instead(last.sound)
            self._read_labels()
            status = self._settle()
            if refused:
                raise refused
            return status

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
            kept = self._pupil.keep(any(given.said for given in self._given), progress)
            facts = {key: getattr(self._status, key) for key in ("agent", "session", "good", "bad", "test")}
            return facts | kept

    def close(self) -> None:
        """End the refits; answers are kept anyway. A second time does nothing."""
        self._pupil.close()

    @property
    def behind(self) -> bool:
        """Whether there are labels of both classes from which no version of the agent learnt."""
        return self._pupil.behind

    def _by_chance(self) -> sources.Source:
        return sources.by_chance("random", self._open, self._seed)

    def _from(self, source: sources.Source) -> Status:
        with self._lock:
            self._asking.begin(source, self._closed())
            return self._settle()

    def _answer(self, said: Label | None) -> Status:
        with self._lock:
            sound = self._asking.present
            fact = None
            if said is None:
                self._skipped.add(sound.id)
            else:
                agent = self._pupil.there()
                [fact] = self._corpus.agents.annotate(agent, [sound.id], said, who=self.who, session=self.session)
            self._given.append(Given(sound, said, self._pupil.verdict(sound.id), fact))
            self._read_labels()
            self._asking.go_on(self._closed())
            return self._settle()

    def _closed(self) -> Set[int]:
        """What was labelled, or skipped in this session."""
        return self._labels.keys() | self._skipped

    def _read_labels(self) -> None:
        """Take in what is said by now, by whomever."""
        agent = self._pupil.seen()
        labels = self._corpus.agents.annotations(agent)
        self._labels: dict[int, Annotation] = {label.sound_id: label for label in labels}
        count = counts(labels)
        self._status = replace(self._status, agent=agent.name, good=count["good"], bad=count["bad"], test=count["test"])

    def _settle(self) -> Status:
        """After a verb: choose what comes next, have the agent refitted, and say where the lesson stands."""
        asking = self._asking
        asking.look_ahead(self._closed())
        if self._status.good and self._status.bad:
            present = {sound.id for sound in (asking.sound, asking.coming) if sound}
            self._pupil.refit(present.union(asking.pool))
        else:
            self._pupil.forget()
            asking.judged(None)
        self._status = replace(
            self._status,
            source=asking.source.name if asking.source else "",
            sound=asking.sound,
            last=self._given[-1] if self._given else None,
            learnt=self._pupil.learnt,
        )
        return self._status

    def _heard(self, answer: dict[str, Any]) -> None:
        """Take in what the refitting process says; in a thread of its own."""
        with self._lock:
            if not (self._status.good and self._status.bad):
                return
            judged = self._pupil.take(answer)
            self._status = replace(self._status, learnt=self._pupil.learnt)
            if judged and self._asking.pool:
                self._asking.judged(self._pupil.p)
                self._asking.look_ahead(self._closed())
