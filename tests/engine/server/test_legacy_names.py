"""Old names, targets and conditions, read without a server."""

import pytest

from corpus.descriptors import SCALARS
from corpus.errors import FilterError
from corpus.filters import FIELDS, Between, Match, Not
from engine.server.freesound import legacy_names
from engine.server.freesound.legacy_filters import Coefficient, Condition, Quantity, condition, targets


def test_every_old_name_is_something_that_is_known_here():
    known = {*SCALARS, "duration", "mfcc", "mfcc_var"}
    assert set(legacy_names.QUANTITIES.values()) <= known


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        (".lowlevel.pitch_instantaneous_confidence.mean:[0.8 TO 1]", Between("pitch_confidence", 0.8, 1.0)),
        (".lowlevel.pitch_instantaneous_confidence.mean:[0 TO 0.2]", Between("pitch_confidence", 0.0, 0.2)),
        ("lowlevel.dissonance.mean:[* TO 0.3]", Between("dissonance", None, 0.3)),
        (".rhythm.bpm:70", Between("bpm", 69.5, 70.5)),
        ("-.rhythm.bpm:[60 TO 70]", Not(Between("bpm", 60.0, 70.0))),
        ("sfx.duration:[0 TO 0.5]", Between("duration", 0.0, 0.5)),
        ("lowlevel.mfcc.mean[0]:[-1124 TO -1121]", Coefficient(Quantity("mfcc", 0), -1124.0, -1121.0)),
        ("lowlevel.mfcc.var[12]:5", Coefficient(Quantity("mfcc_var", 12), 5.0, 5.0)),
        ('tonal.key_key:"ASharp"', Match("tonality", ("A# major", "A# minor", "Bb major", "Bb minor"))),
        ("tonal.key_key:A", Match("tonality", ("A major", "A minor"))),
    ],
)
def test_conditions_on_descriptors_are_wishes(text, wish):
    assert condition(text) == Condition("", (wish,))


def test_a_scale_is_any_key_in_it():
    (wish,) = condition('tonal.key_scale:"minor"').wishes
    assert {"A minor", "Bb minor", "A# minor"} < set(wish.values)
    assert {value.split()[1] for value in wish.values} == {"minor"}


def test_ordinary_conditions_stay_as_they_are():
    both = condition('duration:[0 TO 4] AND .rhythm.bpm:70 license:"Creative Commons 0" tag:(a OR b)')
    assert both.must == 'duration:[0 TO 4] license:"Creative Commons 0" tag:(a OR b)'
    assert len(both.wishes) == 1
    assert condition(" tag:(a OR (b OR c)) ") == Condition("tag:(a OR (b OR c))")
    assert condition("") == Condition("")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("lowlevel.nosuch.mean:1", "no descriptor 'lowlevel.nosuch.mean'"),
        ("lowlevel.mfcc.mean:[0 TO 1]", "which of its 13 numbers"),
        ("lowlevel.mfcc.mean[13]:1", "which of its 13 numbers"),
        ("lowlevel.pitch.mean[0]:1", "no descriptor"),
        ("lowlevel.pitch.mean:high", "takes a number, not 'high'"),
        ("lowlevel.pitch.mean:[1 TO nan]", "takes a number, not 'nan'"),
        ('tonal.key_key:"H"', "no key 'H'"),
        ("tonal.key_scale:dorian", "no scale 'dorian'"),
        ('lowlevel.pitch.mean:[1 TO 2] tag:"a', "not closed"),
    ],
)
def test_what_cannot_be_read_is_said(text, words):
    with pytest.raises(FilterError) as error:
        condition(text)
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("31362", 31362),
        (".lowlevel.pitch.mean:440", {Quantity("pitch"): 440.0}),
        (".sfx.duration:0.5", {Quantity("duration"): 0.5}),
        (".rhythm.bpm:60", {Quantity("bpm"): 60.0}),
        ("lowlevel.mfcc.mean[0]:-700", {Quantity("mfcc", 0): -700.0}),
        ("lowlevel.pitch.mean:220 AND rhythm.bpm:60", {Quantity("pitch"): 220.0, Quantity("bpm"): 60.0}),
        ("", {}),
    ],
)
def test_targets(text, wanted):
    assert targets(text) == wanted


@pytest.mark.parametrize("text", ["nonsense", "-5", "lowlevel.pitch.mean:inf", "tonal.key_key:A", "pitch:440", "[1,2]"])
def test_no_targets(text):
    with pytest.raises(FilterError):
        targets(text)


def test_where_nothing_was_found_there_is_a_number_for_that():
    assert legacy_names.nested("lowlevel.pitch.mean,rhythm.bpm,tonal.key_key", {"pitch": None}) == {
        "lowlevel": {"pitch": {"mean": 0.0}},
        "rhythm": {"bpm": 0.0},
        "tonal": {"key_key": ""},
    }
    assert legacy_names.nested("lowlevel.mfcc,sfx.logattacktime,nosuch", {}) == {}


def test_every_field_wished_for_can_be_asked_of_a_filter():
    scalars = set(legacy_names.QUANTITIES.values()) - {"mfcc", "mfcc_var"}
    assert scalars <= FIELDS.keys()
