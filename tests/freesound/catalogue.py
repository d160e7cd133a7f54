"""The sounds that the server has, by position; positions are in the order of the ids.

`columns` holds what is served by field name, `index` what can be filtered and searched by the filter's name, `spaces`
the vectors. As upstream, the index and the database are two things: a sound that left the database alone is `null` in
lists until it leaves the index too.
"""

from collections import OrderedDict
from typing import Any

import numpy as np


class Catalogue:
    columns: Any
    index: Any
    spaces: dict[str, Any]
    now = "2026-08-01T00:00:00Z"
    """What `NOW` means in a filter."""

    def __init__(self, ids):
        self.ids = np.asarray(ids)
        self.in_database = np.ones(len(ids), bool)
        self.in_index = np.ones(len(ids), bool)
        self.touched = False
        self._remembered = OrderedDict()

    def __len__(self):
        return len(self.ids)

    def position(self, sound_id):
        """Where the sound is, or None if the database has it no more."""
        position = self._place(sound_id)
        return position if position is not None and self.in_database[position] else None

    def delete(self, sound_id, from_index=True):
        """Delete a sound from the database and, unless `from_index` is false, from the index."""
        self.touch()
        position = self._place(sound_id)
        self.in_database[position] = False
        self.in_index[position] = not from_index

    def restore(self, sound_id):
        """Bring a deleted sound back."""
        self.touch()
        self.in_database[self._place(sound_id)] = self.in_index[self._place(sound_id)] = True

    def touch(self):
        """Something changes: forget what was found before."""
        self.touched = True
        self._remembered.clear()

    def remember(self, key, find):
        """What `find()` answers, remembered for the last few keys, since pages of one search follow one another."""
        if key in self._remembered:
            self._remembered.move_to_end(key)
        else:
            self._remembered[key] = find()
            if len(self._remembered) > 32:
                self._remembered.popitem(last=False)
        return self._remembered[key]

    def row(self, position, fields, extra=""):
        """A sound's JSON object with `fields`, `extra` JSON at its end; `null` if the database has it no more."""
        if not self.in_database[position]:
            return "null"
        parts = [f'"{field}":{self.columns[field].json(position)}' for field in fields]
        return f"{{{','.join([*parts, extra] if extra else parts)}}}"

    def _place(self, sound_id):
        place = int(np.searchsorted(self.ids, sound_id))
        return place if place < len(self.ids) and self.ids[place] == sound_id else None
