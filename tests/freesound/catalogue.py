"""What upstream has: a corpus of the server's own, filled with records as a harvest keeps them, and changed by tests.

As upstream, the database and the index are two things. A sound that left the database alone is `null` in lists
(`nulls`); one that left the index alone is in no search, and yet there under its address (`unlisted`). The corpus
itself knows nothing of either: `quirks.py` makes the difference.
"""

from itertools import islice

from corpus import Corpus
from corpus.freesound import wire
from corpus.keeping import Keeping

_AT_ONCE = 500


class Catalogue:
    """Any records as the API has them, which nobody changes; without audio."""

    def __init__(self, home, records):
        self.corpus = Corpus(home)
        self.nulls, self.unlisted = set(), set()
        corpus = self.corpus
        self._keeping = Keeping(corpus.sounds, corpus.vectors, corpus.checks, corpus.descriptors)
        self._keeping.prepare()
        records = iter(records)
        while some := list(islice(records, _AT_ONCE)):
            self._put(some)
        self.ids = corpus.sounds.ids()

    def original(self, sound_id):
        """The file that a sound was uploaded as; None if the database has no such sound, or no audio."""

    def reset(self):
        """As it was at first."""

    def _put(self, records):
        with self.corpus.database.write() as connection:
            self._keeping.keep(connection, [wire.record(record) for record in records])


class Changing(Catalogue):
    """A catalogue that a test may change; `files` has the originals by id."""

    def __init__(self, home, records, files):
        self._files = files
        self._first = {record["id"]: record for record in records}
        self._now = dict(self._first)
        super().__init__(home, records)

    @property
    def records(self):
        """Those of now, by their ids."""
        return [self._now[number] for number in sorted(self._now)]

    def original(self, sound_id):
        return self._files[sound_id] if sound_id in self._now and sound_id not in self.nulls else None

    def change(self, sound_id, **facts):
        """Give a sound other facts, by the names of its fields."""
        record = self._now[sound_id]
        assert facts.keys() <= record.keys(), f"no such field: {facts.keys() - record.keys()}"
        self._now[sound_id] = record | facts
        self._put([self._now[sound_id]])

    def delete(self, sound_id, from_index=True):
        """Delete a sound from the database and, unless `from_index` is false, from the index."""
        if from_index:
            self.corpus.forget([sound_id])
            del self._now[sound_id]
        else:
            assert sound_id in self._now
            self.nulls.add(sound_id)

    def restore(self, sound_id):
        """Bring a deleted sound back."""
        self.nulls.discard(sound_id)
        if sound_id not in self._now:
            self._now[sound_id] = self._first[sound_id]
            self._put([self._first[sound_id]])

    def unlist(self, sound_ids):
        """Let sounds be in no search any more, though they are there."""
        self.unlisted.update(sound_ids)

    def reset(self):
        self.nulls.clear()
        self.unlisted.clear()
        changed = [record for number, record in self._first.items() if self._now.get(number) is not record]
        if changed:
            self._put(changed)
            self._now = dict(self._first)
