"""Lists of a local Freesound: what is found, in which order, in which fields and pages; against the corpus itself."""

import json
import shutil

import numpy as np
import pytest

from corpus import Corpus
from corpus.store.filters import values
from engine.agent.judging import judge
from engine.query.run import Choice, search, similar
from tests.audio_files import write_tone
from tests.engine.server.conftest import running

SNARE = 13146
MEASURES = ["mfcc", "mfcc_cosine", "mfcc_raw", "0.7*mfcc+0.3*mfcc_pca"]


def test_words_are_found_in_the_engines_own_order(own):
    for text in ("drum", "drum -bass", '"bass drum"', "loop amen"):
        hits = search(own.corpus, Choice(k=1000, text=text)).hits
        assert own.ids(query=text) == [hit.sound.id for hit in hits] != []


def test_pages_follow_one_another(own):
    first = own.get(query="drum", filter="duration:[0 TO 4]", page_size=7, fields="id,name")
    assert list(first) == ["count", "previous", "next", "results"]
    assert first["next"] == (
        f"{own.url}/search/?&query=drum&filter=duration:%5B0%20TO%204%5D&weights=&page=2&page_size=7&fields=id,name"
    )
    second = own.get(first["next"])
    assert own.get(second["previous"]) == first
    assert own.get("search/text/", query="drum", page_size=7)["next"].startswith(f"{own.url}/search/?&query=drum&")
    assert not {row["id"] for row in first["results"]} & {row["id"] for row in second["results"]}
    assert len(own.all(query="drum", filter="duration:[0 TO 4]")) == first["count"]


def test_a_link_keeps_all_that_was_asked(own):
    asked = {"agent": "drums", "strict": "0.6", "filter": '-tag:"a+b"', "sort": "duration_asc"}
    page = own.get(page_size=2, fields="id,duration", **asked)
    rows = own.all(fields="id,duration", **asked)
    assert own.get(page["next"])["results"] == rows[2:4]
    near = own.get(f"sounds/{SNARE}/similar/", page_size=2, similarity_space="mfcc_pca", agent="drums", fields="id")
    assert near["next"] == (
        f"{own.url}/sounds/{SNARE}/similar/?&page=2&page_size=2&fields=id&similar_to={SNARE}"
        "&similarity_space=mfcc_pca&agent=drums"
    )
    assert own.get(near["next"])["count"] == near["count"]


@pytest.mark.parametrize(
    ("params", "rows"),
    [({}, 15), ({"page_size": 151}, 150), ({"page_size": "many"}, 15), ({"page": "x"}, 15), ({"page": 2}, 15)],
)
def test_sizes_of_pages(own, params, rows):
    assert len(own.get(**params)["results"]) == rows


@pytest.mark.parametrize("params", [{"page": 99}, {"page": 0}, {"page_size": 0}, {"page": -1}, {"page": "9" * 18}])
def test_pages_that_are_not_there(own, params):
    assert own.detail(status=404, **params) == "Not found"


def test_finding_nothing_has_every_page(own):
    assert own.get(query="zebra", page=9) == {"count": 0, "previous": None, "next": None, "results": []}


def test_a_page_far_down_is_the_same_as_the_whole_cut(own):
    whole = own.ids(sort="duration_desc")
    assert own.get(sort="duration_desc", page=9, page_size=10, fields="id")["results"] == [
        {"id": sound_id} for sound_id in whole[80:90]
    ]


def test_fields_come_in_the_servers_order_and_unknown_ones_not_at_all(own):
    assert list(own.get()["results"][0]) == ["id", "name", "tags", "license", "username"]
    assert list(own.get(fields="name,mfcc,id,analysis,score")["results"][0]) == ["id", "name", "mfcc", "score"]
    assert list(own.get(fields="")["results"][0]) == ["id", "name", "tags", "license", "username"]
    assert list(own.get(fields="sim_mfcc,sim_other,id")["results"][0]) == ["id", "sim_mfcc"]


