"""Groups: their buses, effects, tails and panics, heard through the mixer."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import EngineError
from engine.playback import Mixer
from engine.playback.effects import rack
from engine.playback.rack import Rack
from tests.engine.playback.heard import FADE, RATE, largest_step, level_at, noise, play, rms_db, sine

CROSSFADE = 882


def droning(make_clip, *chain, group="a", audio=None, **options):
    """A mixer in which a loop sounds in a group with these effects."""
    mixer = Mixer(RATE)
    mixer.effects(group, chain)
    mixer.start(make_clip(sine(441, RATE) if audio is None else audio), loop=True, group=group, **options)
    return mixer


def test_a_group_without_settings_is_heard_as_if_it_were_none(make_clip):
    one, two = Mixer(RATE), Mixer(RATE)
    one.start(make_clip(noise(1, 3000)))
    two.start(make_clip(noise(1, 3000)), group="a")
    np.testing.assert_array_equal(play(one, 4000), play(two, 4000))


def test_a_group_has_a_gain_and_a_pan_of_its_own(make_clip):
    mixer = Mixer(RATE)
    for group in ("a", "b", ""):
        mixer.start(make_clip(np.full(RATE, 0.1)), group=group, loop=True)
    play(mixer, 2000)
    mixer.mix("a", gain=0.5, pan=1.0, seconds=0.05)
    audio = play(mixer, 4000)
    np.testing.assert_allclose(audio[2300:], [[0.2, 0.25]] * 1700, atol=1e-6)
    assert largest_step(audio) < 0.1 / 2205 * 2
    mixer.mix("a", gain=0.0, seconds=0.0)
    assert largest_step(play(mixer, 2000)) < 0.1 / FADE


def test_fading_a_group_out_leaves_the_others(make_clip):
    mixer = Mixer(RATE)
    for group in ("a", "b"):
        mixer.start(make_clip(np.full(RATE, 0.2)), group=group, loop=True)
    mixer.start(make_clip(np.full(RATE, 0.2)), group="a", at=20000)
    play(mixer, 2000)
    mixer.fade_out("a", 0.1)
    audio = play(mixer, 30000)[:, 0]
    assert audio[2205] == pytest.approx(0.3, abs=1e-2)
    np.testing.assert_allclose(audio[4410:], 0.2, atol=1e-7)
    assert np.abs(np.diff(audio)).max() < 0.2 * np.pi / 2 / 4410 * 1.01


def test_effects_are_heard_in_their_order_and_bypassed(make_clip):
    mixer = droning(make_clip, ("distort", {"drive": 30}), ("lowpf", {"freq": 500}))
    assert level_at(play(mixer, RATE)[4410:, 0], 441 * 3) < -40
    mixer.effects("a", [("lowpf", {"freq": 500}), ("distort", {"drive": 30})])
    assert level_at(play(mixer, RATE)[4410:, 0], 441 * 3) > -20
    mixer.effects("a", ())
    assert level_at(play(mixer, RATE)[4410:, 0], 441 * 3) < -80


def test_effects_delay_nothing(make_clip):
    audio = noise(1, 3000)
    mixer = Mixer(RATE)
    mixer.effects("a", [("delay", {"mix": 0})])
    mixer.start(make_clip(audio), group="a")
    heard, plain = play(mixer, 3500), Mixer(RATE)
    plain.start(make_clip(audio))
    np.testing.assert_allclose(heard, play(plain, 3500), atol=1e-7)


@pytest.mark.parametrize(
    "chains",
    [
        ([("lowpf", {"freq": 200})], [("lowpf", {"freq": 5000})]),
        ([("reverb", {"mix": 0.2})], [("reverb", {"mix": 0.9})]),
        ([], [("rmod", {})]),
        ([], [("delay", {"time": 0.05})]),
        ([("distort", {"drive": 5})], []),
        ([("bitcrush", {"bits": 24})], [("vibrato", {})]),
    ],
)
def test_a_change_of_effects_does_not_click(make_clip, chains):
    """The curve of the waveform bends no more than with either chain, but for what the crossfade itself bends."""
    mixer = droning(make_clip, *chains[0], audio=sine(220, RATE, 0.3))
    before = play(mixer, 20000)[-5000:]
    mixer.effects("a", chains[1])
    during = play(mixer, 5000)
    after = play(mixer, 20000)[-5000:]
    assert rms_db(before - after) > -60  # there was something to change
    steps = [np.abs(np.diff(part[:, 0], n=2)).max() for part in (before, during, after)]
    assert steps[1] < 1.1 * max(steps[0], steps[2]) + 1e-3


def test_a_storm_of_changes_ends_with_the_last(make_clip):
    mixer = droning(make_clip, audio=noise(1, RATE, 0.5))
    parts = []
    for i in range(200):
        mixer.effects("a", [("lowpf", {"freq": 100 + 10 * i})])
        parts.append(mixer.render(64))
    mixer.effects("a", [("lowpf", {"freq": 60})])
    play(mixer, 4 * CROSSFADE)
    end = play(mixer, RATE)[:, 0]
    assert level_at(end, 2000) < -100


def test_a_sleeping_group_is_not_processed_until_it_sounds(make_clip):
    asked = []

    def counts(audio):
        asked.append(audio.shape[1])
        return audio

    mixer = Mixer(RATE)
    mixer.use("a", Rack([lambda: counts]))
    mixer.start(make_clip(np.full(3000, 0.2)), at=1000, group="a")
    assert mixer.silent is False
    mixer.render(1000)
    assert not asked
    mixer.render(3 * RATE)
    assert mixer.silent
    busy = sum(asked)
    assert busy == pytest.approx(3000 + 2 * RATE, abs=3)
    mixer.render(RATE)
    assert sum(asked) == busy


def test_a_tail_is_heard_to_its_end(make_clip):
    mixer = Mixer(RATE)
    mixer.effects("a", [("delay", {"decay": 6, "time": 1.0, "mix": 1.0})])
    mixer.start(make_clip(np.full(3000, 0.5)), group="a")
    audio = play(mixer, 9 * RATE)[:, 0]
    peaks = [np.abs(audio[i * RATE : (i + 1) * RATE]).max() for i in range(9)]
    np.testing.assert_allclose(peaks[2:8], peaks[1] * 10 ** (-0.5 * np.arange(1, 7)), rtol=1e-3)
    assert not mixer.silent
    mixer.render(4 * RATE)
    assert mixer.silent


ECHO = ("delay", {"decay": 6, "time": 0.5, "mix": 1.0})


@pytest.mark.parametrize(
    "change", [[ECHO, ("lowpf", {"freq": 15000})], [("highpf", {"freq": 30}), ECHO], [("delay", {"time": 0.9})], []]
)
def test_a_tail_outlives_a_change_of_effects(make_clip, change):
    mixer = Mixer(RATE)
    mixer.effects("a", [ECHO])
    mixer.start(make_clip(sine(441, 6000)), group="a")
    before = play(mixer, round(0.8 * RATE))
    mixer.effects("a", change)
    after = play(mixer, RATE)
    fresh = Mixer(RATE)
    fresh.effects("a", [ECHO])
    fresh.start(make_clip(sine(441, 6000)), group="a")
    expected = play(fresh, round(1.8 * RATE))[len(before) :]
    where = slice(round(0.2 * RATE), round(0.2 * RATE) + 6000)  # the second echo
    assert rms_db(after[where]) == pytest.approx(rms_db(expected[where]), abs=1.0)
    play(mixer, 12 * RATE)
    assert mixer.silent
    assert not mixer._buses["a"]._rack._ringing


def test_a_sweep_of_a_filter_leaves_what_is_behind_it_as_it_is(make_clip):
    """What did not change is not made anew: it knows all that it was given before."""
    mixer = droning(make_clip, ("lowpf", {"freq": 9000}), ("delay", {"time": 0.9, "mix": 1.0}))
    play(mixer, 9000)
    behind = mixer._buses["a"]._rack._slots[1].processor
    for freq in range(9000, 9500, 10):
        mixer.effects("a", [("lowpf", {"freq": freq}), ("delay", {"time": 0.9, "mix": 1.0})])
        audio = play(mixer, 500)
        assert largest_step(audio) < 0.2
    rack = mixer._buses["a"]._rack
    assert rack._slots[1].processor is behind
    assert len(rack._ringing) <= 10  # eight, and what is being cut


def test_what_rings_rings_through_what_came_behind_it(make_clip):
    """An echo that left the chain is still silenced by a filter behind it, through any later changes."""
    filters = [("lowpf", {"freq": 100}), ("lowpf", {"freq": 101})]
    mixer = Mixer(RATE)
    mixer.effects("a", [ECHO, *filters])
    mixer.start(make_clip(sine(4000, 6000)), group="a")
    play(mixer, 8000)
    for chain in ([*filters], [("rmod", {}), *filters], [("rmod", {}), filters[0], ("lowpf", {"freq": 120})], []):
        mixer.effects("a", chain)
        audio = play(mixer, 8000)
        assert largest_step(audio) < 1e-3, chain


CHAIN = [("distort", {"drive": 20}), ("delay", {"mix": 1.0}), ("reverb", {"mix": 1.0, "room": 1.0})]


@pytest.mark.parametrize("size", [64, 256, 1000])
def test_a_panic_is_silent_ten_milliseconds_later_and_stays_so(make_clip, size):
    mixer = droning(make_clip, *CHAIN)
    mixer.start(make_clip(sine(300, RATE)), loop=True)
    mixer.start(make_clip(sine(300, RATE)), group="a", at=3 * RATE)
    play(mixer, RATE)
    mixer.fade_out_all()
    audio = play(mixer, 4 * RATE, size)
    assert np.abs(audio[:200]).max() > 0.1
    assert not audio[FADE:].any()
    assert largest_step(audio) < 0.25
    assert mixer.silent
    mixer.start(make_clip(sine(300, RATE)), group="a")
    again, fresh = play(mixer, RATE), Mixer(RATE)
    fresh.effects("a", CHAIN)
    fresh.start(make_clip(sine(300, RATE)), group="a")
    np.testing.assert_allclose(again, play(fresh, RATE), atol=1e-6)  # and nothing of before is in it


def test_what_starts_in_a_panic_is_heard_after_it(make_clip):
    mixer = droning(make_clip, *CHAIN)
    mixer.mix("a", gain=0.01)  # the limiter stays out of it
    play(mixer, RATE)
    mixer.fade_out_all()
    mixer.fade_out_all()  # twice is once
    mixer.start(make_clip(sine(300, RATE)), group="a")
    audio, fresh = play(mixer, RATE), Mixer(RATE)
    fresh.effects("a", CHAIN)
    fresh.mix("a", gain=0.01)
    fresh.render(2000)
    fresh.start(make_clip(sine(300, RATE)), group="a")
    np.testing.assert_allclose(audio[FADE:], play(fresh, RATE)[:-FADE], atol=1e-6)


def test_a_panic_in_the_midst_of_a_crossfade(make_clip):
    mixer = droning(make_clip, *CHAIN)
    play(mixer, RATE)
    mixer.effects("a", [("reverb", {"mix": 1.0})])
    mixer.effects("a", [("lowpf", {})])
    mixer.render(300)
    mixer.fade_out_all()
    assert not play(mixer, RATE)[FADE:].any()
    mixer.start(make_clip(noise(1, RATE)), group="a")
    assert level_at(play(mixer, RATE)[:, 0], 8000) < -90  # the effects that were asked for last


def test_one_group_that_fails_leaves_the_others(make_clip):
    def fails(audio):
        return audio * np.float32("nan")

    mixer = droning(make_clip, ("lowpf", {}), group="b", audio=np.full(RATE, 0.2))
    mixer.use("a", Rack([lambda: fails]))
    mixer.start(make_clip(np.full(RATE, 0.1)), group="a", loop=True)
    audio = play(mixer, 8000)
    assert np.isfinite(audio).all()
    np.testing.assert_allclose(audio[7000:], 0.3, atol=5e-3)  # the ladder filter is not quite at 1
    assert mixer.faults == 1
    mixer.effects("a", ())
    play(mixer, 2000)
    assert mixer.faults == 1


def test_the_ceiling_holds_with_everything(make_clip):
    rng = np.random.default_rng(9)
    names = ["lowpf", "highpf", "bandpf", "reverb", "bitcrush", "distort", "chorus", "compress", "delay", "vibrato"]
    mixer = Mixer(RATE)
    peak = 0.0
    for i in range(150):
        group = "abcd"[i % 4]
        if i % 3 == 0:
            mixer.effects(group, [(str(name), {}) for name in rng.choice(names, 2)])
        clip = make_clip(noise(i, int(rng.integers(10, 9000)), float(rng.choice([0.1, 1.0, 50.0]))))
        mixer.start(clip, group=group, rate=float(rng.uniform(-4, 4)), gain=float(rng.uniform(0, 20)), loop=True)
        mixer.mix(group, gain=float(rng.uniform(0, 10)), pan=float(rng.uniform(-1, 1)))
        mixer.change(i, rate=float(rng.uniform(-9, 9)), pan=float(rng.uniform(-1, 1)))
        audio = mixer.render(int(rng.integers(1, 700)))
        assert np.isfinite(audio).all()
        peak = max(peak, np.abs(audio).max())
    assert 0.8 < peak <= 10 ** (-1 / 20)
    assert mixer.faults == 0


def test_blocks_do_not_change_what_is_heard(make_clip):
    def everything(size):
        mixer = Mixer(RATE)
        chains = {"a": [("chorus", {}), ("vibrato", {})], "b": [("delay", {}), ("rmod", {})], "c": CHAIN}
        for group, chain in chains.items():
            mixer.effects(group, chain)
        for i in range(9):
            mixer.start(make_clip(noise(i, 2000)), at=701 * i, group="abc"[i % 3], rate=0.5 + 0.2 * i)
        parts = [play(mixer, 5000, size)]
        mixer.effects("a", [("lowpf", {})])
        mixer.effects("a", [("highpf", {})])
        mixer.mix("b", gain=0.2, pan=-0.5, seconds=0.1)
        parts.append(play(mixer, 4000, size))
        mixer.fade_out_all()
        mixer.start(make_clip(noise(1, 5000)), group="c")
        return np.concatenate([*parts, play(mixer, 3000, size)])

    reference = everything(15000)
    for size in (2, 256, 1000):
        np.testing.assert_allclose(everything(size), reference, atol=2e-6)


def test_groups_without_settings_or_voices_are_forgotten(make_clip):
    mixer = Mixer(RATE)
    clip = make_clip(np.full(100, 0.1))
    for i in range(100):
        mixer.start(clip, group=f"g{i}")
        mixer.render(RATE * 2 + 500)
    assert len(mixer._buses) < 3
    mixer.mix("kept", gain=0.0)
    for i in range(10):
        mixer.start(clip, group=f"h{i}")
    mixer.start(make_clip(np.full(3000, 0.5)), group="kept", at=mixer.position + 20000)
    assert not play(mixer, 30000)[19000:].any()


def test_what_has_no_meaning_is_refused():
    mixer = Mixer(RATE)
    with pytest.raises(EngineError, match="gain nan of group 'a' is not a finite number: give one such as"):
        mixer.mix("a", gain=float("nan"))
    with pytest.raises(EngineError, match="time inf of group 'a'"):
        mixer.fade_out("a", float("inf"))
    for ask in (lambda: mixer.mix("", gain=1.0), lambda: mixer.effects("", []), lambda: mixer.use("", None)):
        with pytest.raises(EngineError, match="goes straight to the output: name a group"):
            ask()
    assert rack([("reverb", {})], RATE) is not None
