"""Users and packs, as far as the sounds here tell of them. Names are the same whatever their case, as in filters.

Sounds whose maker is not known are of the user `local`, whatever somebody of that name may have made.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from corpus.filters import Between, Match, Node, Not
from corpus.store.listing import Pack
from engine.query.order import Ids
from engine.server.freesound import fields, records
from engine.server.freesound.call import Answer, ApiError, Call
from engine.server.freesound.resources import list_of
from engine.server.freesound.search import column


def user(call: Call, name: str) -> Answer:
    """`users/<name>/`."""
    ids = _of_user(call, name)
    name = records.rows(call.corpus, call.served.shelf, ids[:1].tolist(), ("username",), call.base)[0]["username"]
    here = f"{call.base}/users/{records.quoted(name)}"
    return {
        "url": f"{here}/" if _is_nobody(name) else f"https://freesound.org/people/{records.quoted(name)}/",
        "username": name,
        "about": "",
        "home_page": None,
        "avatar": {"small": None, "medium": None, "large": None},
        "date_joined": None,
        "num_sounds": len(ids),
        "sounds": f"{here}/sounds/",
        "num_packs": len([pack for pack in _packs(call).values() if _made_by(pack, name)]),
        "packs": f"{here}/packs/",
        "num_posts": 0,
        "num_comments": 0,
    }


def sounds_of_user(call: Call, name: str) -> Answer:
    """`users/<name>/sounds/`."""
    return _sounds(call, _of_user(call, name))


def packs_of_user(call: Call, name: str) -> Answer:
    """`users/<name>/packs/`."""
    _of_user(call, name)
    packs = _packs(call)
    own = np.array([number for number, pack in packs.items() if _made_by(pack, name)], np.int64)
    return list_of(call, own, lambda numbers: [_pack(call, number, packs[number]) for number in numbers])


def pack(call: Call, pack_id: int) -> Answer:
    """`packs/<id>/`."""
    return _pack(call, pack_id, _pack_of(call, pack_id))


def sounds_of_pack(call: Call, pack_id: int) -> Answer:
    """`packs/<id>/sounds/`."""
    wanted = _pack_of(call, pack_id)
    return _sounds(call, np.intersect1d(_by_user(call, wanted.username), _ids(call, Match("pack", (wanted.name,)))))


def _sounds(call: Call, ids: Ids) -> Answer:
    """A list of sounds, the newest first."""
    created = column(call.corpus, call.served.shelf, "created")
    newest = ids[np.argsort(-created.of(ids), kind="stable")]
    asked = fields.chosen(call.params.get("fields") or fields.DEFAULT_OF_LISTS)
    return list_of(call, newest, lambda page: records.rows(call.corpus, call.served.shelf, page, asked, call.base))


def _of_user(call: Call, name: str) -> Ids:
    ids = _by_user(call, None if _is_nobody(name) else name)
    if not len(ids):
        raise ApiError(404, "No User matches the given query.")
    return ids


def _is_nobody(name: str) -> bool:
    """Whether a user's name is the one kept for makers that are not known."""
    return name.lower() == records.NOBODY


def _by_user(call: Call, name: str | None) -> Ids:
    return _ids(call, Match("username", (name,)) if name else Not(Between("username")))


def _ids(call: Call, node: Node) -> Ids:
    return call.served.shelf.get(node, lambda: call.corpus.sounds.ids(fitting=node))


def _made_by(pack: Pack, name: str) -> bool:
    return not pack.username if _is_nobody(name) else (pack.username or "").lower() == name.lower()


def _packs(call: Call) -> dict[int, Pack]:
    """All packs by their number, the newest first; those whose names differ in case alone are one."""

    def make() -> dict[int, Pack]:
        found: dict[int, Pack] = {}
        packs = call.corpus.listing.packs()[::-1]
        told = call.corpus.sounds.records_of([pack.first for pack in packs])
        for one, record in zip(packs, told, strict=True):
            number = records.pack_id(one.name, one.username, record)
            other = found.get(number)
            found[number] = replace(one, sounds=one.sounds + other.sounds) if other else one
        return found

    return call.served.shelf.get("packs", make)


def _pack_of(call: Call, pack_id: int) -> Pack:
    wanted = _packs(call).get(pack_id)
    if wanted is None:
        raise ApiError(404, "No Pack matches the given query.")
    return wanted


def _pack(call: Call, pack_id: int, pack: Pack) -> Answer:
    first = records.rows(call.corpus, call.served.shelf, [pack.first], ("created",), call.base)[0]
    name, here = pack.username or records.NOBODY, f"{call.base}/packs/{pack_id}/"
    return {
        "id": pack_id,
        "url": here if pack_id >= 10**9 else f"https://freesound.org/people/{records.quoted(name)}/packs/{pack_id}/",
        "description": "",
        "created": first["created"],
        "name": pack.name,
        "username": name,
        "num_sounds": pack.sounds,
        "sounds": f"{here}sounds/",
        "num_downloads": 0,
    }
