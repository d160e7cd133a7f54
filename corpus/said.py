"""What was said of sounds: facts in the order in which they were stored, of which some were undone since.

Whoever spoke last of a sound decides its label; a label of None takes back what anyone said of it before. An undone
fact counts as never said, and what undoes it says nothing of its own. A fact said again, behind older ones that were
brought in later, stands as long as the first.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from corpus.model import Annotation


def standing(facts: Iterable[Annotation]) -> list[Annotation]:
    """The facts that were not undone, in their order."""
    all_of_them = list(facts)
    undone = {one.undoes for one in all_of_them} - {None}
    return [one for one in all_of_them if one.undoes is None and not undone & {one.id, one.repeats}]


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


def news(
    facts: Iterable[Annotation], history: Sequence[Annotation], at: str
) -> tuple[list[Annotation], list[Annotation]]:
    """What of `facts` is new to `history`, in order of time; and what is to be said again behind it to go on counting.

    A fact without a time was said `at`, unless it is that person's last word already. A sound that is kept for testing
    in `history`, or by an earlier one of `facts`, stays so.
    """
    known = {_key(one) for one in history} | {_key(replace(one, at="")) for one in words(history)}
    counts = last(history)
    testing = {number for number, one in counts.items() if one.test}
    new: dict[tuple[Any, ...], Annotation] = {}
    for one in sorted(facts, key=lambda one: one.at or at):
        if _key(one) in known:
            continue
        if one.test:
            testing.add(one.sound_id)
        kept = replace(one, test=one.sound_id in testing)
        if _key(kept) not in known:
            new[_key(kept)] = replace(kept, at=kept.at or at)
    newest = {one.sound_id: one for one in new.values()}
    again = [counts[number] for number, one in newest.items() if number in counts and counts[number].at > one.at]
    return list(new.values()), [
        replace(one, test=one.sound_id in testing, session=newest[one.sound_id].session, repeats=one.repeats or one.id)
        for one in again
    ]


def labels_hash(facts: Iterable[tuple[int, str | None]]) -> str:
    """A digest of ids and labels."""
    return hashlib.sha256(json.dumps([list(fact) for fact in facts]).encode()).hexdigest()


def _key(one: Annotation) -> tuple[Any, ...]:
    return one.sound_id, one.label, one.test, one.who, one.at
