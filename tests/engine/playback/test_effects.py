"""What each effect does, by itself."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import EngineError
from engine.playback.effects import EFFECTS, Effect, Parameter, effect, rack
from engine.playback.rack import Rack
from engine.playback.registry import Registry
from tests.engine.playback.heard import RATE, level_at, noise, rms_db, sine, spectrum, strongest

OURS = (
    "lowpf highpf bandpf reverb bitcrush distort chorus compress delay vibrato rmod".split()  # as the plan names them
)


def through(name, audio, size=256, **values):
    """What an effect makes of audio, shape (n,) or (n, 2): the left channel."""
    return both(name, audio, size, **values)[:, 0]


def both(name, audio, size=256, **values):
    made = rack([(name, values)], RATE)
    audio = np.asarray(audio, np.float32)
    if audio.ndim == 1:
        audio = np.column_stack([audio, audio])
    out = np.concatenate([made.process(audio[i : i + size]) for i in range(0, len(audio), size)])
    assert made.faults == 0
    return out


def test_all_are_there_with_their_first_parameter():
    firsts = {name: EFFECTS[name].parameters[0] for name in EFFECTS}
    assert set(firsts) == set(OURS)
    defaults = {name: (one.name, one.default) for name, one in firsts.items() if name != "compress"}
    assert defaults == {
        "lowpf": ("freq", 440), "highpf": ("freq", 1200), "bandpf": ("freq", 440), "reverb": ("mix", 0.5),
        "delay": ("decay", 3), "vibrato": ("amount", 0.01), "bitcrush": ("bits", 4), "distort": ("drive", 10),
        "rmod": ("freq", 700), "chorus": ("mix", 0.5),
    }  # fmt: skip
    for one in EFFECTS.values():
        assert one.about
        for parameter in one.parameters:
            assert parameter.low <= parameter.default <= parameter.high, (one.name, parameter)
            assert parameter.about


@pytest.mark.parametrize(
    ("name", "freq", "kept", "lost"),
    [
        ("lowpf", 1000, 100, 4000),
        ("highpf", 1000, 8000, 250),
        ("bandpf", 1000, 1000, 8000),
        ("bandpf", 1000, 1000, 125),
    ],
)
def test_filters_keep_and_take_away(name, freq, kept, lost):
    audio = sine(kept, RATE, 0.1) + sine(lost, RATE, 0.1)
    out = through(name, audio, freq=freq)[RATE // 2 :]
    assert level_at(out, kept) > -20 - (9 if name == "bandpf" else 3)
    assert level_at(out, lost) < level_at(out, kept) - 20


def test_a_reverb_rings_on_and_leaves_the_sound_at_mix_zero():
    audio = noise(1, RATE)
    audio[RATE // 2 :] = 0
    out = both("reverb", audio, mix=0.5)
    assert rms_db(out[RATE // 2 + 4410 : RATE // 2 + 8820]) > rms_db(audio[: RATE // 2]) - 40
    np.testing.assert_allclose(both("reverb", audio, mix=0)[4410:], audio[4410:], atol=1e-6)


def test_a_delay_echoes_and_decays():
    audio = np.zeros(5 * RATE)
    audio[0] = 1.0
    out = through("delay", audio, decay=3, time=0.25, mix=0.5)
    places = np.flatnonzero(np.abs(out) > 1e-6)[:14]
    np.testing.assert_array_equal(places, np.arange(len(places)) * round(0.25 * RATE))
    assert out[0] == 1.0
    assert out[11025] == pytest.approx(0.5)
    assert out[11025 * 13] == pytest.approx(0.5 * 1e-3, rel=1e-3)  # 60 dB softer 3 s after the first echo
    np.testing.assert_array_equal(np.flatnonzero(through("delay", audio, decay=0)), [0, 8820])


def test_a_vibrato_sways_the_pitch_by_its_amount():
    freq = 1000
    out = through("vibrato", sine(freq, 2 * RATE), amount=0.05, speed=5)[8820:].astype(np.float64)
    analytic = np.fft.ifft(np.where(np.arange(len(out)) < len(out) // 2, np.fft.fft(out), 0))
    pitch = np.diff(np.unwrap(np.angle(analytic)))[2000:-2000] * RATE / 2 / np.pi
    assert pitch.max() == pytest.approx(freq * 1.05, rel=2e-3)
    assert pitch.min() == pytest.approx(freq * 0.95, rel=2e-3)
    turns = np.flatnonzero(np.diff(np.sign(pitch - freq)) > 0)
    assert np.diff(turns[np.diff(turns, prepend=-9999) > 1000]).mean() == pytest.approx(RATE / 5, rel=0.01)


def test_a_ring_modulation_moves_a_tone_to_either_side():
    out = through("rmod", sine(1000, RATE), freq=300)
    assert level_at(out, 700) == pytest.approx(-12, abs=0.2)
    assert level_at(out, 1300) == pytest.approx(-12, abs=0.2)
    assert level_at(out, 1000) < -80


def test_a_bitcrush_leaves_so_many_steps():
    out = through("bitcrush", sine(10, RATE, 0.99), bits=3)
    assert 8 <= len(np.unique(np.round(out, 6))) <= 17


def test_a_distortion_adds_odd_harmonics():
    out = through("distort", sine(500, RATE, 0.5), drive=20)
    assert level_at(out, 1500) > -20
    assert level_at(out, 1000) < -80
    np.testing.assert_allclose(out, np.tanh(10 * sine(500, RATE, 0.5)), atol=1e-4)


def test_a_chorus_spreads_a_tone():
    freqs, levels = spectrum(through("chorus", sine(1000, 2 * RATE), speed=5, depth=0.5))
    beside = levels[(np.abs(freqs - 1000) > 3) & (np.abs(freqs - 1000) < 30)].max()
    assert beside > levels.max() - 25
    assert strongest(through("chorus", sine(1000, RATE), mix=0))[1] == pytest.approx(-6, abs=0.1)


def test_a_compressor_turns_down_what_is_loud_alone():
    quiet, loud = (through("compress", sine(1000, RATE, level))[RATE // 2 :] for level in (0.01, 0.8))
    assert rms_db(quiet) == pytest.approx(rms_db(sine(1000, RATE, 0.01)), abs=0.1)
    reduction = rms_db(loud) - rms_db(sine(1000, RATE, 0.8))
    above = 20 * np.log10(0.8) + 20
    assert reduction == pytest.approx(-above * 3 / 4, abs=3)  # ratio 4; the detector is not a perfect peak


@pytest.mark.parametrize("name", OURS)
def test_block_sizes_do_not_matter(name):
    audio = noise(2, 12000, 0.4)
    whole = both(name, audio, size=12000)
    for size in (1, 2, 64, 256, 1000, 1025):
        part = audio if size > 2 else audio[:1500]
        np.testing.assert_allclose(both(name, part, size)[: len(part)], whole[: len(part)], atol=1e-6)


@pytest.mark.parametrize("name", OURS)
def test_what_comes_first_comes_undelayed(name):
    """The latency of all is 0, but of vibrato, which is two frames behind at the least."""
    audio = np.zeros(2000)
    audio[500:] = 0.5 * np.cos(np.arange(1500) / 5)
    values = {"amount": 0} if name == "vibrato" else {}
    first = np.flatnonzero(np.abs(through(name, audio, **values)) > 1e-9)[0]
    assert first - 500 == (2 if name == "vibrato" else 0)


@pytest.mark.parametrize("name", OURS)
def test_silence_comes_to_silence(name):
    audio = np.zeros((6 * RATE, 2))
    audio[:4410] = noise(3, 4410)
    values = {"decay": 1} if name == "delay" else {}
    assert np.abs(both(name, audio, 1024, **values)[-4410:]).max() < 1e-5


@pytest.mark.parametrize("name", OURS)
def test_every_value_and_every_input_leave_it_finite(name):
    declared = EFFECTS[name].parameters
    wild = np.array([[np.nan, np.inf], [1e38, -1e38], [0, 0]] * 400, np.float32)
    for pick in ("low", "high"):
        made = rack([(name, {one.name: getattr(one, pick) for one in declared})], RATE)
        for block in (noise(4, 3000, 1.0), wild, np.zeros((3000, 2))):
            assert np.isfinite(made.process(block.astype(np.float32))).all()
        assert made.faults == 0
        made.reset()
        assert not made.process(np.zeros((3000, 2), np.float32)).any() or name == "bitcrush"


def test_what_is_too_much_is_brought_back_and_what_has_no_meaning_refused():
    assert EFFECTS["lowpf"].values({"freq": 1e9}) == {"freq": 18000}
    assert EFFECTS["delay"].values({"decay": -5}) == {"decay": 0, "time": 0.2, "mix": 0.5}
    with pytest.raises(EngineError, match="freq nan of effect 'lowpf' is not a finite number"):
        rack([("lowpf", {"freq": float("nan")})], RATE)
    with pytest.raises(EngineError, match="effect 'lowpf' has no 'cutoff'; its parameters are freq"):
        rack([("lowpf", {"cutoff": 4})], RATE)
    with pytest.raises(EngineError, match=r"no effect 'wobble'; known are .*lowpf"):
        rack([("wobble", {})], RATE)
    assert rack([], RATE) is None


@pytest.mark.parametrize(
    "wrong",
    [
        lambda audio: audio * np.nan,
        lambda audio: audio[:, :-1],
        lambda audio: audio / 0,
        lambda audio: None,
        lambda audio: 1 / 0,
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
def test_an_effect_that_fails_is_bypassed_and_counted(wrong):
    calls = []

    def fails_later(audio):
        calls.append(audio.shape[1])
        return wrong(audio) if len(calls) > 3 else 2 * audio

    made = Rack([lambda: fails_later, lambda: lambda audio: 3 * audio])
    block = noise(1, 256).astype(np.float32)
    outs = [made.process(block) for _ in range(6)]
    assert made.faults == 1
    np.testing.assert_allclose(outs[1], 6 * block, rtol=1e-6)
    np.testing.assert_allclose(outs[-1], 3 * block, rtol=1e-6)
    assert len(calls) == 4  # never asked again


def test_one_is_declared_in_a_few_lines(monkeypatch):
    registry = Registry("mirla.effects", Effect)
    monkeypatch.setattr("engine.playback.registry.EFFECTS", registry)

    @effect("louder", "louder", Parameter("by", 2.0, 0.0, 4.0, "", "how much"))
    def louder(rate, by):
        return lambda audio: by * audio

    block = noise(1, 256).astype(np.float32)
    out = rack([("louder", {"by": 3}), ("louder", {})], RATE).process(block)
    np.testing.assert_allclose(out, 6 * block, rtol=1e-6)

    @effect("broken", "cannot be made")
    def broken(rate):
        raise OSError("no such plugin")

    with pytest.raises(EngineError, match="effects broken cannot be made: OSError: no such plugin"):
        rack([("broken", {})], RATE)
