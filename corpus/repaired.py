"""What a repair did, and what it could not do."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from corpus.errors import AudioError, HomeError
from corpus.store.soundness import Held


@dataclass
class Repaired:
    """What was done, a line each; and what could not be, as (what, words that say what you can do)."""

    done: list[str] = field(default_factory=list)
    left: list[tuple[str, str]] = field(default_factory=list)

    def say(self, row: Held, words: str) -> None:
        """Something was done for the file of a sound."""
        self.done.append(f"sound {row.sound_id}: {words}")

    def leave(self, row: Held, words: str) -> None:
        """Something could not be done for the file of a sound."""
        self.left.append((f"sound {row.sound_id} ({row.path})", words))

    @contextlib.contextmanager
    def leaving(self, what: Held | str) -> Iterator[None]:
        """Go on with the rest, should one thing not be possible here."""
        try:
            yield
        except (HomeError, AudioError) as error:
            named = what if isinstance(what, str) else f"sound {what.sound_id} ({what.path})"
            self.left.append((named, str(error)))
