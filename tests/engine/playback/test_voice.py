"""Rates, slices, pans, fades and glides of a voice, heard through the mixer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import EngineError
from engine.playback import Mixer
from engine.playback.playhead import FOREVER, Playhead
from tests.engine.playback.heard import FADE, RATE, largest_step, noise, play, rms_db, sine, spectrum, strongest

STEEPEST = 8 / FADE  # of a gain: the attack at its start


@pytest.mark.parametrize("rate", [1.5, 0.7, 2.0, -0.5, -1.0, -3.1])
def test_the_pitch_goes_with_the_rate(make_clip, rate):
    mixer = Mixer(RATE)
    mixer.start(make_clip(sine(441, 8 * RATE, 0.5)), rate=rate)
    audio = play(mixer, 2 * RATE)[FADE:, 0]
    assert strongest(audio)[0] == pytest.approx(441 * abs(rate), abs=1)
    assert rms_db(audio) == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.02)


@pytest.mark.parametrize(("freq", "others"), [(1000, -90), (10000, -25)])
def test_images_are_as_low_as_is_said(make_clip, freq, others):
    """What else than its own pitch is in a sine read at an odd rate, against it."""
    mixer = Mixer(RATE)
    mixer.start(make_clip(sine(freq, 3 * RATE)), rate=0.9)
    audio = play(mixer, 2 * RATE)[FADE : FADE + RATE, 0]
    freqs, levels = spectrum(audio)
    beside = levels[np.abs(freqs - 0.9 * freq) > 20].max() - levels.max()
    assert others - 15 < beside < others


@pytest.mark.parametrize("rate", [1.0, 1.5, 0.3, -1.0, -0.5, -7.7, 100.0])
def test_it_lasts_as_long_as_its_part_at_the_rate(make_clip, rate):
    mixer = Mixer(RATE)
    mixer.start(make_clip(np.full(9000, 0.5)), rate=rate, begin=1000, end=8001)
    frames = int(np.ceil(7001 / abs(rate)))
    audio = mixer.render(frames - 1)
    assert mixer.active
    audio = np.concatenate([audio, mixer.render(1)])
    assert mixer.active == ()
    heard = np.flatnonzero(np.concatenate([audio, mixer.render(1000)])[mixer.latency :, 0])
    assert heard[0] == 0
    assert 0 <= frames - 1 - heard[-1] <= max(1, 1 / abs(rate))  # the clip's last half frame is at 0


def test_backwards_is_the_clip_reversed(make_clip):
    audio = noise(1, 4000)
    forwards, backwards = Mixer(RATE), Mixer(RATE)
    forwards.start(make_clip(audio[::-1]))
    backwards.start(make_clip(audio), rate=-1)
    np.testing.assert_array_equal(play(forwards, 5000), play(backwards, 5000))


def test_a_slice_is_its_frames_and_no_others(make_clip):
    audio = np.zeros(6000)
    audio[2000:4000] = 0.25
    mixer = Mixer(RATE)
    mixer.start(make_clip(audio), begin=2000, end=4000)
    heard = play(mixer, 3000)[:, 0]
    np.testing.assert_allclose(heard[FADE : 2000 - FADE], 0.25, atol=1e-7)
    assert not heard[2000:].any()


@pytest.mark.parametrize("rate", [1.37, -0.61, 0.25, 33.3])
def test_a_loop_at_an_odd_rate_is_seamless(make_clip, rate):
    """Against the sine itself, read at the rate: an error at the seam would stand out of the interpolation's."""
    period = 441  # the slice holds ten of them, between silence
    audio = np.concatenate([np.zeros(3000), sine(RATE / period, 10 * period), np.zeros(3000)])
    mixer = Mixer(RATE)
    mixer.start(make_clip(audio), rate=rate, loop=True, begin=3000, end=3000 + 10 * period)
    count = RATE
    first = 0 if rate > 0 else 10 * period - 1
    expected = 0.5 * np.sin(2 * np.pi * (first + rate * np.arange(count)) / period)
    np.testing.assert_allclose(play(mixer, count)[FADE:, 0], expected[FADE:], atol=1e-5)


