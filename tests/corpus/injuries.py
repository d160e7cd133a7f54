"""Faults as disks, interrupted programs and hasty hands make them, each with what a check must say of it."""

import os
import sqlite3
import time

OLD = time.time() - 7200


class Injuries:
    """Injures a home at random places, nothing twice, and keeps what must be found: (list, what)."""

    def __init__(self, home, generator):
        self._home = home
        self._random = generator
        self.expected = set()
        database = self._database()
        self._files = database.execute("select id, path from files").fetchall()
        self._vectors = database.execute("select sound_id, data from vectors").fetchall()
        database.close()  # the only connection: all is in the one file now
        self._caches = [place for place in (home / "cache").glob("*/*") if place.is_dir()]
        for some in (self._files, self._vectors, self._caches):
            generator.shuffle(some)

    def injure(self, times):
        """Inflict faults of every kind in turn, as many as can be; returns how many."""
        kinds = [self.flip, self.cut, self.lose, self.stray, self.left_over, self.vector, self.row, self.cache]
        kinds += [self.grow, self.zero]
        flips = []
        for number in range(times):
            kind = kinds[number % len(kinds)]
            if kind is self.vector and self._vectors:
                flips.append(self._vectors.pop())
            elif kind is self.cache and self._caches:
                self.cache()
            elif kind in (self.stray, self.left_over) or self._files:
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
        number, path = self._files.pop()
        column, change = self._random.choice(
            [
                ("bytes", "bytes + 1"),
                ("frames", "frames - 1"),
                ("samplerate", "samplerate + 1"),
                ("channels", "3 - channels"),
                ("format", "'wav'"),
                ("sha256", "replace(substr(sha256, 1, 1), '0', 'f') || substr(sha256, 2)"),
            ]
        )
        if column == "sha256":
            change = "case substr(sha256, 1, 1) when '0' then '1' else '0' end || substr(sha256, 2)"
        database = self._database()
        with database:
            database.execute(f"update files set {column} = {change} where id = ?", (number,))
        database.close()
        self.expected.add(("damaged", path))

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
    return {(kind, one.id if one.of == "vector" else one.path) for kind, one in some}
