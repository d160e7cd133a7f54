"""Loading ahead, in bounded memory, into an instrument without a device."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

from corpus.errors import AudioError, UnknownSound
from engine.clips import load, load_sound
from engine.errors import EngineError
from engine.loading import Loader
from engine.playback.offline import OfflinePlayer
from engine.session import MEMORY


class Instrument(OfflinePlayer):
    """Keeps account of what it holds."""

    def __init__(self):
        super().__init__()
        self.held = {}

    def load(self, clip):
        return self.held.setdefault(clip.key, clip)

    def unload(self, clip):
        del self.held[clip.key]
        super().unload(clip)


@pytest.fixture
def instrument():
    return Instrument()


@pytest.fixture
def corpus(finished):
    return finished


@pytest.fixture
def loader(corpus, instrument):
    loader = Loader(corpus, instrument, MEMORY)
    yield loader
    loader.close()


def ids_of(corpus, count):
    """The shortest sounds."""
    sounds = corpus.sounds.many(corpus.sounds.ids())
    return [sound.id for sound in sorted(sounds, key=lambda sound: sound.file.duration)][:count]


def result(future):
    return future.result(timeout=30)


def test_a_sound_is_loaded_once_and_as_it_is_played(loader, instrument, corpus):
    one, two = ids_of(corpus, 2)
    futures = [loader.get(one), loader.get(two), loader.get(one)]
    first, second, again = map(result, futures)
    assert first is again is instrument.held[one]
    assert loader.get(two).done()
    [expected] = load(corpus, [two], instrument.rate)
    assert (second.gain, second.name, second.rate) == (expected.gain, expected.name, instrument.rate)
    np.testing.assert_array_equal(second.frames, expected.frames)


def test_another_pitch_is_another_clip(loader, instrument, corpus):
    [one] = ids_of(corpus, 1)
    plain, shifted = result(loader.get(one)), result(loader.get(one, 7.0))
    assert (plain.key, shifted.key) == (one, (one, 7.0))
    assert len(plain.frames) == len(shifted.frames)
    assert set(instrument.held) == {one, (one, 7.0)}
    with pytest.raises(EngineError, match="cannot shift by 99 semitones"):
        result(loader.get(one, 99))


def test_what_is_asked_for_overtakes_what_is_likely(loader, instrument, corpus, monkeypatch):
    wanted = ids_of(corpus, 6)
    order, gate = [], threading.Semaphore(0)

    def slow(sound, *arguments, **options):
        order.append(sound.id)
        assert gate.acquire(timeout=30)
        return load_sound(sound, *arguments, **options)

    monkeypatch.setattr("engine.loading.load_sound", slow)
    loader.ahead(wanted[:4])
    while not order:  # one thread is busy with the likeliest
        threading.Event().wait(0.01)
    urgent = loader.get(wanted[5])
    while len(order) < 2:
        threading.Event().wait(0.01)
    overtaking = loader.get(wanted[3])  # was likely, is wanted now
    loader.ahead([wanted[4]])  # the others are likely no more
    gate.release(20)
    assert result(urgent).id == wanted[5]
    assert result(overtaking).id == wanted[3]
    loader.get(wanted[4]).result(timeout=30)
    assert set(order) == {wanted[i] for i in (0, 5, 3, 4)}
    assert len(order) == 4


def test_memory_is_bounded_and_what_sounds_stays(corpus, instrument, monkeypatch):
    monkeypatch.setattr("engine.loading.WANTED_SECONDS", 0.0)
    wanted = ids_of(corpus, 12)
    sizes = {id: load(corpus, [id], instrument.rate)[0].frames.nbytes for id in wanted}
    most = sum(sorted(sizes.values())[-4:])
    loader = Loader(corpus, instrument, most)
    sounding = result(loader.get(wanted[0]))
    instrument.start(sounding, loop=True)
    for id in wanted[1:]:
        result(loader.get(id))
        assert sum(clip.frames.nbytes for clip in instrument.held.values()) <= most
    assert wanted[0] in instrument.held  # the oldest, but it sounds
    assert wanted[1] not in instrument.held
    assert wanted[-1] in instrument.held
    assert result(loader.get(wanted[1])).id == wanted[1]  # comes again
    loader.close()


def test_no_room_is_one_line_and_the_rest_goes_on(corpus, instrument):
    one, two, *_ = ids_of(corpus, 2)
    sizes = [load(corpus, [id], instrument.rate)[0].frames.nbytes for id in (one, two)]
    loader = Loader(corpus, instrument, max(sizes) + 100)
    result(loader.get(one))  # wanted still
    with pytest.raises(EngineError, match=f"no memory for sound {two}: what sounds fills 0 of 0 MB; stop something"):
        result(loader.get(two))
    assert set(instrument.held) == {one}
    longest = max(corpus.sounds.many(corpus.sounds.ids()), key=lambda sound: sound.file.duration)
    with pytest.raises(EngineError, match=f"sound {longest.id} is .* s long and does not fit"):
        result(loader.get(longest.id))
    loader.close()
    assert loader.get(two).cancelled() or not loader.get(two).done()


def test_what_cannot_be_loaded_is_one_line(sonic, instrument):
    loader = Loader(sonic, instrument, MEMORY)
    gone, broken, fine = ids_of(sonic, 3)
    sonic.sounds.get(gone).file.path.unlink()
    sonic.sounds.get(broken).file.path.write_bytes(b"no audio")
    for id, error, words in (
        (99, UnknownSound, "no sound 99"),
        (gone, AudioError, "is missing"),
        (broken, AudioError, f"sound {broken}, "),
    ):
        with pytest.raises(error, match=words) as caught:
            result(loader.get(id))
        assert "\n" not in str(caught.value)
    loader.ahead([gone, broken, fine])  # nobody asked: nothing is said
    assert result(loader.get(fine)).id == fine
    assert result(loader.get(fine)).id == fine
    loader.close()


def test_closing_cancels_what_waits_and_what_is_under_way_and_holds_nobody_up(corpus, instrument, monkeypatch):
    begun, gate = threading.Semaphore(0), threading.Event()

    def slow(sound, *arguments, **options):
        begun.release()
        assert gate.wait(timeout=30)
        return load_sound(sound, *arguments, **options)

    monkeypatch.setattr("engine.loading.load_sound", slow)
    loader, ended = Loader(corpus, instrument, MEMORY), []

    def told(future):  # as a group is: another thread holds the group's lock, and asks for a sound
        asking = threading.Thread(target=loader.get, args=(1,))
        asking.start()
        asking.join(timeout=10)
        ended.append((future.cancelled(), not asking.is_alive()))

    under_way = ids_of(corpus, 6)
    for id in under_way:
        loader.get(id).add_done_callback(told)
    for _ in range(2):
        assert begun.acquire(timeout=30)
    loader.close()
    assert ended == [(True, True)] * len(under_way)
    gate.set()


def test_a_device_that_comes_while_a_sound_is_decoded_gets_it_at_its_rate(corpus, instrument, loader, monkeypatch):
    def slow(sound, rate, **options):
        clip = load_sound(sound, rate, **options)
        instrument.rate = 48000
        return clip

    monkeypatch.setattr("engine.loading.load_sound", slow)
    assert result(loader.get(ids_of(corpus, 1)[0])).rate == 48000


def test_a_sound_that_was_not_analysed_is_as_loud_as_the_others(corpus):
    for sound in corpus.sounds.many(ids_of(corpus, 160)[::40]):
        unmeasured = replace(sound, file=replace(sound.file, peak=None, loudness=None))
        gains = [load_sound(one, 48000).gain for one in (sound, unmeasured)]
        assert 20 * np.log10(gains[1] / gains[0]) == pytest.approx(0.0, abs=0.1)
