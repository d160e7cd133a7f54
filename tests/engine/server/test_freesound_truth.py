"""What a local Freesound says is true, and goes on being so: dates that move, users, vectors, sorts and filters."""

import json
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from corpus import Corpus
from corpus.filters import FIELDS, parse
from corpus.model import Sound
from engine.query.run import Choice, similar
from engine.server.freesound import search as searching
from tests.engine.server.conftest import running

SNARE = 13146
DOCS = Path(__file__).parents[3] / "docs" / "freesound.md"


def add(corpus, *sounds, **record):
    with corpus.database.write() as connection:
        corpus.sounds.insert(
            connection, sounds, {one.id: {"created": "2024-02-03T10:11:12Z"} | record for one in sounds}
        )


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """A local Freesound with users and packs of odd names."""
    home = tmp_path_factory.mktemp("people") / "home"
    with Corpus(home) as corpus:
        add(
            corpus,
            Sound(11, "a", "Alba", pack="roofs"),
            Sound(12, "b", "alba", pack="roofs"),
            Sound(13, "c", "12345"),
            Sound(14, "d", "who? #1 & co/%2F 日本", pack="odd one"),
            Sound(15, "e", "local", pack="not nobody's"),
            Sound(16, "f", None, pack="nobody's"),
        )
    with running(home) as local:
        yield local


class Clock(datetime):
    """A time that can be set forward."""

    later = timedelta()

    @classmethod
    def now(cls, tz=None):
        return datetime.now(tz) + cls.later


def test_now_goes_on_though_nothing_changes(own, monkeypatch):
    monkeypatch.setattr(Clock, "later", timedelta())
    monkeypatch.setattr(searching, "datetime", Clock, raising=False)
    recent = "created:[NOW-1DAY TO NOW+1DAY]"
    everything = own.get()["count"]
    for params in ({"filter": recent}, {"filter": f"-(-{recent})", "query": ""}):
        monkeypatch.setattr(Clock, "later", timedelta())
        assert own.get(**params)["count"] == everything
        monkeypatch.setattr(Clock, "later", timedelta(days=9))
        assert own.get(**params)["count"] == 0
    assert own.get(filter=f"-{recent}")["count"] == everything


def test_a_user_may_have_a_number_for_a_name(people):
    assert people.get("users/12345/")["num_sounds"] == 1
    assert people.ids("users/12345/sounds/") == [13]
    assert people.detail("users/" + "9" * 5000 + "/", 404) == "No User matches the given query."


def test_a_user_may_have_any_name(people):
    name = "who? #1 & co/%2F 日本"
    path = f"users/{quote(name, safe='')}/"
    add(people.corpus, *(Sound(100 + number, "more", name) for number in range(20)))
    told = people.get(path)
    assert (told["username"], told["num_sounds"], told["num_packs"]) == (name, 21, 1)
    page = people.get(told["sounds"])
    assert page["next"] == f"{people.url}/{path}sounds/?page=2"
    assert [row["id"] for row in people.get(page["next"])["results"]] == people.ids(f"{path}sounds/")[15:]
    assert len(people.ids(told["packs"])) == 1


def test_a_user_is_called_as_stored_and_has_each_pack_once(people):
    told = people.get("users/ALBA/")
    assert told["username"] in ("Alba", "alba")
    assert (told["num_sounds"], told["num_packs"], told["date_joined"]) == (2, 1, None)
    (pack,) = people.all("users/alba/packs/")
    assert (pack["name"], pack["num_sounds"]) == ("roofs", 2)
    assert people.get(f"packs/{pack['id']}/") == pack
    assert sorted(people.ids(f"packs/{pack['id']}/sounds/")) == [11, 12]
    assert {people.get(f"sounds/{number}/")["pack"] for number in (11, 12)} == {f"{people.url}/packs/{pack['id']}/"}


def test_local_is_nobody(people):
    told = people.get("users/local/")
    assert (told["username"], told["num_sounds"], told["num_packs"]) == ("local", 1, 1)
    assert [pack["name"] for pack in people.all("users/local/packs/")] == ["nobody's"]
    (pack,) = people.all("users/local/packs/")
    assert people.ids(f"packs/{pack['id']}/sounds/") == [16]


def test_a_score_stays_whatever_the_sort(own):
    scores = {row["id"]: row["score"] for row in own.all(query="bass", fields="id,score")}
    assert len(set(scores.values())) > 1
    for sort in ("duration_asc", "created_desc", "duration:1"):
        assert {row["id"]: row["score"] for row in own.all(query="bass", fields="id,score", sort=sort)} == scores
    near = {row["id"]: row["score"] for row in own.all(f"sounds/{SNARE}/similar/", fields="id,score")}
    by_length = own.all(f"sounds/{SNARE}/similar/", fields="id,score", sort="duration_desc")
    assert {row["id"]: row["score"] for row in by_length} == near


@pytest.mark.parametrize(
    "narrow", ["type:ogg", "filesize:[1 TO *]", "created:[2026-01-01 TO *]", "samplerate:[1 TO *]"]
)
def test_what_a_record_lacks_the_file_says_in_filters_of_any_size_and_order(own_home, tmp_path, narrow):
    home = shutil.copytree(own_home, tmp_path / "home")
    with Corpus(home) as corpus:
        served = int(corpus.sounds.ids(with_audio=True)[0])
        with corpus.database.write() as connection:
            connection.execute(sa.text("insert into served (sound_id, num_downloads) values (:id, 7)"), {"id": served})
            connection.execute(sa.text("update files set format = 'ogg' where sound_id = :id"), {"id": served})
    with running(home) as local:
        part, rest = parse(narrow), "num_downloads:7"
        few = {tuple(local.ids(filter=f"{rest} {narrow}")), tuple(local.ids(filter=f"{narrow} {rest}"))}
        assert few == {(served,)}
        assert served in local.corpus.sounds.ids(fitting=part).tolist()


