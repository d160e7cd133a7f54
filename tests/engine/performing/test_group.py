"""Groups: what was said is what sounds."""

import threading
import time

import numpy as np
import pytest

from corpus.errors import UnknownAgent, UnknownSound
from engine.errors import EngineError, UnknownMeasure, VerbError
from engine.group import Group
from engine.performing.ahead import Ahead
from engine.performing.verbs import verbs_of
from engine.query.choice import Choice
from engine.query.run import similar


def rms(audio):
    return float(np.sqrt(np.square(audio).mean()))


def balance(audio):
    left, right = np.sqrt(np.square(audio).mean(axis=0))
    return left / max(right, 1e-12)


@pytest.fixture
def a(stage):
    return stage.session.group("a")


def ids(group):
    return group.whatid()


def test_verbs_chain_and_bring_what_they_say(stage, a):
    assert a.tag("bd", 2).similar(agent=()).play(0.5).volume(0.3) is a
    tagged, near = ids(a)[:2], ids(a)[2]
    assert all("bd" in sound.tags for sound in a.sounds[:2])
    hits = similar(stage.session.corpus, tagged[0], Choice(k=9, with_audio=True)).hits
    assert near == next(hit.sound.id for hit in hits if hit.sound.id not in tagged)
    assert rms(stage.hear(0.5)) > 0.001
    assert [each["state"] for each in a.info()] == ["playing"] * 3


def test_no_sound_comes_twice_unless_asked(a):
    a.id(4832).similar(0, 20).tag("bd", 5).random(5)
    assert len(set(ids(a))) == len(ids(a)) == 30
    with pytest.raises(VerbError, match="all 8 that fit are in group a already"):
        a.tag("tabla", 20).search("tabla ghe")
    with pytest.raises(VerbError, match="4832 is in group a already; again=True"):
        a.id(4832)
    a.id(4832, again=True)
    assert ids(a).count(4832) == 2


def test_searches_by_words_traits_and_filters(stage, a):
    a.search("tabla ghe")
    assert "tabla_ghe" in a.sounds[0].name
    a.dur(3.0)
    assert 2 < a.sounds[1].duration < 4
    a.filter(0, 2, "duration:[0 TO 1]")
    assert all(sound.duration <= 1 for sound in a.sounds[2:])
    a.near(duration=0.2, size=2)
    a.content("dur", 1, 5)
    assert len(a.sounds) == 7
    with pytest.raises(VerbError, match="near what"):
        a.near()


def test_measures_and_agents_of_a_call_a_group_and_the_session(stage, a):
    s = stage.session
    target = 100055
    plain = [hit.sound.id for hit in similar(s.corpus, target, Choice(k=1, with_audio=True)).hits]
    raw = [hit.sound.id for hit in similar(s.corpus, target, Choice(k=1, with_audio=True), "mfcc_raw").hits]
    assert plain != raw
    for said, expected in (
        (lambda: a.similar(), plain),
        (lambda: a.similar(measure="mfcc_raw"), raw),
        (lambda: a.measure("mfcc_raw").similar(), raw),
        (lambda: s.group("b").id(target).similar(), plain),
        (lambda: s.measure("mfcc_raw").group("c").id(target).similar(), raw),
    ):
        group = a.clear().id(target) if said.__code__.co_names[0] == "a" or "a" in said.__code__.co_freevars else None
        spoken = said()
        assert ids(spoken)[1:] == expected, group
    with pytest.raises(UnknownMeasure):
        a.measure("nix")
    with pytest.raises(UnknownAgent):
        a.agent("nobody")
    with pytest.raises(UnknownAgent):
        a.similar(agent="nobody")


def test_groups_do_not_disturb_one_another(stage):
    a, b = stage.session.group("a"), stage.session.group("b")
    a.id(4832)
    b.id(4832).pan(-1).volume(0)
    alone = stage.hear(0.5)
    assert rms(alone) > 0.001
    b.stop().volume(1)
    a.stop()
    stage.hear(0.1)
    assert rms(stage.hear(0.5)) == 0
    b.play()
    assert balance(stage.hear(0.5)) > 100
    b.clear()
    assert ids(b) == []
    assert ids(a) == [4832]


