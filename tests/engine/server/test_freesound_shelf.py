"""What a local Freesound keeps is never stale, whoever writes; and what no answer is made from costs it nothing."""

import asyncio
import json
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest

from corpus import Corpus
from engine.server.freesound.app import freesound_app
from engine.server.freesound.shelf import AGENTS, SOUNDS, VECTORS, Later, Shelf

FAMILIES = {
    "sounds": ("sounds", "tags", "files", "served", "traits"),
    "vectors": ("vectors", "spaces", "similar_lists"),
    "agents": ("agents", "models", "annotations"),
}
KEPT = (SOUNDS, VECTORS, AGENTS)
WRITES = {
    "a sound's name": "update sounds set name = 'zebra drum' where id = {id}",
    "its length": "update sounds set duration = 0.001 where id = {id}",
    "its tags": "insert into tags values ({id}, 'zebra', 90)",
    "its texts": "update sound_text set description = 'drum drum' where rowid = {id}",
    "a sound that goes": "delete from files where sound_id = {id}",
    "a trait": "insert or replace into traits (sound_id, origin, pitch) values ({id}, 'computed', 61.5)",
    "a vector": "update vectors set data = zeroblob(length(data)) where sound_id = {id}",
    "vectors that go": "delete from vectors where sound_id = {id}",
    "a verdict": "update models set verdicts = '{{}}'",
    "what was served": "insert or replace into served (sound_id, num_downloads) values ({id}, 99)",
}
ASKED = [
    "search/?fields=id,name,duration,tags",
    "search/?query=drum&fields=id,score,name",
    "search/?query=drum&weights=tag:5,name:1&fields=id,score",
    "search/?filter=duration:[0 TO 1]&sort=duration_asc&fields=id,duration",
    "search/?filter=tag:zebra&fields=id",
    "search/?sort=downloads_desc&fields=id",
    "search/?filter=pitch:[60 TO 900]&fields=id,pitch",
    "search/?sort=pitch:100&fields=id",
    "search/?similar_to={id}&similarity_space=mfcc&fields=id,score",
    "search/?agent=drums&fields=id",
    "search/?query=drum&descriptors=lowlevel.mfcc&fields=id,analysis",
    "search/content/?target=.sfx.duration:1&filter=lowlevel.mfcc.mean[0]:[-200 TO 0]&fields=id",
    "sounds/{id}/similar/?descriptors=lowlevel.mfcc&fields=id",
    "sounds/{id}/",
]


def answers(app, paths):
    """What an application answers, status and body, without a server."""

    async def asked(path):
        place, _, query = path.partition("?")
        sent = []
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": f"/apiv2/{place}",
            "raw_path": f"/apiv2/{place}".encode(),
            "query_string": quote(query, safe="=&[]:,").encode(),
            "headers": [(b"host", b"localhost")],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
            "root_path": "",
        }

        async def receive():
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message):
            sent.append(message)

        await app(scope, receive, send)
        return sent[0]["status"], sent[1]["body"]

    async def all_of_them():
        return [await asked(path) for path in paths]

    with ThreadPoolExecutor(1) as thread:  # a browser's tests leave a loop in this one
        return thread.submit(lambda: asyncio.run(all_of_them())).result()


def results(app, path):
    ((status, body),) = answers(app, [path])
    assert status == 200, body
    return json.loads(body)["results"]


@pytest.fixture
def served(own_home, tmp_path):
    """A home of one's own, open, as an application, with what to ask of it and which sound changes."""
    shutil.copytree(own_home, tmp_path / "home")
    with Corpus(tmp_path / "home") as corpus:
        sound_id = int(corpus.sounds.ids("drum")[0])
        yield corpus, freesound_app(corpus), [path.format(id=sound_id) for path in ASKED], sound_id


