"""The audio process: how it is started, and what it does.

The parent asks, the process answers: requests are (serial, verb, arguments), answers (serial, value), where a
value that is an exception is raised by the parent. A request without a serial is not answered; what goes wrong with it
is told with the next look. The verbs of `WITH_MEMORY` are followed by a file descriptor. The first answer, serial 0,
says that the device is open. The verb "close", the end of the pipe or a parent that is gone ends the process, with a
fade.
"""

from __future__ import annotations

import gc
import mmap
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import recv_handle
from types import ModuleType
from typing import Any, NamedTuple

from engine.errors import DeviceError, EngineError
from engine.pauses import shorten
from engine.playback.clip import Clip, Key
from engine.playback.effects import Chain, prepare, rack
from engine.playback.output import Output, View, be_prompt
from engine.playback.recording import Ring
from engine.playback.shared import Ticket, allow_files, borrow, map_memory
from engine.stage import enter, entered

LOOK_SECONDS = 0.25  # how often the process looks whether its parent still lives
WITH_MEMORY = ("load", "record")
USUAL_RATE = 44100

_starting = threading.Lock()


class Opened(NamedTuple):
    """The device that the audio process opened: the mixer's rate and the device's in Hz, latency in seconds."""

    name: str
    rate: int
    channels: int
    latency: float
    heard: int


class Looked(NamedTuple):
    """What the parent sees: the callback's view, whether all is silent, and what went wrong since the last look."""

    view: View
    idle: bool
    trouble: tuple[str, ...]


def launch(device: int | str | None, rate: int | None = None) -> tuple[BaseProcess, Connection]:
    """Start the audio process and return it with the parent's end of the pipe."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, device, rate, entered()), name="mirla-audio", daemon=True)
    with _starting, _without_main(), _without_working_folder():
        resource_tracker.ensure_running()  # here: its own start would let interrupts through again
        with _without_interrupts():
            process.start()
    theirs.close()  # or the death of the process would not be seen here
    return process, ours


@contextmanager
def _without_main() -> Iterator[None]:
    """Keep the process from running the parent's main script again, as spawned ones do.

    That script may be a performer's, with no guard, or a command line that loads the database.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextmanager
def _without_working_folder() -> Iterator[None]:
    """Keep a starting Python from importing out of the working folder, where a `random.py` may lie."""
    before = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONSAFEPATH"]
        else:
            os.environ["PYTHONSAFEPATH"] = before


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Start a process deaf to Ctrl-C: a terminal sends it to both, and only the parent shall decide."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def serve(connection: Connection, device: int | str | None, rate: int | None, stage: bool) -> None:
    """Be the audio process, in stage mode if asked: open the device, then answer until told to close or left alone."""
    if stage:
        enter()
    parent = os.getppid()
    shorten()
    be_prompt()
    allow_files()
    effects = threading.Thread(target=prepare, args=(rate or USUAL_RATE,))  # while the device opens
    effects.start()
    try:
        output = Output(device, rate)
    except DeviceError as error:
        with suppress(OSError):  # the parent is gone
            connection.send((0, error))
        return
    effects.join()
    desk = Desk(output)
    gc.freeze()  # what was loaded meanwhile, too
    try:
        opened = Opened(output.name, output.rate, output.channels, output.latency, output.heard)
        connection.send((0, opened))
        while os.getppid() == parent:
            if connection.poll(LOOK_SECONDS) and not _attend(connection, desk):
                break
            desk.tidy()
    except (EOFError, OSError):
        pass  # the parent is gone
    output.close()
    desk.close()


def _attend(connection: Connection, desk: Desk) -> bool:
    """Carry out one request; False if it is to end."""
    serial, verb, arguments = connection.recv()
    if verb == "close":
        return False
    if verb in WITH_MEMORY:
        arguments["fd"] = recv_handle(connection)
    try:
        answer = desk.answer(verb, arguments)
    finally:
        if verb in WITH_MEMORY:
            os.close(arguments["fd"])
    if serial is not None:
        connection.send((serial, answer))
    elif isinstance(answer, Exception):
        desk.trouble.append(str(answer))
    return True


