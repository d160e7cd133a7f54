"""`--fresh`: what was returned lately stays out, for an hour or for a hundred sounds."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from corpus import Corpus
from corpus.model import Sound
from engine.query.run import Choice, path, random_sounds, search, similar
from tests.bad_input import one_line


@pytest.fixture
def many(home):
    """Three hundred sounds without audio."""
    with Corpus(home) as corpus:
        with corpus.database.write() as connection:
            corpus.sounds.insert(connection, [Sound(i, f"{i}.wav") for i in range(1, 301)])
        yield corpus


def ids_of(answer):
    return [hit.sound.id for hit in answer.hits]


def age(corpus, minutes):
    """Let time pass: all that was returned was so many minutes ago."""
    at = (datetime.now(UTC) - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")
    with corpus.database.write() as connection:
        connection.execute(sa.text("update returned set at = :at"), {"at": at})


def fresh(corpus, k):
    return ids_of(search(corpus, Choice(k=k, fresh=True)))


def test_each_query_goes_on_where_the_last_ended(many):
    assert [fresh(many, 40) for _ in range(3)] == [list(range(first, first + 40)) for first in (1, 41, 81)]
    answer = search(many, Choice(k=500, fresh=True))
    assert (answer.allowed, answer.stale) == (180, 120)
    assert ids_of(answer) == list(range(121, 301))


def test_more_than_a_hundred_stay_out_for_an_hour_and_the_last_hundred_for_ever(many):
    assert fresh(many, 150) == list(range(1, 151))
    age(many, 59)
    assert fresh(many, 1) == [151]
    age(many, 61)
    assert many.returned.lately().tolist() == list(range(52, 152))
    assert fresh(many, 52) == [*range(1, 52), 152]
    age(many, 61)
    assert many.returned.lately().tolist() == sorted([*range(104, 152), *range(1, 52), 152])


def test_only_queries_that_ask_for_it_remember_or_leave_out(many):
    assert ids_of(search(many, Choice(k=5))) == [1, 2, 3, 4, 5]
    assert fresh(many, 5) == [1, 2, 3, 4, 5]
    assert ids_of(search(many, Choice(k=5))) == [1, 2, 3, 4, 5]
    assert fresh(many, 5) == [6, 7, 8, 9, 10]


def test_in_every_query(sonic):
    everything = ids_of(similar(sonic, 4832, Choice(k=500)))
    assert ids_of(similar(sonic, 4832, Choice(k=5, fresh=True))) == everything[:5]
    assert ids_of(similar(sonic, 4832, Choice(k=5, fresh=True))) == everything[5:10]
    drawn = ids_of(random_sounds(sonic, Choice(k=50, fresh=True)))
    assert not set(drawn) & set(everything[:10])
    walked = ids_of(path(sonic, 4832, 100055, Choice(k=6, fresh=True)))
    assert not set(walked[1:-1]) & {*everything[:10], *drawn}
    assert set(walked) <= set(sonic.returned.lately().tolist())


def test_a_sound_that_goes_is_forgotten(many):
    from corpus.store.removal import remove

    fresh(many, 5)
    with many.database.write() as connection:
        remove(connection, [2, 3])
    assert many.returned.lately().tolist() == [1, 4, 5]


def test_it_says_so_when_nothing_is_left(many, mirla):
    assert len(mirla("--json", "search", "1", "--fresh", "-k", 300).json["results"]) == 1
    ran = mirla("search", "1", "--fresh")
    assert ran.out == ""
    one_line_of = ran.err.strip().splitlines()
    assert one_line_of == ["no sound: all 1 that fit were returned lately; without --fresh they come again"]
    assert mirla("--json", "search", "1", "--fresh").json == {"total": 0, "results": []}
    assert "no sound fits" in mirla("search", "nothing such", "--fresh").err


def test_an_empty_corpus(home, mirla):
    Corpus(home).close()
    assert mirla("--json", "random", "--fresh").json == {"results": []}
    one_line(mirla("similar", 5, "--fresh", check=8), "no sound 5")
