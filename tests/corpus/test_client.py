"""The client against a local Freesound: what it reads, how politely it waits, what it never tells anyone."""

import json
import logging

import numpy as np
import pytest

from corpus import Corpus
from corpus.errors import (
    BadQuery,
    FreesoundError,
    NotThere,
    QuotaSpent,
    SettingsError,
    TokenRefused,
    Unreachable,
)
from corpus.freesound.client import ATTEMPTS, Account, Client
from corpus.freesound.wire import SPACES, one, page, parse, record
from corpus.settings import Settings
from corpus.store.quota import RequestLog


class FastClock:
    """A clock whose waiting takes no time; remembers the pauses."""

    def __init__(self):
        self.time = 1_800_000_000.0
        self.pauses = []

    def now(self):
        return self.time

    def sleep(self, seconds):
        self.pauses.append(seconds)
        self.time += seconds


@pytest.fixture
def clock():
    return FastClock()


@pytest.fixture
def client(freesound, home, clock):
    with Corpus(home) as corpus:
        made = Client(Account(freesound.url, freesound.token), RequestLog(corpus.database, 55, 1900), clock, seed=1)
        yield made
        made.close()


def test_a_page_carries_everything_of_a_sound(client, samples):
    found = client.search(filter="id:100055")
    (only,) = found.records
    assert (found.count, found.more) == (1, False)
    assert (only.sound.id, only.sound.username, only.sound.local) == (100055, "menegass", False)
    assert only.sound.licence.url.startswith("http")
    assert set(only.vectors) == set(SPACES)
    assert {name: vector.size for name, vector in only.vectors.items()} == {n: s.dim for n, s in SPACES.items()}
    assert set(only.previews) == {"hq-ogg", "hq-mp3", "lq-ogg", "lq-mp3"}
    assert only.record["md5"]
    assert "sim_laion_clap" not in only.record


def test_one_sound_by_its_address_is_the_same_as_on_a_page(client):
    alone, (listed,) = client.sound(100055), client.search(filter="id:100055").records
    assert (alone.sound, alone.record, alone.previews) == (listed.sound, listed.record, listed.previews)
    assert {name: vector.tolist() for name, vector in alone.vectors.items()} == {
        name: vector.tolist() for name, vector in listed.vectors.items()
    }
    with pytest.raises(NotThere, match="No Sound matches the given query"):
        client.sound(999_999_999)


@pytest.mark.parametrize("answer", [None, [], {}, {"id": None}, {"id": 8}, {"detail": "x"}, "text"])
def test_what_is_not_the_sound_that_was_asked_for_is_said(answer):
    with pytest.raises(FreesoundError, match="answered no sound 7 but"):
        one(answer, 7)


def test_a_404_in_other_words_than_the_apis_says_nothing_of_a_sound(freesound, home, clock):
    with Corpus(home) as corpus:
        account = Account(f"{freesound.url}/elsewhere", freesound.token)
        client = Client(account, RequestLog(corpus.database, 55, 1900), clock)
        with pytest.raises(FreesoundError, match="check MIRLA_FREESOUND_URL") as refusal:
            client.sound(100055)
        assert not isinstance(refusal.value, NotThere)
        client.close()


def test_pages_follow_one_another(client):
    first, second = (client.search(query="", page=number, sort="created_asc") for number in (1, 2))
    assert (first.count, len(first.records), first.more) == (165, 150, True)
    assert (len(second.records), second.more) == (15, False)
    assert len({found.sound.id for found in first.records + second.records}) == 165
    with pytest.raises(NotThere, match="Not found"):
        client.search(query="", page=3)


def test_the_apis_own_list_comes_in_its_order(client):
    listed = client.similar(100055, similarity_space="freesound_classic")
    assert 100055 not in [found.sound.id for found in listed.records]
    target = client.search(filter="id:100055").records[0].vectors["freesound_classic"]
    cosines = [float(found.vectors["freesound_classic"] @ target) for found in listed.records]
    assert cosines == sorted(cosines, reverse=True) or np.allclose(cosines, sorted(cosines, reverse=True), atol=0.02)


