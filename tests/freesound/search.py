"""Search: a query's words, filter, target or similar sound become positions in their order, with scores."""

import json
import re
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tests.freesound import filters
from tests.freesound.columns import dumps, stems
from tests.freesound.fields import NUMERIC

_WEIGHTS = {"id": 4, "tag": 4, "description": 3, "username": 1, "pack": 2, "name": 2}
_SORTS = {"duration": ["duration"], "created": ["created"], "downloads": ["num_downloads"]}
_SORTS["rating"] = ["avg_rating", "num_ratings"]
_TARGETS = {*NUMERIC, "duration", "num_downloads", "avg_rating", "num_ratings", "filesize"}
_LEAST_SCORE = 0.7


class BadSimilarTo(Exception):
    """`similar_to` is neither a sound nor a vector."""


@dataclass(frozen=True)
class Wish:
    """What a search asks for, apart from pages and fields; `filter` is None if there was none."""

    query: str = ""
    filter: str | None = None
    sort: str = "score"
    weights: str = ""
    similar_to: str = ""
    space: str = "laion_clap"
    group: bool = False


class Hits(NamedTuple):
    """Positions in order; score of each; JSON to add to rows, by position."""

    positions: np.ndarray
    scores: dict
    extras: dict


def find(catalogue, wish):
    """Answer a search; the same question again costs nothing."""
    return catalogue.remember(wish, lambda: _find(catalogue, wish))


def _find(catalogue, wish):
    mask = catalogue.in_index.copy()
    if wish.filter is not None:
        mask &= filters.mask_of(wish.filter, catalogue)
    if wish.similar_to:
        scores = _similarity(catalogue, wish)
        with np.errstate(invalid="ignore"):
            mask &= scores >= _LEAST_SCORE
    else:
        matching, scores = _words(catalogue, wish)
        mask &= matching
    positions = np.flatnonzero(mask)
    order, extras = _order(catalogue, wish.sort, positions, scores[positions])
    positions = positions[order]
    if wish.group:
        positions, more = _newest_of_packs(catalogue, positions)
        extras |= more
    return Hits(positions, scores, extras)


def _similarity(catalogue, wish):
    """Score (1 + cosine) / 2 of each sound; NaN: none."""
    try:
        target = json.loads(wish.similar_to)
    except ValueError:
        target = None
    listed = wish.similar_to.lstrip().startswith("[")
    numbers = isinstance(target, list) and target and all(isinstance(number, int | float) for number in target)
    if listed and not numbers:
        raise BadSimilarTo("The 'similar_to' parameter is not a valid serialized vector")
    if not listed and type(target) is not int:
        raise BadSimilarTo("The 'similar_to' parameter is not a valid sound ID")
    nothing = np.full(len(catalogue), np.nan)
    space = catalogue.spaces.get(wish.space)
    position = None if listed else catalogue.position(target)
    if space is None or (not listed and (position is None or space.value(position) is None)):
        return nothing
    vector = target if listed else space.value(position)
    if len(vector) != space.dimension:
        raise BadSimilarTo("The 'similar_to' parameter is not a valid serialized vector")
    scores = (1 + space.cosines(vector)) / 2
    if position is not None:
        scores[position] = np.nan
    return scores


def _words(catalogue, wish):
    """Where all the query's words stand, and the sum of the weights of the fields in which they do."""
    weights = _weights(wish.weights)
    mask, scores = np.ones(len(catalogue), bool), np.zeros(len(catalogue))
    for sign, quoted, word in re.findall(r'([+-]?)(?:"([^"]*)"|(\S+))', wish.query):
        words = stems(quoted or word)
        if not words:
            continue
        found = {
            field: catalogue.index[field].with_phrase(words) if quoted else catalogue.index[field].with_words(words)
            for field in weights
        }
        anywhere = np.logical_or.reduce(list(found.values()))
        mask &= ~anywhere if sign == "-" else anywhere
        scores += sum(weights[field] * where for field, where in found.items()) if sign != "-" else 0
    return mask, scores + 1.0


def _weights(text):
    names = {"tags": "tag"}
    parts = re.fullmatch(r"(\w+):(\d+)(,(\w+):(\d+))*", text)
    given = {names.get(name, name): int(weight) for name, weight in re.findall(r"(\w+):(\d+)", text)} if parts else {}
    return {name: weight for name, weight in given.items() if name in _WEIGHTS} or _WEIGHTS


def _order(catalogue, sort, positions, scores):
    """The order of `positions`, and the extras of a sort by targets."""
    field, _, direction = sort.rpartition("_")
    if field in _SORTS and direction in ("asc", "desc"):
        sign = -1 if direction == "desc" else 1
        keys = [sign * catalogue.index[name].numbers[positions] for name in reversed(_SORTS[field])]
        return np.lexsort(keys), {}
    targets = re.findall(r"(\w+):(-?[\d.]+)", sort)
    if targets and all(name in _TARGETS for name, _ in targets):
        values = [catalogue.index[name].numbers[positions] - float(target) for name, target in targets]
        distances = np.sqrt(np.sum(np.square(values), axis=0))
        order = np.argsort(distances, kind="stable")
        order = order[~np.isnan(distances[order])]
        near = zip(positions[order].tolist(), distances[order].tolist(), strict=True)
        return order, {position: f'"distance_to_target":{dumps(distance)}' for position, distance in near}
    return np.argsort(-scores, kind="stable"), {}


def _newest_of_packs(catalogue, positions):
    """One sound for each pack, the newest, at the place of the pack's first; sounds of no pack stay."""
    pack, created = catalogue.index["pack_grouping"], catalogue.index["created"].numbers
    members = {}
    for position in positions.tolist():
        members.setdefault(pack.value(position) or position, []).append(position)
    newest = {key: max(those, key=lambda position: created[position]) for key, those in members.items()}
    extras = {
        newest[key]: f'"n_from_same_pack":{len(those)},"more_from_same_pack":{dumps(catalogue.pack_search(key))}'
        for key, those in members.items()
        if len(those) > 1
    }
    return np.array(list(newest.values()), int), extras
