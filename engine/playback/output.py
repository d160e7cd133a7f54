"""A sound device that plays one mixer. Lives in the audio process.

Conventions: rates in Hz, latencies in seconds. The device's thread calls `Output._fill` for every block. It
takes commands from a deque, whose ends are atomic, and mixes what is in memory: it waits for no lock, disk
or log.
"""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections import deque
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.errors import DeviceError
from engine.playback.mixer import Mixer
from engine.playback.recording import Ring
from engine.playback.resampled import Render, Resampled

BLOCK_FRAMES = 0  # 0: as many as the device asks for, which needs no buffering in between
LATENCY = "high"  # what the driver calls robust; ten to fifty milliseconds
STALLED_SECONDS = 2.0
CLOSING_SECONDS = 0.5  # for a fade of 10 ms; more only if the device has stalled
PRIORITY = 5  # among real-time threads; sound servers have 10 and more
STATISTICS_BLOCKS = 1024  # of so many of the last ones the load is told
LEVEL_BLOCKS = 64  # and of so many the level
INSTEAD = "use `mirla render ID… --out OUT.wav` to write a file instead"


class View(NamedTuple):
    """What the callback shows of itself after each block: replaced whole, so that any thread may read it."""

    position: int = 0  # frames mixed, on the mixer's clock
    active: tuple[int, ...] = ()  # voices that sound or wait
    commands: int = 0  # taken so far
    callbacks: int = 0
    underruns: int = 0  # times the device ran dry
    errors: int = 0  # blocks silenced because something raised
    faults: int = 0  # effects bypassed because they failed
    silent: bool = True  # nothing sounds or waits, not even an effect
    peak: float = 0.0  # linear, since the start
    when: float = 0.0  # of the block, on the monotonic clock, in seconds


class Output:
    """An open device and the mixer it plays.

    Parameters
    ----------
    device : int, str or None
        Number or part of the name, as PortAudio lists it; None for the default.
    rate : int or None
        The mixer's, in Hz; None for the device's own. Where the device does not take it, what is mixed is resampled.

    Attributes
    ----------
    rate : int
        The mixer's.
    heard : int
        The rate of the device.
    ring : Ring or None
        Where what is mixed is put too, while it is recorded.

    Raises
    ------
    DeviceError
        If PortAudio is not installed or the device cannot be opened.
    """

    def __init__(self, device: int | str | None = None, rate: int | None = None) -> None:
        sounddevice = _portaudio()
        if isinstance(device, str) and device.isdigit():
            device = int(device)
        self.ring: Ring | None = None
        self._loads = np.zeros(STATISTICS_BLOCKS)  # share of its time that each block took
        self._powers = np.zeros(LEVEL_BLOCKS)  # mean squares
        try:
            self.name, self.heard, self.channels = _format(sounddevice, device, rate)
            self.rate = rate or self.heard
            self.mixer = Mixer(self.rate, self.channels)
            self._render: Render = self._mixed
            self.latency = self.mixer.latency / self.rate
            if self.heard != self.rate:
                resampled = Resampled(self._mixed, self.rate, self.heard, self.channels)
                self._render, self.latency = resampled.render, self.latency + resampled.latency
            self.view = View(when=time.monotonic())
            self._sent = 0
            self._commands: deque[Callable[[], object]] = deque()
            self._stream = sounddevice.OutputStream(
                device=device,
                samplerate=self.heard,
                channels=self.channels,
                dtype="float32",
                blocksize=BLOCK_FRAMES,
                latency=LATENCY,
                callback=self._fill,
            )
            self._stream.start()
        except (sounddevice.PortAudioError, ValueError) as error:
            raise DeviceError(f"no sound device: {' '.join(str(error).split())}; {INSTEAD}") from error
        self.latency += float(self._stream.latency)

    @property
    def idle(self) -> bool:
        """Whether no voice sounds or waits, effects have died away and no command is on its way."""
        return self.view.commands == self._sent and self.view.silent

    @property
    def stalled(self) -> bool:
        """Whether the device has stopped asking for sound."""
        return not self._stream.active or time.monotonic() - self.view.when > STALLED_SECONDS

    @property
    def statistics(self) -> dict[str, float | None]:
        """Of the last blocks, the level in dBFS (None: silence) and the share of their time that 99 % keep within."""
        power = float(self._powers.mean())
        return {
            "level": 10.0 * math.log10(power) if power else None,
            "load": float(np.quantile(self._loads[: max(1, self.view.callbacks)], 0.99)),
        }

    def send(self, command: Callable[[], object]) -> int:
        """Have the callback call `command`, which only tells the mixer something; return its number."""
        self._sent += 1
        self._commands.append(command)
        return self._sent

    def close(self) -> None:
        """Fade everything out, wait until that is heard, and close the device."""
        self.send(self.mixer.fade_out_all)
        deadline = time.monotonic() + CLOSING_SECONDS
        while not self.idle and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(min(self.latency, 0.2))
        self._stream.close()
        self._commands.clear()
        self.mixer = Mixer(self.rate, self.channels)  # lets go of the clips of a device that stalled

    def _mixed(self, count: int) -> npt.NDArray[np.float32]:
        """Mix the next frames, and record them."""
        mixed = self.mixer.render(count)
        if self.ring is not None:
            self.ring.put(mixed)
        return mixed

    def _fill(self, out: npt.NDArray[np.float32], count: int, _: Any, status: Any) -> None:
        """Fill the device's next block, shape (count, channels). Nothing that goes wrong leaves it."""
        begun = time.perf_counter()
        view, taken, failed = self.view, 0, 0
        if not view.callbacks:
            be_prompt()
        try:
            while self._commands:
                taken += 1
                self._commands.popleft()()
            out[:] = self._render(count)
        except Exception:
            out.fill(0.0)
            failed = 1
        self._powers[view.callbacks % LEVEL_BLOCKS] = np.square(out).mean()
        self._loads[view.callbacks % STATISTICS_BLOCKS] = (time.perf_counter() - begun) * self.heard / count
        self.view = View(
            position=self.mixer.position,
            active=self.mixer.active,
            commands=view.commands + taken,
            callbacks=view.callbacks + 1,
            underruns=view.underruns + bool(status.output_underflow),
            errors=view.errors + failed,
            faults=self.mixer.faults,
            silent=self.mixer.silent,
            peak=max(view.peak, float(np.abs(out).max(initial=0.0))),
            when=time.monotonic(),
        )


