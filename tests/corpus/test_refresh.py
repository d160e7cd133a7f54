"""Refreshing from a local Freesound: what changed, what went, what came back, and going on where it stopped."""

import multiprocessing
import random
import time
from datetime import UTC, datetime

import numpy as np
import pytest
import sqlalchemy as sa

from corpus import Corpus
from corpus.errors import FreesoundError, QuotaSpent, TokenRefused, UnknownSound, Unreachable
from corpus.folder import Adoption
from corpus.freesound import client as client_module
from corpus.freesound.wire import SPACES
from corpus.store.tables import sounds, vectors
from corpus.wanted import Query, Wanted
from engine.demo import sonic_pi
from tests.freesound.throttle import Limits

ALL = Wanted((Query(filter="duration:[0 TO *]"),), audio="none")
FAULTS = ("error", "gateway", "cut", "redirect", "malformed", "null", "count")
"""What passes when it is waited for, and what a refresh does not look at."""


@pytest.fixture
def account(freesound, monkeypatch):
    """The environment of a performer with a key, and a client that waits no longer than it must."""
    monkeypatch.setenv("MIRLA_FREESOUND_URL", freesound.url)
    monkeypatch.setenv("FREESOUND_TOKEN", freesound.token)
    monkeypatch.setenv("MIRLA_FREESOUND_PER_MINUTE", "100000")
    monkeypatch.setenv("MIRLA_FREESOUND_PER_DAY", "100000")
    monkeypatch.setattr(client_module, "_FIRST_PAUSE", 0.01)
    return freesound


@pytest.fixture
def corpus(account, home):
    """Records of all 165 sounds, checked long ago."""
    with Corpus(home) as corpus:
        assert corpus.harvest(ALL).found == 165
        age(corpus, "2020-01-01T00:00:00Z")
        account.requests.clear()
        yield corpus


def age(corpus, at, ids=None):
    which = sa.true() if ids is None else sounds.c.id.in_(ids)
    with corpus.database.write() as connection:
        connection.execute(sa.update(sounds).where(which).values(checked=at))


def column(corpus, name):
    """One column of the sounds, by id."""
    with corpus.database.read() as connection:
        return dict(connection.execute(sa.select(sounds.c.id, sounds.c[name])).all())


def content(corpus):
    """Everything that a refresh may change, without times and local row numbers."""
    queries = (
        "select id, name, username, licence_url, url, description, pack, duration, record from sounds order by id",
        "select id from sounds where gone is not null order by id",
        "select sound_id, tag, position from tags order by sound_id, position",
        "select s.name, v.sound_id, v.data from vectors v join spaces s on s.id = v.space_id order by 1, 2",
        "select rowid from sound_text where sound_text match 'renamed' order by rowid",
    )
    with corpus.database.read() as connection:
        assert not connection.execute(sa.text("pragma foreign_key_check")).all()
        return [connection.execute(sa.text(query)).all() for query in queries]


def upset(freesound):
    """What happened upstream: two changed, seven deleted, one of them still in the index."""
    freesound.change(
        130409, name="renamed", tags=["new", "tabla"], license="http://creativecommons.org/licenses/by/4.0/"
    )
    freesound.change(100055, num_downloads=123456)
    deleted = freesound.catalogue.ids[[3, 40, 41, 42, 43, 120, 160]].tolist()
    for sound_id in deleted:
        freesound.delete(sound_id, from_index=sound_id != deleted[0])
    return deleted


def test_when_nothing_changed_it_costs_a_request_for_150_sounds(corpus, account):
    before = content(corpus)
    report = corpus.refresh()
    assert vars(report) == {"checked": 165, "updated": 0, "gone": [], "back": [], "requests": 2, "failed": []}
    assert len(account.asked("api")) == 2
    assert content(corpus) == before
    assert min(column(corpus, "checked").values()) > "2026"


def test_what_changed_follows_the_record(corpus, account):
    account.change(130409, name="renamed", tags=["new", "tabla"], license="http://creativecommons.org/licenses/by/4.0/")
    account.change(100055, num_downloads=123456)
    report = corpus.refresh()
    assert (report.checked, report.updated, report.requests) == (165, 2, 2)
    sound = corpus.sounds.get(130409)
    assert (sound.name, sound.tags, str(sound.licence)) == ("renamed", ("new", "tabla"), "Attribution 4.0")
    assert corpus.sounds.ids("renamed").tolist() == [130409]
    assert column(corpus, "record")[100055]["num_downloads"] == 123456
    assert corpus.refresh().updated == 0