def test_a_kept_answer_is_the_one_that_would_be_made_anew(served):
    corpus, app, paths, sound_id = served
    before = answers(app, paths)
    with sqlite3.connect(corpus.database.file) as other:
        for write, statement in WRITES.items():
            other.execute(statement.format(id=sound_id))
            other.commit()
            after = answers(app, paths)
            with Corpus(corpus.home) as again:
                assert after == answers(freesound_app(again), paths), write
            assert after != before or write == "a verdict", write
            before = after
    other.close()


def test_each_change_to_a_table_tells(served):
    corpus = served[0]
    shelf = Shelf(corpus, 10**6)
    columns = {"similar_lists": "ids", "spaces": "name", "vectors": "data", "traits": "pitch"}
    columns |= {"sounds": "name", "tags": "tag", "files": "path", "served": "type"}
    columns |= {"agents": "name", "models": "verdicts", "annotations": "label"}
    with sqlite3.connect(corpus.database.file) as other:
        other.execute("insert into similar_lists values (7, '[]', 1, '2026')")
        for table in ("tags", "served", "traits"):
            key = "(sound_id, origin)" if table == "traits" else "(sound_id, tag, position)"
            values = {"tags": "(1, 'one', 1)", "served": "(1)", "traits": "(1, 'api')"}[table]
            other.execute(f"insert into {table} {'(sound_id)' if table == 'served' else key} values {values}")
        for family, tables in FAMILIES.items():
            for table in tables:
                for change in (f"update {table} set {columns[table]} = {columns[table]}", f"delete from {table}"):
                    other.commit()
                    for of in KEPT:
                        shelf.get(of, lambda: 1, of)
                    assert other.execute(change).rowcount, change
                    other.commit()
                    assert {of: shelf.has(of, of) for of in KEPT} == {of: family not in of for of in KEPT}, change
    other.close()


def test_what_is_played_empties_nothing(served):
    corpus, _, _, sound_id = served
    shelf = Shelf(corpus, 10**6)
    shelf.get("answer", lambda: 42, AGENTS)
    version = corpus.database.version()
    performance = corpus.performances.begin(seed=1)
    with sqlite3.connect(corpus.database.file) as other:
        other.execute("insert into requests (at) values (1.0)")
        other.execute(
            "insert into plays (performance_id, sound_id, of_group, at, began, credit)"
            " values (?, ?, 'a', 0, '2026', '{}')",
            [performance.id, sound_id],
        )
        other.execute("update files set decoded = '2026'")
    other.close()
    assert corpus.database.version() != version
    assert shelf.get("answer", lambda: 43, AGENTS) == 42


def test_it_keeps_within_its_bytes_and_counts_all(served):
    shelf = Shelf(served[0], 10_000)
    for number in range(50):
        assert shelf.get("x" * 100_000 + str(number), lambda: b"1" * 1000) == b"1" * 1000
    kept = [number for number in range(50) if shelf.has("x" * 100_000 + str(number))]
    assert kept == [43, 44, 45, 46, 47, 48, 49]  # of 1300 bytes each


def test_what_is_slow_is_not_made_in_a_hurry(served):
    shelf = Shelf(served[0], 10_000)
    with shelf.hurried():
        with pytest.raises(Later):
            shelf.get("slow", lambda: 1, slow=True)
        assert shelf.get("quick", lambda: 2) == 2
    assert shelf.get("slow", lambda: 1, slow=True) == 1
    with shelf.hurried():
        assert shelf.get("slow", lambda: 3, slow=True) == 1


def test_pages_far_behind_are_of_the_same_list(served, monkeypatch):
    """Beyond what is kept in order with the list, by a bound that so few sounds reach."""
    _, app, _, sound_id = served
    lists = (
        f"search/?similar_to={sound_id}&similarity_space=mfcc&fields=id,score",
        "search/?query=drum&fields=id,score",
        f"search/content/?target={sound_id}&fields=id",
    )
    monkeypatch.setattr("engine.server.freesound.search._AHEAD", 4)
    for each in lists:
        whole = results(app, f"{each}&page_size=24")
        paged = [row for page in range(1, 9) for row in results(app, f"{each}&page_size=3&page={page}")]
        assert len(whole) == 24
        assert paged == whole
