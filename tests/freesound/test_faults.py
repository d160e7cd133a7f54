"""Each fault as a client meets it, and the plan by which they strike."""

import json
import time
from collections import Counter

import pytest
import requests

from tests.freesound.faults import KINDS

SNARE = 13146


@pytest.fixture
def api(ask, freesound):
    """Ask the API once, without following anything."""

    def get(**params):
        return ask.session.get(f"{freesound.url}/search/", params=params, timeout=5, allow_redirects=False)

    return get


@pytest.fixture
def preview(ask, freesound):
    """Fetch a preview once."""
    url = ask.get(f"/sounds/{SNARE}/")["previews"]["preview-hq-ogg"]

    def get(**headers):
        return requests.get(url, headers=headers, timeout=5, allow_redirects=False)

    return get


@pytest.mark.parametrize(
    ("kind", "status", "words"),
    [("minute", 429, "(60/minute)"), ("day", 429, "(2000/day)"), ("error", 500, "Server error")],
)
def test_refusals_in_the_apis_words(api, freesound, kind, status, words):
    freesound.faults.next(kind, 2)
    for _ in range(2):
        answer = api()
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json")
        assert answer.json()["detail"].endswith(words)
    assert api().status_code == 200
    assert freesound.faults.struck == [(kind, "/apiv2/search/?")] * 2
    assert [entry.fault for entry in freesound.requests] == [kind, kind, None]


@pytest.mark.parametrize(
    ("kind", "status", "media"),
    [
        ("gateway", 502, "text/html; charset=utf-8"),
        ("missing", 404, "text/html; charset=utf-8"),
        ("html", 200, "text/html; charset=utf-8"),
        ("disguised", 200, "audio/ogg"),
        ("error", 500, "text/html; charset=utf-8"),
    ],
)
def test_pages_in_place_of_audio(preview, freesound, kind, status, media):
    freesound.faults.next(kind)
    answer = preview()
    assert (answer.status_code, answer.headers["content-type"]) == (status, media)
    assert "<html>" in answer.text
    assert preview().content[:4] == b"OggS"


def test_an_empty_file(preview, freesound):
    freesound.faults.next("empty")
    answer = preview()
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, b"", "audio/ogg")


def test_a_range_that_is_not_honoured(preview, freesound):
    freesound.faults.always("rangeless")
    whole = preview()
    again = preview(Range="bytes=10-19")
    assert (again.status_code, again.content) == (200, whole.content)
    freesound.faults.clear()
    assert preview(Range="bytes=10-19").content == whole.content[10:20]


def test_malformed_json_has_the_right_length(api, freesound):
    freesound.faults.next("malformed")
    answer = api()
    assert int(answer.headers["content-length"]) == len(answer.content)
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.content)


def test_cut_bodies(api, preview, freesound):
    for get in (api, preview):
        freesound.faults.next("cut")
        with pytest.raises(requests.exceptions.RequestException, match="Connection broken"):
            get()
        assert get().status_code == 200


def test_a_cut_preview_goes_on_where_it_ended(preview, freesound):
    whole, url = preview().content, freesound.requests[-1].path
    freesound.faults.next("cut")
    part = b""
    with (
        pytest.raises(requests.exceptions.RequestException, match="Connection broken"),
        requests.get(freesound.cdn_url + url, stream=True, timeout=5) as answer,
    ):
        for piece in answer.iter_content(512):
            part += piece
    assert 0 < len(part) <= len(whole) // 2
    assert part + preview(Range=f"bytes={len(part)}-").content == whole


def test_slow_bytes(api, freesound):
    quick = api().content
    freesound.faults.pause = 0.05
    freesound.faults.next("slow")
    started = time.perf_counter()
    assert api().content == quick
    assert time.perf_counter() - started > 0.35


def test_slower_than_a_client_waits(ask, freesound):
    freesound.faults.pause = 1
    freesound.faults.next("slow")
    with pytest.raises(requests.exceptions.RequestException, match="timed out"):
        ask.session.get(f"{freesound.url}/search/", timeout=0.2)


