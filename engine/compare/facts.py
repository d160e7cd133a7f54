"""What sounds have in common but their sound: maker, pack, tags but the commonest, and category."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from corpus.library import Corpus

Ids = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

COMMON_TAGS = 0.01
"""The most frequent tags that say nothing: this share of all tags."""
_AT_ONCE = 10_000
"""Sounds read at a time, so that memory stays flat."""


class Facts:
    """Facts about some sounds, as numbers in their order.

    Parameters
    ----------
    corpus : Corpus
    ids : (n,) int64
        Sounds, ascending.
    """

    def __init__(self, corpus: Corpus, ids: Ids) -> None:
        self._ids = ids
        codes: dict[str, dict[Hashable, int]] = {"maker": {}, "pack": {}, "category": {}, "tag": {}}
        self._codes = {name: np.full(len(ids), -1, np.int64) for name in ("maker", "pack", "category")}
        owners: list[int] = []
        owned: list[int] = []
        for place, facts, tags in _read(corpus, ids):
            for name, value in facts.items():
                if value:
                    self._codes[name][place] = codes[name].setdefault(value, len(codes[name]))
            for tag in tags:
                owners.append(place)
                owned.append(codes["tag"].setdefault(tag, len(codes["tag"])))
        self._tags = _table(np.array(owners, np.int64), np.array(owned, np.int64), len(ids), codes["tag"])

    def groups(self, targets: Ids) -> Iterator[tuple[Ids, Ids]]:
        """Targets of one maker and pack, with all sounds that are of neither."""
        places = np.searchsorted(self._ids, targets)
        maker, pack = self._codes["maker"], self._codes["pack"]
        kinds = np.stack([maker[places], pack[places]])
        for kind in np.unique(kinds, axis=1).T:
            own = _same(maker, kind[0]) | _same(pack, kind[1])
            yield targets[(kinds == kind[:, None]).all(0)], self._ids[~own]

    def unrelated(self, targets: Ids, lists: Ids) -> Mask:
        """Which sounds of lists (m, k) are neither by the maker nor from the pack of their target; -1 is neither."""
        mine, theirs = self._places(targets, lists)
        own = np.zeros(lists.shape, bool)
        for name in ("maker", "pack"):
            own |= _same(self._codes[name][theirs], self._codes[name][mine])
        return (lists >= 0) & ~own

    def share_tag(self, targets: Ids, lists: Ids) -> tuple[Mask, Mask]:
        """Which sounds of lists (m, k) share a tag with their target, and which targets (m,) have one to share."""
        mine, theirs = self._places(targets, lists)
        tags = self._tags
        common = tags[np.repeat(mine[:, 0], lists.shape[1])].multiply(tags[theirs.ravel()]).sum(axis=1)
        return np.asarray(common).reshape(lists.shape) > 0, np.diff(tags.indptr)[mine[:, 0]] > 0

    def share_category(self, targets: Ids, lists: Ids) -> tuple[Mask, Mask]:
        """Which sounds of lists (m, k) share the category with their target, and which targets (m,) have one."""
        mine, theirs = self._places(targets, lists)
        codes = self._codes["category"]
        return _same(codes[theirs], codes[mine]), codes[mine[:, 0]] >= 0

    def _places(self, targets: Ids, lists: Ids) -> tuple[Ids, Ids]:
        return np.searchsorted(self._ids, targets)[:, None], np.searchsorted(self._ids, lists)


def _read(corpus: Corpus, ids: Ids) -> Iterator[tuple[int, dict[str, str | None], tuple[str, ...]]]:
    for first in range(0, len(ids), _AT_ONCE):
        some = ids[first : first + _AT_ONCE].tolist()
        each = zip(corpus.sounds.many(some), corpus.sounds.records_of(some), strict=True)
        for place, (sound, record) in enumerate(each, first):
            facts = {"maker": sound.username, "pack": sound.pack, "category": _category(record)}
            yield place, facts, tuple(dict.fromkeys(sound.tags))


def _category(record: Mapping[str, Any]) -> str | None:
    """The category that a maker gave; what a classifier guessed would favour measures like that classifier."""
    return str(record["category"]) if record.get("category_is_user_provided") else None


def _table(owners: Ids, owned: Ids, sounds: int, tags: Mapping[Hashable, int]) -> Any:
    """A sparse table, a row for each sound, a column for each tag but the commonest."""
    from scipy.sparse import csr_array

    names = np.array(list(tags), dtype=object)
    counts = np.bincount(owned, minlength=len(names))
    by_count = sorted(range(len(names)), key=lambda tag: (-counts[tag], names[tag]))
    kept = ~np.isin(owned, by_count[: int(COMMON_TAGS * len(by_count))])
    shape = sounds, max(len(names), 1)
    return csr_array((np.ones(int(kept.sum()), np.int32), (owners[kept], owned[kept])), shape=shape)


def _same(codes: Ids, code: Ids | int) -> Mask:
    return np.asarray((codes == code) & (codes >= 0))
