"""How fast a corpus is checked, beside `sha256sum` on the same files; and what of a database's bits a check sees.

    python benchmarks/check.py [--json FILE]

Sonic Pi's samples, twenty copies of each under rows of their own, are checked by turns with `sha256sum`; all of it is
in the system's file cache, so that what is compared is the work and not the disk. The extractor's library is loaded
before, as in a session; a `mirla check` of its own takes a second more for that.

Flips: single bits, anywhere in the file of a database in use, each alone. SQLite keeps no sums over its pages: a bit
that makes another valid row of a valid row is seen where a check holds that row against something (files, vectors,
labels, the full-text index, references), and not in a description.
"""

from __future__ import annotations

import contextlib
import random
import shutil
import sqlite3
import subprocess
from pathlib import Path

from material import samples
from side_by_side import Figure, by_turns, run

from corpus.errors import CorpusError
from corpus.library import Corpus
from corpus.partway import Wanted

COPIES = 20
ROUNDS = 5
FLIPS = 300


def main(folder: Path) -> tuple[list[Figure], dict[str, str]]:
    home = folder / "home"
    with Corpus(home) as corpus:
        corpus.adopt(samples(folder))
        corpus.analyse()
    seen = flips(folder)
    multiply(home)
    with Corpus(home) as corpus:
        held = [str(home / row.path) for row in corpus.soundness.files_after(0, 10**6)]
        report = corpus.check()  # fills the caches
        assert not report.wrong, report.wrong
        contenders = {
            "sha256sum": lambda _: subprocess.run(["sha256sum", *held], check=True, stdout=subprocess.DEVNULL),
            "check": lambda _: corpus.check(),
            "check by one thread": lambda _: corpus.check(Wanted(jobs=1)),
            "check of a 5 % sample": lambda _: corpus.check(Wanted(percent=5)),
        }
        taken = by_turns(contenders, [None], ROUNDS)
        decoded = by_turns({"check --decode": lambda _: corpus.check(Wanted(decode=True))}, [None], 1)
    speeds = {name: [a / b for a, b in zip(taken["sha256sum"], taken[name], strict=True)] for name in taken}
    figures = [
        *(Figure(name, seconds, "s") for name, seconds in (taken | decoded).items()),
        Figure("speed of check / sha256sum", speeds["check"], "x", at_least=0.7),
        Figure("the same by one thread", speeds["check by one thread"], "x", at_least=0.7),
        Figure("bits of the database flipped, and seen", [seen], "%"),
    ]
    return figures, {"corpus": f"{report.files} files of {report.bytes / 1e6:.0f} MB", "flips": str(FLIPS)}


def multiply(home: Path) -> None:
    """Give the home further copies of its files, with rows of their own."""
    with contextlib.closing(sqlite3.connect(home / "corpus.sqlite")) as database, database:
        rows = database.execute("select id, sound_id, path from files").fetchall()
        columns = [
            row[1] for row in database.execute("pragma table_info(files)") if row[1] not in ("id", "path", "preferred")
        ]
        kept = ", ".join(columns)
        for copy in range(1, COPIES):
            (home / "sounds" / f"copy{copy}").mkdir()
            for number, _, path in rows:
                place = Path("sounds", f"copy{copy}", Path(path).name)
                shutil.copy(home / path, home / place)
                database.execute(
                    f"insert into files (path, preferred, {kept}) select ?, 0, {kept} from files where id = ?",
                    (str(place), number),
                )


def flips(folder: Path) -> float:
    """The share in % of single flipped bits of a database that a check sees."""
    home, hurt = folder / "home", folder / "hurt"
    generator = random.Random(0)
    whole = (home / "corpus.sqlite").read_bytes()
    seen = 0
    for _ in range(FLIPS):
        shutil.rmtree(hurt, ignore_errors=True)
        hurt.mkdir()
        (hurt / "sounds").symlink_to(home / "sounds")
        content = bytearray(whole)
        content[generator.randrange(len(content))] ^= 1 << generator.randrange(8)
        (hurt / "corpus.sqlite").write_bytes(content)
        seen += found(hurt)
    return 100 * seen / FLIPS


def found(home: Path) -> bool:
    try:
        with Corpus(home) as corpus:
            return bool(corpus.check().wrong)
    except (CorpusError, ValueError, sqlite3.Error):
        return True


if __name__ == "__main__":
    run(__doc__ or "", main)
