"""What the API answers at each address, as JSON text. A resource is a function of the call and the address's parts."""

import numpy as np

from tests.freesound import fields, paging
from tests.freesound.columns import dumps
from tests.freesound.filters import SolrError
from tests.freesound.samples import comments
from tests.freesound.search import BadSimilarTo, Wish, find

_SEARCH = ("count", "previous", "next", "results")
_LIST = ("count", "next", "previous", "results")
_FAILED = "Search server error: {} (please check that your filter syntax and field names are correct)"


class ApiError(Exception):
    """An answer with `{"detail": …}`."""

    def __init__(self, status, detail):
        super().__init__(detail)
        self.status = status
        self.detail = detail


def search(call):
    params = call.params
    if "filter" in params and not params["filter"].strip():
        raise ApiError(400, "Invalid filter.")
    wish = Wish(
        query=params.get("query", ""),
        filter=params.get("filter"),
        sort=params.get("sort", "score"),
        weights=params.get("weights", ""),
        similar_to=params.get("similar_to", ""),
        space=params.get("similarity_space") or "laion_clap",
        group=params.get("group_by_pack") == "1",
    )
    return _found(call, wish, f"{call.base}/search/")


def similar(call, sound_id):
    space = call.params.get("similarity_space") or "laion_clap"
    wish = Wish(similar_to=sound_id, space=space, sort=call.params.get("sort", "score"))
    return _found(call, wish, f"{call.base}/sounds/{sound_id}/similar/", sound_id)


def sound(call, sound_id):
    position = _position(call, sound_id)
    return call.catalogue.row(position, _fields(call, ",".join(fields.METADATA), listed=False))


def analysis(call, sound_id):
    position = call.catalogue.position(int(sound_id))
    if position is None:
        raise ApiError(404, "Not found")
    columns = call.catalogue.columns
    if columns["mfcc"].value(position) is None:
        raise ApiError(500, "Server error")
    names = ["category", "subcategory", *fields.DESCRIPTORS]
    parts = [f'"{name}":{columns[name].json(position)}' for name in names]
    parts += [f'"{space}":{columns[f"sim_{space}"].json(position)}' for space in fields.SPACES]
    return f"{{{','.join(parts)}}}"


def comments_of_sound(call, sound_id):
    _position(call, sound_id)
    said = comments(int(sound_id)) if call.catalogue.files else []
    return _list(call, said, lambda page: map(dumps, page))


def user(call, name):
    positions = _of_user(call, name)
    packs = _packs(call, positions)
    here = f"{call.base}/users/{name}"
    return dumps(
        {
            "url": f"https://freesound.org/people/{name}/",
            "username": name,
            "about": "",
            "home_page": None,
            "avatar": {"small": None, "medium": None, "large": None},
            "date_joined": "2005-04-05T12:00:00Z",
            "num_sounds": len(positions),
            "sounds": f"{here}/sounds/",
            "num_packs": len(packs),
            "packs": f"{here}/packs/",
            "num_posts": 0,
            "num_comments": 0,
        }
    )


def sounds_of_user(call, name):
    return _sounds(call, _of_user(call, name))


def packs_of_user(call, name):
    packs = _packs(call, _of_user(call, name))
    return _list(call, list(packs.items()), lambda page: [_pack(call, *item) for item in page])


def pack(call, pack_id):
    return _pack(call, int(pack_id), _of_pack(call, pack_id))


def sounds_of_pack(call, pack_id):
    return _sounds(call, _of_pack(call, pack_id))


def _found(call, wish, address, similar_to=None):
    """A page of what a search finds."""
    try:
        hits = find(call.catalogue, wish)
    except SolrError as error:
        raise ApiError(400, _FAILED.format(error)) from None
    except BadSimilarTo as error:
        raise ApiError(400, str(error)) from None
    count = len(hits.positions)
    try:
        page = paging.page_of_search(call.params, count)
    except paging.NoPage:
        raise ApiError(404, "Not found") from None
    asked = _fields(call, fields.DEFAULT_OF_LISTS)
    score = "score" in asked
    asked = [name for name in asked if name != "score"]
    rows = []
    for position in hits.positions[page.slice].tolist():
        extra = [f'"score":{dumps(float(hits.scores[position]))}'] if score else []
        extra += [hits.extras[position]] if position in hits.extras else []
        rows.append(call.catalogue.row(position, asked, ",".join(extra)))
    params = {**call.params, "similarity_space": wish.space}
    return paging.listing(_SEARCH, count, paging.search_links(address, params, page, count, similar_to), rows)


def _list(call, items, rows):
    try:
        page = paging.page_of_list(call.params, len(items))
    except paging.NoPage:
        raise ApiError(404, "Invalid page.") from None
    links = paging.list_links(call.url, page, len(items))
    return paging.listing(_LIST, len(items), links, rows(items[page.slice]))


def _sounds(call, positions):
    """A list of sounds, the newest first."""
    asked = [name for name in _fields(call, fields.DEFAULT_OF_LISTS) if name != "score"]
    newest = positions[np.argsort(-call.catalogue.index["created"].numbers[positions], kind="stable")]
    return _list(call, newest, lambda page: [call.catalogue.row(position, asked) for position in page.tolist()])


def _fields(call, usual, listed=True):
    try:
        asked = fields.chosen(call.params.get("fields") or usual)
    except KeyError:
        raise ApiError(500, "Server error") from None
    return asked if listed else [name for name in asked if name != "score"]


def _position(call, sound_id):
    position = call.catalogue.position(int(sound_id))
    if position is None:
        raise ApiError(404, "No Sound matches the given query.")
    return position


def _of_user(call, name):
    positions = np.flatnonzero(call.catalogue.index["username"].equal(name) & call.catalogue.in_database)
    if not len(positions):
        raise ApiError(404, "No User matches the given query.")
    return positions


def _of_pack(call, pack_id):
    address = f"{call.base}/packs/{pack_id}/"
    positions = np.flatnonzero(call.catalogue.columns["pack"].equal(address) & call.catalogue.in_database)
    if not len(positions):
        raise ApiError(404, "No Pack matches the given query.")
    return positions


def _packs(call, positions):
    """Positions by pack."""
    packs = {}
    for position in positions.tolist():
        if address := call.catalogue.columns["pack"].value(position):
            packs.setdefault(int(address.split("/")[-2]), []).append(position)
    return packs


def _pack(call, pack_id, positions):
    columns, first = call.catalogue.columns, positions[0]
    return dumps(
        {
            "id": pack_id,
            "url": f"https://freesound.org/people/{columns['username'].value(first)}/packs/{pack_id}/",
            "description": "",
            "created": columns["created"].value(first),
            "name": columns["pack_name"].value(first),
            "username": columns["username"].value(first),
            "num_sounds": len(positions),
            "sounds": f"{call.base}/packs/{pack_id}/sounds/",
            "num_downloads": 7,
        }
    )
