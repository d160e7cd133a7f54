"""What a search finds, held against looking through all the sounds."""

import json
import re

import numpy as np
import pytest

SNARE = 13146


@pytest.fixture
def rows(ask):
    return ask.all(fields="*")


def tagged(row, *tags):
    return any(tag in row["tags"] for tag in tags)


FILTERS = {
    "tag:drum": lambda row: tagged(row, "drum"),
    "tag:drum duration:[0.5 TO 2]": lambda row: tagged(row, "drum") and 0.5 <= row["duration"] <= 2,
    "tag:drum OR tag:tabla": lambda row: tagged(row, "drum", "tabla"),
    "tag:(drum OR tabla) -tag:heavy": lambda row: tagged(row, "drum", "tabla") and not tagged(row, "heavy"),
    "-tag:drum AND NOT tag:tabla": lambda row: not tagged(row, "drum", "tabla"),
    "(tag:drum type:flac) OR (tag:bass channels:1)": lambda row: (
        tagged(row, "drum") or (tagged(row, "bass") and row["channels"] == 1)
    ),
    "tag:dr*": lambda row: any(tag.startswith("dr") for tag in row["tags"]),
    "duration:[* TO 0.2]": lambda row: row["duration"] <= 0.2,
    "duration:{2 TO *]": lambda row: row["duration"] > 2,
    'username:"Autistic Lucario"': lambda row: row["username"] == "Autistic Lucario",
    'license:"Creative Commons 0"': lambda row: "zero" in row["license"],
    'license:("Attribution" OR "Sampling+")': lambda row: re.search(r"/by/|sampling\+", row["license"]),
    "created:[2010-01-01T00:00:00Z TO 2012-01-01T00:00:00Z]": lambda row: (
        "2010" <= row["created"] < "2012-01-01T00:00:01"
    ),
    "created:[* TO 2010-01-01T00:00:00Z}": lambda row: row["created"] < "2010",
    "created:[NOW-3YEAR TO NOW]": lambda row: row["created"] >= "2023-08-02",
    "id:(13146 OR 13120 OR 1)": lambda row: row["id"] in (13146, 13120),
    "spectral_centroid:[1000 TO 2000]": lambda row: 1000 <= (row["spectral_centroid"] or 0) <= 2000,
    "note_midi:(7 OR 8 OR 9)": lambda row: row["note_midi"] in (7, 8, 9),
    "loopable:true channels:2": lambda row: row["loopable"] and row["channels"] == 2,
    "avg_rating:[7 TO *]": lambda row: row["avg_rating"] >= 3.5 and row["num_ratings"] >= 3,
    "pack:tabla": lambda row: row["pack_name"] == "tabla",
    "name:snare": lambda row: "snare" in re.split(r"[ .]", row["name"]),
    "gen_ai_preference:no-gen-ai": lambda row: row["gen_ai_preference"] == "no-gen-ai",
}


@pytest.mark.parametrize(("text", "holds"), FILTERS.items())
def test_filters(ask, rows, text, holds):
    expected = {row["id"] for row in rows if holds(row)}
    assert 0 < len(expected) < 165
    assert set(ask.ids(filter=text)) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Invalid filter."),
        ("lowlevel:3", "Search server error: undefined field lowlevel"),
        ("tag:(drum", "SyntaxError: Cannot parse 'tag:(drum': Encountered \"<EOF>\""),
        ("tag:drum)", 'Encountered ")"'),
        ("duration:[0 4]", "SyntaxError"),
        ("created:[2010-01-01 TO *]", "Invalid Date String:'2010-01-01'"),
        ("duration:long", 'For input string: "long"'),
        ("loudness:-20", "SyntaxError"),
        ("kick", "SyntaxError"),
        ("-bpm:120", "undefined field bpm"),
        ("(bpm:120 OR bpm:121)", "undefined field bpm"),
        ("mfcc:3", "undefined field mfcc"),
    ],
)
def test_filters_that_are_refused(ask, text, words):
    assert words in ask.detail(filter=text, status=400)


def test_words_are_all_wanted_and_stemmed(ask, rows):
    def with_tags(*tags):
        return {row["id"] for row in rows if set(tags) <= set(row["tags"])}

    assert set(ask.ids(query="drums bass")) >= with_tags("drum", "bass")
    assert set(ask.ids(query="drum -bass")) <= with_tags("drum") - with_tags("bass")
    assert ask.ids(query='"bass drum"') != ask.ids(query='"drum bass"')
    assert ask.ids(query="the drum of") == ask.ids(query="drum")


