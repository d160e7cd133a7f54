"""What a harvest can be asked for: by chance, likeness, recipe, only unlike sounds, lists; and what it would cost."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from corpus import Corpus
from corpus.errors import HarvestError
from corpus.recipe import load, lock_beside
from corpus.wanted import Query, Wanted
from tests.corpus.harvested import enter
from tests.freesound.server import Freesound

RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.fixture
def account(freesound, monkeypatch):
    enter(monkeypatch, freesound)
    return freesound


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A Freesound with 6000 sounds, every third id."""
    with Freesound(tmp_path_factory.mktemp("large"), sounds=6000) as server:
        yield server


def brought(home, *queries, **bounds):
    """Harvest without audio; the report, and the ids in the order in which they came."""
    with Corpus(home) as corpus:
        report = corpus.harvest(Wanted(queries, **{"audio": "none", **bounds}))
        return report, corpus.harvests.brought(corpus.harvests.get(report.harvest))


def test_by_chance_of_all_of_freesound(large, home, tmp_path, monkeypatch):
    enter(monkeypatch, large)
    report, ids = brought(home, Query(random=120, seed=1))
    assert len(set(ids)) == report.found == 120
    assert report.requests < 8, "a page of draws at a time"
    assert 0.4 < np.mean(np.array(ids) < 10_000) < 0.6, "from the oldest to the newest"
    assert brought(tmp_path / "same", Query(random=120, seed=1))[1] == ids
    other = brought(tmp_path / "other", Query(random=120, seed=2))[1]
    assert len(set(ids) & set(other)) < 20


