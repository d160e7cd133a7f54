"""The tables. Migrations make them; this says what they are (a test holds the two against each other).

Times are ISO 8601 in UTC, vectors little-endian float32. Deleting is marking.
The full-text index `sound_text` (SQLite FTS5) is made by the migration, kept by `corpus.store.sounds` and searched by
`corpus.store.texts`.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from corpus.descriptors import SCALARS

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_SOUND = "sounds.id"

sounds = Table(
    "sounds",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("username", Text),
    Column("licence", Text, nullable=False, default=""),
    Column("licence_version", String(16), nullable=False, default=""),
    Column("licence_url", Text, nullable=False, default=""),
    Column("url", Text),
    Column("description", Text),
    Column("pack", Text),
    Column("duration", Float),
    Column("record", JSON),
    Column("added", String(32), nullable=False),
    Column("gone", String(32)),
    Column("checked", String(32)),
    # what filters ask for, beside the records, which make the table itself slow to read
    Index("ix_sounds_filtered", "duration", "licence", "username", "pack", "added"),
)

tags = Table(
    "tags",
    metadata,
    Column("sound_id", ForeignKey(_SOUND), primary_key=True),
    Column("tag", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Index("ix_tags_tag", "tag", "sound_id"),
)

files = Table(
    "files",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("sound_id", ForeignKey(_SOUND), nullable=False, index=True),
    Column("path", Text, nullable=False, unique=True),
    Column("linked", Boolean, nullable=False),
    Column("preferred", Boolean, nullable=False),
    Column("source", String(32), nullable=False),
    Column("sha256", String(64), nullable=False, index=True),
    Column("bytes", BigInteger, nullable=False),
    Column("format", String(16), nullable=False),
    Column("samplerate", Integer, nullable=False),
    Column("channels", Integer, nullable=False),
    Column("frames", BigInteger, nullable=False),
    Column("loudness", Float),
    Column("peak", Float),
    Column("added", String(32), nullable=False),
    Column("decoded", String(32)),  # when a file with this hash was last decoded from end to end; null: never here
)

spaces = Table(
    "spaces",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(64), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("dim", Integer, nullable=False),
    Column("origin", String(16), nullable=False),
    Column("current", Boolean, nullable=False),
    Column("changes", BigInteger, nullable=False, server_default="0"),  # drawn anew by triggers at each change
    UniqueConstraint("name", "fingerprint"),
)

additions = (
    Table(  # what only added vectors: `changes` of their space before and after, and whose (little-endian int64)
        "additions",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("space_id", ForeignKey("spaces.id"), nullable=False),
        Column("before", BigInteger, nullable=False),
        Column("after", BigInteger, nullable=False),
        Column("ids", LargeBinary, nullable=False),
    )
)

provenances = Table(
    "provenances",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("facts", Text, nullable=False, unique=True),
)

vectors = Table(
    "vectors",
    metadata,
    Column("space_id", ForeignKey("spaces.id"), primary_key=True),
    Column("sound_id", ForeignKey(_SOUND), primary_key=True),
    Column("file_id", ForeignKey("files.id")),
    Column("provenance_id", ForeignKey("provenances.id"), nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("sum", BigInteger),  # CRC-32 of `data`
    Index("ix_vectors_sound_id", "sound_id"),
    sqlite_with_rowid=False,
)

agents = Table(
    "agents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("about", Text, nullable=False),
    Column("spaces", JSON, nullable=False),
    Column("classifier", String(32), nullable=False),
    Column("created", String(32), nullable=False),
    Column("deleted", String(32)),
    Column("in_use", Integer),  # the version that judges; the newest if none is named
)

labels = Table(  # not `annotations`, which is `__future__`'s
    "annotations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("agent_id", ForeignKey("agents.id"), nullable=False),
    Column("sound_id", Integer, nullable=False),  # which need not be held: labels outlast their sounds
    Column("label", String(8)),
    Column("test", Boolean, nullable=False),
    Column("who", Text, nullable=False),
    Column("session", String(64), nullable=False),
    Column("at", String(32), nullable=False),
    Column("undoes", Integer),  # the annotation that this one takes back, by saying again what was said before
    Column("repeats", Integer),  # the one that this says again, behind older ones that were brought in later
    Index("ix_annotations_agent", "agent_id", "sound_id", "id"),
    Index("ix_annotations_sound_id", "sound_id"),
)

forgotten = Table(  # a sound of one's own that had labels: its content brings back its id, and so them
    "forgotten",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("former_id", Integer, nullable=False),
)

models = Table(
    "models",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("agent_id", ForeignKey("agents.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("recipe", JSON, nullable=False),
    Column("arrays", JSON, nullable=False),
    Column("scores", JSON, nullable=False),
    Column("labels_hash", String(64), nullable=False),
    Column("seed", Integer, nullable=False),
    Column("versions", JSON, nullable=False),
    Column("fingerprints", JSON, nullable=False),
    Column("at", String(32), nullable=False),
    Column("until", Integer),  # the last annotation it knew
    Column("verdicts", JSON, nullable=False, server_default="{}"),  # what it said of its examples when it was made
    UniqueConstraint("agent_id", "version"),
)

trials = Table(
    "trials",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("agent_id", ForeignKey("agents.id"), nullable=False),
    Column("plan", JSON, nullable=False),  # drawn before the first answer: what is asked, in which order
    Column("at", String(32), nullable=False),
)

trial_answers = Table(
    "trial_answers",
    metadata,
    Column("trial_id", ForeignKey("trials.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("part", String(8), primary_key=True),  # of a pair: target or result
    Column("label", String(8), nullable=False),
    Column("who", Text, nullable=False),
    Column("at", String(32), nullable=False),
)

requests = Table(
    "requests",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Float, nullable=False, index=True),
)

harvests = Table(
    "harvests",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("wanted", JSON, nullable=False),
    Column("state", String(16), nullable=False),
    Column("cursor", JSON, nullable=False),
    Column("started", String(32), nullable=False),
    Column("changed", String(32), nullable=False),
)

harvested = Table(
    "harvested",
    metadata,
    Column("harvest_id", ForeignKey("harvests.id"), primary_key=True),
    Column("sound_id", ForeignKey(_SOUND), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("address", Text),
    Column("audio", String(16), nullable=False),
    Column("error", Text),
    Index("ix_harvested_sound_id", "sound_id"),
)

similar_lists = Table(  # of a sound that need not be held, of sounds that need not be held
    "similar_lists",
    metadata,
    Column("sound_id", Integer, primary_key=True, autoincrement=False),
    Column("ids", JSON, nullable=False),
    Column("asked", Integer, nullable=False),
    Column("fetched", String(32), nullable=False),
)

_TYPES = {float: Float, int: BigInteger, bool: Boolean, str: Text}

traits = Table(  # of origin `api` as Freesound serves them, `computed` as the analysis found them; see descriptors
    "traits",
    metadata,
    Column("sound_id", ForeignKey(_SOUND), primary_key=True),
    Column("origin", String(16), primary_key=True),
    *(Column(name, _TYPES[kind]) for name, kind in SCALARS.items()),
    Column("file_id", ForeignKey("files.id")),  # of computed ones: from which file, and by what
    Column("fingerprint", String(64)),
    sqlite_with_rowid=False,
)

served = Table(  # what a record says that filters ask for; a sound of one's own has no row
    "served",
    metadata,
    Column("sound_id", ForeignKey(_SOUND), primary_key=True, autoincrement=False),
    Column("created", String(32)),
    Column("type", Text),
    Column("channels", BigInteger),
    Column("samplerate", Float),
    Column("filesize", BigInteger),
    Column("num_downloads", BigInteger),
    Column("num_ratings", BigInteger),
    Column("avg_rating", Float),  # as the API filters it: 0 to 10, and 0 below 3 ratings
    Column("gen_ai_preference", Text),
    Column("is_explicit", Boolean),
    Column("md5", Text),
)

returned = Table(  # by queries that keep to what is fresh: when a sound last was
    "returned",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("sound_id", ForeignKey(_SOUND), nullable=False, index=True),
    Column("at", String(32), nullable=False, index=True),
)

texts = Table(  # one row: which state the full-text index is in
    "texts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("changes", BigInteger, nullable=False),  # drawn anew by triggers at each change
)

states = Table(  # which state each family of facts is in
    "states",
    metadata,
    Column("family", String(16), primary_key=True),
    Column("changes", BigInteger, nullable=False),  # drawn anew by triggers at each change
)

performances = Table(  # what was played, and what was asked for meanwhile
    "performances",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("begun", String(32), nullable=False, index=True),
    Column("ended", String(32)),
    Column("seed", BigInteger),
    Column("title", Text, nullable=False, server_default=""),
    Column("facts", JSON),  # what it was played on and with, by name
)

commands = Table(  # `at` in seconds since the performance began
    "commands",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("performance_id", ForeignKey("performances.id"), nullable=False, index=True),
    Column("at", Float, nullable=False),
    Column("of_group", Text),  # null: of the whole session
    Column("verb", Text, nullable=False),
    Column("arguments", JSON, nullable=False),  # {"given": [..], "named": {..}}
    Column("answer", Text),  # as JSON, which SQLite would not keep as it is: the ids that it brought, or its words
    Column("error", Text),
    Column("facts", JSON),  # of whom or what it went by, by name
)

plays = Table(  # of sounds that need not be held any more: credits outlast them
    "plays",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("performance_id", ForeignKey("performances.id"), nullable=False, index=True),
    Column("sound_id", Integer, nullable=False, index=True),
    Column("of_group", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("began", String(32), nullable=False, index=True),
    Column("seconds", Float),  # null: it had not ended when that could last be written down
    Column("heard", Float),  # of these, how many it was audible
    Column("credit", JSON, nullable=False),  # as `Sound.credited` said it then
)

palettes = Table(
    "palettes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("version", Integer, nullable=False),
    Column("published", String(32), nullable=False),
    Column("removed", String(32)),
)

palette_sounds = Table(  # of sounds that need not be held any more: the folder has its own files
    "palette_sounds",
    metadata,
    Column("palette_id", ForeignKey("palettes.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("sound_id", Integer, nullable=False),
    Column("file", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("credit", JSON, nullable=False),
)

onsets = Table(  # where a sound's events begin, in seconds: little-endian float32, ascending
    "onsets",
    metadata,
    Column("sound_id", ForeignKey(_SOUND), primary_key=True, autoincrement=False),
    Column("file_id", ForeignKey("files.id"), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("data", LargeBinary, nullable=False),
)