SPACES = dict.fromkeys(("mfcc", "mfcc_raw", "mfcc_means", "mfcc_cosine", "mfcc_pca"), "mfcc")
SPACES |= {"mfcc_gauss": "mfcc_frames", "traits": "traits9"}


@pytest.fixture(scope="module")
def measured(small_home, tmp_path_factory):
    """A local Freesound over sounds with vectors of several spaces."""
    home = shutil.copytree(small_home, tmp_path_factory.mktemp("measured") / "home")
    with Corpus(home) as corpus:
        corpus.analyse(["mfcc", "mfcc_frames", "traits9"], jobs=1)
    with running(home) as local:
        yield local


@pytest.mark.parametrize("space", SPACES)
def test_a_vector_that_was_fetched_finds_its_sound_and_what_is_near(measured, space):
    field = f"sim_{SPACES[space]}"
    vector = measured.get(f"sounds/{SNARE}/", fields=field)[field]
    found = measured.all(similar_to=json.dumps(vector), similarity_space=space, fields="id,score")
    hits = similar(measured.corpus, SNARE, Choice(k=1000), space).hits
    assert [row["id"] for row in found] == [SNARE, *(hit.sound.id for hit in hits)]
    assert found[0]["score"] == 1
    if space == "mfcc":
        assert measured.all(similar_to=json.dumps(vector), fields="id,score") == found, "the first of that dimension"


def test_a_vector_that_a_space_does_not_take(measured):
    words = measured.detail(similar_to=json.dumps([1] * 26), similarity_space="freesound_list")
    assert words.startswith(
        "The similarity space freesound_list takes a sound ID; vectors of 26 numbers go with mfcc, "
    )
    assert "laion_clap" not in words and "api_mfcc" not in words
    words = measured.detail(similar_to="[1,2,3]", similarity_space="0.5*mfcc+0.5*traits")
    assert words.endswith("no space here has vectors of 3 numbers")
    singular = [0.0] * 13 + [-1.0 if row == column else 0.0 for row in range(13) for column in range(row, 13)]
    wrong = "The 'similar_to' parameter is not a valid serialized vector"
    assert measured.detail(similar_to=json.dumps(singular), similarity_space="mfcc_gauss") == wrong


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("number", [0, -1, 1e29, -1e29, 1e-30])
def test_a_vector_that_no_sound_has(measured, space, number):
    dims = len(measured.get(f"sounds/{SNARE}/", fields=f"sim_{SPACES[space]}")[f"sim_{SPACES[space]}"])
    answer = measured.ask(similar_to=json.dumps([number] * dims), similarity_space=space, fields="id,score")
    assert answer.status_code in (200, 400), answer.text
    if answer.status_code == 200:
        assert all(0 <= row["score"] <= 1 for row in answer.json()["results"])


def test_sort_targets_read_exponents_and_name_what_there_is(harvested):
    plain = harvested.get(sort="duration:2", fields="id")
    assert harvested.get(sort="duration:2e0", fields="id") | {"next": ""} == plain | {"next": ""}
    assert harvested.get(sort="duration:.2E+1", fields="id")["results"] == plain["results"]
    for sort in ("what:3,duration:2", "duration:", "duration:x", "duration:1e999", "name:1"):
        words = harvested.detail(sort=sort)
        assert words.startswith("Search server error: the sort ")
        assert "--" not in words
    assert harvested.ids(sort="loudest_first") == harvested.ids()


def test_other_formats_are_refused(own):
    for name in ("yaml", "xml", "jsonp", "api"):
        assert own.detail(format=name) == f"format={name} is not written here; leave it out, or ask for format=json"
        assert name in own.detail(f"sounds/{SNARE}/", format=name)
    assert own.get(format="json") == own.get()


def test_nobody_is_told_of_a_command_line(own):
    for params in ({"agent": "nobody"}, {"strict": 0.8}, {"agent": "drums", "strict": 2}):
        words = own.detail(**params)
        assert "--" not in words and "mirla" not in words
    assert "'agent'" in own.detail(strict=0.8)


OF_THE_API = """
    id name tag description category subcategory geotag is_geotagged created license gen_ai_preference type channels
    filesize bitrate bitdepth duration samplerate username md5 is_remix was_remixed is_explicit pack pack_grouping
    num_downloads avg_rating num_ratings comment num_comments in_remix_group birdnet_detected_class
    fsdsinet_detected_class
""".split()
"""What Freesound filters by, but for the scalar descriptors."""


def test_the_documents_list_the_fields_that_no_filter_knows():
    lacking = {name for name in OF_THE_API if name not in FIELDS}
    (line,) = [one for one in DOCS.read_text(encoding="utf-8").split("\n* ") if one.startswith("Filters are those")]
    assert lacking == {name for name in OF_THE_API if f"`{name}`" in line}


def test_legacy_does_not_keep_todays_clients_from_their_answers(old, today):
    for params in (
        {"similar_to": SNARE, "similarity_space": "mfcc_pca"},
        {"similar_to": SNARE, "fields": "id,score"},
        {"query": "drum", "fields": "score,id"},
        {"sort": "duration:2", "fields": "id"},
    ):
        answer = json.loads(old.ask(**params).text.replace(old.url, today.url))
        assert answer == today.get(**params)
    assert "not a valid" in old.detail(similar_to="x")
    near = old.get(f"sounds/{SNARE}/similar/", similarity_space="mfcc")
    assert SNARE not in [row["id"] for row in near["results"]]
    assert old.ask(f"sounds/{'9' * 5000}/").json() == {"detail": "Not found."}
