"""What the API served comes into the store: records, and what was read from them; rows that did not change stay."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from corpus.freesound.wire import SPACES, Record, facts, traits
from corpus.store.checks import Checks
from corpus.store.database import Transaction
from corpus.store.sounds import Sounds
from corpus.store.traits import Traits
from corpus.store.vectors import Vector, Vectors

_SERVED = {"source": "api"}


@dataclass(frozen=True)
class Kept:
    """Which of some sounds the corpus had not, had otherwise, and had marked as gone."""

    added: list[int]
    updated: list[int]
    back: list[int]


class Keeping:
    """Keeps served records in one corpus."""

    def __init__(self, sounds: Sounds, vectors: Vectors, checks: Checks, traits: Traits) -> None:
        self._sounds = sounds
        self._traits = traits
        self._vectors = vectors
        self._checks = checks

    def prepare(self) -> None:
        """Make the served spaces known, in a transaction of its own."""
        for space in SPACES.values():
            self._vectors.register(space)

    def keep(self, transaction: Transaction, some: Sequence[Record]) -> Kept:
        """Add or update sounds within the caller's transaction; all of them were checked now, and none is gone."""
        records = {one.sound.id: one.record for one in some}
        held = self._sounds.records(transaction, list(records))
        new_vectors = _vectors(one for one in some if one.sound.id not in held)
        known_vectors = self._vectors.changed(transaction, list(_vectors(one for one in some if one.sound.id in held)))
        back = self._checks.there(transaction, list(held))
        new = [one.sound for one in some if one.sound.id not in held]
        changed = [one.sound for one in some if one.sound.id in held and held[one.sound.id] != one.record]
        self._sounds.insert(transaction, new, records)
        self._sounds.update(transaction, changed, records)
        different = {sound.id: records[sound.id] for sound in (*new, *changed)}
        self._traits.serve(
            transaction,
            {sound_id: traits(record) for sound_id, record in different.items()},
            {sound_id: facts(record) for sound_id, record in different.items()},
            [sound.id for sound in changed],
        )
        self._vectors.put(transaction, itertools.chain(new_vectors, known_vectors))
        touched = {sound.id for sound in changed} | {one.sound_id for one in known_vectors}
        return Kept([sound.id for sound in new], sorted(touched), back)


def _vectors(some: Iterable[Record]) -> Iterator[Vector]:
    for one in some:
        for name, values in one.vectors.items():
            yield Vector(name, SPACES[name].fingerprint, one.sound.id, None, values, _SERVED)
