"""The callback, under a PortAudio of straw that asks for blocks in a thread and keeps what it gets."""

from __future__ import annotations

import sys
import threading
import time
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from engine.errors import DeviceError
from engine.playback.output import Output, devices

RATE = 44100


class Stream:
    latency = 0.01

    def __init__(self, callback, channels, **options):
        self.callback, self.channels, self.options = callback, channels, options
        self.heard = []
        self.underflow = False
        self._thread = threading.Thread(target=self._ask)
        self._open = True

    @property
    def active(self):
        return self._open

    def _ask(self):
        while self._open:
            block = np.full((256, self.channels), np.nan, dtype=np.float32)
            self.callback(block, 256, None, SimpleNamespace(output_underflow=self.underflow))
            self.heard.append(block)
            time.sleep(256 / RATE)

    def start(self):
        self._thread.start()

    def close(self):
        self._open = False
        self._thread.join()


class PortAudioError(Exception):
    pass


@pytest.fixture
def portaudio(monkeypatch):
    """A module of straw, with a stereo device; change it before an Output is made."""
    device = {"name": "straw", "default_samplerate": 44100.0, "max_output_channels": 2}
    module = SimpleNamespace(
        PortAudioError=PortAudioError,
        OutputStream=Stream,
        query_devices=lambda *which: device if which else [device],
        check_output_settings=lambda **_: None,
        device=device,
    )
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    return module


@pytest.fixture
def output(portaudio):
    output = Output()
    yield output
    output._stream.close()


def test_closing_fades_out_first(output, make_clip):
    output.send(partial(output.mixer.start, make_clip(np.full(5000, 0.8)), loop=True))
    time.sleep(0.1)
    output.close()
    audio = np.concatenate(output._stream.heard)[:, 0]
    assert audio.max() == pytest.approx(0.8)
    assert audio[-1] == 0.0
    assert -np.diff(audio).min() < 0.8 * np.pi / 2 / 441 * 1.01


def test_what_raises_is_silence_and_counted_and_the_rest_goes_on(output, make_clip):
    output.send(partial(output.mixer.start, make_clip(np.full(5000, 0.5)), loop=True))
    output.send(lambda: 1 / 0)
    time.sleep(0.2)
    assert output.view.errors == 1
    assert output.view.peak == pytest.approx(0.5)
    assert np.isfinite(np.concatenate(output._stream.heard)).all()
    assert not output.idle


def test_underruns_are_counted(output):
    assert output.view.underruns == 0
    output._stream.underflow = True
    time.sleep(0.05)
    assert output.view.underruns >= 2


def test_a_device_that_stops_asking_is_noticed_and_closed(output, monkeypatch):
    assert not output.stalled
    output._stream.close()
    monkeypatch.setattr("engine.playback.output.STALLED_SECONDS", 0.1)
    time.sleep(0.15)
    assert output.stalled
    output.close()


def test_a_device_that_insists_on_its_channels_gets_them(portaudio):
    def refuse(**_):
        raise PortAudioError("Invalid number of channels")

    portaudio.check_output_settings = refuse
    portaudio.device["max_output_channels"] = 6
    output = Output("3")
    output.close()
    assert (output.channels, output._stream.options["device"]) == (6, 3)
    assert output._stream.heard[0].shape == (256, 6)


@pytest.mark.parametrize("heard", [48000, 22050])
def test_a_device_that_does_not_take_a_rate_hears_the_same_at_its_own(portaudio, make_clip, heard):
    def refuse(*, samplerate, **_):
        if samplerate != heard:
            raise PortAudioError("Invalid sample rate")

    portaudio.check_output_settings = refuse
    portaudio.device["default_samplerate"] = float(heard)
    output = Output(rate=RATE)
    assert (output.rate, output.heard, output._stream.options["samplerate"]) == (RATE, heard, heard)
    second = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)
    output.send(partial(output.mixer.start, make_clip(second), loop=True))
    while output.view.callbacks < 100:
        time.sleep(0.01)
    output.close()
    audio = np.concatenate(output._stream.heard)[40 * 256 : 90 * 256, 0]
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(len(audio))))
    assert np.argmax(spectrum) * heard / len(audio) == pytest.approx(1000, abs=2 * heard / len(audio))
    assert np.sqrt(np.square(audio).mean()) == pytest.approx(0.5 / np.sqrt(2), rel=0.02)
    assert output.view.errors == 0
    assert output.latency > 0.01


def test_a_device_that_cannot_be_opened_is_one_line(portaudio):
    def refuse(**_):
        raise PortAudioError("Device\nunavailable")

    portaudio.OutputStream = refuse
    with pytest.raises(DeviceError, match="no sound device: Device unavailable; use `mirla render ID…"):
        Output()


def test_how_loud_and_how_busy(output, make_clip):
    assert output.statistics["level"] is None
    output.send(partial(output.mixer.start, make_clip(np.full(5000, 0.1)), loop=True))
    time.sleep(0.6)
    assert output.statistics["level"] == pytest.approx(-20.0, abs=0.5)
    assert 0.0 < output.statistics["load"] < 5.0


def test_devices_that_play_are_listed(portaudio, mirla):
    deaf = {"name": "microphone", "default_samplerate": 48000.0, "max_output_channels": 0}
    portaudio.query_devices = lambda: [deaf, portaudio.device]
    portaudio.default = SimpleNamespace(device=(0, 1))
    assert [tuple(device) for device in devices()] == [(1, "straw", 2, 44100, True)]
    expected = {"number": 1, "name": "straw", "channels": 2, "rate": 44100, "default": True}
    assert mirla("--json", "devices").json == {"devices": [expected]}
    assert mirla("devices").out == "  1 straw: 2 channels, 44100 Hz, the system's own\n"
    portaudio.query_devices = list
    assert mirla("devices").out == "no sound device that plays\n"