def test_redirects_lead_to_another_host_with_a_sound_that_is_none(api, freesound):
    freesound.faults.next("redirect")
    answer = api(query="drum")
    assert (answer.status_code, answer.headers["location"]) == (
        302,
        f"{freesound.cdn_url}/elsewhere/apiv2/search/?query=drum",
    )
    assert requests.get(answer.headers["location"], timeout=5).json()["results"][0]["id"] == 666
    assert freesound.asked("cdn", "elsewhere")[0].authorized is False


def test_null_rows_and_wrong_counts(api, freesound):
    right = api(fields="id").json()
    freesound.faults.next("null")
    rows = api(fields="id").json()["results"]
    assert None in rows
    assert [row for row in rows if row] == right["results"]
    freesound.faults.next("count")
    wrong = api(fields="id").json()
    assert wrong["count"] != right["count"]
    assert wrong | {"count": right["count"]} == right


def walk(ask, **params):
    """Ids of all pages by `next`, and the counts that they said."""
    page = ask.get(fields="id", **params)
    ids, counts = [], []
    while True:
        assert len(page["results"]) <= params["page_size"]
        ids += [row["id"] for row in page["results"]]
        counts.append(page["count"])
        if not page["next"]:
            return ids, counts
        page = ask.get(page["next"])


@pytest.mark.parametrize("size", [15, 33, 40, 82])  # 165 is 5 x 33 and 11 x 15
def test_a_sound_comes_in_while_pages_are_read(ask, freesound, size):
    whole = ask.ids()
    freesound.faults.next("duplicate", where="page=2")
    ids, counts = walk(ask, page_size=size)
    assert list(dict.fromkeys(ids)) == whole
    assert Counter(ids).most_common(2) == [(whole[size - 1], 2), (whole[0], 1)]
    assert counts == [165] + [166] * (len(counts) - 1)
    assert ask.detail(page_size=size, page=len(counts) + 1, status=404) == "Not found"
    assert walk(ask, page_size=size)[0] == whole


@pytest.mark.parametrize("size", [15, 33, 41, 82])  # 165 - 1 is 4 x 41 and 2 x 82
def test_a_sound_goes_away_while_pages_are_read(ask, freesound, size):
    whole = ask.ids()
    freesound.faults.next("deletion", where="page=2")
    ids, counts = walk(ask, page_size=size)
    assert ids == whole[:size] + whole[size + 1 :]
    assert counts == [165] + [164] * (len(counts) - 1)
    assert ask.detail(page_size=size, page=len(counts) + 1, status=404) == "Not found"
    assert walk(ask, page_size=size)[0] == whole


def test_a_shift_can_be_asked_for_again_and_again(ask, freesound):
    freesound.faults.next("deletion", where="page=2")
    ask.get(page_size=50, fields="id")
    second = ask.get(page_size=50, fields="id", page=2)
    assert ask.get(page_size=50, fields="id", page=2) == second
    assert ask.detail(page_size=50, fields="id", page=5, status=404) == "Not found"


def outcome(get):
    try:
        answer = get()
        return answer.status_code, len(answer.content)
    except requests.exceptions.RequestException as error:
        return type(error).__name__


def test_chance_is_the_same_each_time_and_stops(api, preview, freesound):
    def run(seed):
        freesound.reset()
        freesound.faults.pause = 0
        freesound.faults.sometimes(seed, 0.7, without=("redirect",))
        outcomes = [outcome(lambda page=page: api(page=page)) for page in (1, 2, 3) for _ in range(8)]
        return outcomes + [outcome(preview) for _ in range(8)], list(freesound.faults.struck)

    preview()
    first, struck = run(1)
    assert (first, struck) == run(1)
    assert first != run(2)[0]
    assert len({kind for kind, _ in struck}) > 5
    assert "redirect" not in {kind for kind, _ in struck}


def test_at_most_two_in_a_row_at_one_address(api, freesound):
    freesound.faults.sometimes(3, 1.0, kinds=("error",))
    assert [api().status_code for _ in range(6)] == [500, 500, 200, 500, 500, 200]


def test_faults_that_do_not_exist(freesound):
    with pytest.raises(ValueError, match="no fault is called 'typo'; there are minute"):
        freesound.faults.next("typo")
    assert all(about for _, about in KINDS.values())