def test_mute_solo_and_volume(stage, a):
    a.id(100055, 4832)
    stage.hear(0.2)
    a.muteall()
    stage.hear(0.1)
    assert rms(stage.hear(0.3)) == 0
    a.unmute().volume(0.5).mute(0).mute(1)
    stage.hear(0.1)
    assert rms(stage.hear(0.3)) == 0
    assert [each["state"] for each in a.info()] == ["muted", "muted"]
    a.unmute(1)
    stage.hear(0.1)
    one = rms(stage.hear(0.5))
    assert one > 0
    a.unmute().solo(1)
    stage.hear(0.1)
    assert rms(stage.hear(0.5)) > 0
    for number in (2, -3, 1.5, True, None):
        with pytest.raises(VerbError, match="has no sound"):
            a.mute(number)
    for volume in (-1, 3, float("nan"), "loud"):
        with pytest.raises(VerbError, match="volume"):
            a.volume(volume)


def test_fades_and_what_comes_back(stage, a):
    a.search("ambi drone")
    [drone] = ids(a)
    assert rms(stage.hear(0.6)) > 0
    a.fadeout("1b")
    stage.hear(0.52)
    assert rms(stage.hear(0.2)) == 0
    assert ids(a) == [drone]
    a.fadein(2)
    early, late = rms(stage.hear(0.3)), rms(stage.hear(2))
    assert 0 < early < late / 2


def test_one_after_another(stage, a):
    a.sequence().id(100055, 4832)
    first, second = (sound.duration for sound in a.sounds)
    heard = stage.hear(first + second)
    assert rms(heard[: int(44100 * first)]) > 0
    playing = [each["state"] for each in a.info()]
    assert playing.count("playing") == 1
    a.play(2)
    stage.hear((first + second) / 2)
    a.play(0)
    stage.hear(1)
    assert rms(stage.hear(0.2)) == 0
    a.play(1)
    stage.hear(0.5)
    a.parallel()
    stage.hear(0.1)
    assert [each["state"] for each in a.info()] == ["playing"] * 2


def test_what_goes_on_by_itself_ends_when_cancelled_or_stopped(stage, a):
    a.id(4832)
    handle = a.similarauto(0, 3, 1.0)
    stage.hear(1.5)
    assert len(ids(a)) == 2
    handle.cancel()
    stage.hear(3)
    assert len(ids(a)) == 2
    again = a.sameidauto(4832, 2, "1b")
    stage.hear(3)
    assert again.done
    assert ids(a).count(4832) == 3
    down = a.playautodown(1, 0, 5, 0.5)
    rates = []
    for _ in range(5):
        stage.hear(0.5)
        rates.append(a._ensemble.rate)
    assert rates == pytest.approx([1, 0.75, 0.5, 0.25, 0])
    assert down.done
    for handle in (a.playauto(9, 0.25), a.autochopped(9, 0.25)):
        stage.hear(0.3)
        assert not handle.done
    a.stop()
    assert handle.done
    with pytest.raises(VerbError, match="times"):
        a.playauto(0)


def test_what_comes_by_itself_is_like_what_came(stage, a, monkeypatch):
    a.id(4832, 100055, 13138)
    targets, asked = [], Group._similar
    monkeypatch.setattr(
        Group,
        "_similar",
        lambda self, target, *how: targets.append(self._ensemble.part(target).sound.id) or asked(self, target, *how),
    )
    a.similarauto(0, 3, 1.0)
    stage.hear(3.5)
    assert targets == [4832, *ids(a)[3:5]]


def test_beats_of_what_goes_on_follow_the_tempo(stage, a):
    s = stage.session
    a.id(4832)
    a.sameidauto(4832, 9, "1b")
    stage.hear(1.1)
    assert len(ids(a)) == 3
    s.tempo(240)
    stage.hear(1.1)  # the step that was due at 1.5 s is, then every 0.25 s
    assert len(ids(a)) == 3 + 3
    for tempo in (0, 0.009, "1/500b"):
        with pytest.raises(VerbError, match="is too fast"):
            a.playauto(3, tempo)


def test_a_palette_comes_once(stage, a, monkeypatch):
    monkeypatch.setattr(stage.session, "palette", lambda name: [4832, 100055, 13138])
    a.id(4832).palette("p", 0, 1)
    assert ids(a) == [4832, 100055]
    a.palette("p")
    assert ids(a) == [4832, 100055, 13138]
    with pytest.raises(VerbError, match="all of that is in group a already"):
        a.palette("p")
    for number in ("1", 3, -1, 1.0, True, None):
        with pytest.raises(VerbError, match="palette p has no sound"):
            a.palette("p", number)


def test_near_takes_traits_and_options(stage, a):
    a.near(duration=0.2, size=2, tags="bd", agent=())
    assert all("bd" in sound.tags for sound in a.sounds)
    b = stage.session.group("b").near(near={"duration": 0.2}, size=2, tags="bd", measure="mfcc")
    assert ids(b) == ids(a)


