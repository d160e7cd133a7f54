"""What was said of sounds: facts in the order in which they were stored, of which some were undone since.

Whoever spoke last of a sound decides its label; a label of None takes back what anyone said of it before. An undone
fact counts as never said, and what undoes it says nothing of its own.
"""

from __future__ import annotations

from collections.abc import Iterable

from corpus.model import Annotation


def standing(facts: Iterable[Annotation]) -> list[Annotation]:
    """The facts that were not undone, in their order."""
    all_of_them = list(facts)
    undone = {one.undoes for one in all_of_them}
    return [one for one in all_of_them if one.undoes is None and one.id not in undone]


def last(facts: Iterable[Annotation]) -> dict[int, Annotation]:
    """What stands last of each sound, by id; its label is the one that counts."""
    return {one.sound_id: one for one in standing(facts)}


def words(facts: Iterable[Annotation]) -> list[Annotation]:
    """The last word of each person on each sound, in their order; none on a sound that was taken back."""
    found: dict[int, dict[str, Annotation]] = {}
    for one in standing(facts):
        if one.label is None:
            found.pop(one.sound_id, None)
        else:
            found.setdefault(one.sound_id, {})[one.who] = one
    of_all = [one for said in found.values() for one in said.values()]
    return sorted(of_all, key=lambda one: one.id or 0)
