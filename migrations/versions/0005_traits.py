"""What filters ask for, in columns: traits served and computed, facts of records; filled for what was harvested."""

import sys
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

FLOATS = """
    amplitude_peak_ratio beat_loudness boominess bpm bpm_confidence brightness decay_strength depth dissonance
    duration_effective dynamic_range hardness hpcp_crest hpcp_entropy inharmonicity log_attack_time loudness
    note_confidence pitch pitch_confidence pitch_max pitch_min pitch_salience pitch_var roughness sharpness silence_rate
    spectral_centroid spectral_complexity spectral_crest spectral_energy spectral_entropy spectral_flatness
    spectral_rolloff spectral_skewness spectral_spread start_time temporal_centroid temporal_centroid_ratio
    temporal_decrease temporal_skewness temporal_spread tonality_confidence warmth zero_crossing_rate
""".split()
INTEGERS = "beat_count birdnet_detections_count fsdsinet_detections_count note_midi onset_count".split()
TRUTHS = "has_audio_problems loopable reverbness single_event".split()
TEXTS = "category note_name subcategory tonality".split()
TRAITS = {
    **dict.fromkeys(FLOATS, float),
    **dict.fromkeys(INTEGERS, int),
    **dict.fromkeys(TRUTHS, bool),
    **dict.fromkeys(TEXTS, str),
}
FACTS = {
    "created": str,
    "type": str,
    "channels": int,
    "samplerate": float,
    "filesize": int,
    "num_downloads": int,
    "num_ratings": int,
    "avg_rating": float,
    "gen_ai_preference": str,
    "is_explicit": bool,
    "md5": str,
}
TYPES = {float: sa.Float, int: sa.BigInteger, bool: sa.Boolean, str: sa.Text}
AT_ONCE = 500


def upgrade():
    traits = op.create_table(
        "traits",
        sa.Column("sound_id", sa.Integer(), nullable=False),
        sa.Column("origin", sa.String(length=16), nullable=False),
        *(sa.Column(name, TYPES[TRAITS[name]](), nullable=True) for name in sorted(TRAITS)),
        sa.Column("file_id", sa.Integer(), nullable=True),
        sa.Column("fingerprint", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["sound_id"], ["sounds.id"], name="fk_traits_sound_id"),
        sa.ForeignKeyConstraint(["file_id"], ["files.id"], name="fk_traits_file_id"),
        sa.PrimaryKeyConstraint("sound_id", "origin", name="pk_traits"),
        sqlite_with_rowid=False,
    )
    served = op.create_table(
        "served",
        sa.Column("sound_id", sa.Integer(), autoincrement=False, nullable=False),
        *(
            sa.Column(name, sa.String(length=32) if name == "created" else TYPES[kind](), nullable=True)
            for name, kind in FACTS.items()
        ),
        sa.ForeignKeyConstraint(["sound_id"], ["sounds.id"], name="fk_served_sound_id"),
        sa.PrimaryKeyConstraint("sound_id", name="pk_served"),
    )
    op.create_index("ix_sounds_filtered", "sounds", ["duration", "licence", "username", "pack", "added"])
    fill(op.get_bind(), traits, served)


def fill(connection, traits, served):
    """Read each stored record once, in Python, whatever the database: SQLite's JSON has no types to hold values to."""
    sounds = sa.table("sounds", sa.column("id", sa.Integer), sa.column("record", sa.JSON))
    last = 0
    while True:
        query = sa.select(sounds).where(sounds.c.id > last).order_by(sounds.c.id).limit(AT_ONCE)
        rows = connection.execute(query).all()
        if not rows:
            return
        last = rows[-1].id
        records = {row.id: row.record for row in rows if isinstance(row.record, dict) and row.record}
        measured = {sound_id: of_their_kind(record, TRAITS) for sound_id, record in records.items()}
        some = [{"sound_id": one, "origin": "api", **own} for one, own in measured.items() if any_known(own)]
        if some:
            connection.execute(sa.insert(traits), some)
        if records:
            facts = [{"sound_id": one, **as_filtered(of_their_kind(records[one], FACTS))} for one in records]
            connection.execute(sa.insert(served), facts)


def any_known(values):
    return any(value is not None for value in values.values())


def of_their_kind(record, kinds):
    return {name: of_kind(record.get(name), kind) for name, kind in kinds.items()}


def of_kind(value, kind):
    if kind is float:
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return float(value) if number and abs(value) <= sys.float_info.max else None
    fits = type(value) is kind and (kind is not int or abs(value) < 2**63)
    return value if fits else None


def as_filtered(facts):
    """The date in UTC to the second; ratings from 0 to 10, and 0 for sounds with fewer than 3."""
    try:
        when = datetime.fromisoformat(facts["created"] or "")
        when = when.astimezone(UTC) if when.tzinfo else when
        created = when.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
    except (ValueError, OverflowError):
        created = None
    rating = facts["avg_rating"]
    if rating is not None:
        rating = 2 * rating if (facts["num_ratings"] or 0) >= 3 else 0.0
    return {**facts, "created": created, "avg_rating": rating}
