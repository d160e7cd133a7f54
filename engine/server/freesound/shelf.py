"""What was found lately, kept for as long as nothing in the corpus changes: pages of one search follow one another."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TypeVar

from corpus.library import Corpus

Value = TypeVar("Value")


class Shelf:
    """The last `most` things that were asked for, by key; all go when the corpus changes."""

    def __init__(self, corpus: Corpus, most: int) -> None:
        self._corpus = corpus
        self._most = most
        self._version: object = None
        self._kept: OrderedDict[Hashable, object] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """What is kept under a key, else what `make` gives, kept from now on."""
        version = self._corpus.database.version()
        with self._lock:
            if version is None or version != self._version:
                self._kept.clear()
                self._version = version
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]  # type: ignore[return-value]  # a key stands for one kind of value
        made = make()
        with self._lock:
            if version == self._version:
                self._kept[key] = made
                if len(self._kept) > self._most:
                    self._kept.popitem(last=False)
        return made
