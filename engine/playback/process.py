"""The audio process: how it is started, and what it does.

The parent asks, the process answers: requests are (serial, verb, arguments), answers (serial, value), where a
value that is an exception is raised by the parent. The first answer, serial 0, says that the device is open.
The verb "close", the end of the pipe or a parent that is gone ends the process, with a fade.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.shared_memory import SharedMemory
from types import ModuleType
from typing import Any, NamedTuple

from engine.errors import DeviceError, EngineError
from engine.playback.clip import Clip
from engine.playback.output import Output, View, be_prompt
from engine.playback.shared import Ticket, borrow

LOOK_SECONDS = 0.25  # how often the process looks whether its parent still lives
SWITCH_SECONDS = 0.0005  # the longest that the callback waits for this process's other thread

_starting = threading.Lock()


class Opened(NamedTuple):
    """The device that the audio process opened: rate in Hz, latency in seconds."""

    name: str
    rate: int
    channels: int
    latency: float


def launch(device: int | str | None) -> tuple[BaseProcess, Connection]:
    """Start the audio process and return it with the parent's end of the pipe."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, device), name="mirla-audio", daemon=True)
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


def serve(connection: Connection, device: int | str | None) -> None:
    """Be the audio process: open the device, then answer until the parent says close or is gone."""
    parent = os.getppid()
    sys.setswitchinterval(SWITCH_SECONDS)
    be_prompt()
    try:
        output = Output(device)
    except DeviceError as error:
        connection.send((0, error))
        return
    desk = Desk(output)
    gc.freeze()  # what is loaded by now stays: a collection need not walk it while sound plays
    try:
        connection.send((0, Opened(output.name, output.rate, output.channels, output.latency)))
        while os.getppid() == parent:
            if connection.poll(LOOK_SECONDS):
                serial, verb, arguments = connection.recv()
                if verb == "close":
                    break
                connection.send((serial, desk.answer(verb, arguments)))
            desk.tidy()
    except (EOFError, OSError):
        pass  # the parent is gone
    output.close()
    desk.close()


class Desk:
    """Carries out the parent's requests: verb `x` is the method `do_x`."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._clips: dict[int, tuple[Clip, SharedMemory]] = {}
        self._retired: list[SharedMemory] = []
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

    def do_load(self, ticket: Ticket) -> None:
        """Map a clip; it takes the place of one with the same id."""
        self.do_unload(ticket.id)
        self._clips[ticket.id] = borrow(ticket)

    def do_unload(self, clip_id: int) -> None:
        """Forget a clip; its voices fade out."""
        if clip_id in self._clips:
            self._retired.append(self._clips.pop(clip_id)[1])
            self._output.send(partial(self._output.mixer.stop_clip, clip_id))

    def do_start(self, voice: int, clip_id: int, gain: float, **options: Any) -> None:
        """Start a voice of a loaded clip."""
        clip, _ = self._clips[clip_id]
        self._output.mixer.check(clip, gain)  # here, where it can be answered
        start = partial(self._output.mixer.start, clip, gain=gain, voice=voice, **options)
        self._ordered.append((self._output.send(start), voice))

    def do_stop(self, voice: int) -> None:
        """Fade a voice out."""
        self._output.send(partial(self._output.mixer.stop, voice))

    def do_panic(self) -> None:
        """Fade everything out."""
        self._output.send(self._output.mixer.fade_out_all)

    def do_look(self) -> tuple[View, bool]:
        """Return the callback's view, with the voices that it has not seen yet, and whether all is silent."""
        idle, view = self._output.idle, self._output.view
        ordered = tuple(voice for command, voice in self._ordered if command > view.commands)
        return view._replace(active=view.active + ordered), idle

    def do_modules(self) -> list[str]:
        """Return what this process has imported."""
        return sorted(sys.modules)

    def tidy(self) -> None:
        """Let go of what is over: orders taken, and clips that were unloaded and are no longer heard."""
        taken = self._output.view.commands
        self._ordered = [order for order in self._ordered if order[0] > taken]
        waiting, self._retired = self._retired, []
        for segment in waiting:
            try:
                segment.close()
            except BufferError:  # a voice of it still fades
                self._retired.append(segment)

    def close(self) -> None:
        """Unmap all clips."""
        self._retired += [segment for _, segment in self._clips.values()]
        self._clips.clear()
        self.tidy()
