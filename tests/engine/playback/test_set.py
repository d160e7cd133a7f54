"""A set on a real device, heard by a second client: each sound where and as loud as it should be."""

import time

import numpy as np
import pytest
import soundfile

from corpus import Corpus
from engine.session import Session
from tests.engine.playback.ear import level, listening

RATE = 44100
HERTZ = {"low": 220.0, "middle": 660.0, "high": 1500.0}
SECONDS = 4
LOUD = 10 ** (-23 / 20) * 10 ** (0.691 / 20)
"""The amplitude of a sine on both sides at -23 LUFS, below where K-weighting lifts: each side has half the power."""


@pytest.fixture(scope="module")
def sines(tmp_path_factory):
    """A home with three sines and a loud noise."""
    folder = tmp_path_factory.mktemp("sines")
    when = np.arange(SECONDS * RATE) / RATE
    for name, hertz in HERTZ.items():
        soundfile.write(folder / f"{name}.wav", 0.3 * np.sin(2 * np.pi * hertz * when), RATE)
    home = folder / "home"
    with Corpus(home) as corpus:
        corpus.adopt(sorted(folder.glob("*.wav")))
        corpus.analyse(jobs=1)
    return home


@pytest.fixture
def heard(sines, jack):
    """A session on the device, and what hears it."""
    # "system", not "JACK": what hears is a device of JACK's too
    with listening(jack) as ear, Session(sines, device="system", raising=True) as s:
        s.ids = {sound.name.removesuffix(".wav"): sound.id for sound in s.corpus.sounds.many(s.corpus.sounds.ids())}
        s.rig.instrument  # noqa: B018  (opens it)
        ear.attend()
        yield s, ear


def wait_until_sounding(s, count):
    deadline = time.monotonic() + 20
    while len(s.rig.instrument.active) < count:
        assert time.monotonic() < deadline, s.status()
        time.sleep(0.01)


def amplitudes(ear, seconds=0.5, after=0.3):
    """The amplitudes of all the sines in the next stretch, once what was said is heard: {name: (left, right)}."""
    begin = len(ear.audio) + round(after * RATE)
    end = begin + round(seconds * RATE)
    deadline = time.monotonic() + 30
    while len(ear.audio) < end:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    stretch = ear.audio[begin:end]
    return {name: level(stretch, hertz) for name, hertz in HERTZ.items()} | {"audio": stretch}


def test_two_groups_with_fades_solo_pan_and_a_rate_are_heard_as_said(heard):
    s, ear = heard
    a, b = s.group("a"), s.group("b")
    a.id(s.ids["low"], s.ids["middle"])
    wait_until_sounding(s, 2)
    found = amplitudes(ear)
    assert found["low"] == pytest.approx(found["low"].mean(), rel=0.02)
    loud = found["low"].mean()
    assert 20 * np.log10(loud / LOUD) == pytest.approx(0, abs=1.0)
    assert 20 * np.log10(found["middle"].mean() / loud) == pytest.approx(0, abs=1.5)
    assert found["high"].max() < loud / 300

    b.id(s.ids["high"]).pan(-1)
    wait_until_sounding(s, 3)
    found = amplitudes(ear)
    assert found["high"][0] > loud / 2
    assert found["high"][1] < loud / 300
    assert found["low"].mean() == pytest.approx(loud, rel=0.03)

    a.solo(0)
    found = amplitudes(ear)
    assert found["middle"].max() < loud / 300
    assert found["low"].mean() == pytest.approx(loud, rel=0.03)
    assert found["high"][0] > loud / 2, "a solo in one group is none in another"
    a.unmute()

    a.volume(0.5)
    found = amplitudes(ear)
    assert found["low"].mean() == pytest.approx(loud / 2, rel=0.03)
    assert found["high"][0] > loud / 2

    b.stop()
    a.volume(1).play(-0.5)
    found = amplitudes(ear)
    stretch = found["audio"]
    assert level(stretch, HERTZ["low"] / 2).mean() == pytest.approx(loud, rel=0.05)
    assert level(stretch, HERTZ["low"]).max() < loud / 100
    assert found["high"].max() < loud / 300

    a.fadeout(0.5)
    found = amplitudes(ear, after=0.8)
    assert np.abs(found["audio"]).max() == 0
    b.fadein(0.2)
    found = amplitudes(ear, after=0.5)
    assert found["high"][0] > loud / 2

    begin = len(ear.audio)
    s.panic()
    amplitudes(ear, 0.3, 0)
    after = np.abs(ear.audio[begin:]).max(axis=1)
    last = np.flatnonzero(after > 0)
    silent = 0 if not len(last) else last[-1] / RATE
    assert silent < 0.010 + 256 / RATE + s.rig.instrument.latency + 0.05
    assert s.status()["underruns"] == 0 or s.status()["peak"] < 1


def test_the_limiter_holds_what_is_far_too_loud(heard):
    s, ear = heard
    for name in "abcde":
        s.group(name).volume(2.0).id(*(4 * list(s.ids.values())), again=True)
    wait_until_sounding(s, 60)
    found = amplitudes(ear)
    peak = np.abs(found["audio"]).max()
    assert 0.7 < peak <= 10 ** (-1 / 20) + 1e-6
