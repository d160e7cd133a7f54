"""Makes `NNNN.sql` beside this file: a small corpus as each earlier schema had it, to be upgraded in a test.

    python tests/corpus/schemas/make.py [NNNN]…

A file is made once, when a schema has a successor, and never again: it shows what is out there. So only those that are
missing are made, unless they are named. Rows are written by hand below, for each table those columns that a schema has.
"""

import sqlite3
import struct
import sys
import tempfile
from pathlib import Path

from corpus.store import schema
from corpus.store.database import Database

HERE = Path(__file__).parent
AT = "2026-01-02T03:04:05Z"
RECORD = (
    '{"id": 4832, "name": "Wasser", "duration": 2.5, "pitch": 440.5, "loopable": true, "note_midi": 69,'
    ' "created": "2005-03-04T05:06:07", "type": "wav", "num_downloads": 12, "avg_rating": 4.5, "num_ratings": 4}'
)
LOCAL = 1_000_000_000


def numbers(count, first):
    return struct.pack(f"<{count}f", *(first + 0.25 * place for place in range(count)))


def file(number, sound_id, path, linked=0, source="original"):
    return {
        "id": number,
        "sound_id": sound_id,
        "path": path,
        "linked": linked,
        "preferred": 1,
        "source": source,
        "sha256": f"{number:064x}",
        "bytes": 1000 + number,
        "format": "ogg",
        "samplerate": 44100,
        "channels": 2,
        "frames": 110250,
        "loudness": -20.5 if number == 1 else None,
        "peak": 0.5 if number == 1 else None,
        "added": AT,
        "decoded": AT,
    }


def sound(number, name, username=None, record=None, gone=None):
    licence = ("Attribution", "4.0", "https://creativecommons.org/licenses/by/4.0/")
    return {
        "id": number,
        "name": name,
        "username": username,
        "licence": licence[0],
        "licence_version": licence[1],
        "licence_url": licence[2],
        "url": f"https://freesound.org/s/{number}/" if record else None,
        "description": "drops of water",
        "pack": "Rain",
        "duration": 2.5,
        "record": record,
        "added": AT,
        "gone": gone,
        "checked": AT if record else None,
    }


def fact(number, sound_id, label, **more):
    own = {"id": number, "agent_id": 1, "sound_id": sound_id, "label": label, "test": 0, "who": "anna", "session": "s"}
    return own | {"at": AT, "undoes": None, "repeats": None} | more


