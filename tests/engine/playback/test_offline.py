from __future__ import annotations

import numpy as np
import pytest
import soundfile

from engine.errors import EngineError
from engine.playback.instrument import Instrument
from engine.playback.offline import OfflinePlayer
from engine.playback.player import Player

RATE = 44100


@pytest.fixture
def heard():
    return []


@pytest.fixture
def player(heard):
    return OfflinePlayer(write=heard.append)


def audio(heard):
    return np.concatenate(heard)


def test_what_starts_at_a_frame_is_written_there(player, heard, make_clip):
    clip = make_clip(np.full(1000, 0.5))
    player.start(clip, at=0)
    player.start(clip, at=RATE)
    for frames in (1, 700, RATE, 44):
        player.advance(frames)
    assert player.position == RATE + 745
    player.start(clip)
    player.advance(1000)
    player.close()
    player.close()
    sound = audio(heard)[:, 0]
    assert len(sound) == RATE + 1745
    assert sound[0] > 0.0
    assert not sound[1000:RATE].any()
    assert sound[RATE] > 0.0
    assert sound[RATE + 500] == pytest.approx(0.5)
    assert player.stats()["peak"] == pytest.approx(np.abs(sound).max())


def test_all_verbs_are_those_of_the_player(player, heard, make_clip, tmp_path):
    verbs = [name for name in dir(Instrument) if not name.startswith("_")]
    assert {"start", "record", "sounding"} <= set(verbs)
    for kind in (OfflinePlayer, Player):
        assert all(hasattr(kind, name) for name in verbs)
    clip, other = make_clip(np.full(RATE, 0.2)), make_clip(np.full(RATE, 0.1))
    player.record(tmp_path / "a.wav")
    one = player.start(player.load(clip), group="a", loop=True)
    two = player.start(other, loop=True)
    player.mix("a", gain=0.5, seconds=0.0)
    player.effects("a", [("lowpf", {"freq": 15000.0})])
    player.advance(RATE // 2)
    assert player.active == (one, two)
    assert player.sounding == {clip.id, other.id}
    assert audio(heard)[-1, 0] == pytest.approx(0.2, abs=0.005)
    player.change(two, gain=0.0, pan=1.0)
    player.advance(RATE // 2)
    assert audio(heard)[-1, 0] == pytest.approx(0.1, abs=0.005)
    player.fade_out("a", 0.1)
    player.stop(two)
    player.advance(RATE // 2)
    assert (player.active, player.sounding) == ((), set())
    player.start(clip, loop=True)
    player.advance(1000)
    player.record(None)
    player.unload(clip)
    player.advance(1000)
    assert player.active == ()
    player.start(clip, loop=True)
    player.panic()
    player.advance(1000)
    assert player.stats()["level"] is None
    with pytest.raises(EngineError, match="gain inf"):
        player.start(clip, gain=float("inf"))
    recorded, _ = soundfile.read(tmp_path / "a.wav", dtype="float32")
    np.testing.assert_allclose(recorded, audio(heard)[: len(recorded)], atol=1e-6)
    assert player.stats().keys() == {
        "callbacks", "underruns", "errors", "faults", "peak", "level", "load", "recorded", "lost", "outages", "device",
    }  # fmt: skip
