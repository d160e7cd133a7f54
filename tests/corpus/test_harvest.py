"""Harvests from a local Freesound: whole, bounded, resumed, and the same whatever goes wrong on the way."""

import pytest

from corpus import Corpus, walk
from corpus.errors import BadQuery, HarvestError, NotThere, TokenRefused, Unreachable
from corpus.freesound import wire
from corpus.freesound.client import Client
from corpus.harvest import Harvesting
from corpus.wanted import Query, Wanted
from tests.corpus.harvested import content, enter

TABLA = Wanted((Query(tags=("tabla",)),))


@pytest.fixture
def account(freesound, monkeypatch):
    """The environment of a performer with a key, and a client that waits for nothing."""
    enter(monkeypatch, freesound)
    return freesound


@pytest.fixture(scope="module")
def expected(tmp_path_factory, freesound_server):
    """What a harvest of the tablas leaves when nothing goes wrong."""
    freesound_server.reset()
    with pytest.MonkeyPatch.context() as patch:
        enter(patch, freesound_server)
        with Corpus(tmp_path_factory.mktemp("calm")) as corpus:
            report = corpus.harvest(TABLA)
            assert (report.state, report.failed) == ("done", [])
            return content(corpus)


def test_everything_that_fits_comes_with_audio_and_vectors(account, home):
    with Corpus(home) as corpus:
        report = corpus.harvest(TABLA)
        assert (report.state, report.failed, report.updated) == ("done", [], 0)
        assert report.found == report.added == report.audio == len(corpus.sounds.ids(with_tags=["tabla"])) > 20
        assert report.requests <= 3
        assert report.bytes == corpus.status()["bytes"]
        assert set(corpus.status()["spaces"]) == {"api_mfcc", "freesound_classic", "laion_clap"}
        sound = corpus.sounds.get(130409)
        assert (sound.username, sound.file.format, sound.file.source) == ("dio_333", "ogg", "hq-ogg")
        assert not corpus.analyse().failed


def test_all_of_a_large_result_comes_in_windows(account, home):
    with Corpus(home) as corpus:
        report = corpus.harvest(Wanted((Query(filter="duration:[0 TO *]"),), audio="none"))
        assert (report.found, report.state) == (165, "done")
        assert report.requests == 3
        assert [entry.params.get("sort") for entry in account.asked("api")][1:] == ["created_asc"] * 2


def test_the_bound_holds_and_the_best_come_first(account, home):
    with Corpus(home) as corpus:
        report = corpus.harvest(Wanted((Query(text="drum"), Query(tags=("tabla",))), max_sounds=12, audio="none"))
        assert report.found == len(corpus.sounds.ids()) == 12
        assert set(corpus.sounds.ids().tolist()) == set(corpus.sounds.ids("drum").tolist())


def test_ids_and_what_is_not_there_any_more(account, home):
    with Corpus(home) as corpus:
        report = corpus.harvest(Wanted((Query(ids=(100055, 999_999, 4832)),)))
        assert sorted(corpus.sounds.ids().tolist()) == [4832, 100055]
        assert report.failed == [(999_999, "Freesound has no such sound, or not any more")]
        assert report.state == "done", "there is nothing to go on with"


def test_likeness_hops_from_sound_to_sound(account, home):
    with Corpus(home) as corpus:
        near = corpus.harvest(Wanted((Query(like=100055),), max_sounds=5, audio="none"))
        assert (near.found, near.requests) == (5, 2)
        assert 100055 in corpus.sounds.ids()


def test_harvesting_again_updates_what_changed_and_fetches_nothing_twice(account, home):
    with Corpus(home) as corpus:
        corpus.harvest(TABLA)
        account.change(130409, name="renamed", tags=["other", "tabla"])
        before = len(account.asked("cdn"))
        report = corpus.harvest(TABLA)
        assert (report.added, report.updated, report.audio) == (0, 1, 0)
        assert len(account.asked("cdn")) == before
        assert (corpus.sounds.get(130409).name, corpus.sounds.get(130409).tags) == ("renamed", ("other", "tabla"))
        assert corpus.sounds.ids("renamed").tolist() == [130409]


