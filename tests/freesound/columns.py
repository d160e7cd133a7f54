"""A catalogue's facts as columns: one value a sound, by position, each with its JSON ready.

Masks are boolean arrays of shape (sounds,).
"""

import json
import re
from collections import defaultdict
from fnmatch import translate
from functools import cached_property

import numpy as np

_STOP_WORDS = set("a an and are as at be but by for if in into is it no not of on or such that the to was with".split())


def dumps(value):
    """JSON as the API writes it: compact, raw UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def stems(text):
    """The words that a text search compares: lower case, no stop words, plural and -ed, -ing, -er taken off."""
    found = (word for word in re.findall(r"\w+", text.lower().replace("_", " ")) if word not in _STOP_WORDS)
    return [re.sub(r"(?<=\w\w\w)(ing|ers?|ed|es|s)$", "", word) for word in found]


class Column:
    """Values out of a table: `codes` (an array, or a function that makes it) says which one each sound has.

    Without codes, the table holds one value for each sound in turn.
    """

    def __init__(self, table, codes=None):
        self.table = table
        self._codes = codes

    def json(self, position):
        return self._json[self.codes[position]]

    def value(self, position):
        return self.table[self.codes[position]]

    @cached_property
    def codes(self):
        if self._codes is None:
            return np.arange(len(self.table))
        return self._codes() if callable(self._codes) else self._codes

    @cached_property
    def numbers(self):
        """Values as floats; NaN where there is none."""
        return np.array([np.nan if value is None else float(value) for value in self.table])[self.codes]

    def equal(self, text):
        """Where the value, or one of a list of values, is `text`, in which `*` stands for anything."""
        pattern = re.compile(
            translate(text.replace("[", "[[]").replace("?", "[?]")) if "*" in text else re.escape(text)
        )
        return self._where(lambda value: pattern.fullmatch(_text(value)))

    def between(self, low, high):
        """Where the value lies between two texts, compared as texts; None is an open end."""
        return self._where(
            lambda value: (low is None or low <= _text(value)) and (high is None or _text(value) <= high)
        )

    def with_words(self, words):
        """Where all of the stems in `words` stand in the value."""
        mask = np.ones(len(self.table), bool)
        for word in words:
            holding = np.zeros(len(self.table), bool)
            holding[self._positions_of_word.get(word, [])] = True
            mask &= holding
        return mask[self.codes]

    def with_phrase(self, words):
        """Where the stems in `words` follow one another in the value."""
        phrase = f" {' '.join(words)} "
        return self._where(lambda value: phrase in f" {' '.join(stems(_text(value)))} ")

    def _where(self, true_of):
        mask = np.zeros(len(self.table), bool)
        for position, value in enumerate(self.table):
            values = value if isinstance(value, list) else [value]
            mask[position] = any(item is not None and bool(true_of(item)) for item in values)
        return mask[self.codes]

    @cached_property
    def _json(self):
        return [dumps(value) for value in self.table]

    @cached_property
    def _positions_of_word(self):
        found = defaultdict(list)
        for position, value in enumerate(self.table):
            words = stems(" ".join(map(_text, value)) if isinstance(value, list) else _text(value or ""))
            for word in set(words):
                found[word].append(position)
        return found


class Written:
    """Values that differ for each sound of a large catalogue: a function that writes the JSON, and whole numbers."""

    def __init__(self, write, numbers=None):
        self.json = write
        self.numbers = numbers

    def value(self, position):
        return json.loads(self.json(position))

    def equal(self, text):
        return self.numbers == (int(text) if re.fullmatch(r"\d+", text) else -1)

    def between(self, low, high):
        texts = self.numbers.astype(str)
        return (texts >= (low or "")) & (texts <= (high or "~"))

    def with_words(self, words):
        return self.equal(words[0]) if len(words) == 1 else np.zeros(len(self.numbers), bool)

    with_phrase = with_words


def _text(value):
    return str(value).lower() if isinstance(value, bool) else str(value)