def test_slices_go_from_onset_to_onset(stage, a):
    a.search("loop amen", 1)
    [loop] = a.sounds
    with pytest.raises(VerbError, match="no onsets in group a: `mirla analyse --onsets`"):
        a.slice(1)
    assert not stage.session.corpus.analyse(["mfcc"], [loop.id], jobs=1, onsets=True).failed
    first, second, third = stage.session.corpus.onsets.of(loop.id)[:3]
    a.slice(1)
    stage.hear(0.1)
    length = round((third - second) * 44100)
    heard = stage.hear(3 * length / 44100)
    assert np.allclose(heard[:length], heard[length : 2 * length], atol=1e-4), "a slice loops"
    a.slice(0)
    stage.hear(0.1)
    assert rms(stage.hear(second - first)) > 0
    handle = a.autochopped(3, 0.1)
    stage.hear(3)
    assert handle.done
    a.slice()


def test_effects_change_what_is_heard_and_are_taken_out(stage, a):
    a.id(100055)
    stage.hear(1)
    for name in "lowpf highpf bandpf reverb delay chorus vibrato bitcrush distort rmod compress".split():
        assert getattr(a, name)() is a
        assert rms(stage.hear(0.3)) >= 0
    assert list(a._effects) == "lowpf highpf bandpf reverb delay chorus vibrato bitcrush distort rmod compress".split()
    a.lowpf(300).bypass("reverb")
    assert a._effects["lowpf"]["freq"] == 300
    assert "reverb" not in a._effects
    a.effect("reverb", 0.2, room=0.9)
    assert a._effects["reverb"]["room"] == 0.9
    a.bypass()
    assert a._effects == {}
    for wrong in (
        lambda: a.effect("nix"),
        lambda: a.effect("reverb", nix=1),
        lambda: a.lowpf("high"),
        lambda: a.bypass("delay"),
        lambda: a.compress(1, 2),
    ):
        with pytest.raises(EngineError):
            wrong()


def test_effect_verbs_say_what_the_effects_themselves_say():
    from engine.playback.effects import EFFECTS

    verbs = verbs_of(Group)
    for name in EFFECTS:
        first, *_ = [*EFFECTS[name].parameters, None]
        said = [each for each in verbs[name].parameters if each.default is not each.empty]
        expected = [] if name == "compress" else [(first.name, first.default)]
        assert [(each.name, each.default) for each in said] == expected, name


def test_panic_silences_all_at_once(stage):
    for name in "abc":
        stage.session.group(name).random(4).reverb(0.9).similarauto(tempo=0.05)
    stage.hear(0.5)
    stage.session.panic()
    heard = stage.hear(1)
    assert rms(heard[: 441 + 64]) > 0
    assert np.abs(heard[441 + 128 :]).max() == 0
    assert len(ids(stage.session.group("a"))) >= 4


def test_what_goes_wrong_is_one_line_and_the_sound_goes_on(render):
    stage = render()
    s, lines = stage.session, stage.lines
    a = s.group("a").id(100055)
    for wrong, words in (
        (lambda: s.group("b").similar(), "b: group b is empty: bring a sound first, as with tag or random"),
        (lambda: a.id(1), "a: no sound 1"),
        (lambda: a.volume(1, 2, 3), "a: volume: too many positional arguments; it is volume(volume=0.5, seconds=0.02)"),
        (lambda: a.tag("loop nosuchtag"), "a: no sound: none has the tag 'nosuchtag'"),
        (lambda: a.tag("drumm"), "a: no sound: none has the tag 'drumm'; others that begin so: drum"),
        (lambda: a.random(filter="duration:[900 TO *]"), "a: no sound fits"),
        (lambda: a.lowpf(10), "a: lowpf: freq 10 is out of bounds, 20 it is"),
        (lambda: a.lowpf(20), ""),
        (lambda: a.similar(colour="red"), "a: no option 'colour' of a query; known are agent, "),
        (lambda: a.random(100), "a: cannot bring 100 sounds at once"),
        (lambda: a.random("x"), "a: 'x' is not how many sounds"),
        (lambda: a.search("("), ""),
        (lambda: s.tempo("fast"), "tempo 'fast' is not from 1 to 999"),
        (lambda: a.play("x"), "a: "),
        (lambda: a.palette("nix"), "a: "),
        (lambda: a.pan(2), "a: pan 2 is not from -1 to 1"),
    ):
        lines.clear()
        wrong()
        assert len(lines) <= 1 if not words else len(lines) == 1, lines
        assert "unexpected" not in "".join(lines), lines
        assert all(line.startswith(words) and "\n" not in line for line in lines), lines
    assert s.find("", k="x") is None
    assert a.playauto(times=-1) is None or a.playauto(times=-1).done
    assert rms(stage.hear(1)) > 0


