"""Sounds on their way into an instrument: decoded in threads, the likely next ones ahead of time, in bounded memory.

What is asked for comes first; what is only likely waits, and never takes the thread that the next request needs.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Sequence
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field

from corpus.library import Corpus
from corpus.model import Sound
from engine.clips import load_sound
from engine.errors import EngineError
from engine.playback.clip import TARGET_LUFS, Clip, Key, clip_key
from engine.playback.instrument import Instrument

MOST_CLIPS = 2048  # each takes descriptors
THREADS = 2
WANTED_SECONDS = 10.0  # what was asked for so lately is about to be played
_BYTES_A_FRAME = 8


@dataclass(eq=False)
class _Job:
    id: int
    semitones: float
    future: Future[Clip] = field(default_factory=Future)

    @property
    def key(self) -> Key:
        return clip_key(self.id, self.semitones)


class Loader:
    """Loads sounds into an instrument and lets those go that were not used for longest.

    Parameters
    ----------
    corpus : Corpus
    instrument : Instrument
    bytes : int
        Of decoded sounds, at most; what sounds is never let go.
    target : float
        The common loudness, in LUFS.
    """

    def __init__(self, corpus: Corpus, instrument: Instrument, bytes: int, *, target: float = TARGET_LUFS) -> None:
        self._corpus, self._instrument, self._most, self._target = corpus, instrument, bytes, target
        self._changed = threading.Condition()
        self._clips: OrderedDict[Key, Clip] = OrderedDict()  # the longest unused first
        self._wanted: dict[Key, float] = {}  # when it was asked for
        self._jobs: dict[Key, _Job] = {}  # waiting or under way
        self._urgent: deque[_Job] = deque()
        self._likely: deque[_Job] = deque()
        self._closed = False
        for number in range(THREADS):
            threading.Thread(target=self._work, args=(number > 0,), name="mirla-loading", daemon=True).start()

    def get(self, id: int, semitones: float = 0.0) -> Future[Clip]:
        """A sound, loaded into the instrument; its pitch shifted.

        The future raises an EngineError or a CorpusError, in one line, if there is no such sound, it cannot be decoded
        or shifted so far, or there is no memory for it.
        """
        key = clip_key(id, semitones)
        with self._changed:
            self._wanted[key] = time.monotonic()
            if clip := self._clips.get(key):
                self._clips.move_to_end(key)
                done: Future[Clip] = Future()
                done.set_result(clip)
                return done
            job = self._jobs.get(key) or _Job(id, semitones)
            if job in self._likely:
                self._likely.remove(job)
                self._urgent.append(job)
            elif key not in self._jobs:
                self._jobs[key] = job
                self._urgent.append(job)
            self._changed.notify_all()
        return job.future

    def ahead(self, ids: Sequence[int]) -> None:
        """Load what is likely next, the likeliest first, as there is time. What was likely before is no more."""
        with self._changed:
            for job in self._likely:
                del self._jobs[job.key]
            self._likely.clear()
            for id in reversed(ids):
                if id in self._clips:
                    self._clips.move_to_end(id)
            for id in dict.fromkeys(ids):
                if id not in self._clips and id not in self._jobs:
                    job = self._jobs[id] = _Job(id, 0.0)
                    self._likely.append(job)
            self._changed.notify_all()

    def close(self) -> None:
        """Load nothing more; what waits or is under way is cancelled."""
        with self._changed:
            self._closed = True
            jobs = list(self._jobs.values())
            self._changed.notify_all()
        for job in jobs:  # the lock is not held: who waits for a sound is told, and may have locks of its own
            job.future.cancel()

    def _work(self, urgent_only: bool) -> None:
        while job := self._next(urgent_only):
            result: Clip | Exception
            try:
                result = self._load(job)
            except Exception as error:
                result = error
            with self._changed:
                del self._jobs[job.key]
            with contextlib.suppress(InvalidStateError):  # it was cancelled meanwhile
                if isinstance(result, Clip):
                    job.future.set_result(result)
                else:
                    job.future.set_exception(result)

    def _next(self, urgent_only: bool) -> _Job | None:
        with self._changed:
            while not self._closed:
                queue = self._urgent or (None if urgent_only else self._likely)
                if not queue:
                    self._changed.wait()
                    continue
                return queue.popleft()
        return None

    def _load(self, job: _Job) -> Clip:
        sound = self._corpus.sounds.get(job.id)
        self._require(sound)
        while True:
            rate = self._instrument.rate
            decoded = load_sound(sound, rate, semitones=job.semitones, target=self._target)
            if rate == self._instrument.rate:  # else the device came meanwhile
                break
        self._make_room(decoded)
        clip = self._instrument.load(decoded)
        with self._changed:
            self._clips[job.key] = clip
        return clip

    def _require(self, sound: Sound) -> None:
        """Refuse what can never be held, before it is decoded."""
        if sound.file and sound.file.duration * self._instrument.rate * _BYTES_A_FRAME > self._most:
            raise EngineError(
                f"sound {sound.id} is {sound.file.duration:.0f} s long and does not fit into {self._most >> 20} MB of "
                "sounds: choose a shorter one"
            )

    def _make_room(self, clip: Clip) -> None:
        """Let the longest unused go until there is room for one more."""
        sounding, now, leaving = self._instrument.sounding, time.monotonic(), []
        with self._changed:
            self._wanted = {key: when for key, when in self._wanted.items() if now - when < WANTED_SECONDS}
            for key in [key for key in self._clips if key not in sounding and key not in self._wanted]:
                if self._held() + clip.frames.nbytes <= self._most and len(self._clips) < MOST_CLIPS:
                    break
                leaving.append(self._clips.pop(key))
            full = self._held() + clip.frames.nbytes > self._most or len(self._clips) >= MOST_CLIPS
        for old in leaving:
            self._instrument.unload(old)
        if full:
            raise EngineError(
                f"no memory for sound {clip.id}: what sounds fills {self._held() >> 20} of {self._most >> 20} MB; "
                "stop something and ask again"
            )

    def _held(self) -> int:
        return sum(clip.frames.nbytes for clip in self._clips.values())
