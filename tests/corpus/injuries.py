"""Faults as disks, interrupted programs and hasty hands make them, each with what a check must say of it."""

import os
import re
import sqlite3
import time

import sqlalchemy as sa

from corpus.store.rows import CARRIED

OTHERS = ("sounds", "traits", "agents", "annotations", "models", "performances", "commands", "plays")
"""Tables beside the files' in which rows are hurt."""
MOMENTS = ("added", "at", "created", "begun", "began")
OLD = time.time() - 7200


class Injuries:
    """Injures a home at random places, nothing twice.

    Attributes
    ----------
    expected, follow : set of (str, str or int)
        What must be found, of each fault one: the list that it stands in, and what it is about; and what follows.
    """

    def __init__(self, home, generator):
        self._home = home
        self._random = generator
        self.expected = set()
        self.follow = set()
        database = self._database()
        self._files = database.execute("select id, path from files").fetchall()
        self._vectors = database.execute("select sound_id, data from vectors").fetchall()
        database.close()  # the only connection: all is in the one file now
        self._caches = [place for place in (home / "cache").glob("*/*") if place.is_dir()]
        self._tables = [table for table in CARRIED if table.name in OTHERS]
        for some in (self._files, self._vectors, self._caches, self._tables):
            generator.shuffle(some)

    def injure(self, times):
        """Inflict faults of every kind in turn, as many as can be; returns how many."""
        kinds = [self.flip, self.cut, self.lose, self.stray, self.left_over, self.vector, self.row, self.cache]
        kinds += [self.grow, self.zero, self.path, self.other_row]
        flips = []
        for number in range(times):
            kind = kinds[number % len(kinds)]
            if kind is self.vector and self._vectors:
                flips.append(self._vectors.pop())
            elif kind is self.cache and self._caches:
                self.cache()
            elif kind == self.other_row and self._tables:
                self.other_row()
            elif kind in (self.stray, self.left_over) or (kind != self.other_row and self._files):
                (self.stray if kind in (self.vector, self.cache) else kind)()
            else:
                self.stray()
        self.vector(flips)  # last, below all that SQLite does
        return len(self.expected)

    def flip(self):
        path = self._file("damaged")
        content = bytearray(path.read_bytes())
        content[self._random.randrange(len(content))] ^= 1 << self._random.randrange(8)
        path.write_bytes(content)

    def cut(self):
        path = self._file("damaged")
        os.truncate(path, self._random.randrange(path.stat().st_size))

    def grow(self):
        path = self._file("damaged")
        with path.open("ab") as file:
            file.write(self._random.randbytes(self._random.randint(1, 999)))

    def zero(self):
        """A block that was never written."""
        path = self._file("damaged")
        content = bytearray(path.read_bytes())
        start = self._random.randrange(len(content) - 600)
        before = bytes(content[start : start + 600])
        content[start : start + 600] = bytes(600) if any(before) else b"\1" * 600
        path.write_bytes(content)

    def lose(self):
        self._file("missing").unlink()

    def stray(self):
        self._lie(f"sounds/{self._random.randrange(99)}/{self._random.randrange(10**9)}.flac")

    def left_over(self):
        path = self._lie(f"sounds/.incoming-{self._random.randrange(10**9)}")
        os.utime(path, (OLD, OLD))

    def row(self):
        """What the database says of a file."""
        number, path = self._files.pop()
        column, change = self._random.choice(
            [
                ("bytes", "bytes + 1"),
                ("frames", "frames - 1"),
                ("samplerate", "samplerate + 1"),
                ("channels", "3 - channels"),
                ("format", "'wav'"),
                ("linked", "1"),
                ("sha256", "replace(substr(sha256, 1, 1), '0', 'f') || substr(sha256, 2)"),
            ]
        )
        if column == "sha256":
            change = "case substr(sha256, 1, 1) when '0' then '1' else '0' end || substr(sha256, 2)"
        self._update("files", column, change, "id", number)
        self.expected.add(("damaged", path))

    def path(self):
        """Where the database says that a file is: the file itself is an orphan then."""
        number, path = self._files.pop()
        forms = ["../{}", "/{}", "palettes/{}", "sounds/../../{}", "sounds//{}", "sounds/{}"]
        elsewhere = self._random.choice(forms).format(number)
        self._update("files", "path", f"'{elsewhere}'", "id", number)
        self.expected.add(("missing" if elsewhere == f"sounds/{number}" else "damaged", elsewhere))
        self.follow.add(("orphaned", path))

    def other_row(self):
        """A value that is none of its column's, or that leads nowhere, anywhere else; one of each table."""
        table = self._tables.pop()
        plain = [one for one in table.columns if not (one.primary_key or one.foreign_keys)]
        column = self._random.choice([one for one in plain if not isinstance(one.type, sa.LargeBinary)])
        wrong = ["x'ff00'"]
        if isinstance(column.type, sa.JSON):
            wrong += ["'{'", "'5'", "''"]
        elif column.name in MOMENTS:
            wrong += ["'yesterday'"]
        elif column.name in ("in_use", "undoes", "repeats"):
            wrong += ["4711"]
        chosen, key = self._random.choice(wrong), next(iter(table.primary_key)).name
        database = self._database()
        (number,) = self._random.choice(database.execute(f"select {key} from {table.name}").fetchall())
        database.close()
        self._update(table.name, column.name, chosen, key, number)
        self.expected.add(("damaged", "agent water" if column.name == "in_use" else f"table {table.name}"))
        if column.name == "in_use" and chosen != "4711":
            self.follow.add(("damaged", "table agents"))

    def _update(self, table, column, value, key, number):
        database = self._database()
        with database:
            database.execute(f"update {table} set {column} = {value} where {key} = ?", (number,))
        database.close()

    def vector(self, some):
        """Flip a bit of each in the database's file itself."""
        file = self._home / "corpus.sqlite"
        content = bytearray(file.read_bytes())
        for sound_id, data in some:
            place = content.find(data)
            assert place > 0
            content[place + self._random.randrange(len(data))] ^= 1 << self._random.randrange(8)
            self.expected.add(("damaged", sound_id))
        file.write_bytes(content)

    def cache(self):
        place = self._caches.pop()
        path = self._random.choice(sorted(place.iterdir()))
        content = bytearray(path.read_bytes())
        kind = self._random.randrange(3)
        if kind == 0:
            path.unlink()
        elif kind == 1:
            path.write_bytes(content[: self._random.randrange(len(content))])
        else:
            content[self._random.randrange(len(content))] ^= 1 << self._random.randrange(8)
            path.write_bytes(content)
        self.expected.add(("stale_caches", str(place.relative_to(self._home))))

    def _file(self, kind):
        _, path = self._files.pop()
        self.expected.add((kind, path))
        return self._home / path

    def _lie(self, path):
        place = self._home / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(self._random.randbytes(99))
        self.expected.add(("orphaned", path))
        return place

    def _database(self):
        return sqlite3.connect(self._home / "corpus.sqlite")


def found(report):
    """What a check found wrong, in the same words."""
    kinds = ("damaged", "missing", "orphaned", "stale_caches", "unanalysed")
    some = ((kind, one) for kind in kinds for one in getattr(report, kind) if one.wrong)
    return {(kind, named(one)) for kind, one in some}


def named(finding):
    """What it is about: a sound, a path, or a table."""
    if finding.of == "database":
        return " ".join(re.split("[ :]", finding.error)[:2])
    return finding.id if finding.of == "vector" else finding.path
