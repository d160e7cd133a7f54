"""The table of verbs: what each is called, takes and says of itself."""

import inspect

import pytest

from engine.errors import VerbError
from engine.group import Group
from engine.lesson import Lesson
from engine.performing.verbs import verbs_of
from engine.session import Session

OF_MIRLC = """
    id random tag content pitch bpm dur diss similar filter similarauto sameidauto play sequence parallel volume fadeout
    stop solo mute muteall playauto playautodown autochopped lowpf highpf bandpf reverb delay vibrato bitcrush distort
    rmod compress bypass whatid whatpitch whatkey whatbpm whatdur info credits
"""
OF_THE_ISSUE = "search near reverse pan fadein unmute slice effect chorus pitchshift palette"


def test_players_of_mirlc_find_their_verbs():
    assert set(OF_MIRLC.split()) | set(OF_THE_ISSUE.split()) <= set(verbs_of(Group))
    assert {"find", "panic", "record", "tempo", "agent", "measure", "status"} <= set(verbs_of(Session))
    assert {"random", "tag", "search", "like", "id", "useful", "ok", "ko", "skip", "again", "undo", "stop"} <= set(
        verbs_of(Lesson)
    )


@pytest.mark.parametrize("kind", [Group, Session, Lesson])
def test_each_says_what_it_does_and_public_methods_are_verbs_or_named_here(kind):
    verbs = verbs_of(kind)
    for name, verb in verbs.items():
        assert verb.about.endswith("."), name
        assert verb.usage.startswith(f"{name}(")
    plumbing = """
        close group groups halted name on perform perform_for done turns say tell check_agents check_measure slices
        sounds playing raising settle fade kind opening teach wait seconds measure_in_use palette
    """
    public = {name for name, _ in inspect.getmembers(kind) if not name.startswith("_")}
    assert public - set(verbs) <= set(plumbing.split())


def test_arguments_are_checked_in_a_line():
    volume = verbs_of(Group)["volume"]
    volume.check([0.5], {"seconds": 2})
    for given, named in (([1, 2, 3], {}), ([], {"loudness": 1}), ([1], {"volume": 1})):
        with pytest.raises(VerbError, match=r"^volume: .*; it is volume\(volume=0.5, seconds=0.02\)$"):
            volume.check(given, named)
