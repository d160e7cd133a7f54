"""What a check is to read, and how far one that was stopped had come."""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from corpus.files import write_whole

_REMEMBERED = 24 * 3600.0
"""Seconds for which a stopped check is gone on with."""


@dataclass(frozen=True)
class Wanted:
    """What to read: `percent` of the files (drawn by `seed`, any if None), decode all of them, by how many `jobs`."""

    percent: float = 100.0
    seed: int | None = None
    decode: bool = False
    jobs: int | None = None

    def draws(self, file_id: int) -> bool:
        """Whether a file is in the sample."""
        digest = hashlib.sha256(f"{self.seed} {file_id}".encode()).digest()
        return self.percent >= 100 or int.from_bytes(digest[:8]) < self.percent / 100 * 2**64


class Memory:
    """How far a check that was stopped had come, in `cache/check.json`."""

    def __init__(self, home: Path) -> None:
        self._file = home / "cache" / "check.json"
        self.after = 0
        self.again: list[int] = []

    def recall(self, wanted: Wanted) -> Wanted:
        """Go on with what was stopped within a day, if it was asked for in the same way; completes `wanted`'s seed."""
        with contextlib.suppress(OSError, ValueError, LookupError, TypeError):
            known = json.loads(self._file.read_bytes())
            before = Wanted(known["percent"], known["seed"], known["decode"], wanted.jobs)
            same = (before.percent, before.decode) == (wanted.percent, wanted.decode)
            if same and wanted.seed in (None, before.seed) and 0 <= time.time() - known["at"] < _REMEMBERED:
                self.after, self.again = int(known["after"]), [int(one) for one in known["again"]]
                return before
        seed = secrets.randbelow(2**31) if wanted.seed is None else wanted.seed
        return Wanted(wanted.percent, seed, wanted.decode, wanted.jobs)

    def remember(self, wanted: Wanted, after: int, wrong: Sequence[int]) -> None:
        """Note that all files up to `after` were looked at, and which of the last were wrong; it need not succeed."""
        self.after = after
        self.again += [one for one in wrong if one not in self.again]
        facts = {"percent": wanted.percent, "seed": wanted.seed, "decode": wanted.decode, "at": time.time()}
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(exist_ok=True)
            write_whole(self._file, json.dumps(facts | {"after": after, "again": self.again}))

    def forget(self) -> None:
        """There is nothing to go on with."""
        with contextlib.suppress(OSError):
            self._file.unlink(missing_ok=True)