@pytest.mark.parametrize("rate", [1.37, -0.61, 5.0])
def test_a_seam_that_would_click_is_faded_at_any_rate(make_clip, rate):
    mixer = Mixer(RATE)
    mixer.start(make_clip(np.linspace(-0.8, 0.8, 9000)), rate=rate, loop=True)
    audio = play(mixer, RATE)[FADE:]
    assert largest_step(audio) < 0.8 * np.pi / 2 / FADE * 1.2 + abs(rate) * 1.6 / 9000


def test_a_fade_in_and_a_fade_out_are_raised_cosines(make_clip):
    mixer = Mixer(RATE)
    mixer.start(make_clip(np.full(RATE, 0.5)), fade_in=0.25, fade_out=0.5)
    audio = play(mixer, RATE)[:, 0]
    into, out = round(0.25 * RATE), round(0.5 * RATE)
    x = (np.arange(RATE) + 0.5) / into
    np.testing.assert_allclose(audio[:into], 0.5 * np.sin(np.pi / 2 * x[:into]) ** 2, atol=1e-6)
    x = (np.arange(out) + 0.5) / out
    np.testing.assert_allclose(audio[-out:], 0.5 * np.cos(np.pi / 2 * x) ** 2, atol=1e-6)
    np.testing.assert_allclose(audio[into:-out], 0.5, atol=1e-7)


def test_fades_longer_than_the_voice_share_it(make_clip):
    mixer = Mixer(RATE)
    mixer.start(make_clip(np.full(3000, 0.5)), fade_in=1.0, fade_out=2.0)
    audio = play(mixer, 4000)[:, 0]
    assert np.argmax(audio) == pytest.approx(1000, abs=2)
    assert audio.max() == pytest.approx(0.5, abs=1e-5)
    assert not audio[3000:].any()


@pytest.mark.parametrize("pan", [-1.0, -0.4, 0.0, 0.7, 1.0])
def test_the_pan_is_a_balance(make_clip, pan):
    mixer = Mixer(RATE)
    mixer.start(make_clip(np.full((3000, 2), [0.5, 0.4])), pan=pan)
    left, right = play(mixer, 2000)[1000]
    assert left == pytest.approx(0.5 * min(1, 1 - pan), abs=1e-7)
    assert right == pytest.approx(0.4 * min(1, 1 + pan), abs=1e-7)


def test_gain_and_pan_glide_in_a_line_and_arrive(make_clip):
    mixer = Mixer(RATE)
    voice = mixer.start(make_clip(np.full(RATE, 0.5)), loop=True)
    play(mixer, 1000)
    mixer.change(voice, gain=0.5, pan=-1.0, seconds=0.1)
    audio = play(mixer, 6000)
    np.testing.assert_allclose(audio[4500:], [[0.25, 0.0]] * 1500, atol=1e-7)
    assert audio[2205, 0] == pytest.approx(0.375, abs=1e-3)
    assert largest_step(audio) < 0.5 * 2 / 4410


@pytest.mark.parametrize("change", [{"gain": 0.0}, {"pan": 1.0}, {"gain": -1.0}, {"rate": 0.0}, {"rate": -2.0}])
def test_no_change_clicks_however_short(make_clip, change):
    mixer = Mixer(RATE)
    voice = mixer.start(make_clip(sine(100, RATE)), loop=True)
    parts = [play(mixer, 2000)]
    mixer.change(voice, **change, seconds=0.0)
    parts += [mixer.render(4000)]
    mixer.change(voice, gain=1.0, pan=0.0, rate=1.0, seconds=0.0)
    parts += [mixer.render(4000)]
    own = 0.5 * 2 * np.pi * 100 / RATE * 2  # of the sine itself, at a rate of up to 2
    assert largest_step(np.concatenate(parts)[FADE:]) < own + 0.5 * 2 / FADE


