"""The full-text search against SQLite's own ranking, whichever way ranks come about; and it is never a stale one."""

import shutil

import numpy as np
import pytest
import sqlalchemy as sa

from corpus import Corpus
from corpus.filters import parse
from corpus.model import Sound
from corpus.store import sounds, texts

WORDS = ["rain", "Regen", "raining", "water-drop", "x9", "déjà", "bell", "bells", "low", "hum"]
QUERIES = [
    "rain",
    "rains bell",
    "low low",
    "hum -bell",
    "hum rain -low -x9",
    "hum -water-drop",
    '"rain bell"',
    'hum "low low"',
    "water-drop",
    "deja HUM",
    "-hum",
    "-hum -rain",
    "nothing",
    "hum -nothing",
    "rain nothing",
    "...",
]
FREQUENT = {"none": 10**9, "all": 1, "some": 100}


@pytest.fixture(scope="module")
def finished_home(tmp_path_factory):
    """Three hundred sounds, whose texts are a few words over and over; ids with gaps, some local."""
    home = tmp_path_factory.mktemp("texts") / "home"
    generator = np.random.default_rng(3)

    def some(most):
        places = np.minimum(generator.geometric(0.3, size=generator.integers(1, most)), len(WORDS)) - 1
        return [WORDS[place] for place in places]

    with Corpus(home) as corpus, corpus.database.write() as connection:
        ids = [*range(3, 603, 3), *range(1_000_000_007, 1_000_000_107)]
        made = [
            Sound(
                i, " ".join(some(4)), username="hum", tags=tuple(some(4)), description=" ".join(some(9)), duration=i % 7
            )
            for i in ids
        ]
        # one whose texts are longer than a byte of FTS5's sizes can say
        made.append(Sound(9_999, "long", tags=("hum",), description="rain low " * 9_000))
        corpus.sounds.insert(connection, made)
    return home


@pytest.fixture
def corpus(finished_home, home):
    shutil.copytree(finished_home, home)
    with Corpus(home) as corpus:
        yield corpus


def by_fts5(corpus, match):
    with corpus.database.read() as connection:
        query = "select rowid, rank from sound_text where sound_text match :match order by rank, rowid"
        return [tuple(row) for row in connection.execute(sa.text(query), {"match": match})]


def as_match(text):
    """The query as FTS5 reads it."""
    terms = texts._TERM.findall(text)
    wanted = [f'"{phrase or word}"' for minus, phrase, word in terms if not minus]
    return " AND ".join(wanted) + "".join(f' NOT "{phrase or word}"' for minus, phrase, word in terms if minus)


@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("frequent", FREQUENT)
@pytest.mark.parametrize("text", QUERIES)
def test_ranks_are_those_of_fts5_to_the_last_bit(corpus, monkeypatch, text, frequent, held):
    monkeypatch.setattr(texts, "FREQUENT", FREQUENT[frequent])
    if held:
        corpus.sounds.hold_texts()
    found = corpus.sounds.matching(text)
    assert (np.diff(found.ids) > 0).all()
    every = corpus.sounds.ids().tolist()
    if text.startswith("-"):
        without = {i for word in text.split() for i, _ in by_fts5(corpus, f'"{word[1:]}"')}
        expected = [(i, None) for i in every if i not in without]
    else:
        expected = by_fts5(corpus, as_match(text)) if text != "..." else []
    ids = [sound_id for sound_id, _ in expected]
    assert corpus.sounds.ids(text).tolist() == ids
    for k in (0, 1, 2, 7, len(ids), len(ids) + 1):
        assert found.first(k).tolist() == ids[:k]
    if found.ranks is not None:
        assert dict(zip(found.ids.tolist(), found.ranks.tolist(), strict=True)) == dict(expected)


def test_the_texts_are_worth_the_test(corpus, monkeypatch):
    """There are ties, each word is somewhere, and the arrays are really used."""
    ranks = [rank for _, rank in by_fts5(corpus, "rain")]
    assert len(set(ranks)) < len(ranks) - 20
    assert all(by_fts5(corpus, f'"{word}"') for word in WORDS)
    monkeypatch.setattr(texts, "FREQUENT", 1)
    monkeypatch.setattr(texts, "_ranked", None)
    assert len(corpus.sounds.ids("rain -bell"))