def test_a_file_gone_in_mid_set_costs_that_sound_alone(render):
    stage = render()
    a = stage.session.group("a").id(100055)
    [gone] = stage.session.corpus.sounds.many([4832])
    gone.file.path.unlink()
    a.id(4832)
    assert ids(a) == [100055]
    assert "4832" in stage.lines[-1]
    assert rms(stage.hear(0.5)) > 0


def test_the_same_seed_sounds_the_same(render):
    heard = []
    for seed in (5, 5, 6):
        stage = render(seed=seed)
        a = stage.session.group("a").random(3)
        stage.session.group("b").tag("bd").playauto(4, 0.3)
        a.autochopped(5, 0.2)
        heard.append(stage.hear(2))
    assert np.array_equal(heard[0], heard[1])
    assert not np.array_equal(heard[0], heard[2])


def test_what_is_loaded_ahead_draws_nothing_of_what_the_group_draws(render):
    """Live, how long one waits between two verbs changes nothing."""
    brought = []
    for looks in (0, 3):
        a = render(seed=5).session.group("a")
        for _ in range(4):
            a.random()
            for _ in range(looks):
                assert list(a._foresee(a._held, [], {}))
        brought.append(ids(a))
    assert brought[0] == brought[1]


def test_looking_ahead_happens_once_for_what_came_and_with_the_last_wish(stage, a, monkeypatch):
    taken, asked, near = [], [], a._guessing.near
    monkeypatch.setattr(a._ahead, "take", lambda steps: taken.append(list(steps)))
    monkeypatch.setattr(a._guessing, "near", lambda *how: asked.append(how) or near(*how))
    a.id(4832).similar(measure="mfcc_raw")
    a._look_ahead()
    assert [(target, wish) for _, target, wish, _ in asked] == [(each, {"measure": "mfcc_raw"}) for each in ids(a)]
    a.volume(0.5)
    a._look_ahead()
    assert len(taken) == 1
    a.random()
    a._look_ahead()
    assert len(taken) == 2


def test_looking_ahead_ends_when_a_verb_comes():
    begun, free, steps = threading.Event(), threading.Event(), []

    def step():
        steps.append(threading.current_thread())
        begun.set()
        assert free.wait(10)

    ahead = Ahead("a")
    ahead.take(step() for _ in range(5))
    assert begun.wait(10)
    ahead.drop()
    free.set()
    ahead.close()
    assert len(steps) == 1
    assert steps[0] is not threading.current_thread()


def test_find_answers_hits_and_plays_nothing(stage):
    s = stage.session
    hits = s.find(like=[100055, 4832], unlike=13138, filter="duration:[0 TO 4]", measure="mfcc", k=10)
    assert len(hits) == 10
    assert all(hit.sound.duration <= 4 for hit in hits)
    assert [hit.sound.id for hit in s.find("tabla", k=2)]
    assert not s.rig.opened
    with pytest.raises(UnknownSound):
        s.find(like=1)


def test_names_that_can_be_no_group(stage):
    for name in ("", "a b", "a/b", "*", "x" * 101, "\x00", "a.b", "a\n"):
        with pytest.raises(VerbError, match="can be no group: name it with letters, digits, _ and -") as caught:
            stage.session.group(name)
        assert "\n" not in str(caught.value)
    assert stage.session.group("tambor_ñ-2").name == "tambor_ñ-2"


def test_after_the_end_each_verb_says_so(render):
    held = render()
    a = held.session.group("a")
    held.session.close()
    a.random().play().stop()
    assert a.whatid() is None
    held.session.panic()
    assert [line.removeprefix("a: ") for line in held.lines] == ["the session is over: open another one"] * 5
    raising = render(raising=True)
    raising.session.close()
    with pytest.raises(VerbError, match="the session is over"):
        raising.session.group("a").play()


def test_the_instrument_opens_ahead_and_never_after_the_end(render):
    session = render().session
    session.rig.prepare()
    deadline = time.monotonic() + 30
    while not session.rig.opened:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    session.close()
    session.rig.prepare()
    for thread in threading.enumerate():
        if thread.name == "mirla-opening":
            thread.join()
    assert not session.rig.opened
