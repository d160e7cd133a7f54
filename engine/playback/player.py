"""The performer's end of the audio process.

Conventions: times are frames of the mixer's clock, at the device's rate; voices are numbered from 1. Every
call returns within a millisecond or so, loading within what it takes to copy the audio. Threads may share a
player.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import threading
import time
from types import TracebackType
from typing import Any
from weakref import WeakValueDictionary

from engine.errors import DeviceError
from engine.playback.clip import Clip
from engine.playback.output import INSTEAD, View
from engine.playback.process import Opened, launch
from engine.playback.shared import lend

OPEN_SECONDS = 20.0
ANSWER_SECONDS = 5.0
CLOSE_SECONDS = 3.0  # a driver that died may never let go of its stream
WAIT_SECONDS = 0.02  # between two looks


class Player:
    """A sound device with a mixer, in a process of their own.

    Parameters
    ----------
    device : int, str or None
        Number or part of the name, as PortAudio lists it; None for the default.

    Attributes
    ----------
    name : str
        The device's.
    rate : int
        In Hz; clips must have it.
    channels : int
    latency : float
        From a command to the loudspeakers, in seconds, the current block aside.

    Raises
    ------
    DeviceError
        From here if no device can be opened, and from every method if the device or its process fails later.
    """

    def __init__(self, device: int | str | None = None) -> None:
        self._lock = threading.Lock()
        self._serials = itertools.count(1)
        self._voices = itertools.count(1)
        self._loaded: WeakValueDictionary[int, Clip] = WeakValueDictionary()
        self._closed = False
        self._process, self._connection = launch(device)
        atexit.register(self.close)  # before multiprocessing's own handler, which would cut the sound off
        try:
            opened: Opened = self._answer(0, OPEN_SECONDS)
        except BaseException:
            self.close()
            raise
        self.name, self.rate, self.channels, self.latency = opened

    def __enter__(self) -> Player:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def load(self, clip: Clip) -> None:
        """Give the audio process a clip; one with the same id fades out and goes.

        Raises
        ------
        EngineError
            If there is not enough shared memory.
        """
        if self._loaded.get(clip.id) is clip:
            return
        with lend(clip) as ticket:
            self._ask("load", ticket=ticket)
        self._loaded[clip.id] = clip

    def unload(self, clip: Clip) -> None:
        """Have the audio process forget a clip; its voices fade out."""
        self._loaded.pop(clip.id, None)
        self._ask("unload", clip_id=clip.id)

    def start(
        self,
        clip: Clip,
        *,
        at: int | None = None,
        gain: float = 1.0,
        loop: bool = False,
        frames: int | None = None,
    ) -> int:
        """Start a voice and return its number; loads the clip if it is not. Arguments as in `Mixer.start`.

        Raises
        ------
        EngineError
            If the clip is not at the device's rate, or the gain is not a finite number.
        """
        self.load(clip)
        voice = next(self._voices)
        self._ask("start", clip_id=clip.id, at=at, gain=gain, loop=loop, frames=frames, voice=voice)
        return voice

    def stop(self, voice: int) -> None:
        """Fade one voice out over 10 ms; one that is over already stays over."""
        self._ask("stop", voice=voice)

    def panic(self) -> None:
        """Fade everything out over 10 ms; what waits for its frame never starts."""
        self._ask("panic")

    @property
    def position(self) -> int:
        """Frames mixed so far."""
        return self._look()[0].position

    @property
    def active(self) -> tuple[int, ...]:
        """The voices that sound or wait for their frame."""
        return self._look()[0].active

    def stats(self) -> dict[str, int | float]:
        """Return counts since the start: callbacks, underruns, errors, and the linear peak of the output."""
        view, _ = self._look()
        return {name: getattr(view, name) for name in ("callbacks", "underruns", "errors", "peak")}

    def modules(self) -> list[str]:
        """Return the names of what the audio process has imported: that it is light can be checked."""
        names: list[str] = self._ask("modules")
        return names

    def wait_until_silent(self, timeout: float | None = None) -> bool:
        """Return True when everything has been heard, or False after `timeout` seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self._look()[1]:
            if deadline is not None and time.monotonic() >= deadline:
                return False
            time.sleep(WAIT_SECONDS)
        time.sleep(self.latency)
        return True

    def close(self) -> None:
        """Fade everything out and end the audio process. Never raises; a second time does nothing."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            atexit.unregister(self.close)
            with contextlib.suppress(OSError):  # it died before
                self._connection.send((0, "close", {}))
            self._connection.close()
            self._process.join(CLOSE_SECONDS)
            if self._process.is_alive():
                self._process.kill()
                self._process.join()
            self._process.close()

    def _look(self) -> tuple[View, bool]:
        seen: tuple[View, bool] = self._ask("look")
        return seen

    def _ask(self, verb: str, **arguments: Any) -> Any:
        with self._lock:
            if self._closed:
                raise DeviceError("the player is closed: open another one")
            serial = next(self._serials)
            try:
                self._connection.send((serial, verb, arguments))
            except OSError as error:
                raise self._died() from error
            return self._answer(serial, ANSWER_SECONDS)

    def _answer(self, serial: int, seconds: float) -> Any:
        """Return the answer to a request; answers to earlier ones, which a Ctrl-C cut short, are dropped."""
        while True:
            try:
                if not self._connection.poll(seconds):
                    raise DeviceError(f"the audio process has not answered for {seconds:g} s; {INSTEAD}")
                answered, value = self._connection.recv()
            except (EOFError, OSError) as error:
                raise self._died() from error
            if answered != serial:
                continue
            if isinstance(value, Exception):
                raise value
            return value

    def _died(self) -> DeviceError:
        self._process.join(1.0)
        return DeviceError(f"the audio process died (exit code {self._process.exitcode}): open the device again")