ROWS = {
    "sounds": [
        sound(4832, "Wasser", "dio_333", RECORD),
        sound(31362, "gone one", "menegass", '{"id": 31362}', gone=AT),
        sound(LOCAL, "gutter\u00e4"),
    ],
    "tags": [
        {"sound_id": 4832, "tag": tag, "position": place} for place, tag in enumerate(("water", "field-recording"))
    ],
    "files": [
        file(1, 4832, "sounds/4/4832__dio_333__Wasser.ogg", source="lq-ogg"),
        file(2, LOCAL, "/recordings/gutter.ogg", linked=1),
    ],
    "sound_text": [
        {
            "rowid": 4832,
            "name": "Wasser",
            "tags": "water field-recording",
            "description": "drops",
            "username": "dio_333",
        },
        {"rowid": LOCAL, "name": "gutter\u00e4", "tags": "", "description": "drops of water", "username": None},
    ],
    "spaces": [
        {"id": 1, "name": "mfcc", "fingerprint": "a" * 64, "dim": 26, "origin": "computed", "current": 0},
        {"id": 2, "name": "mfcc", "fingerprint": "b" * 64, "dim": 26, "origin": "computed", "current": 1},
        {
            "id": 3,
            "name": "api_mfcc",
            "fingerprint": "freesound: mfcc, mfcc_var",
            "dim": 26,
            "origin": "api",
            "current": 1,
        },
    ],
    "provenances": [{"id": 1, "facts": '{"library": "essentia 2.1b6"}'}],
    "vectors": [
        {"space_id": 1, "sound_id": 4832, "file_id": 1, "provenance_id": 1, "data": numbers(26, 1)},
        {"space_id": 2, "sound_id": LOCAL, "file_id": 2, "provenance_id": 1, "data": numbers(26, 2)},
        {"space_id": 3, "sound_id": 4832, "file_id": None, "provenance_id": 1, "data": numbers(26, 3)},
    ],
    "agents": [
        {
            "id": 1,
            "name": "water",
            "about": "drips",
            "spaces": '["mfcc"]',
            "classifier": "mlp",
            "created": AT,
            "in_use": 1,
        },
        {
            "id": 2,
            "name": "metal",
            "about": "",
            "spaces": '["mfcc"]',
            "classifier": "svm",
            "created": AT,
            "deleted": None,
        },
    ],
    "annotations": [
        fact(1, 4832, "good"),
        fact(2, LOCAL, "bad", test=1, who="ben"),
        fact(3, LOCAL, None, undoes=2),
        fact(4, 31362, "good", agent_id=2, repeats=None),
    ],
    "forgotten": [{"sha256": "f" * 64, "former_id": LOCAL + 7}],
    "models": [
        {
            "id": 1,
            "agent_id": 1,
            "version": 1,
            "recipe": '{"classifier": "mlp"}',
            "arrays": '{"W": [[0.5, -1.25]]}',
            "scores": '{"accuracy": 0.75}',
            "labels_hash": "c" * 64,
            "seed": 7,
            "versions": '{"numpy": "2.0"}',
            "fingerprints": '{"mfcc": "' + "b" * 64 + '"}',
            "at": AT,
            "until": 3,
            "verdicts": '{"4832": 0.75}',
        }
    ],
    "trials": [{"id": 1, "agent_id": 1, "plan": '{"pairs": []}', "at": AT}],
    "trial_answers": [{"trial_id": 1, "number": 1, "part": "target", "label": "good", "who": "anna", "at": AT}],
    "requests": [{"id": 1, "at": 1767323045.5}],
    "harvests": [
        {"id": 1, "wanted": '{"queries": []}', "state": "done", "cursor": "{}", "started": AT, "changed": AT},
    ],
    "harvested": [
        {
            "harvest_id": 1,
            "sound_id": 4832,
            "position": 0,
            "address": "https://cdn/4832.ogg",
            "audio": "done",
            "error": None,
        },
        {"harvest_id": 1, "sound_id": 31362, "position": 1, "address": None, "audio": "failed", "error": "cut"},
    ],
    "similar_lists": [{"sound_id": 4832, "ids": "[31362, 5]", "asked": 20, "fetched": AT}],
    "traits": [
        {"sound_id": 4832, "origin": "api", "pitch": 440.5, "loopable": 1},
        {"sound_id": LOCAL, "origin": "computed", "bpm": 120.0, "file_id": 2, "fingerprint": "d" * 64},
    ],
    "served": [{"sound_id": 4832, "created": "2005-03-04T05:06:07Z", "type": "wav", "num_downloads": 12}],
    "returned": [{"id": 1, "sound_id": 4832, "at": AT}],
    "additions": [{"id": 1, "space_id": 3, "before": 1, "after": 2, "ids": struct.pack("<q", 4832)}],
    "performances": [{"id": 1, "begun": AT, "ended": None, "seed": 3, "title": "cellar"}],
    "commands": [
        {"id": 1, "performance_id": 1, "at": 1.5, "of_group": "a", "verb": "tag", "arguments": "{}", "answer": "[4832]"}
    ],
    "plays": [
        {"id": 1, "performance_id": 1, "sound_id": 99, "of_group": "a", "at": 1.5, "began": AT, "credit": '{"id": 99}'}
    ],
    "palettes": [{"id": 1, "name": "drips", "version": 1, "published": AT, "removed": None}],
    "palette_sounds": [
        {
            "palette_id": 1,
            "position": 0,
            "sound_id": 4832,
            "file": "000.wav",
            "sha256": "e" * 64,
            "credit": '{"id": 4832}',
        }
    ],
    "onsets": [{"sound_id": 4832, "file_id": 1, "fingerprint": "f" * 64, "data": numbers(4, 0)}],
}
"""By table, in an order in which each refers only to earlier ones."""


def corpus_of(revision, place):
    """A database of an earlier schema with the rows that it can have."""
    head, schema.HEAD = schema.HEAD, revision
    try:
        database = Database(place)
        schema.prepare(database)
        database.close()
    finally:
        schema.HEAD = head
    connection = sqlite3.connect(place)
    connection.execute("pragma foreign_keys = on")
    for table, rows in ROWS.items():
        known = [row[1] for row in connection.execute(f"pragma table_info({table})")]
        for row in rows if known else ():
            own = {name: value for name, value in row.items() if name in known or name == "rowid"}
            names, marks = ", ".join(own), ", ".join("?" * len(own))
            connection.execute(f"insert into {table} ({names}) values ({marks})", list(own.values()))
    connection.commit()
    return connection


def as_sql(connection):
    """A database as text; SQLite's own tables behind the full-text index are made by it."""
    things = connection.execute(
        "select type, name, sql from sqlite_master where sql is not null order by rowid"
    ).fetchall()
    shadows = {f"sound_text_{end}" for end in ("data", "idx", "content", "docsize", "config")}
    tables = [(name, sql) for kind, name, sql in things if kind == "table" and name not in shadows]
    yield from (f"{sql};" for _, sql in tables)
    for name, _ in tables:
        columns = [row[1] for row in connection.execute(f"pragma table_info({name})")]
        columns = ["rowid", *columns] if name == "sound_text" else columns
        quoted = ", ".join(f"quote({column})" for column in columns)
        for row in connection.execute(f"select {quoted} from {name}"):
            yield f"insert into {name} ({', '.join(columns)}) values ({', '.join(row)});"
    yield from (f"{sql};" for kind, name, sql in things if kind != "table")


def main(named):
    revisions = [f"{number:04}" for number in range(1, int(schema.HEAD))]
    for revision in named or [one for one in revisions if not (HERE / f"{one}.sql").exists()]:
        with tempfile.TemporaryDirectory() as folder:
            connection = corpus_of(revision, Path(folder, "corpus.sqlite"))
            (HERE / f"{revision}.sql").write_text("\n".join(as_sql(connection)) + "\n", encoding="utf-8")
            connection.close()
        print(f"{revision}.sql")


if __name__ == "__main__":
    main(sys.argv[1:])
