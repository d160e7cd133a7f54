"""The performer's end of the audio process: the instrument that is heard.

Conventions: as in `engine.playback.instrument`. Every call returns within a millisecond or so, loading within what it
takes to copy the audio. Threads may share a player.

A player that must not open its device (`must_open=False`) never raises because of a device: it says once that there is
none, or that it is gone, keeps in mind what was asked for, and goes on with it on another audio process as soon as the
device is there; its clock goes on meanwhile. The other kind raises from whichever method meets it.
"""

from __future__ import annotations

import atexit
import itertools
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any
from weakref import WeakKeyDictionary

from engine.errors import DeviceError, EngineError
from engine.playback.arguments import gain_of, pan_of, part_of, rate_of, seconds_of
from engine.playback.clip import Clip, Key
from engine.playback.effects import checked
from engine.playback.line import Line
from engine.playback.output import View
from engine.playback.process import Looked, Opened
from engine.playback.recording import Recorder
from engine.playback.shared import Segment, allow_files, share, ticket
from engine.playback.state import State

WAIT_SECONDS = 0.02  # between two looks
WATCH_SECONDS = 0.25
RETRY_SECONDS = (0.5, 1.0, 2.0, 4.0)  # between attempts to open; the last of them from then on
COUNTED = ("callbacks", "underruns", "errors", "faults")
NOWHERE = Opened("no device", 44100, 2, 0.0, 44100)

OnEvent = Callable[[str, str], None]
"""Told of the kind of an event ("device", "record", "error") and of it in one line, from any thread."""


