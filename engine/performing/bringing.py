"""Bringing sounds into a group, by all that a query knows, and letting them go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Unpack, cast

from corpus.model import Grouping
from engine.errors import VerbError
from engine.performing.grouped import Grouped
from engine.performing.verbs import chained, immediate
from engine.performing.wishes import Wish

FEATURES = {"dur": "duration", "diss": "dissonance", "key": "tonality"}
"""The original's short names of traits."""


class Bringing(Grouped):
    """Verbs that bring sounds; `**wish` is whatever `engine.performing.wishes.Wish` names."""

    @chained
    def id(self, *ids: int, again: bool = False) -> list[int]:
        """Bring sounds by their ids; one that is in the group already only if asked to come `again`."""
        if not ids:
            raise VerbError("id of what? name one sound at least, as in id(31362)")
        sounds = self._asking.held(ids)
        twice = set() if again else {sound.id for sound in self.sounds}
        fresh = [sound for sound in dict.fromkeys(sounds) if sound.id not in twice]
        if not fresh:
            raise VerbError(f"sound {sounds[0].id} is in group {self.name} already; again=True brings it once more")
        return self._bring(sounds if again else fresh)

    @chained
    def random(
        self, size: int = 1, even_by: Grouping | None = None, far_from: int | None = None, **wish: Unpack[Wish]
    ) -> list[int]:
        """Bring sounds by chance."""
        return self._brought(self._asking.drawn(size, wish, self._held, even_by=even_by, far_from=far_from))

    @chained
    def tag(self, tag: str, size: int = 1, **wish: Unpack[Wish]) -> list[int]:
        """Bring sounds with a tag, drawn by chance; several tags in one text are all wanted."""
        tags = (*str(tag).split(), *_several(wish.pop("tags", ())))
        return self._brought(self._asking.drawn(size, {**wish, "tags": tags}, self._held))

    @chained
    def search(self, text: str, size: int = 1, **wish: Unpack[Wish]) -> list[int]:
        """Bring the sounds that words find, the best first."""
        return self._brought(self._asking.found(size, wish, self._held, text))

    @chained
    def similar(self, target: int = 0, size: int = 1, **wish: Unpack[Wish]) -> list[int]:
        """Bring the sounds nearest to one of the group."""
        return self._similar(target, size, wish)

    @chained
    def filter(self, target: int = 0, size: int = 1, fits: str = "", **wish: Unpack[Wish]) -> list[int]:
        """Bring the sounds nearest to one of the group among those that fit a filter, such as `"duration:[0 TO 2]"`."""
        return self._similar(target, size, {**wish, "filter": fits})

    @chained
    def near(self, /, size: int = 1, **traits: Any) -> list[int]:
        """Bring the sounds nearest to values of traits, as in `near(pitch=440, bpm=120)`; also with any option."""
        wish = cast(Wish, {name: traits.pop(name) for name in Wish.__annotations__ if name in traits})
        wanted = {**wish.get("near", {}), **{FEATURES.get(name, name): value for name, value in traits.items()}}
        if not wanted:
            raise VerbError("near what? name a trait at least, as in near(pitch=440)")
        return self._near(size, wanted, wish)

    @chained
    def content(self, feature: str = "dur", size: int = 1, value: float = 1.0, **wish: Unpack[Wish]) -> list[int]:
        """Bring the sounds nearest to a value of one trait: dur, pitch, bpm, diss or any other by Freesound's name."""
        return self._near(size, {FEATURES.get(feature, feature): value}, wish)

    @chained
    def pitch(self, value: float = 440.0, size: int = 1, **wish: Unpack[Wish]) -> list[int]:
        """Bring the sounds nearest to a pitch in Hz."""
        return self._near(size, {"pitch": value}, wish)

    @chained
    def bpm(self, value: float = 60.0, size: int = 1, **wish: Unpack[Wish]) -> list[int]:
        """Bring the sounds nearest to a tempo in beats a minute."""
        return self._near(size, {"bpm": value}, wish)

    @chained
    def dur(self, value: float = 10.0, size: int = 1, **wish: Unpack[Wish]) -> list[int]:
        """Bring the sounds nearest to a duration in seconds."""
        return self._near(size, {"duration": value}, wish)

    @chained
    def diss(self, value: float = 1.0, size: int = 1, **wish: Unpack[Wish]) -> list[int]:
        """Bring the sounds nearest to a dissonance, from 0 to 1."""
        return self._near(size, {"dissonance": value}, wish)

    @chained
    def palette(self, name: str, *numbers: int) -> list[int]:
        """Bring the sounds of a palette, or those of some numbers, each whole and once."""
        ids = self._session.palette(name)
        for number in numbers:
            if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < len(ids):
                raise VerbError(f"palette {name} has no sound {number!r}; it holds sounds 0 to {len(ids) - 1}")
        wanted, held = [ids[number] for number in numbers] if numbers else ids, self._held
        fresh = [each for each in dict.fromkeys(wanted) if each not in held]
        if wanted and not fresh:
            raise VerbError(f"all of that is in group {self.name} already; again=True of id brings a sound once more")
        self._palette = ids
        return self._bring(self._asking.held(fresh))

    @chained
    def remove(self, *numbers: int) -> None:
        """Let sounds of the group go, with a short fade."""
        self._ensemble.remove([self._ensemble.part(number) for number in numbers])

    @immediate
    def clear(self) -> None:
        """Let all sounds of the group go, with a short fade."""
        self._stop_moving()
        self._ensemble.remove(self._ensemble.parts)

    def _similar(self, target: int, size: int, wish: Wish) -> list[int]:
        sound = self._ensemble.part(target).sound
        self._wish = wish
        return self._brought(self._asking.near(size, sound.id, wish, self._held))

    def _near(self, size: int, traits: Mapping[str, float], wish: Wish) -> list[int]:
        return self._brought(self._asking.found(size, {**wish, "near": traits}, self._held))


def _several(given: Any) -> Iterator[str]:
    return iter([given] if isinstance(given, str) else given)