def test_a_vector_alone_may_have_changed(corpus):
    with corpus.database.write() as connection:
        other = np.ones(100, "<f4").tobytes()
        in_space = sa.text("(select id from spaces where name = 'freesound_classic')")
        which = vectors.c.sound_id == 130409, vectors.c.space_id == in_space
        assert connection.execute(sa.update(vectors).where(*which).values(data=other)).rowcount == 1
    assert corpus.refresh().updated == 1
    assert corpus.vectors.of_sound(130409)["freesound_classic"].std() > 0


def test_what_was_deleted_is_marked_and_stays(corpus, account):
    account.delete(130409)
    account.delete(100055, from_index=False)
    kept = corpus.sounds.get(130409).credit, corpus.vectors.of_sound(130409)["laion_clap"].tolist()
    report = corpus.refresh()
    assert (report.checked, report.gone, report.updated) == (165, [100055, 130409], 0)
    assert report.requests == 2 + 2, "each was asked for by its own address"
    assert corpus.sounds.get(130409).gone.startswith(datetime.now(UTC).strftime("%Y-%m-"))
    assert kept == (corpus.sounds.get(130409).credit, corpus.vectors.of_sound(130409)["laion_clap"].tolist())
    assert corpus.status()["gone"] == 2


def test_what_is_known_to_be_gone_keeps_its_date_and_costs_nothing(corpus, account):
    account.delete(130409)
    corpus.refresh()
    with corpus.database.write() as connection:
        connection.execute(sa.update(sounds).where(sounds.c.id == 130409).values(gone="2024-02-03T04:05:06Z"))
    report = corpus.refresh()
    assert (report.checked, report.gone, report.requests) == (165, [], 2)
    assert corpus.sounds.get(130409).gone == "2024-02-03T04:05:06Z"


@pytest.mark.parametrize("changed", [False, True])
def test_what_is_there_again_loses_its_mark(corpus, account, changed):
    account.delete(130409)
    assert corpus.refresh().gone == [130409]
    account.restore(130409)
    if changed:
        account.change(130409, name="renamed")
    report = corpus.refresh()
    assert (report.back, report.gone, report.updated) == ([130409], [], int(changed))
    assert corpus.sounds.get(130409).gone is None
    assert corpus.refresh().back == []


@pytest.mark.parametrize(("lacking", "requests"), [(4, 2 + 4), (30, 2 + 1 + 30)])
def test_a_search_that_returns_fewer_than_there_are_marks_nothing(corpus, account, lacking, requests):
    account.catalogue.unlist(account.catalogue.ids[10 : 10 + lacking].tolist())
    hidden = int(account.catalogue.ids[12])
    account.change(hidden, name="renamed")
    report = corpus.refresh()
    assert (report.checked, report.gone, report.updated, report.requests) == (165, [], 1, requests)
    assert corpus.sounds.get(hidden).name == "renamed"
    assert corpus.status()["gone"] == 0


def test_a_search_that_runs_out_of_time_once_is_asked_again(corpus, account, monkeypatch):
    search, asked = client_module.Client.search, []

    def short(self, **parameters):
        page = search(self, **parameters)
        asked.append(len(page.records))
        return client_module.wire.Page(page.count, page.records[:20], False) if len(asked) == 1 else page

    monkeypatch.setattr(client_module.Client, "search", short)
    report = corpus.refresh()
    assert asked == [150, 130, 15]
    assert (report.checked, report.gone, report.requests) == (165, [], 3)


def test_null_rows_and_wrong_counts_prove_nothing(corpus, account):
    account.faults.always("null")
    account.faults.always("count")
    report = corpus.refresh()
    assert (report.checked, report.gone, report.requests) == (165, [], 2)


def test_some_sounds_alone(corpus, account):
    account.delete(130409)
    account.delete(100055)
    report = corpus.refresh([100055, 4832])
    assert (report.checked, report.gone) == (2, [100055])
    assert corpus.sounds.get(130409).gone is None
    assert [path for path in (entry.path for entry in account.asked("api")) if "130409" in path] == []


def test_an_adopted_sound_gains_its_record_and_keeps_its_file(account, home, samples):
    path = next(path for path in samples if path.stem == "drum_cymbal_open")
    with Corpus(home) as corpus:
        corpus.adopt([path], Adoption(tags=("mine",), catalogue=sonic_pi.catalogue()))
        before = corpus.sounds.get(100055)
        assert (column(corpus, "checked"), column(corpus, "record")) == ({100055: None}, {100055: None})
        report = corpus.refresh()
        after = corpus.sounds.get(100055)
        assert (report.checked, report.updated) == (1, 1)
        assert "mine" not in after.tags
        assert after.tags != before.tags
        assert (after.file, after.file.path.is_file()) == (before.file, True)
        assert set(corpus.vectors.of_sound(100055)) == set(SPACES)
        assert column(corpus, "record")[100055]["md5"]