def test_a_missing_preview_is_a_listed_failure_that_resuming_mends(account, home, expected):
    account.faults.always("missing", where="130409")
    with Corpus(home) as corpus:
        report = corpus.harvest(TABLA)
        assert report.state == "audio"
        assert [sound_id for sound_id, _ in report.failed] == [130409]
        account.faults.clear()
        assert corpus.harvest(resume=report.harvest).state == "done"
        assert content(corpus) == expected


def test_what_is_wrong_is_one_line(account, home, monkeypatch):
    with pytest.raises(HarvestError, match="a harvest without any bound is refused"):
        Wanted((Query(max_duration=3.0),))
    with pytest.raises(HarvestError, match="no audio called 'wav'"):
        Wanted((Query(text="x"),), audio="wav")
    with Corpus(home) as corpus:
        with pytest.raises(HarvestError, match="no harvest 7; `mirla harvest --list`"):
            corpus.harvest(resume=7)
        with pytest.raises(BadQuery, match="Search server error"):
            corpus.harvest(Wanted((Query(filter="bpm:[1 TO"),)))
    monkeypatch.setenv("FREESOUND_TOKEN", "")
    with Corpus(home) as corpus, pytest.raises(TokenRefused, match="apply for one"):
        corpus.harvest(TABLA)


def test_what_is_wanted_survives_storing():
    wanted = Wanted((Query(text="a", tags=("b", "c"), ids=(1, 2), max_duration=2.5),), 10, 1000, "lq-mp3")
    assert Wanted.from_json(wanted.as_json()) == wanted


def test_filters_are_quoted():
    query = Query(tags=('a"b',), users=("x y", "z"), licences=("CC0",), max_duration=4)
    assert query.solr("id:7") == (
        'tag:"a\\"b" username:("x y" OR "z") license:"Creative Commons 0" duration:[0 TO 4] id:7'
    )


def test_the_command_from_key_to_credits(account, mirla, home, tmp_path):
    done = mirla("--json", "harvest", "cymbal", "--tag", "drum", "--max-sounds", "3").json
    assert (done["state"], done["found"], done["added"], done["audio"], done["failed"]) == ("done", 3, 3, 3, [])
    assert set(done) >= {"harvest", "state", "requests", "found", "added", "updated", "audio", "bytes", "failed"}
    mirla("analyse")
    sounds = mirla("--json", "search").json["results"]
    assert len(mirla("--json", "similar", sounds[0]["id"]).json["results"]) == 2
    assert "menegass" in mirla("credits").out
    (listed,) = mirla("--json", "harvest", "--list").json["harvests"]
    assert (listed["state"], listed["sounds"]) == ("done", 3)
    assert "no harvest is unfinished" in mirla("harvest", "--resume", check=19).err
    assert "without any bound is refused" in mirla("harvest", check=19).err
    (tmp_path / "ids").write_text("4832 x")
    assert "'x' is not a Freesound id" in mirla("harvest", "--ids", tmp_path / "ids", check=19).err


def test_the_command_goes_on_with_what_failed(account, mirla, home):
    account.faults.always("missing", where="100055")
    first = mirla("--json", "harvest", "--filter", "id:(100055 OR 4832)", check=1).json
    assert (first["state"], [failure["id"] for failure in first["failed"]]) == ("audio", [100055])
    account.faults.clear()
    again = mirla("--json", "harvest", "--resume").json
    assert (again["harvest"], again["state"], again["audio"]) == (first["harvest"], "done", 1)


