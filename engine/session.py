"""Session: the corpus, an instrument, and groups of sounds that a performer speaks to.

Nothing here needs a network, and no device opens until something is to play. What is said is done in order, group by
group, each in a thread of its own; what goes wrong is one line, and the sound goes on.
"""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Unpack

from corpus.errors import CorpusError
from corpus.library import Corpus
from corpus.model import Command, Sound
from engine.errors import EngineError, PaletteError, VerbError
from engine.group import Group
from engine.lesson import Lesson
from engine.performing import used
from engine.performing.clock import Clock, LiveClock, Pace, VirtualClock
from engine.performing.journal import Journal, Playing
from engine.performing.kinds import misfit
from engine.performing.rig import OVER, Rig
from engine.performing.times import Length, seconds
from engine.performing.turns import AtOnce, InTurn, Turns
from engine.performing.verbs import Outcome, Verb, answered, chained, immediate
from engine.performing.wishes import Asking, Defaults, Wish
from engine.playback.clip import TARGET_LUFS
from engine.query.answer import Hit
from engine.similarity.measures import measure as known_measure

if TYPE_CHECKING:
    from engine.playback.instrument import Instrument
    from engine.playback.offline import OfflinePlayer

MEMORY = 1 << 30
"""Bytes of decoded sound that are kept."""
TEMPO = 120.0
LONGEST_NAME = 100
NAME = re.compile(rf"[\w-]{{1,{LONGEST_NAME}}}")
"""Of a group, which is part of OSC's addresses."""
Listener = Callable[[str, str | None, int | None, str], None]
"""Told of events: kind, group, sound's id, and words."""