ORDERS = {
    "duration": lambda row: row["duration"],
    "created": lambda row: row["created"].rstrip("Z"),
    "downloads": lambda row: row["num_downloads"],
    "rating": lambda row: (2 * row["avg_rating"] if row["num_ratings"] >= 3 else 0, row["num_ratings"]),
}


@pytest.mark.parametrize(("name", "key"), ORDERS.items())
@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_sorting(ask, name, key, direction):
    found = ask.all(sort=f"{name}_{direction}", fields="duration,created,num_downloads,avg_rating,num_ratings")
    values = [key(row) for row in found]
    assert len(values) == 165
    assert values == sorted(values, reverse=direction == "desc")


def test_sorting_by_a_target(ask):
    found = ask.all(sort="spectral_centroid:1200,duration:2", fields="spectral_centroid,duration")
    distances = [row["distance_to_target"] for row in found]
    assert distances == sorted(distances)
    expected = [np.hypot(row["spectral_centroid"] - 1200, row["duration"] - 2) for row in found]
    assert distances == pytest.approx(expected)


def test_a_batch_shares_its_second(ask):
    dates = [row["created"] for row in ask.all(fields="created")]
    assert max(dates.count(date) for date in dates) == 12


@pytest.mark.parametrize("space", ["laion_clap", "freesound_classic"])
def test_similar_sounds_are_the_nearest_by_cosine(ask, rows, space):
    vectors = {row["id"]: row[f"sim_{space}"] for row in rows if row[f"sim_{space}"]}
    target = np.array(vectors.pop(SNARE))
    cosines = {key: target @ v / np.linalg.norm(target) / np.linalg.norm(v) for key, v in vectors.items()}
    expected = [key for key in sorted(cosines, key=cosines.get, reverse=True) if cosines[key] >= 0.4]
    params = {"similarity_space": space, "fields": "id,score", "page_size": 150}
    found = ask.get(f"/sounds/{SNARE}/similar/", filter="ignored:here", **params)["results"]
    assert [row["id"] for row in found] == expected
    assert found[0]["score"] == pytest.approx((1 + cosines[expected[0]]) / 2)
    assert ask.get(similar_to=SNARE, **params)["results"] == found
    by_vector = ask.get(similar_to=json.dumps(target.tolist()), query="ignored", **params)["results"]
    assert [row["id"] for row in by_vector] == [SNARE, *expected]
    short = [row["id"] for row in rows if row["duration"] < 1]
    filtered = ask.ids(similar_to=SNARE, similarity_space=space, filter="duration:[* TO 1}")
    assert filtered == [key for key in expected if key in short]


def test_similar_to_nothing(ask):
    assert ask.get("/sounds/1/similar/")["count"] == 0
    assert ask.get(f"/sounds/{SNARE}/similar/", similarity_space="other")["count"] == 0
    assert ask.detail(similar_to="abc", status=400) == "The 'similar_to' parameter is not a valid sound ID"
    wrong = "The 'similar_to' parameter is not a valid serialized vector"
    assert ask.detail(similar_to="[1,", status=400) == ask.detail(similar_to="[1,2]", status=400) == wrong
    link = ask.get(f"/sounds/{SNARE}/similar/", page_size=2, fields="id")["next"]
    end = f"/similar/?&page=2&page_size=2&fields=id&similar_to={SNARE}&similarity_space=laion_clap"
    assert link.endswith(end)
    assert ask.get(link)["results"]


def test_one_of_each_pack(ask, rows):
    grouped = ask.all(group_by_pack=1, fields="id,pack,created")
    packs = [row["pack"] for row in grouped if row["pack"]]
    assert len(packs) == len(set(packs)) == len({row["pack"] for row in rows} - {None})
    for row in grouped:
        assert not row["pack"] or row["created"] == max(each["created"] for each in rows if each["pack"] == row["pack"])
    tabla = next(row for row in grouped if row.get("n_from_same_pack", 0) > 20)
    assert len(ask.get(tabla["more_from_same_pack"] + "&page_size=150")["results"]) == tabla["n_from_same_pack"]