def test_filters_are_those_of_the_command_line(own):
    for narrow in ("duration:[0.5 TO 2]", "tag:drum -channels:1", "duration:[* TO 1] tag:(loop OR drum)", "tag:x"):
        expected = [hit.sound.id for hit in search(own.corpus, Choice(k=1000, filter=narrow)).hits]
        assert own.ids(filter=narrow) == expected
        text = [hit.sound.id for hit in search(own.corpus, Choice(k=1000, filter=narrow, text="drum")).hits]
        assert own.ids(filter=narrow, query="drum") == text


@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize(
    ("name", "field"), [("duration", "duration"), ("created", "created"), ("downloads", "num_downloads")]
)
def test_sorting(harvested, name, field, direction):
    found = [row[field] for row in harvested.all(sort=f"{name}_{direction}", fields=field)]
    found = [value.rstrip("Z") if isinstance(value, str) else value for value in found]
    assert found == sorted(found, reverse=direction == "desc")
    assert len(set(found)) > 20


def test_ratings_that_are_the_same_go_by_their_number(harvested):
    rows = harvested.all(sort="rating_desc", fields="id,num_ratings")
    known = values(harvested.corpus.database, [row["id"] for row in rows])
    keys = [(known[row["id"]]["avg_rating"], row["num_ratings"]) for row in rows]
    assert keys == sorted(keys, reverse=True)


def test_sorting_by_targets(harvested):
    rows = harvested.all(sort="spectral_centroid:1200,duration:2", fields="spectral_centroid,duration")
    distances = [np.hypot(row["spectral_centroid"] - 1200, row["duration"] - 2) for row in rows]
    assert [row["distance_to_target"] for row in rows] == pytest.approx(distances, abs=1e-3)
    assert distances == sorted(distances)


def test_weights_choose_the_texts_and_their_order(own):
    names = {sound.id: sound.name for sound in own.corpus.sounds.many(own.corpus.sounds.ids().tolist())}
    in_names = own.ids(query="loop", weights="name:1,tag:0")
    assert set(in_names) == {sound_id for sound_id, name in names.items() if "loop" in name.split("_")}
    assert set(own.ids(query="loop", weights="tag:3,name:1")) >= set(in_names)
    assert own.ids(query="loop", weights="loud") == own.ids(query="loop") == own.ids(query="loop", weights="pack:2")


@pytest.mark.parametrize("space", MEASURES)
def test_every_measure_is_a_space(own, space):
    hits = similar(own.corpus, SNARE, Choice(k=1000), space).hits
    found = own.all(f"sounds/{SNARE}/similar/", similarity_space=space, fields="id,score", query="zebra", filter="x:1")
    assert [row["id"] for row in found] == [hit.sound.id for hit in hits]
    scores = [row["score"] for row in found]
    assert scores == sorted(scores, reverse=True)
    assert own.all(similar_to=SNARE, similarity_space=space, fields="id,score", query="zebra") == found
    short = [hit.sound.id for hit in similar(own.corpus, SNARE, Choice(k=1000, filter="duration:[0 TO 1]"), space).hits]
    assert own.ids(similar_to=SNARE, similarity_space=space, filter="duration:[0 TO 1]") == short


@pytest.mark.parametrize("space", ["laion_clap", "freesound_classic"])
def test_the_apis_own_spaces(harvested, space):
    rows = harvested.all(fields=f"id,sim_{space}")
    vectors = {row["id"]: np.array(row[f"sim_{space}"]) for row in rows if row[f"sim_{space}"]}
    target = vectors.pop(SNARE)
    cosines = {key: target @ v / np.linalg.norm(target) / np.linalg.norm(v) for key, v in vectors.items()}
    expected = [key for key in sorted(cosines, key=cosines.get, reverse=True) if cosines[key] >= 0.4]
    found = harvested.all(f"sounds/{SNARE}/similar/", similarity_space=space, fields="id,score")
    assert [row["id"] for row in found] == expected
    assert [row["score"] for row in found] == pytest.approx([(1 + cosines[key]) / 2 for key in expected], abs=1e-5)
    by_vector = harvested.ids(similar_to=json.dumps(target.tolist()), similarity_space=space)
    assert by_vector == [SNARE, *expected]
    assert harvested.ids(similar_to=json.dumps(target.tolist())) == by_vector, "the space of that dimension"