def be_prompt() -> None:
    """Run this thread before ordinary ones, where the system permits it (on Linux, the limit `rtprio`).

    With every core busy the drop-outs depend on this. Both threads of the audio process need it: each waits for
    the other now and then. A thread that its driver made real-time already stays as it is.
    """
    if hasattr(os, "sched_setscheduler") and os.sched_getscheduler(0) == os.SCHED_OTHER:
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(PRIORITY))


class Device(NamedTuple):
    """A device that plays."""

    number: int
    name: str
    channels: int
    rate: int
    default: bool


def devices() -> list[Device]:
    """What PortAudio finds that plays; any of the numbers or names opens it.

    Raises
    ------
    DeviceError
        If PortAudio is not installed.
    """
    sounddevice = _portaudio()
    default = sounddevice.default.device[1]
    return [
        Device(
            number,
            str(found["name"]),
            int(found["max_output_channels"]),
            round(found["default_samplerate"]),
            number == default,
        )
        for number, found in enumerate(sounddevice.query_devices())
        if found["max_output_channels"]
    ]


def _portaudio() -> ModuleType:
    try:
        import sounddevice
    except Exception as error:  # OSError without the library; its own error, not importable then, if it fails
        words = " ".join(str(error).split())
        hint = "install it (Debian: apt-get install libportaudio2) or " if isinstance(error, OSError) else ""
        raise DeviceError(f"no sound device: {words}; {hint}{INSTEAD}") from error
    portaudio: ModuleType = sounddevice
    return portaudio


def _format(sounddevice: ModuleType, device: int | str | None, rate: int | None) -> tuple[str, int, int]:
    """Return the device's name, the rate and two channels; its own of either if it insists."""
    if device is None and not any(found["max_output_channels"] for found in sounddevice.query_devices()):
        raise ValueError("this computer has none that PortAudio finds")
    found = sounddevice.query_devices(device, "output")
    name, most, own = str(found["name"]), int(found["max_output_channels"]), round(found["default_samplerate"])
    tried = [(at, channels) for at in dict.fromkeys((rate or own, own)) for channels in (2, most)]
    for at, channels in tried[:-1]:
        with contextlib.suppress(sounddevice.PortAudioError):
            sounddevice.check_output_settings(device=device, samplerate=at, channels=channels, dtype="float32")
            return name, at, channels
    return name, *tried[-1]