class Desk:
    """Carries out the parent's requests: verb `x` is the method `do_x`.

    Attributes
    ----------
    trouble : list of str
        What went wrong with requests that are not answered.
    """

    def __init__(self, output: Output) -> None:
        self.trouble: list[str] = []
        self._output = output
        self._mixer = output.mixer
        self._clips: dict[Key, tuple[Clip, mmap.mmap]] = {}
        self._retired: list[mmap.mmap] = []
        self._ordered: list[tuple[int, int]] = []  # command and voice, not yet with the mixer

    def answer(self, verb: str, arguments: dict[str, Any]) -> object:
        """Return what a verb answers, or the error that it raised."""
        try:
            if self._output.stalled:
                raise DeviceError(f"the sound device {self._output.name!r} stopped asking for sound: open it again")
            return getattr(self, f"do_{verb}")(**arguments)
        except EngineError as error:
            return error
        except Exception as error:
            return EngineError(f"the audio process could not {verb}: {error!r}; please report it")

    def do_load(self, ticket: Ticket, fd: int) -> None:
        """Map a clip; it takes the place of one with the same key."""
        clip, memory = borrow(ticket, fd)
        self.do_unload(clip.key)
        self._clips[clip.key] = clip, memory

    def do_unload(self, key: Key) -> None:
        """Forget a clip; its voices fade out."""
        if key in self._clips:
            self._retired.append(self._clips.pop(key)[1])
            self._output.send(partial(self._mixer.stop_clip, key))

    def do_start(self, voice: int, key: Key, **options: Any) -> None:
        """Start a voice of a loaded clip."""
        clip, _ = self._clips[key]
        self._ordered.append((self._output.send(partial(self._mixer.start, clip, voice=voice, **options)), voice))

    def do_change(self, voice: int, **values: float) -> None:
        """Glide a voice to new values."""
        self._output.send(partial(self._mixer.change, voice, **values))

    def do_stop(self, voice: int, seconds: float) -> None:
        """Fade a voice out."""
        self._output.send(partial(self._mixer.stop, voice, seconds))

    def do_mix(self, group: str, **values: float) -> None:
        """Glide a bus to new values."""
        self._output.send(partial(self._mixer.mix, group, **values))

    def do_effects(self, group: str, chain: Chain) -> None:
        """Give a group a chain of effects."""
        self._output.send(partial(self._mixer.use, group, rack(chain, self._output.rate)))  # made here, not there

    def do_fade_out(self, group: str, seconds: float) -> None:
        """Fade the voices of a group out."""
        self._output.send(partial(self._mixer.fade_out, group, seconds))

    def do_panic(self) -> None:
        """Silence everything."""
        self._output.send(self._mixer.fade_out_all)

    def do_record(self, size: int, fd: int) -> None:
        """Put what is heard into a ring from now on."""
        self._output.ring = Ring(map_memory(fd, size, write=True))

    def do_end_record(self) -> None:
        """No more."""
        self._output.ring = None

    def do_look(self) -> Looked:
        """Return the callback's view, with the voices that it has not seen yet, and what went wrong."""
        idle, view = self._output.idle, self._output.view
        ordered = tuple(voice for command, voice in self._ordered if command > view.commands)
        trouble, self.trouble = tuple(self.trouble), []
        return Looked(view._replace(active=view.active + ordered), idle, trouble)

    def do_statistics(self) -> dict[str, float | None]:
        """Return how loud it is and how busy the callback."""
        return self._output.statistics

    def do_modules(self) -> list[str]:
        """Return what this process has imported."""
        return sorted(sys.modules)

    def tidy(self) -> None:
        """Let go of what is over: orders taken, and clips that were unloaded and are no longer heard."""
        taken = self._output.view.commands
        self._ordered = [order for order in self._ordered if order[0] > taken]
        waiting, self._retired = self._retired, []
        for memory in waiting:
            try:
                memory.close()
            except BufferError:  # a voice of it still fades
                self._retired.append(memory)

    def close(self) -> None:
        """Unmap all clips."""
        self._retired += [memory for _, memory in self._clips.values()]
        self._clips.clear()
        self.tidy()