class Player:
    """A sound device with a mixer, in a process of their own. An `Instrument`.

    Parameters
    ----------
    device : int, str or None
        Number or part of the name, as PortAudio lists it; None for the default.
    on_event : callable or None
        Told what happens by itself.
    must_open : bool
        Raise where there is no device, or it fails. False: go on in silence until it is there.

    Attributes
    ----------
    name : str
        The device's.
    rate : int
        In Hz; clips must have it. With no device yet, and none loaded, it may become the device's; else it stays, and
        what is mixed is resampled for a device of another rate.
    channels : int
    latency : float
        From a command to the loudspeakers, in seconds, the current block aside.

    Raises
    ------
    DeviceError
        If it must open: from here if no device can be opened, and from every method if it or its process fails later.
    """

    def __init__(
        self, device: int | str | None = None, *, on_event: OnEvent | None = None, must_open: bool = True
    ) -> None:
        self._device = device
        self._tell: OnEvent = (lambda kind, text: None) if on_event is None else on_event
        self._must_open = must_open
        self._lock = threading.RLock()  # what is kept in mind changes in the order in which it is sent
        self._voices = itertools.count(1)
        self._newest = 0
        self._state = State()
        self._segments: WeakKeyDictionary[Clip, Segment] = WeakKeyDictionary()
        self._recorder: Recorder | None = None
        self._recorders: list[Recorder] = []
        self._closed = threading.Event()
        self._line: Line | None = None
        self._view = View(when=time.monotonic())  # the last seen, on this player's clock
        self._origin = 0  # frame of this player's clock at which the audio process's began
        self._lost = 0
        self._earlier = dict.fromkeys(COUNTED, 0)  # by audio processes that are gone
        self._peak = 0.0  # of them
        self._unsaid: deque[str] = deque()  # said by the thread that watches: whoever listens may hold locks of its own
        self.name, self.rate, self.channels, self.latency, self._heard = NOWHERE
        allow_files()
        self._open(None)
        atexit.register(self.close)  # before multiprocessing's own handler, which would cut the sound off
        if not must_open:
            threading.Thread(target=self._watch, name="mirla-player", daemon=True).start()

    def __enter__(self) -> Player:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def load(self, clip: Clip) -> Clip:
        """Give the audio process a clip, and return it as it is shared: whoever keeps that one keeps no second copy.

        Raises
        ------
        EngineError
            If there is not enough shared memory, or the clip is not at the device's rate.
        """
        if clip.rate != self.rate:
            raise EngineError(f"{clip.name!r} is at {clip.rate} Hz, the mixer at {self.rate} Hz: load it at that rate")
        if held := self._state.clips.get(clip.key):
            return held
        segment = self._segments.get(clip)
        if segment is None:
            clip, segment = share(clip)  # the lock is not held: it may be long
        with self._lock:
            if held := self._state.clips.get(clip.key):
                return held
            self._do("load", fd=segment.fd, ticket=ticket(clip, segment))
            self._segments[clip] = segment
            self._state.clips[clip.key] = clip
        return clip

    def unload(self, clip: Clip) -> None:
        """Have the audio process forget a clip; its voices fade out."""
        with self._lock:
            self._state.unload(clip.key)
            self._do("unload", key=clip.key)

    def start(
        self,
        clip: Clip,
        *,
        at: int | None = None,
        group: str = "",
        gain: float = 1.0,
        rate: float = 1.0,
        pan: float = 0.0,
        loop: bool = False,
        begin: int = 0,
        end: int | None = None,
        frames: int | None = None,
        fade_in: float = 0.0,
        fade_out: float = 0.010,
    ) -> int:
        """Start a voice and return its number; loads the clip if it is not. Arguments as in `Instrument.start`.

        Raises
        ------
        EngineError
            If an argument has no meaning, or as in `load`.
        """
        whose = repr(clip.name)
        part_of(clip, begin, end)
        options: dict[str, Any] = {
            "at": at, "group": group, "gain": gain_of(gain, whose), "rate": rate_of(rate, whose),
            "pan": pan_of(pan, whose), "loop": loop, "begin": begin, "end": end, "frames": frames,
            "fade_in": seconds_of(fade_in, whose), "fade_out": seconds_of(fade_out, whose),
        }  # fmt: skip
        with self._lock:
            clip = self.load(clip)
            voice = self._newest = next(self._voices)
            self._state.start(voice, clip, self._clock(), options)
            options = {**options, "at": at and max(0, at - self._origin)}
            self._do("start", voice=voice, key=clip.key, **options)
        return voice

    def change(
        self,
        voice: int,
        *,
        gain: float | None = None,
        rate: float | None = None,
        pan: float | None = None,
        seconds: float = 0.02,
    ) -> None:
        """Glide a voice to new values; None leaves one as it is. A voice that is over stays over."""
        values = _checked(f"voice {voice}", gain=gain, rate=rate, pan=pan)
        seconds = seconds_of(seconds, f"voice {voice}")
        with self._lock:
            self._state.change(voice, values)
            self._do("change", voice=voice, **values, seconds=seconds)

    def stop(self, voice: int, seconds: float = 0.010) -> None:
        """Fade one voice out; one that is over already stays over."""
        seconds = seconds_of(seconds, f"voice {voice}")
        with self._lock:
            self._state.stop(voice)
            self._do("stop", voice=voice, seconds=seconds)

    def mix(self, group: str, *, gain: float | None = None, pan: float | None = None, seconds: float = 0.02) -> None:
        """Glide a group's bus to a gain and a pan."""
        values = _checked(f"group {group!r}", gain=gain, pan=pan)
        seconds = seconds_of(seconds, f"group {group!r}")
        _require_bus(group)
        with self._lock:
            self._state.mix(group, values)
            self._do("mix", group=group, **values, seconds=seconds)

    def effects(self, group: str, chain: Sequence[tuple[str, Mapping[str, float]]]) -> None:
        """Give a group its whole chain of effects, by name and values; () is bypass."""
        chain = checked(chain)
        _require_bus(group)
        with self._lock:
            self._state.effects(group, chain)
            self._do("effects", group=group, chain=chain)

    def fade_out(self, group: str, seconds: float) -> None:
        """Fade out all voices of a group; what waits in it never starts."""
        seconds = seconds_of(seconds, f"group {group!r}")
        with self._lock:
            self._state.stop_group(group)
            self._do("fade_out", group=group, seconds=seconds)

    def panic(self) -> None:
        """Fade everything out over 10 ms; what waits for its frame never starts."""
        with self._lock:
            self._state.voices.clear()
            self._do("panic")

    def record(self, path: str | Path | None) -> None:
        """Write what is heard to a WAV file of 24 bits from now on; None ends it, within some tenths of a second.

        The file has its name from the start, and is whole up to the last second whatever happens. While there is no
        device nothing is heard and nothing written.

        Raises
        ------
        EngineError
            If the file exists or cannot be made.
        """
        with self._lock:
            self._require_open()
            recorder = None
            if path is not None:
                recorder = Recorder(path, self.rate, lambda text: self._tell("record", text))
                self._recorders = [*(one for one in self._recorders if not one.done), recorder]
            before, self._recorder = self._recorder, recorder
            if recorder:
                self._do("record", fd=recorder.segment.fd, size=recorder.segment.size)
            elif before:
                self._do("end_record")
            if before:
                before.stop()

    @property
    def position(self) -> int:
        """Frames mixed so far."""
        return self._look().view.position

    @property
    def active(self) -> tuple[int, ...]:
        """The voices that sound or wait for their frame."""
        return self._look().view.active

    @property
    def sounding(self) -> set[Key]:
        """Keys of the clips that sound or wait for their frame, as far as is known without a look."""
        return self._state.sounding

    def stats(self) -> dict[str, Any]:
        """Return how it runs.

        Returns
        -------
        dict
            Counted since the player was made, over outages too: `callbacks`, `underruns`, `errors`, and `faults`
            (effects bypassed because they failed); `peak` of the output since then, linear; `level` of the last blocks
            in dBFS, None for silence; `load`, the share of a block's time that 99 % of the last blocks keep within;
            `recorded` seconds and `lost` frames of the recording; `outages`, how often the device was gone; `device`,
            whether it is there.
        """
        view = self._look().view
        recorder = self._recorders[-1] if self._recorders else None
        with self._lock:
            figures = self._do("statistics", ask=True) or {"level": None, "load": 0.0}
        return {
            **{name: count + getattr(view, name) for name, count in self._earlier.items()},
            "peak": max(self._peak, view.peak),
            **figures,
            "recorded": recorder.seconds if recorder else 0.0,
            "lost": recorder.lost if recorder else 0,
            "outages": self._lost,
            "device": self._line is not None,
        }

    def modules(self) -> list[str]:
        """Return the names of what the audio process has imported: that it is light can be checked."""
        with self._lock:
            names: list[str] = self._do("modules", ask=True) or []
        return names

    def wait_until_silent(self, timeout: float | None = None) -> bool:
        """Return True when everything has been heard, or False after `timeout` seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self._look().idle:
            if deadline is not None and time.monotonic() >= deadline:
                return False
            time.sleep(WAIT_SECONDS)
        time.sleep(self.latency)
        return True

    def close(self) -> None:
        """Fade everything out, end the audio process and finish the recording. Never raises; twice does nothing."""
        with self._lock:
            if self._closed.is_set():
                return
            self._closed.set()
            atexit.unregister(self.close)
            if self._line:
                self._line.close()
                self._line = None
            for recorder in self._recorders:
                recorder.stop()
        for recorder in self._recorders:
            recorder.wait()

    def _do(self, verb: str, *, ask: bool = False, fd: int | None = None, **arguments: Any) -> Any:
        """Have the audio process do something; the lock is held. None where it does not answer, or is not there."""
        self._require_open()
        if self._line is None:
            return None
        try:
            if ask or self._must_open:
                return self._line.ask(verb, fd=fd, **arguments)
            return self._line.tell(verb, fd=fd, **arguments)
        except DeviceError as error:
            if self._must_open:
                raise
            self._lose(error)
            return None

    def _require_open(self) -> None:
        if self._closed.is_set():
            raise DeviceError("the player is closed: open another one")

    def _look(self) -> Looked:
        with self._lock:
            newest = self._newest
            looked: Looked | None = self._do("look", ask=True)
            if looked is None:
                return self._imagine()
            self._view = looked.view._replace(position=looked.view.position + self._origin)
            self._state.seen(looked.view.active, newest)
        for text in looked.trouble:
            self._tell("error", text)
        return looked._replace(view=self._view)

    def _imagine(self) -> Looked:
        """What one would see if there were a device."""
        now = self._clock()
        self._state.silent(now)
        active = tuple(self._state.voices)
        return Looked(self._view._replace(position=now, active=active), not active, ())

    def _clock(self) -> int:
        """Where the clock is by now, without asking."""
        return self._view.position + max(0, round((time.monotonic() - self._view.when) * self.rate))

    def _open(self, rate: int | None) -> bool:
        """Open the device and have it do what was asked for; False, in a player that need not, if there is none."""
        try:
            line = Line(self._device, rate)
        except DeviceError as error:
            if self._must_open:
                raise
            if not self._lost:
                self._say_lost(error)
            return False
        with self._lock:
            if self._closed.is_set():
                line.close()
                return False
            self.name, self.rate, self.channels, self.latency, self._heard = line.opened
            self._line, self._origin = line, self._clock() if self._lost else 0
            self._view = View(position=self._origin, when=time.monotonic())
            for clip in list(self._state.clips.values()):
                segment = self._segments[clip]
                self._do("load", fd=segment.fd, ticket=ticket(clip, segment))
            for verb, arguments in self._state.again(self._origin):
                self._do(verb, **arguments)
            if self._recorder:
                self._do("record", fd=self._recorder.segment.fd, size=self._recorder.segment.size)
            return self._line is not None

    def _watch(self) -> None:
        """Look after the device, and for it when it is gone."""
        attempts = 0
        pause = WATCH_SECONDS
        while True:
            try:
                while self._unsaid:
                    self._tell("device", self._unsaid.popleft())
                if self._closed.wait(pause):
                    return
                if self._line:
                    self._look()
                elif self._open(self.rate if self._segments or self._recorder else None):
                    at = "" if self._heard == self.rate else f", resampled from {self.rate} Hz to its {self._heard} Hz"
                    self._unsaid.append(f"the sound device {self.name!r} is there; going on{at}")
                    attempts, pause = 0, WATCH_SECONDS
                else:
                    pause = RETRY_SECONDS[min(attempts, len(RETRY_SECONDS) - 1)]
                    attempts += 1
            except DeviceError:  # closed meanwhile: whoever is told may look, too
                return

    def _lose(self, error: DeviceError) -> None:
        """The device is gone, with its process; the lock is held."""
        assert self._line is not None  # it raised
        self._line.end()
        self._line.close()
        self._line = None
        self._earlier = {name: count + getattr(self._view, name) for name, count in self._earlier.items()}
        self._peak = max(self._peak, self._view.peak)
        self._view = View(position=self._view.position, when=self._view.when)
        self._say_lost(error)

    def _say_lost(self, error: DeviceError) -> None:
        self._lost += 1
        what = re.split(": open (?:it|the device) again|; (?:install|use) ", str(error))[0]
        self._unsaid.append(f"{what}; going on in silence until it is there")


def _checked(whose: str, **values: float | None) -> dict[str, Any]:
    check = {"gain": gain_of, "rate": rate_of, "pan": pan_of}
    return {name: check[name](value, whose) for name, value in values.items() if value is not None}


def _require_bus(group: str) -> None:
    if not group:
        raise EngineError("what plays in no group goes straight to the output: name a group")