def test_by_chance_of_what_fits(large, home, tmp_path, monkeypatch):
    enter(monkeypatch, large)
    short = Query(filter="duration:[0 TO 5]")
    every = brought(tmp_path / "every", short, max_sounds=6000)[1]
    report, ids = brought(home, Query(filter=short.filter, random=60, seed=3))
    assert report.found == 60
    assert set(ids) < set(every)
    assert 0.3 < np.mean(np.isin(ids, sorted(every)[: len(every) // 2])) < 0.7
    assert brought(tmp_path / "same", Query(filter=short.filter, random=60, seed=3))[1] == ids
    assert len(brought(tmp_path / "few", Query(filter="id:(1000 OR 1003)", random=60))[1]) == 2


def test_by_chance_gives_up_where_nearly_no_id_exists(account, home):
    report, ids = brought(home, Query(random=100))
    assert report.state == "done"
    assert report.requests <= 60
    assert len(ids) < 20


def test_by_likeness_as_the_api_has_it(account, ask, home):
    listed = [row["id"] for row in ask.get("/sounds/100055/similar/", page_size=150, fields="id")["results"]]
    assert brought(home, Query(like=100055))[1] == [100055, *listed]
    with Corpus(home) as corpus:
        assert corpus.similar_lists.of(100055) == listed, "a list that was asked for anyway is kept"


def test_by_likeness_over_several_pages_and_hops(account, home, tmp_path, monkeypatch):
    nearest = brought(home, Query(like=100055))[1]
    hopped = brought(tmp_path / "hops", Query(like=100055, hops=2))[1]
    assert hopped[: len(nearest)] == nearest
    assert len(hopped) > len(nearest)
    monkeypatch.setattr("corpus.freesound.client.PAGE_SIZE", 10)
    assert brought(tmp_path / "pages", Query(like=100055))[1] == nearest


def test_bounds_narrow_a_list_of_similar_sounds(account, home):
    _, ids = brought(home, Query(like=100055, max_duration=0.5))
    with Corpus(home) as corpus:
        assert ids
        assert all(sound.duration <= 0.5 for sound in corpus.sounds.many(ids))
        assert corpus.similar_lists.of(100055) is None, "it is not the whole list"


def test_only_unlike_sounds_are_taken(account, home):
    _, ids = brought(home, Query(text="drum", take=6, unlike=0.3))
    with Corpus(home) as corpus:
        sounds = corpus.sounds.many(ids)
        assert len({sound.username for sound in sounds}) == len(ids) == 6
        vectors = [corpus.vectors.of_sound(number).get("freesound_classic") for number in ids]
        X = np.array([vector / np.linalg.norm(vector) for vector in vectors if vector is not None])
        assert len(X) >= 5, "one sound has none"
        distances = 1 - X @ X.T + np.eye(len(X))
        assert distances.min() > 0.3
    closest = brought(home.with_name("closer"), Query(text="drum", take=6, unlike=0.0))[1]
    assert closest != ids, "the distance refused some"


def test_unlike_goes_on_where_it_stopped(account, home, tmp_path, monkeypatch):
    monkeypatch.setattr("corpus.freesound.client.PAGE_SIZE", 5)
    wanted = Wanted((Query(text="drum", take=9, unlike=0.1), Query(text="loop", take=4, unlike=0.1)), audio="none")
    calm = brought(tmp_path / "calm", *wanted.queries)[1]
    with Corpus(home) as corpus:
        harvest = corpus.harvests.start(wanted.as_json())
        monkeypatch.setattr("corpus.harvest.Harvesting._show", interrupt)
        while corpus.harvests.get(harvest.id).state == "running":
            with pytest.raises(KeyboardInterrupt):
                corpus.harvest(resume=harvest.id)
        assert corpus.harvests.brought(harvest) == calm


def interrupt(*_):
    raise KeyboardInterrupt


def test_similar_lists_are_kept_in_the_apis_order(account, ask, home):
    report, ids = brought(home, Query(tags=("tabla",)), similar=5)
    assert report.lists == len(ids)
    with Corpus(home) as corpus:
        assert corpus.similar_lists.count() == len(ids)
        for number in ids[:5]:
            rows = ask.get(f"/sounds/{number}/similar/", page_size=5, fields="id")["results"]
            assert corpus.similar_lists.of(number) == [row["id"] for row in rows]
    again, _ = brought(home, Query(tags=("tabla",)), similar=5)
    assert again.lists == 0, "what is there is not asked for again"
    assert brought(home, Query(tags=("tabla",)), similar=6)[0].lists == len(ids)


@pytest.fixture
def recipe(tmp_path):
    file = tmp_path / "kit.toml"
    file.write_text('about = "a kit"\naudio = "lq-ogg"\n\n[[query]]\ntext = "drum"\ntake = 4\nunlike = 0.1\n')
    return file


def test_a_recipe_is_locked_and_brings_the_same_again(account, home, recipe, tmp_path):
    with Corpus(home) as corpus:
        first = corpus.harvest(load(recipe))
        ids = corpus.harvests.brought(corpus.harvests.get(first.harvest))
        lock = json.loads(lock_beside(recipe).read_text())
        assert [sound["id"] for sound in lock["sounds"]] == ids
        hashes = [sound.file.sha256 for sound in corpus.sounds.many(ids)]
        assert [sound["sha256"] for sound in lock["sounds"]] == hashes
        assert all(sound["checked"].startswith("20") for sound in lock["sounds"])
    account.delete(ids[0])
    with Corpus(tmp_path / "other") as corpus:
        again = corpus.harvest(load(recipe))
        assert sorted(corpus.sounds.ids().tolist()) == sorted(ids[1:])
        assert again.failed == [(ids[0], "Freesound has no such sound, or not any more")]
        anew = corpus.harvest(load(recipe, relock=True))
        assert anew.found == 4, "the queries as they are answered today"
        assert ids[0] not in [sound["id"] for sound in json.loads(lock_beside(recipe).read_text())["sounds"]]


def test_audio_that_is_not_what_was_locked_is_listed(account, home, recipe, tmp_path):
    with Corpus(home) as corpus:
        ids = corpus.harvests.brought(corpus.harvests.get(corpus.harvest(load(recipe)).harvest))
    lock = lock_beside(recipe)
    lock.write_text(lock.read_text().replace(json.loads(lock.read_text())["sounds"][1]["sha256"], "0" * 64))
    with Corpus(tmp_path / "other") as corpus:
        failed = corpus.harvest(load(recipe)).failed
    assert [number for number, _ in failed] == [ids[1]]
    assert "its audio is not what kit.lock.json has" in failed[0][1]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('[[query]]\ntag = ["x"]\n', "query 1: unknown key 'tag'; known are text"),
        ('[[query]]\ntags = "x"\n', "query 1: tags = 'x' is not a list that fits"),
        ("[[query]]\nids = [1, 'x']\n", r"ids = \[1, 'x'\] is not a list that fits"),
        ("[[query]]\nlike = true\n", "like = True is not a number that fits"),
        ("max_sound = 3\n", "unknown key 'max_sound'; known are about"),
        ('about = "x"\n', "holds no .*query"),
        ("query = [3]\n", "query 1: 3 is not a table"),
        ("[[query]\n", "is not TOML"),
        ("[[query]]\nmax_duration = 3\n", "a harvest without any bound is refused"),
        ("[[query]]\nids = [-1, 0]\n", "-1 is not a Freesound id; they go from 1 to 999999999"),
        ("[[query]]\nrandom = -5\n", "random = -5 makes no sense; give 1 to 1e"),
        ("[[query]]\ntext = 'x'\ntake = 0\n", "take = 0 makes no sense"),
        ("[[query]]\nlike = 5\nhops = 99\n", "hops = 99 makes no sense; give 1 to 5"),
        ("[[query]]\ntext = 'x'\nunlike = nan\n", "unlike = nan makes no sense; give 0 to 2"),
        ("similar = -1\n[[query]]\ntext = 'x'\n", "similar = -1 makes no sense; give 0 to 150"),
    ],
)
def test_a_recipe_that_is_wrong_says_where(tmp_path, content, words):
    file = tmp_path / "wrong.toml"
    file.write_text(content)
    with pytest.raises(HarvestError, match=words):
        load(file)


def test_a_lock_of_another_recipe_is_not_taken(account, home, recipe):
    with Corpus(home) as corpus:
        corpus.harvest(load(recipe))
    recipe.write_text(recipe.read_text().replace("take = 4", "take = 5"))
    with pytest.raises(HarvestError, match=r"was changed after kit.lock.json was written; harvest with --relock"):
        load(recipe)
    lock_beside(recipe).write_text("{}")
    with pytest.raises(HarvestError, match="is not a lock file of mirla"):
        load(recipe)
    with pytest.raises(HarvestError, match="cannot be read: No such file"):
        load(recipe.with_name("none.toml"))


def test_a_lock_is_of_the_recipe_as_it_was_begun_and_gets_the_hashes_it_lacked(account, home, recipe, tmp_path):
    with Corpus(home) as corpus:
        harvest = corpus.harvests.start(replace(load(recipe), max_bytes=20_000).as_json())
        before = recipe.read_text()
        recipe.write_text(before.replace("drum", "bell"))
        assert not corpus.harvest(resume=harvest.id).within_bytes
        with pytest.raises(HarvestError, match=r"was changed after kit.lock.json was written"):
            load(recipe)
        recipe.write_text(before)
        lacking = [sound["sha256"] is None for sound in json.loads(lock_beside(recipe).read_text())["sounds"]]
        assert any(lacking)
        assert corpus.harvest(load(recipe)).failed == []
        assert all(sound["sha256"] for sound in json.loads(lock_beside(recipe).read_text())["sounds"])


def test_a_folder_that_takes_no_lock_file_is_found_out_first(account, home, recipe, monkeypatch):
    monkeypatch.setattr("corpus.recipe.tempfile.TemporaryFile", refuse)
    with Corpus(home) as corpus:
        with pytest.raises(HarvestError, match=r"cannot write .*kit.lock.json: Read-only file system; copy the"):
            corpus.harvest(load(recipe))
        assert not account.asked("api")


def refuse(**_):
    raise OSError(30, "Read-only file system")


def test_the_papers_recipe():
    wanted = load(RECIPES / "popular-tags.toml", relock=True)
    tags = "electronic bass voice drum loop noise soundscape ambience metal effect".split()
    assert [query.tags for query in wanted.queries] == [(tag,) for tag in tags]
    assert {(query.take, query.unlike) for query in wanted.queries} == {(13, 0.1)}
    assert wanted.max_sounds == 130


@pytest.mark.parametrize(
    "queries",
    [
        [Query(text="drum")],
        [Query(tags=("tabla",)), Query(ids=(100055, 4832))],
        [Query(like=100055)],
        [Query(text="drum", random=9)],
    ],
)
def test_an_estimate_is_near_what_it_comes_to(account, home, queries):
    wanted = Wanted(tuple(queries), similar=2)
    with Corpus(home) as corpus:
        cost = corpus.estimate(wanted)
        assert corpus.harvests.all() == [], "nothing is begun"
        assert corpus.status()["sounds"] == 0
        report = corpus.harvest(wanted)
    assert cost.sounds == report.found
    assert report.requests <= cost.requests <= report.requests + 1
    assert 0.3 < report.bytes / cost.bytes < 3
    assert cost.minutes == round(cost.requests / 2000, 1)


def test_an_estimate_says_how_many_days_it_takes(account, home, monkeypatch):
    monkeypatch.setenv("MIRLA_FREESOUND_PER_DAY", "10")
    with Corpus(home) as corpus:
        cost = corpus.estimate(Wanted((Query(text="drum"),), similar=1))
    assert (cost.requests, cost.requests_left, cost.days) == (35, 9, 3)
