"""What the API answers at each address. A resource is a function of the call and the address's parts."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from corpus.errors import FilterError, UnknownSound
from corpus.model import Sound
from corpus.store.texts import TEXTS
from engine.query.order import Ids, Order
from engine.query.run import Choice
from engine.server.freesound import fields, paging, records
from engine.server.freesound.call import Answer, ApiError, Call
from engine.server.freesound.search import Found, Search, find, sort_read, without_now
from engine.server.freesound.shelf import VECTORS
from engine.server.freesound.spaces import NO_VECTOR, BadSimilarTo, first_of

_FAILED = "Search server error: {} (please check that your filter syntax and field names are correct)"
_WEIGHTS = re.compile(r"(\w+):([0-9]{1,3})")
_TEXTS = {"tag": "tags"} | {name: name for name in TEXTS}


def search(call: Call) -> Answer:
    """`search/`, by words, filter and sort, or around a sound or a vector."""
    wanted = search_of(call, call.params.get("similar_to", ""), call.params.get("query", ""), call.params.get("filter"))
    return _page(call, _found(call, wanted), "search/", space=wanted.space)


def similar(call: Call, sound_id: int) -> Answer:
    """`sounds/<id>/similar/`; query, filter and weights are not looked at, as upstream."""
    wanted = search_of(call, str(sound_id), "", None)
    return _page(call, _found(call, wanted), f"sounds/{sound_id}/similar/", sound_id, wanted.space)


def sound(call: Call, sound_id: int) -> Answer:
    """`sounds/<id>/`."""
    asked = fields.chosen(call.params.get("fields") or ",".join(fields.METADATA))
    held(call, sound_id)
    return records.rows(call.corpus, call.served.shelf, [sound_id], asked, call.base)[0]


def analysis(call: Call, sound_id: int) -> Answer:
    """`sounds/<id>/analysis/`: all descriptors and both vectors."""
    held(call, sound_id, "Not found")
    asked = ("category", "subcategory", *fields.DESCRIPTORS, *fields.VECTORS)
    row = records.rows(call.corpus, call.served.shelf, [sound_id], asked, call.base)[0]
    return {name.removeprefix("sim_"): value for name, value in row.items()}


def comments(call: Call, sound_id: int) -> Answer:
    """`sounds/<id>/comments/`: none are kept."""
    held(call, sound_id)
    return list_of(call, np.empty(0, np.int64), lambda ids: [])


def download_link(call: Call, sound_id: int) -> Answer:
    """`sounds/<id>/download/link/`."""
    held(call, sound_id, "Not found")
    return {"download_link": f"{call.base}/sounds/{sound_id}/download/"}


def search_of(call: Call, similar_to: str, text: str, narrow: str | None) -> Search:
    """What a call asks of a list.

    Raises
    ------
    ApiError
        It cannot be read, or asks for too much.
    """
    limits, params = call.served.options.limits, call.params
    if narrow is not None and not narrow.strip():
        raise ApiError(400, "Invalid filter.")
    if narrow is not None and len(narrow) > limits.filter:
        raise ApiError(400, f"The filter has {len(narrow)} characters; at most {limits.filter} are read.")
    if len(text) > limits.text:
        raise ApiError(400, f"The query has {len(text)} characters; at most {limits.text} are read.")
    strict = _probability(params["strict"]) if params.get("strict") else None
    agents = tuple(name for name in params.get("agent", "").split(",") if name)
    if strict is not None and not agents:
        raise ApiError(400, "The 'strict' parameter is about what an agent calls good; name it by 'agent'")
    target = _target(similar_to, limits.numbers) if similar_to.strip() else None
    space = "" if target is None else params.get("similarity_space") or _space_of(call, target)
    try:
        narrow, sort = without_now(narrow or ""), sort_read(params.get("sort", ""))
    except FilterError as error:
        raise ApiError(400, _FAILED.format(error)) from None
    choice = Choice(
        text="" if target is not None else text,
        filter=narrow,
        agents=agents,
        strict=strict,
    )
    return Search(choice, _weights(params.get("weights", "")), sort, target, space)


def _space_of(call: Call, target: int | tuple[float, ...]) -> str:
    key = ("space", len(target)) if isinstance(target, tuple) else ("space of", target)
    return call.served.shelf.get(key, lambda: first_of(call.corpus, target), VECTORS)


def _found(call: Call, wanted: Search) -> Found:
    """What a search finds; what is wrong with it becomes an answer."""
    try:
        return find(call.corpus, call.served.shelf, wanted)
    except FilterError as error:
        raise ApiError(400, _FAILED.format(error)) from None
    except BadSimilarTo as error:
        raise ApiError(400, str(error)) from None


def _page(call: Call, found: Found, path: str, similar_to: int | None = None, space: str = "") -> Answer:
    """A page of what was found."""
    try:
        page = paging.page_of_search(call.params, found.count)
    except paging.NoPage:
        raise ApiError(404, "Not found") from None
    params = {**call.params, "similarity_space": space}
    previous, following = paging.search_links(f"{call.base}/{path}", params, page, found.count, similar_to)
    order = found.at(page.first, page.stop)
    return {"count": found.count, "previous": previous, "next": following, "results": _rows(call, order, found)}


def _rows(call: Call, order: Order, found: Found) -> list[dict[str, Any]]:
    asked = fields.chosen(call.params.get("fields") or fields.DEFAULT_OF_LISTS)
    rows = records.rows(call.corpus, call.served.shelf, order.ids.tolist(), asked, call.base)
    if "score" in asked:
        scores = np.ones(len(rows)) if order.scores is None else order.scores
        for row, score in zip(rows, scores.tolist(), strict=True):
            row["score"] = score
    if found.targeted and order.distances is not None:
        for row, distance in zip(rows, order.distances.tolist(), strict=True):
            row["distance_to_target"] = distance
    return rows


def held(call: Call, sound_id: int, otherwise: str = "No Sound matches the given query.") -> Sound:
    """A sound that is asked for by its id; 404 where it is not held."""
    try:
        load = call.corpus.sounds.many
        kept = call.served.shelf.many([sound_id], lambda ids: dict(zip(ids, load(ids), strict=True)))
        return kept[sound_id]
    except UnknownSound:
        raise ApiError(404, otherwise) from None


def _target(text: str, most: int) -> int | tuple[float, ...]:
    """A sound's id, or a vector."""
    if not text.lstrip().startswith("["):
        if not re.fullmatch(r"\s*[0-9]{1,18}\s*", text):
            raise ApiError(400, "The 'similar_to' parameter is not a valid sound ID")
        return int(text)
    try:
        numbers = json.loads(text)
    except (ValueError, RecursionError):
        raise ApiError(400, NO_VECTOR) from None
    if not numbers or len(numbers) > most or not all(_is_number(number) for number in numbers):
        raise ApiError(400, NO_VECTOR)
    return tuple(map(float, numbers))


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and -1e30 < value < 1e30  # NaN is not


def _probability(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise ApiError(400, "The 'strict' parameter is not a probability from 0 to 1")
    return value


def _weights(text: str) -> tuple[tuple[str, int], ...]:
    """How much each text counts, by our names; none where that cannot be read, or names none of ours."""
    matches = [_WEIGHTS.fullmatch(part) for part in text.split(",")]
    found = {_TEXTS[match[1]]: int(match[2]) for match in matches if match and match[1] in _TEXTS}
    return tuple(sorted(found.items())) if all(matches) and any(found.values()) else ()


def list_of(
    call: Call, items: Ids, rows: Callable[[Sequence[int]], list[Mapping[str, Any]] | list[dict[str, Any]]]
) -> Answer:
    """A page of a list as Django REST framework has it; `rows` makes some of the items what they are in it."""
    try:
        page = paging.page_of_list(call.params, len(items))
    except paging.NoPage:
        raise ApiError(404, "Invalid page.") from None
    previous, following = paging.list_links(call.url, page, len(items))
    results = rows(items[page.first : page.stop].tolist())
    return {"count": len(items), "next": following, "previous": previous, "results": results}
