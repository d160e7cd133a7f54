"""What was found lately, kept for as long as nothing changes that it was made from.

Pages of one search follow one another, and sounds come up again and again. What is kept says from which families of
facts it was made (`corpus.store.states`), so that a play that is written down, or a label, costs a search nothing.

Keys are kept as digests: those that come from clients can be as long as a request.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import blake2b
from typing import TypeVar

from corpus.library import Corpus

Value = TypeVar("Value")
Key = TypeVar("Key", bound=Hashable)

SOUNDS, VECTORS, AGENTS = ("sounds",), ("sounds", "vectors"), ("sounds", "vectors", "agents")
"""What something is made from: of sounds and their facts alone, of their vectors as well, of agents as well."""
_OWN = 300
"""Bytes that keeping something costs, beside its own."""
_USUAL = 2500
"""Bytes that something is taken to have which does not say so; a sound has about as many."""
_ENTRY = 600
"""The same for each entry of a mapping."""


class Later(Exception):
    """What is asked for takes long: it is to be asked for again where nobody waits behind it."""


class Shelf:
    """The last things that were asked for, by key, up to so many bytes; what is out of date is made anew."""

    def __init__(self, corpus: Corpus, most: int) -> None:
        self._corpus = corpus
        self._most = most
        self._bytes = 0
        self._kept: OrderedDict[Hashable, tuple[object, tuple[int, ...], int]] = OrderedDict()  # value, state, bytes
        self._lock = threading.Lock()
        self._here = threading.local()

    def get(self, key: Hashable, make: Callable[[], Value], of: tuple[str, ...] = SOUNDS, slow: bool = False) -> Value:
        """What is kept under a key, else what `make` gives from such facts, kept from now on.

        Raises
        ------
        Later
            It has to be made, which is `slow`, and this thread is in a hurry.
        """
        found = self.many([key], lambda _: {key: make()}, of, slow)
        return found[key]

    def many(
        self,
        keys: Iterable[Key],
        make: Callable[[list[Key]], Mapping[Key, Value]],
        of: tuple[str, ...] = SOUNDS,
        slow: bool = False,
    ) -> dict[Key, Value]:
        """What is kept under each key; what is lacking `make` gives, as far as there is any. Raises Later as `get`."""
        found: dict[Key, Value] = {}
        lacking: list[Key] = []
        state = self._state(of)
        with self._lock:
            for key in keys:
                kept = self._kept.get(name := _name(key))
                if kept is not None and kept[1] == state:
                    self._kept.move_to_end(name)
                    found[key] = kept[0]  # type: ignore[assignment]  # a key stands for one kind of value
                else:
                    lacking.append(key)
        if lacking:
            if slow:
                self.take_time()
            made = make(lacking)
            found |= made
            if state is not None:
                with self._lock:
                    self._keep(made, state)
        return found

    def has(self, key: Hashable, of: tuple[str, ...] = SOUNDS) -> bool:
        """Whether something is kept under a key."""
        state = self._state(of)
        with self._lock:
            kept = self._kept.get(_name(key))
            return kept is not None and kept[1] == state

    @contextmanager
    def hurried(self) -> Iterator[None]:
        """Meanwhile nothing slow is made in this thread, and all is of the state in which the corpus is now."""
        self._here.hurried, self._here.state = True, self._corpus.states.now()
        try:
            yield
        finally:
            self._here.hurried, self._here.state = False, None

    def take_time(self) -> None:
        """Say that what comes takes long; raises Later in a thread that is in a hurry."""
        if getattr(self._here, "hurried", False):
            raise Later

    def _state(self, of: tuple[str, ...]) -> tuple[int, ...] | None:
        """Which state such facts are in; None, of which nothing is kept, where that is not known."""
        now = getattr(self._here, "state", None) or self._corpus.states.now()
        return None if now is None else tuple(now[family] for family in of)

    def _keep(self, made: Mapping[Key, Value], state: tuple[int, ...]) -> None:
        for key, value in made.items():
            name = _name(key)
            if name in self._kept:
                self._bytes -= self._kept.pop(name)[2]
            size = _OWN + _size(value)
            self._kept[name] = value, state, size
            self._bytes += size
        while self._bytes > self._most:
            self._bytes -= self._kept.popitem(last=False)[1][2]


def _name(key: Hashable) -> Hashable:
    if isinstance(key, int):
        return key
    return blake2b(repr(key).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _size(value: object) -> int:
    if isinstance(value, bytes | str):
        return len(value)
    if isinstance(value, Mapping):
        return _ENTRY * len(value)
    return int(getattr(value, "nbytes", _USUAL))