def test_the_key_is_in_no_answer_and_no_file(account, mirla, home):
    done = mirla("--debug", "harvest", "--tag", "tabla", "--max-sounds", "2")
    assert account.token not in done.out + done.err
    assert all(account.token.encode() not in file.read_bytes() for file in home.rglob("*") if file.is_file())


def test_odd_dates_end_no_window():
    dates = [None, "", "yesterday", 7, "2014-04-08T10:10:54", "2014-04-08T10:10:54.123Z", "2015-01-01T00:00:00Z"]
    records = [wire.record({"id": 5, "created": date}) for date in dates]
    assert list(walk.created(records)) == ["2014-04-08T10:10:54Z", "2014-04-08T10:10:54Z", "2015-01-01T00:00:00Z"]


def test_a_list_of_a_sound_deleted_meanwhile_is_empty(account, home, monkeypatch):
    with Corpus(home) as corpus:
        harvest = corpus.harvests.start(Wanted((Query(ids=(130409, 130410)),), audio="none", similar=3).as_json())
        monkeypatch.setattr(Client, "similar", gone)
        assert corpus.harvest(resume=harvest.id).state == "done"
        assert (corpus.similar_lists.of(130409), corpus.similar_lists.of(130410)) == ([], [])


def gone(*_, **__):
    raise NotThere("127.0.0.1: No Sound matches the given query.")


def test_what_is_forgotten_while_its_audio_is_on_its_way_stays_forgotten(account, home, monkeypatch):
    with Corpus(home) as corpus:
        harvest = corpus.harvests.start(TABLA.as_json())
        record = Harvesting._record

        def forget_first(self, download, fetched):
            if download.sound_id == 130409:
                corpus.forget([130409])
            record(self, download, fetched)

        monkeypatch.setattr(Harvesting, "_record", forget_first)
        report = corpus.harvest(resume=harvest.id)
        assert (report.state, report.audio, report.failed) == ("done", 26, [])
        assert 130409 not in corpus.sounds.ids()
        assert not list((home / "sounds").glob(".part-*"))


def test_what_came_of_one_quality_is_no_part_of_another(account, home):
    """Cut files of one quality are left, then the same sounds are fetched in another."""
    ids = Query(ids=(19433, 242591, 188551))
    account.faults.always("cut", where="/previews/")
    with Corpus(home) as corpus:
        assert len(corpus.harvest(Wanted((ids,), audio="hq-ogg")).failed) == 3
        left = [part.stat().st_size for part in (home / "sounds").glob(".part-*")]
        assert len(left) == 3
        assert min(left) > 0, "what came is kept, however little"
        account.faults.clear()
        assert corpus.harvest(Wanted((ids,), audio="lq-ogg")).audio == 3
        for sound in corpus.sounds.many(ids.ids):
            assert sound.file.duration == pytest.approx(sound.duration, abs=0.05)


def test_a_preview_of_half_the_sound_is_refused(account, home):
    account.change(242591, duration=25.0)
    with Corpus(home) as corpus:
        (failed,) = corpus.harvest(Wanted((Query(ids=(242591,)),))).failed
    assert failed == (242591, "what came is 10.7 s long where Freesound says 25.0 s; resuming asks for it again")


def test_one_list_that_fails_is_listed_and_mended(account, home, monkeypatch):
    monkeypatch.setattr("corpus.freesound.client._FIRST_PAUSE", 0.001)
    account.faults.always("error", where="/sounds/130409/similar/")
    with Corpus(home) as corpus:
        report = corpus.harvest(Wanted(TABLA.queries, similar=3))
        assert (report.state, report.audio, report.lists) == ("audio", 27, 26)
        assert [number for number, _ in report.failed] == [130409]
        account.faults.clear()
        again = corpus.harvest(resume=report.harvest)
        assert (again.state, again.lists, again.failed) == ("done", 1, [])
        account.faults.always("error", where="/similar/")
        with pytest.raises(Unreachable):
            corpus.harvest(Wanted(TABLA.queries, similar=5))