class Session:
    """A live session.

    Parameters
    ----------
    home : str or Path, optional
        The corpus's, as for `corpus.Corpus`.
    device : int or str, optional
        To play on, by number or name.
    seed : int, optional
        Makes chance repeatable; drawn if it is not given, and kept with the journal.
    raising : bool
        Raise what goes wrong, as a program wants it, instead of saying it in a line, as a performer does.
    say : callable, optional
        Told each line that is said; else they go to standard error.
    rendering : OfflinePlayer, optional
        Play into this, by its own virtual time, instead of on a device.
    loudness : float
        What all sounds are brought to, in LUFS.
    memory : int
        Bytes of decoded sound to keep.
    title : str
        Kept with the journal.
    journal : bool, optional
        Whether what is said and played is written down in the corpus; if nothing is said, on a device it is.

    Examples
    --------
    >>> with Session() as s:  # doctest: +SKIP
    ...     a = s.group("a")
    ...     a.tag("metal", 3)
    ...     a.similar(agent="water").play(rate=0.5).volume(0.3)
    """

    def __init__(
        self,
        home: str | Path | None = None,
        *,
        device: int | str | None = None,
        seed: int | None = None,
        raising: bool = False,
        say: Callable[[str], None] | None = None,
        rendering: OfflinePlayer | None = None,
        loudness: float = TARGET_LUFS,
        memory: int = MEMORY,
        title: str = "",
        journal: bool | None = None,
    ) -> None:
        self.corpus = Corpus(home)
        self.seed = random.SystemRandom().getrandbits(31) if seed is None else seed
        self.raising = raising
        self.defaults = Defaults()
        self._listeners: list[Listener] = []
        self._say = say or _to_standard_error
        self._tempo = TEMPO
        self._groups: dict[str, Group] = {}
        self._lessons: list[Lesson] = []
        self._device = device if device is not None else self.corpus.settings.device
        self._live = rendering is None
        self._closed = False
        self.clock: Clock = LiveClock(self._failed) if rendering is None else VirtualClock(rendering, self._failed)
        self._pace = Pace(self.clock)
        opener = self._open if rendering is None else lambda: rendering
        self.rig = Rig(self.corpus, opener, self.clock, memory=memory, target=loudness, waiting=not self._live)
        self.journal = Journal(
            self.corpus,
            self.clock,
            self.seed,
            title,
            self._live if journal is None else journal,
            lambda words: self.say(words),
            self._played,
            {"loudness": loudness},
        )
        self._asking = Asking(self.corpus, random.Random(str(self.seed)), (self.defaults,))
        self._turns = self.turns("session")

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Fade out, write the journal to its end, and let go of all."""
        if self._closed:
            return
        self._closed = True
        self.clock.close()
        for speaker in self._speakers:
            speaker.close()
            speaker.halted()
        self._turns.close()
        if self._live and self.rig.opened:
            stats = self.rig.instrument.stats()
            self.journal.note(**{name: stats[name] for name in ("underruns", "errors", "outages") if name in stats})
        self.rig.close()
        self.journal.close()
        self.corpus.close()

    def fade(self, seconds: float) -> None:
        """Let what still waits happen, and fade out; in the log too, so that a replayed set ends like this.

        What a lesson plays just ends.
        """
        for speaker in self._speakers:
            speaker.settle()
        if any(speaker.playing for speaker in self._speakers):
            for group in self.groups.values():
                group.fadeout(seconds)
                group.settle()
            self.clock.wait(seconds)
            self.stop()

    def group(self, name: str) -> Group:
        """The group of a name, made when it is first asked for.

        Raises
        ------
        VerbError
            It has other characters than letters, digits, _ and -, or too many.
        """
        if name not in self._groups:
            if not NAME.fullmatch(name):
                shown = name if len(name) <= LONGEST_NAME else name[:LONGEST_NAME] + "…"
                raise VerbError(f"{shown!r} can be no group: name it with letters, digits, _ and -, such as drums_2")
            self._groups[name] = Group(self, name)
        return self._groups[name]

    def teach(self, agent: str, who: str | None = None) -> Lesson:
        """A lesson of an agent, which goes on until it is stopped.

        Raises
        ------
        LabelsError, UnknownAgent, NoVectors, TrainingError
            As for `engine.teaching.Teacher`.
        """
        lesson = Lesson(self, agent, who)
        self._lessons.append(lesson)
        return lesson

    @property
    def groups(self) -> dict[str, Group]:
        """The groups there are, by name."""
        return dict(self._groups)

    def wait(self, length: Length) -> None:
        """Let time pass: seconds, or beats as in `wait("4b")`; from the end of the last wait on, if just now."""
        self._pace.wait(self.seconds(length))

    def seconds(self, length: Length) -> float:
        """A length of time in seconds, at the session's tempo."""
        return seconds(length, self._tempo)

    def on(self, listener: Listener) -> Callable[[], None]:
        """Tell a listener of events from now on; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @property
    def measure_in_use(self) -> str:
        """What near means where nothing else is said."""
        return self._asking.measure({})

    @property
    def _speakers(self) -> list[Group | Lesson]:
        return [*self._groups.values(), *self._lessons]

    # verbs

    @answered
    def find(
        self,
        text: str = "",
        like: int | Sequence[int] = (),
        unlike: int | Sequence[int] = (),
        k: int = 10,
        **wish: Unpack[Wish],
    ) -> list[Hit]:
        """Find sounds without playing them: by words, near to some and away from others, and by any option."""
        likes, unlikes = ([each] if isinstance(each, int) else list(each) for each in (like, unlike))
        if likes or unlikes:
            return self._asking.near(k, likes, wish, unlike=unlikes, text=text).hits
        return self._asking.found(k, wish, text=text).hits

    @immediate
    def panic(self) -> None:
        """Silence everything, 10 ms from the next block on; the sounds stay in their groups."""
        if self.rig.opened:
            self.rig.instrument.panic()
        for speaker in self._speakers:
            speaker.halted()

    @immediate
    def stop(self) -> None:
        """Stop all groups; the sounds stay in them."""
        for speaker in self._speakers:
            speaker.halted()

    @chained
    def record(self, path: str) -> None:
        """Write what is heard to a file, until `stoprecording` or the end."""
        file = Path(path).expanduser()
        self.rig.instrument.record(file)

    @chained
    def stoprecording(self) -> None:
        """Finish the file that `record` began."""
        self.rig.instrument.record(None)

    @immediate
    def tempo(self, bpm: float = TEMPO) -> None:
        """Set how fast beats go, in beats a minute."""
        if isinstance(bpm, bool) or not isinstance(bpm, int | float) or not 1.0 <= bpm <= 999.0:
            raise VerbError(f"tempo {bpm!r} is not from 1 to 999 beats a minute")
        self._tempo = float(bpm)

    @immediate
    def agent(self, *names: str) -> None:
        """Have agents choose for all groups from now on; without a name none does."""
        self.check_agents(names)
        self.defaults.agents = names

    @immediate
    def measure(self, name: str) -> None:
        """Say what near means to all groups from now on."""
        self.check_measure(name)
        self.defaults.measure = name

    @answered
    def credits(self) -> list[str]:
        """Say whose sounds were played in this session."""
        return [sound.credit for sound in self.journal.played]

    @answered
    def status(self) -> dict[str, Any]:
        """Say what plays, how loud, and how the device keeps up."""
        playing = {name: [sound.id for sound in group.sounds] for name, group in self._groups.items()}
        device = {**self.rig.instrument.stats(), "output": self.rig.instrument.name} if self.rig.opened else {}
        return {"groups": playing, "tempo": self._tempo, **device}

    # for groups and servers

    def perform(self, verb: Verb, given: Sequence[Any], named: Mapping[str, Any]) -> Future[Outcome]:
        """Do a verb of the session in its manner. The future itself never raises."""
        return self.perform_for(self, None, self._turns, verb, given, named)

    def perform_for(
        self, owner: Any, name: str | None, turns: Turns, verb: Verb, given: Sequence[Any], named: Any
    ) -> Future[Outcome]:
        """Do a verb for a group, or for the session, and write it down; what is dropped before its turn too."""
        facts: dict[str, Any] = {"said": round(self.clock.now(), 3)}
        if isinstance(owner, Lesson):
            facts["kind"] = "lesson"

        def act() -> Any:
            verb.check(given, named)
            try:
                return verb.function(owner, *given, **named)
            except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
                if (words := misfit(verb.function, given, named)) is None:
                    raise
                raise VerbError(f"{verb.name}: {words}; it is {verb.usage}") from error

        def write(at: float, outcome: Outcome) -> None:
            error = None if outcome.error is None else str(outcome.error)
            answer = _loggable(outcome.answer)
            self.journal.command(Command(at, name, verb.name, list(given), dict(named), answer, error, facts))

        def turn() -> Outcome:
            at = self.clock.now()
            with used.noted() as found:
                outcome = self.done(name, act)
            facts.update(found)
            write(at, outcome)
            done.append(outcome)
            return outcome

        def dropped(future: Future[Outcome]) -> None:
            if not done:
                write(self.clock.now(), future.result())

        if self._closed:
            return AtOnce().take(lambda: self.done(name, _refuse))
        done: list[Outcome] = []
        now = verb.manner in ("immediate", "handled")
        future = (AtOnce() if now else turns).take(turn)
        future.add_done_callback(dropped)
        return future

    def done(self, name: str | None, act: Callable[[], Any]) -> Outcome:
        """Do something; what goes wrong is said, not raised."""
        try:
            return Outcome(act())
        except (CorpusError, EngineError) as error:
            failed: Exception = error
        except Exception as error:  # on stage nothing raises
            failed = EngineError(f"unexpected {type(error).__name__}: {error}; please report it")
            failed.__cause__ = error
        if not self.raising:
            self.say(str(failed), name, kind="error")
        return Outcome(error=failed)

    def _failed(self, error: Exception) -> None:
        """Say what went wrong in something that happened by itself."""

        def again() -> None:
            raise error

        self.journal.event(None, "failed", str(error))
        self.done(None, again)

    def turns(self, name: str, at_rest: Callable[[], object] | None = None) -> Turns:
        """What keeps the order of what is said to one group; live, `at_rest` is called when nothing waits any more."""
        return InTurn(name, at_rest) if self._live else AtOnce()

    def say(self, words: str, group: str | None = None, kind: str = "said") -> None:
        """Say a line to the performer and to whoever listens."""
        if kind != "error":  # what goes wrong with a verb is written with it
            self.journal.event(group, kind, words)
        self._say(words if group is None else f"{group}: {words}")
        self.tell(kind, group, None, words)

    def tell(self, kind: str, group: str | None, sound_id: int | None, words: str) -> None:
        """Tell an event to whoever listens; one that cannot take it listens no more."""
        for listener in list(self._listeners):
            try:
                listener(kind, group, sound_id, words)
            except Exception as error:
                self._listeners.remove(listener)
                self._say(f"a listener failed and is told no more: {error!r}")

    def check_agents(self, names: Sequence[str]) -> None:
        """Refuse agents that are not there."""
        for name in names:
            self.corpus.agents.get(name)

    def check_measure(self, name: str) -> None:
        """Refuse a measure that is not there."""
        known_measure(name)

    def palette(self, name: str) -> list[int]:
        """The ids of a palette's sounds, in order."""
        palette = self.corpus.palettes.get(name)
        if palette is None:
            known = ", ".join(each.name for each in self.corpus.palettes.all()) or "none yet"
            raise PaletteError(f"no palette {name!r}; there are: {known}; `mirla palette publish` makes one")
        return [each.id for each in palette.sounds]

    def slices(self, sound: Sound) -> list[tuple[float, float]]:
        """Where the slices of a sound begin and end, in seconds; none where no onsets were found."""
        found = self.corpus.onsets.of(sound.id)
        onsets = [] if found is None else [*found.tolist(), sound.duration or 0.0]
        return list(pairwise(onsets))

    def _open(self) -> Instrument:
        from engine.playback.player import Player

        opened: list[Player] = []

        def told(kind: str, words: str) -> None:
            self.say(words, kind=kind)
            if kind == "device" and opened:
                look(opened[0])

        def look(player: Player) -> None:
            there = bool(player.stats()["device"])
            self.journal.device(there)
            if there:
                self.journal.note(device=player.name, rate=player.rate)

        player = Player(self._device, must_open=False, on_event=told)
        opened.append(player)
        look(player)
        return player

    def _played(self, playing: Playing) -> None:
        self.tell("playing", playing.group, playing.sound.id, playing.sound.name)


def _loggable(answer: Any) -> Any:
    """An answer as the journal keeps it: ids where it brought sounds."""
    if isinstance(answer, list) and answer and isinstance(answer[0], Hit):
        return [hit.sound.id for hit in answer]
    return answer if isinstance(answer, list | dict | str | int | float | None) else None


def _refuse() -> None:
    raise VerbError(OVER)


def _to_standard_error(words: str) -> None:
    from corpus.text import for_terminal

    print(for_terminal(words), file=sys.stderr)