@pytest.mark.parametrize("frequent", [1, 10**9])
@pytest.mark.parametrize("few", [0, 10**9])
def test_other_conditions_narrow_it_whichever_way_they_are_put(corpus, monkeypatch, frequent, few):
    monkeypatch.setattr(texts, "FREQUENT", frequent)
    monkeypatch.setattr(sounds, "_FEW", few)
    monkeypatch.setattr(sounds, "_FEW_FILTERED", few)
    found = corpus.sounds.ids("rain", ["hum"], fitting=parse("duration:[2 TO 4] -tag:bell"))
    held = {sound.id: sound for sound in corpus.sounds.many(corpus.sounds.ids())}
    fits = {
        i for i, sound in held.items()
        if "hum" in sound.tags and "bell" not in sound.tags and sound.duration is not None and 2 <= sound.duration <= 4
    }  # fmt: skip
    assert found.tolist() == [i for i, _ in by_fts5(corpus, "rain") if i in fits]
    assert 5 < len(found) < len(by_fts5(corpus, "rain"))
    assert corpus.sounds.ids("rain", ["hum"], licences=["CC0"]).size == 0
    assert corpus.sounds.ids("rain", with_audio=True).size == 0


CHANGES = {
    "added": lambda corpus, connection: corpus.sounds.insert(connection, [Sound(5, "rain", description="low rain")]),
    "renamed": lambda corpus, connection: corpus.sounds.update(connection, [Sound(3, "rain rain rain")], {}),
    "emptied": lambda corpus, connection: corpus.sounds.update(connection, [Sound(3, "")], {}),
    "forgotten": lambda corpus, connection: connection.execute(sa.text("delete from sound_text where rowid < 99")),
}


def test_rare_words_are_held_up_to_a_bound(corpus, monkeypatch):
    corpus.sounds.hold_texts()
    expected = {word: corpus.sounds.ids(word).tolist() for word in WORDS}
    with monkeypatch.context() as patch:
        patch.setattr(texts, "_occurrences", None)
        assert corpus.sounds.ids("rain bell").size
    monkeypatch.setattr(texts, "_MOST_HELD", 500)
    held = corpus.sounds._texts
    assert corpus.sounds.ids("nothing").size == 0
    for word in WORDS * 2:
        assert corpus.sounds.ids(word).tolist() == expected[word]
        assert held._held == sum(len(each.places) + texts._LEAST for _, each in held._words.values()) <= 500


@pytest.mark.parametrize("held", [False, True])
def test_weights_say_which_texts_count_and_how_much(corpus, held):
    if held:
        corpus.sounds.hold_texts()

    def found(text, **weights):
        matches = corpus.sounds.weighted(text, weights)
        return dict(zip(matches.ids.tolist(), matches.ranks.tolist(), strict=True))

    query = (
        "select rowid, bm25(sound_text, 4, 0, 2, 0) from sound_text"
        " where sound_text match '{name description} : (low AND rain NOT bell)'"
    )
    with corpus.database.read() as connection:
        expected = {row[0]: row[1] for row in connection.execute(sa.text(query))}
    assert len(expected) > 3
    assert found("low rain -bell", name=4, description=2) == expected
    in_names = {sound.id for sound in corpus.sounds.many(corpus.sounds.ids()) if "low" in sound.name.split()}
    assert set(found("low", name=1)) == in_names
    assert set(found("low -low", name=1)) == set()
    assert corpus.sounds.weighted("", {"name": 1}) is None
    assert corpus.sounds.weighted("-low", {"name": 1}).ids.tolist() == corpus.sounds.ids("-low").tolist()


@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("session", ["same", "next"])
def test_no_change_is_answered_from_before_it(corpus, home, monkeypatch, change, session, held):
    monkeypatch.setattr(texts, "FREQUENT", 10**9 if held else 1)
    if held:
        corpus.sounds.hold_texts()
    before = corpus.sounds.matching("rain")
    with corpus.database.write() as connection:
        CHANGES[change](corpus, connection)
    with Corpus(home) as other:
        answering = corpus if session == "same" else other
        expected = by_fts5(answering, "rain")
        found = answering.sounds.matching("rain")
        assert answering.sounds.ids("rain").tolist() == [i for i, _ in expected]
        assert sorted(found.ranks.tolist()) == [rank for _, rank in expected]
        assert found.ranks.tolist() != before.ranks.tolist()


def test_it_is_kept_for_the_next_process(corpus, home, monkeypatch):
    monkeypatch.setattr(texts, "FREQUENT", 1)
    expected = corpus.sounds.ids("rain hum").tolist()
    monkeypatch.setattr(texts, "_occurrences", None)
    monkeypatch.setattr(texts, "_varints", None)
    with Corpus(home) as other:
        assert other.sounds.ids("rain hum").tolist() == expected
