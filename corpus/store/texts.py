"""Full-text search: which sounds have the words of a text in name, tags, description or user name, and their ranks.

Words must all occur; `-word` must not, `"two words"` in that order. Words are stemmed as Freesound does. Ranks are
those of SQLite's FTS5 (BM25), less being better.

FTS5 looks up for each match how long its texts are, a second for a million matches. So where every wanted word is in
very many sounds, ranks are computed here, from arrays of how often each such word is in which sound. These are derived
caches, made when a word is first asked for after any change of any text. A process that is asked again and again
(`hold`) remembers where rare words are as well. The formula is FTS5's, with its operations in
its order: S. Robertson, H. Zaragoza, "The probabilistic relevance framework: BM25 and beyond", 2009.
"""

from __future__ import annotations

import math
import re
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from corpus.caches import Caches
from corpus.stems import stems
from corpus.store.database import Database, listed, numbers
from corpus.text import storable

Ids = npt.NDArray[np.int64]
Counts = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]

FREQUENT = 20_000
"""A word in at least so many sounds is frequent: FTS5 ranks fewer in a few hundredths of a second."""
_K1, _B = 1.2, 0.75
_SPARSE = 32
"""Of how many times more places than are asked for on bisection is faster than a table of all."""
_MOST_HELD, _LEAST = 8_000_000, 100
"""How many places of words are held at most, 8 bytes each; and what each word counts beside its own."""
TEXTS = ("name", "tags", "description", "username")
"""Texts of a sound, in the order of the index."""
_TERM = re.compile(r'(-?)(?:"([^"]*)"|(\S+))')
_ROWID = sa.column("rowid", sa.Integer)
_DOCUMENTS = sa.table("sound_text_docsize", sa.column("id", sa.Integer))
_MATCHES = "select rowid from sound_text where sound_text match :match"


@dataclass(frozen=True)
class Matches:
    """Sounds that match a text: `ids` (n,), ascending, and their `ranks` (n,), None where all rank the same."""

    ids: Ids
    ranks: Floats | None = None

    def at(self, places: npt.NDArray[np.bool_]) -> Matches:
        """Those at some places."""
        return Matches(self.ids[places], None if self.ranks is None else self.ranks[places])

    def first(self, k: int | None = None) -> Ids:
        """The first k by rank, then id; all if None."""
        if self.ranks is None:
            return self.ids[:k]
        if k is None or k >= len(self.ids):
            return self.ids[np.argsort(self.ranks, kind="stable")]
        if k < 1:
            return self.ids[:0]
        places = np.flatnonzero(self.ranks <= np.partition(self.ranks, k - 1)[k - 1])
        return self.ids[places[np.argsort(self.ranks[places], kind="stable")[:k]]]


@dataclass(frozen=True)
class _Lengths:
    """All sounds that have a text, ascending, and how their lengths count in the formula; in which state this is."""

    ids: Ids
    norms: Floats
    state: str


@dataclass(frozen=True)
class _Word:
    """Where a word is, and how often: places (m,) among all sounds that have a text, ascending, and counts (m,)."""

    places: Counts
    counts: Counts

    def counts_at(self, places: Counts, total: int) -> Counts:
        """How often it is at some places (n,), ascending, of so many."""
        if len(places) * _SPARSE < len(self.places):
            rows = np.minimum(np.searchsorted(self.places, places), len(self.places) - 1)
            return np.where(self.places[rows] == places, self.counts[rows], 0)
        every = np.zeros(total, np.int32)
        every[self.places] = self.counts
        return every[places]