def test_sounds_of_ones_own_are_not_asked_for(account, home, samples):
    with Corpus(home) as corpus:
        (own,) = corpus.adopt([samples[0]]).ids
        report = corpus.refresh()
        assert (report.checked, report.requests, account.asked("api")) == (0, 0, [])
        with pytest.raises(UnknownSound, match=f"sound {own} is one of your own"):
            corpus.refresh([own])
        with pytest.raises(UnknownSound, match="no sound 77"):
            corpus.refresh([77])


def test_the_least_recently_checked_come_first(corpus, account):
    old, never = [int(number) for number in account.catalogue.ids[[50, 20]]]
    age(corpus, "2019-01-01T00:00:00Z", [old])
    age(corpus, None, [never])
    due = corpus.checks.due()
    assert due[:2] == [never, old]
    assert due[2:] == sorted(set(due) - {old, never})
    corpus.refresh([due[7]])
    assert corpus.checks.due()[-1] == due[7]


@pytest.mark.parametrize("whose", ["ours", "theirs"])
def test_the_days_quota_stops_it_and_it_goes_on_behind_that(corpus, account, home, monkeypatch, whose):
    deleted = upset(account)
    if whose == "ours":
        with corpus.database.write() as connection:
            connection.execute(sa.text("delete from requests"))
        monkeypatch.setenv("MIRLA_FREESOUND_PER_DAY", "3")
    else:
        monkeypatch.setenv("MIRLA_FREESOUND_PER_DAY", "2000")  # each refusal fills the log with as many
        account.limits = Limits(per_day=3)
    with Corpus(home) as limited, pytest.raises(QuotaSpent, match="come back after"):
        limited.refresh()
    assert [entry.status for entry in account.asked("api") if entry.status != 429] == [200, 200, 404]
    assert corpus.checks.gone() == deleted[:1], "two searches, since more than a few lack, and one by itself"
    assert corpus.sounds.get(130409).name == "renamed"
    left = [number for number, at in column(corpus, "checked").items() if at < "2021"]
    assert len(left) == 15 + 5
    assert sorted(corpus.checks.due()[: len(left)]) == left
    account.limits = Limits()
    account.requests.clear()
    monkeypatch.setenv("MIRLA_FREESOUND_PER_DAY", "100000")
    with corpus.database.write() as connection:
        connection.execute(sa.text("delete from requests"))
    with Corpus(home) as corpus:
        assert corpus.refresh(left).gone == deleted[1:]
        assert len(account.asked("api")) == 1 + 1 + 6
        assert corpus.checks.gone() == deleted


@pytest.fixture(scope="module")
def expected(tmp_path_factory, freesound_server):
    """What a refresh leaves when nothing goes wrong."""
    freesound_server.reset()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIRLA_FREESOUND_URL", freesound_server.url)
        patch.setenv("FREESOUND_TOKEN", freesound_server.token)
        with Corpus(tmp_path_factory.mktemp("calm")) as corpus:
            corpus.harvest(ALL)
            deleted = upset(freesound_server)
            report = corpus.refresh()
            assert (report.gone, report.updated) == (deleted, 2)
            return content(corpus)


@pytest.mark.parametrize("seed", range(4))
def test_random_faults_end_in_the_same_corpus(corpus, account, expected, seed):
    upset(account)
    account.faults.sometimes(seed, probability=0.5, kinds=FAULTS)
    report = corpus.refresh()
    assert (report.checked, report.updated, len(report.gone), report.failed) == (165, 2, 7, [])
    assert content(corpus) == expected
    assert account.faults.struck


def test_killed_at_random_moments_it_ends_in_the_same_corpus(corpus, account, home, expected):
    upset(account)
    account.faults.pause = 0.03
    account.faults.always("slow")
    generator, context = random.Random(3), multiprocessing.get_context("spawn")
    for _ in range(4):
        process = context.Process(target=refresh, args=(home,))
        process.start()
        time.sleep(generator.uniform(1.0, 2.5))
        process.kill()
        process.join()
    account.faults.clear()
    corpus.refresh()
    assert content(corpus) == expected


def refresh(home):
    with Corpus(home) as corpus:
        corpus.refresh()