@pytest.mark.parametrize("kind", ["error", "gateway", "malformed", "cut", "redirect"])
def test_a_passing_fault_is_tried_again_after_a_pause(client, freesound, clock, kind):
    freesound.faults.next(kind, times=2)
    assert client.search(filter="id:100055").count == 1
    assert client.requests == 3
    assert len(clock.pauses) == 2
    assert all(0 < pause <= 60 for pause in clock.pauses)
    assert not freesound.asked("cdn"), "a redirect to another host is not followed"


def test_a_lasting_fault_is_given_up_in_the_end(client, freesound, clock):
    freesound.faults.always("gateway")
    with pytest.raises(Unreachable, match=r"answered 50\d"):
        client.search(filter="id:100055")
    assert client.requests == ATTEMPTS
    assert sum(clock.pauses) < 300


def test_the_minute_is_waited_for_and_the_day_is_not(client, freesound, clock):
    freesound.faults.next("minute")
    assert client.search(filter="id:100055").count == 1
    assert 59 <= sum(clock.pauses) <= 61
    freesound.faults.next("day")
    with pytest.raises(QuotaSpent, match=r"come back after 20\d\d-\d\d-\d\d \d\d:\d\d UTC"):
        client.search(filter="id:100055")


def test_no_more_than_the_limit_is_asked_in_a_minute(freesound, home, clock):
    with Corpus(home) as corpus:
        client = Client(Account(freesound.url, freesound.token), RequestLog(corpus.database, 10, 1000), clock)
        for _ in range(25):
            client.search(filter="id:100055")
        assert sum(clock.pauses) == pytest.approx(120)
        client.close()


def test_what_freesound_rejects_is_said_in_its_words(client):
    with pytest.raises(BadQuery, match=r"Search server error: .*check that your filter syntax"):
        client.search(filter="bpm:[1 TO")
    with pytest.raises(BadQuery, match="Invalid filter"):
        client.search(filter=" ")
    assert client.similar(999_999_999).count == 0


@pytest.mark.parametrize("token", ["wrong", "suspended"])
def test_a_key_that_is_refused(freesound, home, clock, token):
    key = freesound.suspended_token if token == "suspended" else "0" * 40
    with Corpus(home) as corpus:
        client = Client(Account(freesound.url, key), RequestLog(corpus.database, 55, 1900), clock)
        with pytest.raises(TokenRefused, match="refuses the API key") as refusal:
            client.search(query="x")
        client.close()
    assert key not in str(refusal.value)


def test_the_key_goes_to_the_api_alone_and_nowhere_else(client, freesound, home, clock, caplog):
    caplog.set_level(logging.DEBUG)
    (only,) = client.search(filter="id:100055").records
    with client.audio(only.previews["hq-ogg"]) as (_, blocks):
        assert b"".join(blocks)[:4] == b"OggS"
    (asked,), (fetched,) = freesound.asked("api"), freesound.asked("cdn")
    assert asked.authorized
    assert asked.headers["user-agent"].startswith("mirla/")
    assert not fetched.authorized
    assert freesound.token not in asked.query + fetched.query + caplog.text
    account = Account(freesound.url, freesound.token)
    assert freesound.token not in repr(account) + repr(Settings(home, "", freesound_token=freesound.token))
    assert all(freesound.token.encode() not in file.read_bytes() for file in home.rglob("*") if file.is_file())


def test_audio_goes_on_where_it_stopped(client, freesound):
    (only,) = client.search(filter="id:100055").records
    with client.audio(only.previews["hq-ogg"]) as (_, blocks):
        whole = b"".join(blocks)
    with client.audio(only.previews["hq-ogg"], start=1000) as (response, blocks):
        assert (response.status_code, b"".join(blocks)) == (206, whole[1000:])