def test_the_default_space_is_the_first_that_the_sound_has(harvested, own):
    rows = harvested.all(fields="id,sim_laion_clap,sim_freesound_classic")
    without = next(row["id"] for row in rows if not row["sim_laion_clap"] and row["sim_freesound_classic"])
    for sound_id, space in ((SNARE, "laion_clap"), (without, "freesound_classic")):
        given = harvested.ids(f"sounds/{sound_id}/similar/", similarity_space=space)
        assert harvested.ids(f"sounds/{sound_id}/similar/") == given != []
    assert own.ids(f"sounds/{SNARE}/similar/") == own.ids(f"sounds/{SNARE}/similar/", similarity_space="mfcc") != []


def test_similar_to_nothing(own):
    assert own.get("sounds/1/similar/")["count"] == 0
    assert own.get(f"sounds/{SNARE}/similar/", similarity_space="other")["count"] == 0
    assert own.get(similar_to=SNARE, similarity_space="laion_clap")["count"] == 0
    assert own.detail(similar_to="abc") == "The 'similar_to' parameter is not a valid sound ID"
    wrong = "The 'similar_to' parameter is not a valid serialized vector"
    bad = ["[1,", "[]", "[NaN]", '["1"]', "[1,2]", "[true]", f"[{'1,' * 5000}1]", "[" * 5000, "[1e400]"]
    assert {own.detail(similar_to=vector, similarity_space="mfcc_raw") for vector in bad} == {wrong}
    assert own.detail(similar_to="[1, 2]", similarity_space="mfcc") == wrong


def test_an_agent_filters_any_list(own):
    verdicts = judge(own.corpus, "drums")
    sure = set(verdicts.ids[verdicts.is_good & (verdicts.p >= 0.8)].tolist())
    good = set(verdicts.good.tolist())
    assert set() < sure < good
    assert set(own.ids(agent="drums")) == good
    assert set(own.ids(agent="drums", strict=0.8)) == sure
    assert set(own.ids(query="drum", agent="drums")) == good & set(own.ids(query="drum"))
    near = own.ids(f"sounds/{SNARE}/similar/", similarity_space="mfcc", agent="drums")
    assert near == [one for one in own.ids(f"sounds/{SNARE}/similar/", similarity_space="mfcc") if one in good]
    assert set(own.ids(agent=["drums", "drums"])) == good
    assert "no agent 'nobody'" in own.detail(agent=["nobody", "drums"])
    assert "no agent 'nobody'" in own.detail(agent="nobody")
    assert "agent" in own.detail(strict=0.8)
    assert own.detail(agent="drums", strict="nan") == "The 'strict' parameter is not a probability from 0 to 1"


def test_packs_are_not_grouped(own):
    assert own.ids(group_by_pack=1) == own.ids()
    assert "group_by_pack=1" in own.get(group_by_pack=1)["next"]


def test_what_changes_is_seen_at_once(own_home, tmp_path):
    shutil.copytree(own_home, tmp_path / "home")
    with running(tmp_path / "home") as local:
        before = local.get(query="tone", sort="created_desc")
        with Corpus(tmp_path / "home") as other:
            (new,) = other.adopt([write_tone(tmp_path / "a tone.wav", 440)]).ids
        after = local.get(query="tone", sort="created_desc")
        assert after["count"] == before["count"] + 1
        assert after["results"][0]["id"] == new