def test_one_sound_that_fails_is_listed_and_two_in_a_row_stop_it(corpus, account):
    first, second, third = deleted = [int(number) for number in account.catalogue.ids[[10, 20, 30]]]
    for sound_id in deleted:
        account.delete(sound_id)
    account.faults.always("error", where=f"/sounds/{first}/")
    report = corpus.refresh()
    assert [sound_id for sound_id, _ in report.failed] == [first]
    assert (report.gone, report.checked) == ([second, third], 164)
    assert corpus.checks.due()[0] == first
    account.restore(second)
    corpus.refresh()
    account.delete(second)
    account.faults.always("error", where=f"/sounds/{second}/")
    with pytest.raises(Unreachable, match="answered 500"):
        corpus.refresh([first, second, third])
    assert corpus.checks.gone() == [third]


def test_another_servers_404_proves_nothing(corpus, account, home, monkeypatch):
    monkeypatch.setenv("MIRLA_FREESOUND_URL", f"{account.url}/elsewhere")
    with Corpus(home) as elsewhere, pytest.raises(FreesoundError, match="check MIRLA_FREESOUND_URL"):
        elsewhere.refresh()
    assert corpus.checks.gone() == []


def test_what_is_wrong_is_said_and_changes_nothing(corpus, account, home, monkeypatch):
    before = content(corpus)
    monkeypatch.setenv("MIRLA_FREESOUND_URL", "http://127.0.0.1:9")
    with Corpus(home) as offline, pytest.raises(Unreachable, match="is there a network"):
        offline.refresh()
    monkeypatch.setenv("FREESOUND_TOKEN", "")
    with Corpus(home) as keyless, pytest.raises(TokenRefused, match="apply for one"):
        keyless.refresh()
    assert content(corpus) == before
    assert set(column(corpus, "checked").values()) == {"2020-01-01T00:00:00Z"}


def test_sounds_forgotten_meanwhile_stay_forgotten(corpus, account, home, monkeypatch):
    account.change(130409, name="renamed")
    account.delete(100055)
    search = client_module.Client.search

    def search_while_others_forget(self, **parameters):
        found = search(self, **parameters)
        with Corpus(home) as other:
            other.forget([number for number in (130409, 100055) if number in other.sounds.ids()])
        return found

    monkeypatch.setattr(client_module.Client, "search", search_while_others_forget)
    report = corpus.refresh()
    assert (report.checked, report.updated, report.gone) == (163, 0, [])
    assert not {130409, 100055} & set(corpus.sounds.ids().tolist())


def test_ctrl_c_keeps_what_was_found_out(corpus, account, monkeypatch, mirla):
    search, asked = client_module.Client.search, []

    def interrupted(self, **parameters):
        asked.append(parameters)
        if len(asked) == 2:
            raise KeyboardInterrupt
        return search(self, **parameters)

    monkeypatch.setattr(client_module.Client, "search", interrupted)
    account.change(int(account.catalogue.ids[3]), name="renamed")
    assert "what was done is kept" in mirla("refresh", check=130).err
    assert corpus.sounds.ids("renamed").size == 1
    assert sum(at < "2021" for at in column(corpus, "checked").values()) == 15


def test_the_command(corpus, account, mirla):
    account.change(4832, name="renamed")
    account.delete(130409)
    done = mirla("refresh")
    assert done.out.splitlines() == [
        "165 sounds checked, 1 updated, 3 requests",
        "gone from Freesound: 130409",
    ]
    assert "`mirla forget --gone` deletes it" in done.err
    date = corpus.sounds.get(130409).gone
    assert f"gone: {date}" in mirla("show", "130409").out.splitlines()
    assert mirla("--json", "show", "130409").json["gone"] == date
    assert "1 of them gone from Freesound; `mirla forget --gone` deletes them" in mirla("status").out
    assert mirla("--json", "status").json["gone"] == 1
    assert corpus.sounds.get(130409).username in mirla("credits", "130409").out
    account.restore(130409)
    assert mirla("--json", "refresh", "130409", "4832").json == {
        "checked": 2,
        "updated": 0,
        "gone": [],
        "back": [130409],
        "requests": 1,
        "failed": [],
    }
    assert "gone" not in mirla("status").out
    assert "no sound 77" in mirla("refresh", "77", check=8).err
    account.delete(130409)
    account.faults.always("gateway", where="/sounds/130409/")
    failed = mirla("--json", "refresh", "130409", check=1)
    assert [failure["id"] for failure in failed.json["failed"]] == [130409]
    assert account.token not in done.out + done.err + failed.err
