"""The old API's forms, for clients that were made for it: SuperCollider's quark, MIRLC, MIRLCa, freesound-api.

They are recognised by how a client asks: by the old addresses `search/content/` and `search/combined/`, and by the
parameter `descriptors`; everything else looks alike, and is answered so where the server was told to (`--legacy`), but
for what only today's API has: `similar_to`, `similarity_space`, target values to sort by, the field `score`.

What such clients rely on, and what they choke on, is in `docs/freesound.md`: the answer to any id that is not to be had
is `{"detail":"Not found."}`, that to any other fault has no body; there is no null; lists are never empty, have 30
sounds at most, with the target first; names can be put into a shell and make files of their own; sounds have audio.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from corpus.text import for_file_name
from engine.features import among
from engine.query.order import Ids, Order
from engine.server.freesound import audio, fields, paging, records, resources
from engine.server.freesound.call import Answer, ApiError, Call
from engine.server.freesound.legacy_filters import Quantity, condition, targets
from engine.server.freesound.legacy_names import nested, quantities
from engine.server.freesound.legacy_order import MFCC_SPACES, Asked, analysed, listed
from engine.server.freesound.options import Options
from engine.server.freesound.shelf import VECTORS

log = logging.getLogger("mirla.freesound")

LAST_DRAWN = 571_613
"""The largest id that MIRLCa draws at random."""
_NOT_FOUND = "Not found."
_MOST = 30
"""How many sounds a page has at most: sclang was seen to crash on much larger ones."""
_OLD_PATH = re.compile(r"/apiv2/search/(?:content|combined)/?")
_DESCRIPTORS = re.compile(r"(?:^|&)descriptors=")
_TODAYS = re.compile(
    r"(?:^|&)(?:similar_to=|similarity_space=|sort=[^&]*(?::|%3A)|fields=(?:[^&]*(?:,|%2C))?score(?:,|%2C|&|$))",
    re.IGNORECASE,
)
"""What no old client asks for."""
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
"""What a YAML parser, which the quark reads JSON with, may not take."""


def asks(path: str, query: str, options: Options) -> bool:
    """Whether a request, by its path and its query string, is to be answered in the old forms."""
    if _DESCRIPTORS.search(query) or _OLD_PATH.fullmatch(path):
        return True
    return (options.legacy or options.map_unknown_ids) and not _TODAYS.search(query)


def refusal(error: ApiError) -> Mapping[str, Any] | None:
    """What an old client is told of a fault; None: nothing at all, since it takes any other answer for a sound."""
    return {"detail": _NOT_FOUND} if error.detail == _NOT_FOUND else None


def cleaned(value: Any) -> Any:
    """An answer without null, and without control characters in its texts."""
    if isinstance(value, str):
        return value if value.isprintable() else _CONTROL.sub(" ", value)
    if isinstance(value, dict):
        return {name: cleaned(one) for name, one in value.items() if one is not None}
    if isinstance(value, list):
        return [cleaned(one) for one in value if one is not None]
    return value


def search(call: Call) -> Answer:
    """`search/` and `search/text/`."""
    return _page(call, _asked(call, call.params.get("query", "")))


def content(call: Call) -> Answer:
    """`search/content/`: near to a sound or to values of descriptors."""
    return _page(call, replace(_asked(call, ""), target=_target(call)))


def combined(call: Call) -> Answer:
    """`search/combined/`: words, and near to a target; with another way to say that there is more."""
    found = _page(call, replace(_asked(call, call.params.get("query", "")), target=_target(call)))
    return {"results": found["results"], "more": found["next"]}


def similar(call: Call, sound_id: int | str) -> Answer:
    """`sounds/<id>/similar/`, the sound itself first."""
    return _page(call, replace(_asked(call, ""), target=served_for(call, sound_id)))


def sound(call: Call, sound_id: int | str) -> Answer:
    """`sounds/<id>/`."""
    return _rows(
        call, [served_for(call, sound_id)], call.params.get("fields") or ",".join((*fields.METADATA, "analysis"))
    )[0]


def analysis(call: Call, sound_id: int | str) -> Answer:
    """`sounds/<id>/analysis/`: nested where descriptors are named, else flat."""
    known = served_for(call, sound_id)
    if "descriptors" not in call.params:
        return resources.analysis(call, known)
    found = _analyses(call, [known])[0]
    if not found:
        raise ApiError(404, f"sound {known} has none of these descriptors")
    return found


def of_served(resource: Callable[[Call, int], Any]) -> Callable[[Call, int | str], Any]:
    """A resource of a sound as it is today, for any id that an old client may have."""
    return lambda call, sound_id: resource(call, served_for(call, sound_id))


def served_for(call: Call, asked: int | str) -> int:
    """The sound that an id stands for: itself, if it has audio, or else the one that takes its place.

    Raises
    ------
    ApiError
        It is no id, or of no sound.
    """
    ids: Ids = call.served.shelf.get("audio", lambda: call.corpus.sounds.ids(with_audio=True), slow=True)
    if isinstance(asked, int):
        place = int(np.searchsorted(ids, asked))
        if place < len(ids) and ids[place] == asked:
            return asked
        if call.served.options.map_unknown_ids and 1 <= asked <= LAST_DRAWN and len(ids):
            return call.served.shelf.get(("stand-in", asked), lambda: _stand_in(call, asked, ids), VECTORS)
    raise ApiError(404, _NOT_FOUND)


def _stand_in(call: Call, asked: int, ids: Ids) -> int:
    """The sound that is served for an id that is not held: the one whose mix with it is the largest number.

    So a sound that is added takes over a few ids, and one that goes leaves its own to others; all else stays.
    Reference: D. Thaler and C. Ravishankar, "Using name-based mappings to increase hit rates", 1998.
    """
    with_mfcc = ids[among(ids, analysed(call.corpus, call.served.shelf))]
    ids = with_mfcc if len(with_mfcc) else ids
    stand_in = int(ids[_mixed(ids.astype(np.uint64) + np.uint64(asked << 32)).argmax()])

    def tell() -> bool:
        log.warning("sound %d is not held: %d takes its place", asked, stand_in)
        return True

    call.served.shelf.get(("told", asked, stand_in), tell, of=())
    return stand_in


def _mixed(numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Numbers as if drawn at random, the same for the same ones: SplitMix64's."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        numbers = (numbers ^ (numbers >> np.uint64(shift))) * np.uint64(factor)
    return numbers ^ (numbers >> np.uint64(31))


def _asked(call: Call, text: str) -> Asked:
    """What a list asks for, but for a target."""
    found = condition(f"{_short(call, 'filter')} {_short(call, 'descriptors_filter')}")
    search = resources.search_of(call, "", text, found.must or None)
    search = replace(search, choice=replace(search.choice, with_audio=True))
    return Asked(search, found.wishes, analysed="mfcc" in quantities(call.params.get("descriptors", "")))


def _target(call: Call) -> int | tuple[tuple[Quantity, float], ...] | None:
    found = targets(_short(call, "target"))
    return served_for(call, found) if isinstance(found, int) else tuple(found.items()) or None


def _short(call: Call, name: str) -> str:
    """A parameter that is read as a filter is, no longer than one may be."""
    text, most = call.params.get(name, ""), call.served.options.limits.filter
    if len(text) > most:
        raise ApiError(400, f"{name} has {len(text)} characters; at most {most} are read")
    return text


def _page(call: Call, asked: Asked) -> dict[str, Any]:
    """A page of a list; with `prev` beside `previous`, which the quark does not know."""
    found = listed(call.corpus, call.served.shelf, asked)
    try:
        page = paging.page_of_search(call.params, found.count, _MOST)
    except paging.NoPage:
        raise ApiError(404, "there is no such page") from None
    results = _results(call, found.at(page.first, page.stop))
    if not results:
        raise ApiError(404, "nothing fits")
    previous, following = paging.list_links(call.url, page, found.count)
    return {"count": found.count, "previous": previous, "prev": previous, "next": following, "results": results}


def _results(call: Call, order: Order) -> list[dict[str, Any]]:
    rows = _rows(call, order.ids.tolist(), call.params.get("fields") or fields.DEFAULT_OF_LISTS)
    if order.distances is not None:
        for row, distance in zip(rows, order.distances.tolist(), strict=True):
            row["distance_to_target"] = distance if np.isfinite(distance) else None
    return rows


def _rows(call: Call, ids: list[int], asked: str) -> list[dict[str, Any]]:
    """Sounds with the fields that are asked for, and what of them old clients want otherwise."""
    rows = records.rows(call.corpus, call.served.shelf, ids, fields.chosen(asked), call.base)
    for sound_id, row in zip(ids, rows, strict=True):
        if "name" in row:
            row["name"] = safe_name(sound_id, row["name"])
    if "analysis" in asked.split(","):
        if "descriptors" in call.params:
            analyses: list[Any] = _analyses(call, ids)
        else:
            analyses = [f"{call.base}/sounds/{sound_id}/analysis/" for sound_id in ids]
        for row, one in zip(rows, analyses, strict=True):
            row["analysis"] = one
    return rows


def safe_name(sound_id: int, name: str) -> str:
    """A sound's name as a file's, without a dot: the quark puts it into a shell, and cuts it at a dot.

    Examples
    --------
    >>> safe_name(1234, "v1.2 $(rm -rf ~) “kick”.wav")
    '1234-v1_2_rm_-rf_kick_wav'
    """
    return f"{sound_id}-{for_file_name(name, 40).replace('.', '_')}"


def _analyses(call: Call, ids: list[int]) -> list[dict[str, Any]]:
    """The nested answers for sounds to the parameter `descriptors`."""
    descriptors = call.params["descriptors"]
    traits = call.corpus.descriptors.of(ids)
    durations = records.rows(call.corpus, call.served.shelf, ids, ("duration",), call.base)
    spaces = [records.vectors_of(call.corpus, space, ids) for space in MFCC_SPACES]
    answers = []
    for sound_id, known, *vectors in zip(ids, durations, *spaces, strict=True):
        known |= {name: value for name, (value, _) in traits.get(sound_id, {}).items()}
        for vector in vectors:
            if vector is not None:
                known |= {"mfcc": vector[:13], "mfcc_var": vector[13:]}
                break
        answers.append(nested(descriptors, known))
    return answers


_SOUND = "sounds/([^/]+)/"
ROUTES: dict[str, Callable[..., Any]] = {
    "search/(?:text/)?": search,
    "search/content/": content,
    "search/combined/": combined,
    _SOUND: sound,
    f"{_SOUND}analysis/": analysis,
    f"{_SOUND}similar/": similar,
    f"{_SOUND}comments/": of_served(resources.comments),
    f"{_SOUND}download/": of_served(audio.download),
    f"{_SOUND}download/link/": of_served(resources.download_link),
}
"""What answers old clients otherwise than today's, as `ROUTES` in `app`."""