class Texts:
    """The full-text index."""

    def __init__(self, database: Database, caches: Caches) -> None:
        self._database = database
        self._caches = caches
        self._holds = False
        self._words: OrderedDict[str, tuple[str, _Word]] = OrderedDict()
        self._held = 0
        self._lock = threading.Lock()

    def hold(self) -> None:
        """From now on remember where words are, rare ones too: for a process that is asked again and again."""
        self._holds = True

    def matching(self, text: str) -> Matches | None:
        """The sounds that match a text, none where it has no letter or digit; None where it is empty."""
        if not text.strip():
            return None
        wanted, unwanted = _terms(text)
        with self._database.read() as connection:
            if not wanted:
                return Matches(_but(connection, unwanted) if unwanted else np.empty(0, np.int64))
            if all(self._known(connection, term) for term in wanted):
                return self._computed(connection, wanted, unwanted)
            return _ranked(connection, _match(wanted, unwanted))

    def weighted(self, text: str, weights: Mapping[str, int]) -> Matches | None:
        """The same, looking only into the texts that have a weight, of `TEXTS`, and ranked with it."""
        wanted, unwanted = _terms(text)
        columns = [name for name in TEXTS if weights.get(name)]
        if not wanted or not columns:
            return self.matching(text)
        match = f"{{{' '.join(columns)}}} : ({_match(wanted, unwanted)})"
        with self._database.read() as connection:
            if self._holds and all(len(stems(term)) == 1 for term in (*wanted, *unwanted)):
                return self._computed(connection, wanted, unwanted, weights)
            return _ranked(connection, match, [weights.get(name, 0) for name in TEXTS])

    def _computed(
        self,
        connection: Connection,
        wanted: Sequence[str],
        unwanted: Sequence[str],
        weights: Mapping[str, int] | None = None,
    ) -> Matches:
        """What FTS5 finds and how it ranks, for single words of which it is known where they are.

        With weights a word counts so much in each text, and nothing where there is none: FTS5's, too.
        """
        lengths = self._lengths(connection)
        total = len(lengths.ids)
        every = [self._word(connection, lengths, term, weights) for term in wanted]
        rarest = min(every, key=lambda word: len(word.places))
        fits, counts = rarest.places, {id(rarest): rarest.counts}
        for word in every:
            if id(word) not in counts:
                of_word = word.counts_at(fits, total)
                found = of_word > 0
                fits = fits[found]
                counts = {other: known[found] for other, known in (counts | {id(word): of_word}).items()}
        without = np.ones(len(fits), bool)
        for term in unwanted:
            if self._known(connection, term):
                without &= self._word(connection, lengths, term, weights).counts_at(fits, total) == 0
            else:
                without &= ~np.isin(lengths.ids[fits], _ids(connection, term))
        if unwanted:
            fits, counts = fits[without], {other: known[without] for other, known in counts.items()}
        norm = lengths.norms[fits]
        score = np.zeros(len(fits))
        for word in every:
            count = counts[id(word)]
            score += _weight(total, len(word.places)) * ((count * (_K1 + 1.0)) / (count + norm))
        return Matches(lengths.ids[fits], -score)

    def _lengths(self, connection: Connection) -> _Lengths:
        state = str(connection.exec_driver_sql("select changes from texts").scalar_one())

        def make() -> tuple[str, _Lengths]:
            found = self._caches.find("texts", state)
            if found is None:
                rows = connection.exec_driver_sql("select id, sz from sound_text_docsize order by id").all()
                words = _varints(b"".join([row[1] for row in rows])).reshape(-1, len(TEXTS)).sum(axis=1, dtype=np.int32)
                found = self._caches.store(
                    "texts", state, {"ids": np.array([row[0] for row in rows], np.int64), "words": words}
                )
            average = float(found["words"].sum()) / max(1, len(found["ids"])) or 1.0
            norms = _K1 * (1 - _B + _B * found["words"] / average)
            return state, _Lengths(found["ids"], norms, state)

        return self._caches.held("texts", state, make)

    def _known(self, connection: Connection, term: str) -> bool:
        """Whether it is, or soon will be, known where a word is: it is frequent, or all words are held."""
        return len(stems(term)) == 1 if self._holds else _frequent(connection, term)

    def _word(
        self, connection: Connection, lengths: _Lengths, term: str, weights: Mapping[str, int] | None = None
    ) -> _Word:
        """Where a word is; with weights as often as they say."""
        (stem,) = stems(term)
        name = stem if weights is None else f"{stem} {sorted(weights.items())}"
        with self._lock:
            held = self._words.get(name)
            if held is not None and held[0] == lengths.state:
                self._words.move_to_end(name)
                return held[1]
        if weights is not None:
            return self._hold(name, lengths.state, _weighted(connection, lengths, stem, weights))
        key = f"text {stem}"

        def make() -> tuple[str, _Word]:
            found = self._caches.find(key, lengths.state)
            if found is not None:
                return lengths.state, _Word(found["places"], found["counts"])
            word = _occurring(lengths, _occurrences(connection, stem))
            if len(word.places) < FREQUENT:  # only held: as soon counted as read from a disk
                return lengths.state, word
            kept = self._caches.store(key, lengths.state, {"places": word.places, "counts": word.counts})
            return lengths.state, _Word(kept["places"], kept["counts"])

        if self._holds:
            return self._hold(name, lengths.state, make()[1])
        return self._caches.held(key, lengths.state, make)

    def _hold(self, stem: str, state: str, word: _Word) -> _Word:
        with self._lock:
            if stem in self._words:
                self._held -= len(self._words.pop(stem)[1].places) + _LEAST
            self._words[stem] = state, word
            self._held += len(word.places) + _LEAST
            while self._held > _MOST_HELD:
                _, (_, oldest) = self._words.popitem(last=False)
                self._held -= len(oldest.places) + _LEAST
        return word