@pytest.mark.parametrize(("kind", "error"), [("missing", NotThere), ("html", Unreachable), ("redirect", Unreachable)])
def test_what_is_no_audio_is_refused(client, freesound, kind, error):
    (only,) = client.search(filter="id:100055").records
    freesound.faults.next(kind, where="previews")
    with pytest.raises(error), client.audio(only.previews["hq-ogg"]):
        pass


def test_addresses_and_keys_that_must_not_be_used(client):
    with pytest.raises(SettingsError, match="must begin with https"):
        Account("http://freesound.org/apiv2", "k" * 40)
    with pytest.raises(TokenRefused, match="set FREESOUND_TOKEN"):
        Account("https://freesound.org/apiv2", "")
    with pytest.raises(TokenRefused) as refusal:
        Account("https://freesound.org/apiv2", "secret\nHost: elsewhere")
    assert "secret" not in str(refusal.value)
    with pytest.raises(FreesoundError, match="will not fetch audio"), client.audio("http://example.org/x.ogg"):
        pass


def test_no_network(home, clock):
    with Corpus(home) as corpus:
        client = Client(Account("http://127.0.0.1:9", "k" * 40), RequestLog(corpus.database, 55, 1900), clock)
        with pytest.raises(Unreachable, match=r"cannot reach 127\.0\.0\.1: ConnectionError; is there a network\?"):
            client.search(query="x")
        client.close()


@pytest.mark.parametrize(
    "row",
    [{}, {"id": None}, {"id": "7"}, {"id": 0}, {"id": 10**10}, {"id": True} | {"id": -3}],
)
def test_rows_without_an_id_are_passed_over(row):
    assert record(row) is None
    assert page({"count": 1, "results": [row, None, 5]}).records == []


def test_odd_rows_are_kept_as_they_came():
    row = json.dumps(
        {
            "id": 7,
            "name": None,
            "tags": ["a", None, "b\ud800"],
            "license": "https://example.org/terms",
            "duration": float("nan"),
            "mfcc": [1.0] * 13,
            "mfcc_var": None,
            "sim_laion_clap": [1.0, None],
            "previews": {"preview-hq-ogg": None},
            "of_tomorrow": {"x": ["\udcff", float("nan"), float("-inf"), 10**30]},
        }
    )
    odd = record(parse(row.encode()))
    assert (odd.sound.name, odd.sound.tags, odd.sound.duration) == ("7", ("a", "b\ufffd"), None)
    assert odd.sound.licence.url == "https://example.org/terms"
    assert (odd.vectors, odd.previews) == ({}, {})
    assert odd.record["of_tomorrow"] == {"x": ["\ufffd", None, None, None]}

    for broken in (row[:-9], "[" * 100_000, "\xff"):
        with pytest.raises(ValueError):
            parse(broken.encode("latin-1"))


@pytest.mark.parametrize("answer", [None, [], {"results": None}, {"detail": "x"}, "text"])
def test_what_is_no_page_is_said(answer):
    with pytest.raises(FreesoundError, match="answered no page of sounds"):
        page(answer)


def test_the_key_in_a_settings_file_needs_mode_600(home):
    home.mkdir()
    file = home / "mirla.toml"
    file.write_text('freesound_token = "abc"\nfreesound_per_minute = 30\n')
    file.chmod(0o644)
    with pytest.raises(SettingsError, match="others may read it; `chmod 600"):
        Settings.load(home, {})
    file.chmod(0o600)
    settings = Settings.load(home, {})
    assert (settings.freesound_token, settings.freesound_per_minute) == ("abc", 30)
    assert Settings.load(home, {"FREESOUND_TOKEN": "xyz"}).freesound_token == "xyz"
    with pytest.raises(SettingsError, match="MIRLA_FREESOUND_PER_DAY: 'many' is not a number"):
        Settings.load(home, {"MIRLA_FREESOUND_PER_DAY": "many"})
