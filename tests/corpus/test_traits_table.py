"""Traits as a table: filled by harvest, refresh and upgrade, computed ones first, gone when forgotten."""

import json
import shutil
import sqlite3

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from corpus import Corpus
from corpus.descriptors import SCALARS, fitting
from corpus.freesound import wire
from corpus.store import schema
from corpus.store.database import Database
from corpus.wanted import Query, Wanted
from tests.freesound.fields import SCALAR

IDS = (100055, 4832, 75338)


@pytest.fixture
def account(freesound, monkeypatch):
    monkeypatch.setenv("MIRLA_FREESOUND_URL", freesound.url)
    monkeypatch.setenv("FREESOUND_TOKEN", freesound.token)
    return freesound


@pytest.fixture
def corpus(account, home):
    """Three harvested sounds."""
    with Corpus(home) as corpus:
        corpus.harvest(Wanted((Query(ids=IDS),), audio="none"))
        yield corpus


def everything(home):
    """All rows of the two tables, in order."""
    database = sqlite3.connect(home / "corpus.sqlite")
    rows = {
        name: database.execute(f"select * from {name} order by {key}").fetchall()
        for name, key in {"traits": "sound_id, origin", "served": "sound_id"}.items()
    }
    database.close()
    return rows


def served(freesound, sound_id):
    (record,) = (record for record in freesound.catalogue.records if record["id"] == sound_id)
    return {name: record[name] for name in SCALARS if record.get(name) is not None}


def values(corpus, sound_id):
    return {name: value for name, (value, _) in corpus.descriptors.of([sound_id]).get(sound_id, {}).items()}


def test_every_scalar_that_freesound_filters_by_has_a_column():
    assert set(SCALARS) == SCALAR | {"category", "subcategory"}


def test_a_harvest_stores_what_is_served_with_its_types(corpus, account):
    for sound_id in IDS:
        own = values(corpus, sound_id)
        assert own == served(account, sound_id)
        assert {name: type(value) for name, value in own.items()} == {name: SCALARS[name] for name in own}
        assert {origin for _, origin in corpus.descriptors.of([sound_id])[sound_id].values()} == {"api"}


def test_what_is_of_another_type_or_no_number_is_left_out():
    odd = {"pitch": 440, "bpm": "120", "note_midi": 69.0, "beat_count": 2**63, "loopable": 1, "depth": True}
    odd |= {
        "tonality": "A minor",
        "warmth": float("nan"),
        "hardness": float("inf"),
        "roughness": 10**400,
        "category": 1,
    }
    assert fitting(odd) == {"pitch": 440.0, "tonality": "A minor"}


@pytest.mark.parametrize(
    ("created", "stored"),
    [
        ("2020-02-03T04:05:06Z", "2020-02-03T04:05:06Z"),
        ("2020-02-03T04:05:06.987", "2020-02-03T04:05:06Z"),
        ("2020-02-03T04:05:06+02:00", "2020-02-03T02:05:06Z"),
        ("0001-01-01T00:00:00+02:00", None),
        ("0987-01-01T00:00:00", "0987-01-01T00:00:00Z"),
        ("yesterday", None),
        ("", None),
        (None, None),
        (2020, None),
    ],
)
def test_dates_are_kept_in_utc_to_the_second(created, stored):
    assert wire.facts({"created": created}).get("created") == stored


@pytest.mark.parametrize(
    ("served", "stored"),
    [((4.25, 3), 8.5), ((4.25, 2), 0.0), ((4.25, None), 0.0), ((None, 9), None), (("4", 9), None)],
)
def test_ratings_are_as_the_api_filters_them(served, stored):
    rating, count = served
    assert wire.facts({"avg_rating": rating, "num_ratings": count}).get("avg_rating") == stored


def test_what_is_computed_goes_before_what_is_served(corpus, mirla):
    before = values(corpus, 4832)
    with corpus.database.write() as connection:
        corpus.descriptors.put(connection, 4832, "computed", {"pitch": 441.5, "loopable": True, "bpm": float("nan")})
    assert values(corpus, 4832) == before | {"pitch": 441.5, "loopable": True}
    shown = mirla("--json", "show", 4832).json["traits"]
    assert shown["pitch"] == {"value": 441.5, "from": "analysis"}
    assert shown["bpm"] == {"value": before["bpm"], "from": "freesound"}
    lines = mirla("show", 4832).out.splitlines()
    assert {"traits from freesound:", "traits from analysis:"} < set(lines)


