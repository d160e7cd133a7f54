from __future__ import annotations

import numpy as np
import pyloudnorm
import pytest
import soundfile

from engine.errors import EngineError
from engine.playback import Mixer, Placed, arrange, clip_from_array, render_offline

RATE = 44100


def test_one_after_another(make_clip):
    a, b = make_clip(np.zeros(100)), make_clip(np.zeros(50))
    assert arrange([a, b]) == [Placed(0, a), Placed(100, b)]


def test_round_again_and_cut(make_clip):
    a, b = make_clip(np.zeros(RATE)), make_clip(np.zeros(RATE // 2))
    placed = arrange([a, b], seconds=2.0)
    assert placed == [Placed(0, a), Placed(RATE, b), Placed(RATE * 3 // 2, a, RATE // 2)]
    assert placed[-1].end == 2 * RATE


def test_together(make_clip):
    a, b = make_clip(np.zeros(RATE)), make_clip(np.zeros(3 * RATE))
    assert arrange([a, b], together=True) == [Placed(0, a), Placed(0, b)]
    placed = arrange([a, b], together=True, seconds=2)
    assert placed == [Placed(0, a, 2 * RATE, loop=True), Placed(0, b, 2 * RATE)]


def test_one_sound_of_one_frame_fills_a_minute_without_a_million_starts(make_clip):
    clip = make_clip([0.5])
    assert arrange([clip], seconds=60) == [Placed(0, clip, 60 * RATE, loop=True)]


@pytest.mark.parametrize("together", [False, True])
def test_empty_sounds_fill_the_time_too(make_clip, together):
    clips = [make_clip([]), make_clip([])]
    assert max(item.end for item in arrange(clips, together=together, seconds=1)) == RATE
    assert max(item.end for item in arrange(clips, together=together)) == 0


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf")])
def test_impossible_lengths(make_clip, seconds):
    with pytest.raises(EngineError, match=r"cannot play for .* seconds"):
        arrange([make_clip([0.0])], seconds=seconds)


def test_nothing_and_mixed_rates(make_clip):
    with pytest.raises(EngineError, match="no sounds to play"):
        arrange([])
    with pytest.raises(EngineError, match=r"different rates \[44100, 48000\]"):
        arrange([make_clip([0.0]), make_clip([0.0], rate=48000)])


@pytest.mark.parametrize(("name", "kind"), [("out.wav", "WAV"), ("OUT.FLAC", "FLAC")])
def test_what_is_written(make_clip, tmp_path, name, kind):
    clips = [make_clip(np.full(3000, level)) for level in (0.25, 0.5)]
    done = render_offline(clips, RATE, False, None, tmp_path / name)
    audio, rate = soundfile.read(tmp_path / name)
    found = soundfile.info(tmp_path / name)
    assert (found.format, found.subtype, rate) == (kind, "PCM_24", RATE)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (len(audio), done.frames, done.seconds) == (6000, 6000, 6000 / RATE)
    assert done.peak_dbfs == pytest.approx(20 * np.log10(0.5), abs=1e-3)
    np.testing.assert_allclose(audio[[1500, 4500], 0], [0.25, 0.5], atol=1e-6)
    assert audio[0, 0] > 0  # the first frame is the sound's, not the limiter's delay


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("seconds", [0.01, 1.0, 3.3])
def test_it_lasts_exactly_so_long(make_clip, tmp_path, together, seconds):
    clips = [make_clip(np.full(length, 0.1)) for length in (1, 20000, 50000)]
    done = render_offline(clips, RATE, together, seconds, tmp_path / "out.wav")
    audio, _ = soundfile.read(tmp_path / "out.wav")
    assert len(audio) == done.frames == round(seconds * RATE)
    assert np.abs(audio[-1]).max() < 1e-3  # faded out


def test_together_all_are_heard_however_many(make_clip, tmp_path):
    clips = [make_clip(np.full(3000, 0.005)) for _ in range(100)]
    done = render_offline(clips, RATE, True, None, tmp_path / "out.wav")
    assert done.peak_dbfs == pytest.approx(20 * np.log10(0.5), abs=1e-3)


@pytest.mark.parametrize(("audio", "frames"), [([0.5], 1), (np.zeros(700), 700), ([], 0)])
def test_degenerate_sounds(make_clip, tmp_path, audio, frames):
    done = render_offline([make_clip(audio)], RATE, False, None, tmp_path / "out.wav")
    assert done.frames == frames
    assert (done.peak_dbfs is None) == (not np.any(audio))


def test_every_sound_is_equally_loud(tmp_path):
    meter = pyloudnorm.Meter(RATE)
    rng = np.random.default_rng(3)
    for level in (0.01, 0.05, 0.2):
        audio = level * rng.standard_normal((4 * RATE, 2))
        clip = clip_from_array(audio, RATE, id=1, name="n", loudness=meter.integrated_loudness(audio), rate=RATE)
        done = render_offline([clip], RATE, False, None, tmp_path / "out.wav")
        written, _ = soundfile.read(tmp_path / "out.wav")
        assert done.peak_dbfs < -1.5  # the limiter had nothing to do
        assert meter.integrated_loudness(written) == pytest.approx(-23.0, abs=0.5)


def test_an_interruption_leaves_the_old_file_and_no_other(make_clip, tmp_path, monkeypatch):
    out = tmp_path / "out.wav"
    out.write_bytes(b"the old one")
    render = Mixer.render

    def interrupted(mixer, count):
        if mixer.position > 20000:
            raise KeyboardInterrupt
        return render(mixer, count)

    monkeypatch.setattr(Mixer, "render", interrupted)
    with pytest.raises(KeyboardInterrupt):
        render_offline([make_clip(np.zeros(RATE))], RATE, False, None, out)
    assert out.read_bytes() == b"the old one"
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("name", ["out.mp3", "out"])
def test_an_unknown_extension(make_clip, tmp_path, name):
    with pytest.raises(EngineError, match=r"is not \.wav or \.flac; use one of them"):
        render_offline([make_clip([0.5])], RATE, False, None, tmp_path / name)


def test_no_such_folder(make_clip, tmp_path):
    words = r"cannot write .*out\.wav: No such file or directory; make room or choose another place"
    with pytest.raises(EngineError, match=words) as caught:
        render_offline([make_clip([0.5])], RATE, False, None, tmp_path / "missing" / "out.wav")
    assert "\n" not in str(caught.value)


def test_a_folder_in_the_way(make_clip, tmp_path):
    (tmp_path / "out.wav").mkdir()
    with pytest.raises(EngineError, match=r"cannot write .*out\.wav: Is a directory; make room or choose"):
        render_offline([make_clip([0.5])], RATE, False, None, tmp_path / "out.wav")
    assert [path.name for path in tmp_path.iterdir()] == ["out.wav"]
