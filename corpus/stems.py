"""The stems of a text, as the full-text index has them: so that Python reads words as the database does.

The words are taken by SQLite itself, with the tokenizer of the index, in a database in memory.
"""

from __future__ import annotations

import sqlite3
import threading
from functools import lru_cache

TOKENIZER = "porter unicode61"

_own = threading.local()
_MOST = 20_000
_LONGEST = 100
"""What is kept: the stems of so many texts, no longer than this; words come again and again."""


def stems(text: str) -> list[str]:
    """The stems of the words of a text, in order.

    Examples
    --------
    >>> stems("Ringing Bells, déjà vu")
    ['ring', 'bell', 'deja', 'vu']
    """
    return list(_kept(text) if len(text) <= _LONGEST else _found(text))


def _found(text: str) -> tuple[str, ...]:
    database = _database()
    with database:
        database.execute("delete from texts")
        database.execute("insert into texts values (?)", [text])
    return tuple(stem for (stem,) in database.execute('select term from words order by "offset"'))


_kept = lru_cache(maxsize=_MOST)(_found)


def _database() -> sqlite3.Connection:
    if not hasattr(_own, "database"):
        database = sqlite3.connect(":memory:")
        database.execute(f"create virtual table texts using fts5(text, tokenize = '{TOKENIZER}')")
        database.execute("create virtual table words using fts5vocab(texts, instance)")
        _own.database = database
    own: sqlite3.Connection = _own.database
    return own
