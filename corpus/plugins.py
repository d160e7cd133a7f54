"""Registries that other packages add to, by entry points.

An entry point names what is to be registered; it is loaded when a registry is first asked for all it holds or for a
name that is not its own. One that cannot be loaded is left out, and said where a name is not found: a broken package
takes nothing from a performer who does not use it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import metadata
from typing import Protocol, TypeVar


class Named(Protocol):
    """What has a name."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...


Item = TypeVar("Item", bound=Named)


class Registry(Mapping[str, Item]):
    """Things by name, in the order of their registration.

    Parameters
    ----------
    group : str
        The entry points' group.
    kind : type
        What each of them must name.
    """

    def __init__(self, group: str, kind: type[Item]) -> None:
        self._group = group
        self._kind = kind
        self._items: dict[str, Item] = {}
        self._broken: dict[str, str] = {}
        self._origins: dict[str, str] = {}
        self._loaded = False

    def register(self, item: Item) -> Item:
        """Add one.

        Raises
        ------
        ValueError
            There is another of that name.
        """
        if self._items.setdefault(item.name, item) is not item:
            raise ValueError(f"{item.name!r} is taken: another of that name is registered")
        return item

    def __getitem__(self, name: str) -> Item:
        if name not in self._items:
            self._load()
        return self._items[name]

    def __iter__(self) -> Iterator[str]:
        self._load()
        return iter(list(self._items))

    def __len__(self) -> int:
        self._load()
        return len(self._items)

    def origin(self, name: str) -> str:
        """The distribution that an entry's entry point is of, and its version; empty for ours and a program's own."""
        if name not in self._items:
            self._load()
        return self._origins.get(name, "")

    def why_broken(self) -> str:
        """What could not be loaded and why, to go on with behind a list of names; empty if all is well."""
        return "".join(f"; {name!r} cannot be loaded: {words}" for name, words in self._broken.items())

    def _load(self) -> None:
        if self._loaded:
            return
        self._loaded = True
        for point in metadata.entry_points(group=self._group):
            try:
                item = point.load()
                if not isinstance(item, self._kind):
                    raise TypeError(f"{point.value} is no {self._kind.__name__}")
                self.register(item)
                if point.dist:
                    self._origins[item.name] = f"{point.dist.name} {point.dist.version}"
            except Exception as error:  # another's code: whatever is wrong with it must not stop ours
                self._broken[point.name] = f"{type(error).__name__}: {error}".splitlines()[0]
