"""Near to wanted values of traits.

The score of a sound, less being better, is the sum over the wanted traits of

    ((its value - the wanted one) / the trait's population standard deviation)^2

with the deviation over all sounds of the corpus that have the trait, not only those that fit; a trait that is the same
everywhere counts as it is, and values beyond +-1e12 as that. Pitch, bpm, duration and spectral_centroid are compared
by their logarithm to base 2, so that an octave is an octave anywhere; 0 there means that none was found. Sounds that
lack a wanted trait are left out. Ties go to the smaller id.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import numpy as np

from corpus.descriptors import SCALARS
from corpus.library import Corpus
from engine.errors import QueryError
from engine.query.order import Floats, Ids, Order

LOGARITHMIC = ("bpm", "duration", "pitch", "spectral_centroid")
"""Traits compared on a log2 scale."""
_MOST = 1e12
"""Of no trait is more than this sensible, and squares of more can be too large for a float."""
_LEAST = 1e-21
"""So small a value may as well be 0: deviations of such would make scores too large for a float."""
NUMBERS = ["duration", *(name for name, kind in SCALARS.items() if kind in (float, int))]
"""Traits that one can be near to, and the duration in seconds."""


def by_traits(corpus: Corpus, wanted: Sequence[tuple[str, float]], among: Ids) -> Order:
    """Those of some sounds that have all the wanted traits, the nearest first, with their scores.

    Parameters
    ----------
    corpus : Corpus
    wanted : sequence of (str, float)
        Traits and the values to be near to.
    among : (n,) int64

    Raises
    ------
    QueryError
        There is no such trait, or it is no number; a value that the trait cannot have.
    """
    for name, value in wanted:
        check_name(name)
        _check_value(name, value)
    ids, values = corpus.descriptors.numbers([name for name, _ in wanted])
    total = np.zeros(len(ids))
    for (name, value), column in zip(wanted, values.T, strict=True):
        total += squares(name, column, value)
    kept = np.flatnonzero(~np.isnan(total) & np.isin(ids, among))
    kept = kept[np.lexsort((ids[kept], total[kept]))]
    return Order(ids[kept], scores=total[kept])


def lacking(corpus: Corpus, names: Sequence[str], among: Ids) -> dict[str, int]:
    """How many of some sounds (n,) lack each of some traits."""
    ids, values = corpus.descriptors.numbers(names)
    values = values[np.isin(ids, among)]
    return {name: int(np.isnan(_scaled(name, column)).sum()) for name, column in zip(names, values.T, strict=True)}


def squares(name: str, column: Floats, value: float) -> Floats:
    """What each value (n,) of a trait adds to the score for a wanted one; NaN where it is lacking."""
    column, value = _scaled(name, column), float(_scaled(name, np.array([value]))[0])
    known = column[~np.isnan(column)]
    deviation = known.std() if len(known) else 0.0
    varies = deviation > 1e-9 * np.abs(known).max(initial=_LEAST)
    return np.asarray(((column - value) / (deviation if varies else 1.0)) ** 2)


def _scaled(name: str, column: Floats) -> Floats:
    """As compared: logarithms of what is above 0, where the trait wants that, the rest lacking."""
    if name not in LOGARITHMIC:
        return np.clip(column, -_MOST, _MOST)
    found = np.full(len(column), np.nan)
    return np.asarray(np.log2(column, where=column > 0, out=found))


def check_name(name: str) -> None:
    """Refuse what is no trait that one can be near to.

    Raises
    ------
    QueryError
        There is no such trait, or it is no number.
    """
    if name in NUMBERS:
        return
    if name in SCALARS:
        raise QueryError(f"trait {name!r} is no number to be near to; --filter {name}:VALUE finds it")
    closest = difflib.get_close_matches(name, NUMBERS, n=3, cutoff=0) or NUMBERS
    raise QueryError(f"no trait {name!r}; the closest known are {', '.join(closest)}")


def _check_value(name: str, value: float) -> None:
    if not -_MOST <= value <= _MOST:
        raise QueryError(f"{name} {value:g} is not from -1e12 to 1e12; name a value that a sound can have")
    if name in LOGARITHMIC and not value > 0:
        raise QueryError(f"{name} {value:g} is not above 0, and {name} is compared on a logarithmic scale")