def test_put_sets_what_it_names_and_leaves_the_rest(corpus):
    with corpus.database.write() as connection:
        corpus.descriptors.put(connection, 4832, "computed", {"pitch": 1.0, "note_name": "A4"})
        corpus.descriptors.put(connection, 4832, "computed", {"pitch": None, "beat_count": 3})
        corpus.descriptors.put(connection, 4832, "computed", {})
        with pytest.raises(ValueError, match="'pich' is no scalar descriptor"):
            corpus.descriptors.put(connection, 4832, "computed", {"pich": 1.0})
    found = corpus.descriptors.of([4832])[4832]
    assert {name: value for name, (value, origin) in found.items() if origin == "computed"} == {
        "note_name": "A4",
        "beat_count": 3,
    }
    assert found["pitch"][1] == "api"


def test_a_refresh_brings_them_up_to_date_and_leaves_computed_ones(corpus, account):
    with corpus.database.write() as connection:
        corpus.descriptors.put(connection, 4832, "computed", {"warmth": 1.0})
        changed = {"pitch": 1.0, "num_downloads": 1}
        corpus.descriptors.serve(connection, {4832: {"pitch": 1.0}}, {4832: {"num_downloads": 1}}, [4832])
        connection.execute(
            sa.text("update sounds set record = :record where id = 4832"), {"record": json.dumps(changed)}
        )
    assert values(corpus, 4832) == {"pitch": 1.0, "warmth": 1.0}
    assert corpus.refresh().updated == 1
    assert values(corpus, 4832) == served(account, 4832) | {"warmth": 1.0}


def test_forgetting_a_sound_forgets_them(corpus, home):
    with corpus.database.write() as connection:
        corpus.descriptors.put(connection, 4832, "computed", {"pitch": 1.0})
    corpus.forget([4832])
    rows = everything(home)
    assert {row[0] for row in rows["traits"]} == {row[0] for row in rows["served"]} == {100055, 75338}
    assert corpus.descriptors.of([4832]) == {}


def test_the_upgrade_fills_them_from_the_stored_records_as_a_harvest_does(
    account, home, tmp_path, samples, monkeypatch
):
    with Corpus(home) as corpus:
        corpus.harvest(Wanted((Query(filter="duration:[0 TO *]"),), audio="none"))
        corpus.adopt([samples[0]])
    expected = everything(home)
    assert len(expected["served"]) == len(account.catalogue.records)
    old = tmp_path / "old"
    old.mkdir()
    monkeypatch.setenv("MIRLA_DATABASE", f"sqlite:///{old / 'corpus.sqlite'}")
    with Database(old / "corpus.sqlite").write(foreign_keys=False) as connection:
        config = Config()
        config.set_main_option("script_location", str(schema.migrations_folder()))
        config.attributes["connection"] = connection
        command.upgrade(config, "0004")
    shutil.copy(home / "corpus.sqlite", tmp_path / "new.sqlite")
    with sqlite3.connect(old / "corpus.sqlite") as database:
        database.execute("attach ? as new", [str(tmp_path / "new.sqlite")])
        database.execute("insert into sounds select * from new.sounds")
        odd = {"pitch": "high", "beat_count": 2**64, "loopable": 1, "warmth": 10**300, "created": 5, "avg_rating": [1]}
        for number, record in enumerate(("null", "[]", "{}", json.dumps(odd)), 1):
            database.execute("insert into sounds (id, name, licence, licence_version, licence_url, added, record)"
                             " values (?, 'odd', '', '', '', '2020-01-01T00:00:00Z', ?)", [number, record])  # fmt: skip
    database.close()
    Corpus(old).close()
    filled = everything(old)
    assert filled["traits"][1:] == expected["traits"]
    warmth = 2 + list(SCALARS).index("warmth")
    assert [(place, value) for place, value in enumerate(filled["traits"][0]) if value is not None] == [
        (0, 4), (1, "api"), (warmth, 1e300),
    ]  # fmt: skip
    assert filled["served"] == [(4, *[None] * 11), *expected["served"]]