def _terms(text: str) -> tuple[list[str], list[str]]:
    """What must occur and what must not, each as FTS5 has it."""
    wanted: list[str] = []
    unwanted: list[str] = []
    for minus, phrase, word in _TERM.findall(text):
        term = storable(phrase or word).replace('"', " ").replace("\0", " ")
        if any(character.isalnum() for character in term):
            (unwanted if minus else wanted).append(f'"{term}"')
    return wanted, unwanted


def _frequent(connection: Connection, term: str) -> bool:
    """Whether this is one word, and frequent."""
    if len(stems(term)) != 1:
        return False
    query = sa.text(f"select count(*) from ({_MATCHES} limit :limit)")
    return bool(connection.execute(query, {"match": term, "limit": FREQUENT}).scalar_one() >= FREQUENT)


def _ids(connection: Connection, match: str) -> Ids:
    return listed(connection, sa.select(sa.text(_MATCHES).bindparams(match=match).columns(_ROWID).subquery().c.rowid))


def _match(wanted: Sequence[str], unwanted: Sequence[str]) -> str:
    return " AND ".join(wanted) + "".join(f" NOT {term}" for term in unwanted)


def _ranked(connection: Connection, match: str, weights: Sequence[int] = ()) -> Matches:
    """As FTS5 ranks, each text counting by its weight."""
    given = "".join(f", {weight:d}" for weight in weights)
    query = f"select rowid, bm25(sound_text{given}) from sound_text where sound_text match :match order by rowid"
    rows = numbers(connection, sa.text(query), 2, match=match)
    return Matches(rows[:, 0].astype(np.int64), rows[:, 1].copy())


def _but(connection: Connection, unwanted: Sequence[str]) -> Ids:
    """All sounds with a text but those with any of the terms."""
    every = listed(connection, sa.select(_DOCUMENTS.c.id))
    return np.setdiff1d(every, _ids(connection, " OR ".join(unwanted)), assume_unique=True)


def _occurring(lengths: _Lengths, occurrences: Ids) -> _Word:
    ids, counts = np.unique(occurrences, return_counts=True)
    return _Word(np.searchsorted(lengths.ids, ids).astype(np.int32), counts.astype(np.int32))


def _weighted(connection: Connection, lengths: _Lengths, stem: str, weights: Mapping[str, int]) -> _Word:
    """Where a word is in the texts that have a weight, each time counting by it."""
    every = np.zeros(len(lengths.ids), np.int32)
    for name, weight in weights.items():
        if weight:
            word = _occurring(lengths, _occurrences(connection, stem, name))
            every[word.places] += weight * word.counts
    places = np.flatnonzero(every).astype(np.int32)
    return _Word(places, every[places])


def _occurrences(connection: Connection, stem: str, text: str = "") -> Ids:
    """The sound of every occurrence of a word, in one of the texts or all, handed over as one text: by far fastest."""
    listed = f"select group_concat(doc) from temp.text_words where term = :stem{' and col = :text' if text else ''}"
    given = {"stem": stem} | ({"text": text} if text else {})
    return np.fromstring(connection.execute(sa.text(listed), given).scalar_one() or "", np.int64, sep=",")


def _weight(total: int, having: int) -> float:
    """The inverse document frequency of a word, as FTS5 has it: never 0 or below."""
    weight = math.log((total - having + 0.5) / (having + 0.5))
    return weight if weight > 0 else 1e-6


def _varints(data: bytes) -> Ids:
    """SQLite's whole numbers of one byte or more, 7 bits each, the highest first; those below 2^56."""
    raw = np.frombuffer(data, np.uint8)
    last = np.flatnonzero(raw < 0x80)
    first = np.concatenate([[0], last[:-1] + 1])
    shifts = 7 * (np.repeat(last, last - first + 1) - np.arange(len(raw)))
    return np.asarray(np.add.reduceat((raw & 0x7F).astype(np.int64) << shifts, first))
