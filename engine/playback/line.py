"""The line to an audio process: what is asked and told goes through it, and its end is noticed.

Threads may share a line.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import struct
import threading
from multiprocessing.reduction import send_handle
from typing import Any

from engine.errors import DeviceError
from engine.playback.output import INSTEAD
from engine.playback.process import Opened, launch

OPEN_SECONDS = 20.0
ANSWER_SECONDS = 5.0
SEND_SECONDS = 2.0
CLOSE_SECONDS = 3.0  # a driver that died may never let go of its stream


class Line:
    """An audio process with an open device.

    Parameters
    ----------
    device : int, str or None
        Number or part of the name, as PortAudio lists it; None for the default.
    rate : int or None
        The mixer's, in Hz; None for the device's own.

    Attributes
    ----------
    opened : Opened
        What the device is.

    Raises
    ------
    DeviceError
        From here if the device cannot be opened, from every method if it or its process fails later.
    """

    def __init__(self, device: int | str | None = None, rate: int | None = None) -> None:
        self._lock = threading.Lock()
        self._serials = itertools.count(1)
        self.process, self._connection = launch(device, rate)
        with socket.socket(fileno=os.dup(self._connection.fileno())) as pipe:  # a process that hangs reads nothing
            pipe.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("@ll", int(SEND_SECONDS), 0))
        try:
            self.opened: Opened = self._answer(0, OPEN_SECONDS)
        except BaseException:
            self.close()
            raise

    def ask(self, verb: str, *, fd: int | None = None, **arguments: Any) -> Any:
        """Return what the process answers; raises the EngineError that it answers."""
        with self._lock:
            serial = next(self._serials)
            self._send(serial, verb, arguments, fd)
            return self._answer(serial, ANSWER_SECONDS)

    def tell(self, verb: str, *, fd: int | None = None, **arguments: Any) -> None:
        """Have the process do something, and wait for nothing."""
        with self._lock:
            self._send(None, verb, arguments, fd)

    def close(self) -> None:
        """Fade everything out and end the process. Never raises."""
        with self._lock:
            with contextlib.suppress(OSError):  # it died before
                self._connection.send((0, "close", {}))
            self._connection.close()
            self.process.join(CLOSE_SECONDS)
            self.end()

    def end(self) -> None:
        """End the process at once; what waits for it is told so."""
        if self.process.is_alive():
            self.process.kill()
            self.process.join()

    def _send(self, serial: int | None, verb: str, arguments: dict[str, Any], fd: int | None) -> None:
        try:
            self._connection.send((serial, verb, arguments))
            if fd is not None:
                assert self.process.pid is not None  # it was started
                send_handle(self._connection, fd, self.process.pid)
        except OSError as error:
            raise self._died() from error

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
        self.process.join(1.0)
        code = self.process.exitcode
        what = "hangs" if code is None else f"died (exit code {code})"
        return DeviceError(f"the audio process {what}: open the device again")