def test_the_rate_glides_and_crosses_zero(make_clip):
    """A ramp shows where it is read: forwards, ever slower, and back."""
    ramp = np.linspace(0.1, 0.8, 60000)
    mixer = Mixer(RATE)
    voice = mixer.start(make_clip(ramp))
    play(mixer, 10000)
    at = mixer.position
    mixer.change(voice, rate=-1.0, seconds=0.2)
    audio = play(mixer, 15000)[:, 0]
    u = np.arange(15000)
    glide = np.minimum(u, 8820)
    place = at + glide - glide**2 / 8820 - (u - glide)
    np.testing.assert_allclose(audio, np.interp(place, np.arange(60000), ramp), atol=1e-5)


def test_at_rate_zero_it_is_silent_and_stays_where_it_is(make_clip):
    mixer = Mixer(RATE)
    voice = mixer.start(make_clip(np.linspace(0.1, 0.8, 60000)), rate=0.0)
    assert not play(mixer, 5000).any()
    assert mixer.active == (voice,)
    mixer.change(voice, rate=1.0)
    audio = play(mixer, 5000)[:, 0]
    assert audio[2000] == pytest.approx(0.1 + 0.7 * (2000 - 441) / 60000, abs=1e-4)
    mixer.change(voice, rate=0.0, seconds=0.1)
    audio = play(mixer, 9000)[:, 0]
    assert np.abs(audio[:4000]).min() > 0.0
    assert not audio[4410:].any()


def test_a_rate_may_change_before_the_start(make_clip):
    audio = noise(1, 4000)
    one, two = Mixer(RATE), Mixer(RATE)
    one.start(make_clip(audio), at=1000, rate=-1.0)
    two.change(two.start(make_clip(audio), at=1000), rate=-1.0, seconds=5)
    np.testing.assert_array_equal(play(one, 6000), play(two, 6000))


def test_changes_near_the_end_do_not_click(make_clip):
    """A constant shows the envelope alone. The end comes nearer or farther as the rate glides."""
    for left in (10, 200, 500, 2000):
        for rate in (8.0, 0.2, -1.5, 0.0):
            mixer = Mixer(RATE)
            voice = mixer.start(make_clip(np.full(5000, 0.8)), fade_out=0.02)
            parts = [mixer.render(5000 - left)]
            mixer.change(voice, rate=rate, seconds=0.0)
            audio = np.concatenate([*parts, mixer.render(8000)])[FADE:]
            # as the rate glides the end comes nearer, or farther again, faster than a fade alone would fall or rise
            assert largest_step(audio) < 8 * 0.8 * np.pi / 2 / FADE, (left, rate)


def test_stops_while_it_fades_already_do_not_click(make_clip):
    mixer = Mixer(RATE)
    voice = mixer.start(make_clip(np.full(RATE, 0.8)), loop=True)
    parts = [mixer.render(5000)]
    for seconds in (2.0, 1.0, 3.0, 0.1, 0.0):
        mixer.stop(voice, seconds)
        parts.append(mixer.render(1000 if seconds != 0.1 else 2000))
    audio = np.concatenate(parts)[FADE:]
    assert largest_step(audio) < 0.8 * np.pi / 2 / FADE * 1.01
    assert np.all(np.diff(audio[5000:, 0]) <= 1e-7)  # never up again
    assert mixer.active == ()


@pytest.mark.parametrize("size", [1, 256, 4000])
def test_a_voice_may_be_stolen_while_it_fades(make_clip, size):
    """At a frame within the block: what comes before is as it was."""
    mixer = Mixer(RATE, max_voices=1)
    mixer.start(make_clip(np.full(RATE, 0.8)), frames=3000, fade_out=0.05)
    mixer.start(make_clip(np.zeros(RATE)), at=2000)
    audio = play(mixer, 4000, size)[FADE:, 0]
    x = (3000 - np.arange(FADE, 2000) - 0.5) / 2205
    np.testing.assert_allclose(audio[: 2000 - FADE], 0.8 * np.sin(np.pi / 2 * np.minimum(x, 1)) ** 2, atol=1e-6)
    assert np.abs(np.diff(audio)).max() < 0.8 * np.pi / 2 / FADE
    assert not audio[2000:].any()


