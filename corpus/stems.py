"""The stems of a text, as the full-text index has them: so that Python reads words as the database does.

The words are taken by SQLite itself, with the tokenizer of the index, in a database in memory.
"""

from __future__ import annotations

import sqlite3
import threading

TOKENIZER = "porter unicode61"

_own = threading.local()


def stems(text: str) -> list[str]:
    """The stems of the words of a text, in order.

    Examples
    --------
    >>> stems("Ringing Bells, déjà vu")
    ['ring', 'bell', 'deja', 'vu']
    """
    database = _database()
    with database:
        database.execute("delete from texts")
        database.execute("insert into texts values (?)", [text])
    return [stem for (stem,) in database.execute('select term from words order by "offset"')]


def _database() -> sqlite3.Connection:
    if not hasattr(_own, "database"):
        database = sqlite3.connect(":memory:")
        database.execute(f"create virtual table texts using fts5(text, tokenize = '{TOKENIZER}')")
        database.execute("create virtual table words using fts5vocab(texts, instance)")
        _own.database = database
    own: sqlite3.Connection = _own.database
    return own
