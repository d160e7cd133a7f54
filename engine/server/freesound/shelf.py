"""What was found lately, kept for as long as nothing in the corpus changes: pages of one search follow one another."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import TypeVar

from corpus.library import Corpus

Value = TypeVar("Value")
Key = TypeVar("Key", bound=Hashable)

_USUAL = 4000
"""Bytes that something is taken to have which does not say so by `nbytes`."""


class Shelf:
    """The last things that were asked for, by key, up to so many bytes; all go when the corpus changes."""

    def __init__(self, corpus: Corpus, most: int) -> None:
        self._corpus = corpus
        self._most = most
        self._bytes = 0
        self._version: object = None
        self._kept: OrderedDict[Hashable, object] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """What is kept under a key, else what `make` gives, kept from now on."""
        found = self.many([key], lambda _: {key: make()})
        return found[key]

    def many(self, keys: Iterable[Key], make: Callable[[list[Key]], Mapping[Key, Value]]) -> dict[Key, Value]:
        """What is kept under each key; what is lacking `make` gives, as far as there is any."""
        found: dict[Key, Value] = {}
        lacking: list[Key] = []
        with self._lock:
            version = self._current()
            for key in keys:
                if key in self._kept:
                    self._kept.move_to_end(key)
                    found[key] = self._kept[key]  # type: ignore[assignment]  # a key stands for one kind of value
                else:
                    lacking.append(key)
        if lacking:
            made = make(lacking)
            found |= made
            with self._lock:
                if version is not None and version == self._version:
                    self._keep(made)
        return found

    def has(self, key: Hashable) -> bool:
        """Whether something is kept under a key."""
        with self._lock:
            self._current()
            return key in self._kept

    def _current(self) -> object:
        """In which state the corpus is; forgets what was kept of another."""
        version = self._corpus.database.version()
        if version is None or version != self._version:
            self._kept.clear()
            self._bytes, self._version = 0, version
        return version

    def _keep(self, made: Mapping[Key, Value]) -> None:
        for key, value in made.items():
            if key not in self._kept:
                self._kept[key] = value
                self._bytes += _size(value)
        while self._bytes > self._most:
            self._bytes -= _size(self._kept.popitem(last=False)[1])


def _size(value: object) -> int:
    return int(getattr(value, "nbytes", _USUAL))