def test_a_stop_takes_as_long_as_it_is_told(make_clip):
    mixer = Mixer(RATE)
    voice = mixer.start(make_clip(np.full(RATE, 0.5)), loop=True)
    mixer.render(2000)
    mixer.stop(voice, 0.5)
    assert np.flatnonzero(play(mixer, RATE)[:, 0])[-1] == pytest.approx(RATE // 2, abs=10)


def test_blocks_do_not_change_what_is_heard(make_clip):
    def everything(size):
        rng = np.random.default_rng(5)
        mixer = Mixer(RATE)
        voices = [
            mixer.start(
                make_clip(noise(i, 3000 + i)),
                at=i * 500,
                rate=float(rng.uniform(-3, 3)),
                pan=float(rng.uniform(-1, 1)),
                loop=i % 2 == 0,
                begin=100,
                fade_in=0.01 * i,
                fade_out=0.02 * i,
            )
            for i in range(10)
        ]
        parts = [play(mixer, 3000, size)]
        for i, voice in enumerate(voices):
            mixer.change(voice, rate=float(rng.uniform(-3, 3)), gain=0.5, pan=0.0, seconds=0.05 * i)
        parts.append(play(mixer, 8000, size))
        for voice in voices[::2]:
            mixer.stop(voice, 0.05)
        return np.concatenate([*parts, play(mixer, 4000, size)])

    reference = everything(15000)
    for size in (7, 256, 1000):
        np.testing.assert_allclose(everything(size), reference, atol=1e-6)


numbers = st.floats(-4, 4).map(lambda x: round(x, 2))


@given(numbers, st.lists(st.tuples(st.integers(1, 50), numbers, st.integers(0, 60)), max_size=3))
def test_the_end_is_when_the_position_leaves(rate, changes):
    """Against looking at every frame, after up to three changes of rate."""
    length = 100
    head = Playhead(length - 1.0 if rate < 0 else 0.0, rate)
    now = 0
    for wait, to, frames in changes:
        if head.leaves(length) <= now + wait:
            break
        now += wait
        head.change(to, now, frames)
    positions, _ = head.over(now, 30000)
    outside = np.flatnonzero((positions <= -1 - 1e-9) | (positions >= length + 1e-9))
    left = head.leaves(length)
    if left == FOREVER or left >= now + 30000:
        assert not len(outside)
    else:
        assert len(outside)
        assert outside[0] + now == pytest.approx(left, abs=1)  # where rounding decides


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rate": float("nan")}, "rate nan of 'clip 1' is not a finite number: give one such as 1 or -0.5"),
        ({"pan": float("inf")}, "pan inf of 'clip 1' is not"),
        ({"fade_in": "x"}, "time x of 'clip 1' is not"),
        ({"begin": 1000}, "frames 1000 to 1000 of 'clip 1' are none of its 1000: begin before you end"),
        ({"begin": 10, "end": 10}, "frames 10 to 10 of 'clip 1'"),
        ({"begin": -1}, "frames -1 to 1000 of 'clip 1'"),
    ],
)
def test_what_has_no_meaning_is_refused(make_clip, options, words):
    mixer = Mixer(RATE)
    clip = make_clip(np.zeros(1000))
    for ask in (mixer.check, mixer.start):
        with pytest.raises(EngineError, match=words):
            ask(clip, **options)
    assert mixer.active == ()


def test_what_is_too_much_is_brought_back(make_clip):
    mixer = Mixer(RATE)
    voice = mixer.start(make_clip(np.full(9000, 0.001)), gain=1e9, rate=-1e9, pan=7, end=10**9, fade_out=-1, loop=True)
    mixer.change(voice, gain=1e300, seconds=1e300)
    audio = play(mixer, 2000)
    assert not audio[:, 0].any()
    assert audio[:, 1].max() == pytest.approx(0.1, rel=1e-3)
    for nonsense in ({"gain": float("nan")}, {"rate": float("inf")}, {"pan": float("nan")}, {"seconds": float("nan")}):
        with pytest.raises(EngineError, match=f"of voice {voice} is not a finite number"):
            mixer.change(voice, **nonsense)
    mixer.change(12345, gain=0.5)  # over or unknown: no matter
