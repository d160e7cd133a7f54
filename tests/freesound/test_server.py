"""What this Freesound has beside `engine.server.freesound`: made-up facts, keys, limits, the CDN, other quirks."""

import json
import time
from collections import Counter

import numpy as np
import pytest
import requests
import soundfile

from engine.demo.sonic_pi import catalogue
from engine.server.freesound.fields import DESCRIPTORS, METADATA, VECTORS
from tests.freesound import made_up
from tests.freesound.apart import apart
from tests.freesound.server import Freesound

SNARE = 13146


def test_all_samples_are_there_under_their_ids(ask):
    entries = catalogue().values()
    ids = ask.ids()
    assert len(ids) == len(set(ids)) == 165
    assert {entry.id for entry in entries} < set(ids)
    assert set(ids) - {entry.id for entry in entries} == {130431}, "the second of the two that share an id"


def test_descriptors_are_essentias_own(ask):
    from essentia import log, standard

    log.infoActive = log.warningActive = False
    path, entry = min(catalogue().items(), key=lambda item: item[0].stat().st_size)
    pool, _ = standard.FreesoundExtractor()(str(path))
    served = ask.get(f"/sounds/{entry.id}/", fields="mfcc,mfcc_var,spectral_centroid,zero_crossing_rate")
    assert served["mfcc"] == pytest.approx(pool["lowlevel.mfcc.mean"], abs=0.001)
    assert served["mfcc_var"] == pytest.approx(pool["lowlevel.mfcc.var"], rel=1e-5, abs=0.001)
    assert served["spectral_centroid"] == pytest.approx(pool["lowlevel.spectral_centroid.mean"], abs=0.01)
    assert served["zero_crossing_rate"] == pytest.approx(pool["lowlevel.zerocrossingrate.mean"], abs=0.001)


def test_some_sounds_lack_what_others_have(ask):
    rows = ask.all(fields="id,sim_laion_clap,sim_freesound_classic,mfcc,license,created,name")
    assert sum(row["sim_laion_clap"] is None for row in rows) == 2
    assert [row["mfcc"] for row in rows if row["sim_freesound_classic"] is None] == [None]
    assert len({row["license"] for row in rows}) == 7
    assert sum(row["created"].endswith("Z") for row in rows) == 161
    assert {*made_up.NAMES.values()} <= {row["name"] for row in rows}
    assert max(Counter(row["created"] for row in rows).values()) == 12, "a batch shares its second"


def test_what_is_served_is_what_was_put_in(ask, freesound):
    told = {record["id"]: record for record in freesound.catalogue.records}
    names = {*METADATA, *DESCRIPTORS, *VECTORS} & told[SNARE].keys() - {"pack"}
    assert len(names) > 90
    for row in ask.all(fields="*"):
        for name in names:
            expected = told[row["id"]][name]
            if expected and (isinstance(expected, float) or name in {"mfcc", "mfcc_var", *VECTORS}):
                expected = pytest.approx(expected, rel=1e-6, abs=1e-9)
            assert row[name] == expected, (row["id"], name)


@pytest.mark.parametrize(
    ("header", "query", "detail"),
    [
        (None, "", "Authentication credentials were not provided."),
        ("Token wrong", "?token={token}", "Invalid token"),
        ("Token", "", "Invalid token header. No credentials provided."),
        ("Token a b", "", "Invalid token header. Token string should not contain spaces."),
        ("Token {suspended_token}", "", "Suspended token or token pending for approval"),
        ("Bearer {token}", "", "Authentication credentials were not provided."),
        ("token {token}", "", None),
        (None, "?token={token}", None),
    ],
)
def test_keys(freesound, header, query, detail):
    tokens = {"token": freesound.token, "suspended_token": freesound.suspended_token}
    headers = {"Authorization": header.format(**tokens)} if header else {}
    answer = requests.get(f"{freesound.url}/search/{query.format(**tokens)}", headers=headers, timeout=5)
    assert answer.json().get("detail") == detail
    assert answer.status_code == (401 if detail else 200)
    assert answer.headers.get("WWW-Authenticate") == ('Bearer realm="api"' if detail else None)


def test_addresses_that_are_none(ask, freesound):
    for path in ("/search/content/", "/sounds/x/", "/nothing"):
        answer = ask.session.get(freesound.url + path, timeout=5)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert ask.session.get(f"{freesound.url}/search", timeout=5).history[0].status_code == 301
    assert ask.detail(f"/sounds/{SNARE}/download/", status=401) == "Authentication credentials were not provided."
    assert ask.session.post(f"{freesound.url}/search/", timeout=5).json()["detail"] == 'Method "POST" not allowed.'
    assert requests.get(freesound.url.replace("apiv2", "api/sounds"), timeout=5).status_code == 410
    assert ask.session.get(f"{freesound.url}/search/?filter=id:({'1+OR+' * 2000}1)", timeout=5).status_code == 414


def test_limits(ask, freesound):
    freesound.limits.per_minute, freesound.limits.per_day, freesound.limits.minute = 2, 3, 0.4
    words = "Request was throttled because of exceeding a request limit rate ({})"
    ask.get()
    ask.get()
    assert ask.detail(status=429) == words.format("2/minute")
    time.sleep(0.5)
    ask.get()
    assert ask.detail(status=429) == words.format("3/day")
    assert ask.detail(status=429) == words.format("2/minute"), "what the day refused has used the minute"
    freesound.limits.suspended = True
    assert ask.detail(status=429) == "Request was throttled because the ApiV2 credential has been suspended"


@pytest.mark.parametrize("kind", ["hq-ogg", "lq-ogg", "hq-mp3", "lq-mp3"])
@pytest.mark.parametrize("channels", [1, 2])
def test_previews_are_the_samples(ask, tmp_path, kind, channels):
    fields = "id,previews,duration,samplerate,channels"
    sound = ask.get(filter=f"channels:{channels}", sort="duration_asc", fields=fields)["results"][0]
    url = sound["previews"][f"preview-{kind}"]
    answer = requests.get(url, timeout=5)
    (tmp_path / "preview").write_bytes(answer.content)
    info = soundfile.info(tmp_path / "preview")
    assert (info.samplerate, info.channels) == (sound["samplerate"], sound["channels"])
    assert info.duration == pytest.approx(sound["duration"], abs=1e-3 if kind.endswith("ogg") else 0.1)
    part = requests.get(url, headers={"Range": "bytes=100-199"}, timeout=5)
    assert (part.status_code, part.content) == (206, answer.content[100:200])
    assert part.headers["Content-Range"] == f"bytes 100-199/{len(answer.content)}"
    assert requests.get(url, headers={"Range": "bytes=9999999-"}, timeout=5).status_code == 416
    assert requests.get(url.replace(f"/{sound['id']}_", "/1_"), timeout=5).status_code == 404


def test_the_log_tells_who_got_the_key(ask, freesound):
    assert freesound.cdn_url.split("/")[2].split(":")[0] not in freesound.url
    preview = ask.get(f"/sounds/{SNARE}/")["previews"]["preview-lq-ogg"]
    requests.get(preview, timeout=5)
    ask.session.get(preview, timeout=5)
    assert [(entry.place, entry.authorized) for entry in freesound.requests] == [
        ("api", True),
        ("cdn", False),
        ("cdn", True),
    ]
    assert freesound.asked("cdn")[0].sent == len(requests.get(preview, timeout=5).content)


def test_sounds_go_and_change_and_come_back(ask, freesound):
    preview = ask.get(f"/sounds/{SNARE}/")["previews"]["preview-lq-ogg"]
    freesound.delete(SNARE)
    assert ask.ids(filter=f"id:{SNARE}") == []
    assert ask.detail(f"/sounds/{SNARE}/", status=404) == "No Sound matches the given query."
    assert requests.get(preview, timeout=5).status_code == 404
    freesound.restore(SNARE)
    freesound.change(SNARE, name="renamed", tags=["other"])
    assert ask.all(filter="tag:other", fields="name") == [{"name": "renamed"}]
    freesound.reset()
    assert ask.get(f"/sounds/{SNARE}/")["name"] != "renamed"
    assert len(ask.ids()) == 165


def test_what_left_the_database_alone_is_null_in_lists(ask, freesound):
    freesound.delete(SNARE, from_index=False)
    rows = ask.all(fields="id")
    assert (len(rows), rows.count(None)) == (165, 1)
    assert {"id": SNARE} not in rows
    assert ask.detail(f"/sounds/{SNARE}/", status=404) == "No Sound matches the given query."
    assert ask.detail(f"/sounds/{SNARE}/analysis/", status=404) == "Not found"
    freesound.restore(SNARE)
    assert ask.get(f"/sounds/{SNARE}/")["id"] == SNARE


def test_what_left_the_index_alone_is_there_under_its_address(ask, freesound):
    whole = ask.ids(filter="channels:1 OR channels:2")
    freesound.catalogue.unlist([SNARE, 100055])
    assert sorted({*whole} - {*ask.ids(filter="channels:1 OR channels:2")}) == [SNARE, 100055]
    assert ask.get()["count"] == 163
    assert ask.get(f"/sounds/{SNARE}/")["id"] == SNARE
    assert ask.detail(filter=" ", status=400) == "Invalid filter."


def test_the_default_space_is_the_same_for_all(ask, freesound):
    without = int(freesound.catalogue.ids[made_up.WITHOUT_CLAP])
    assert ask.get(f"/sounds/{without}/similar/")["count"] == ask.get(similar_to=without)["count"] == 0
    assert ask.get(f"/sounds/{without}/similar/", similarity_space="freesound_classic")["count"] > 0
    near = ask.get(f"/sounds/{SNARE}/similar/", page_size=3)
    assert near["next"].endswith(f"&page=2&page_size=3&similar_to={SNARE}&similarity_space=laion_clap")
    assert near == ask.get(f"/sounds/{SNARE}/similar/", page_size=3, similarity_space="laion_clap")


def test_a_large_catalogue(tmp_path):
    with Freesound(tmp_path, sounds=2_000) as large:
        where, headers = f"{large.url}/search/", {"Authorization": f"Token {large.token}"}
        params = {"fields": "*", "page_size": 150, "sort": "created_asc", "page": 10}
        page = requests.get(where, params, headers=headers, timeout=5).json()
        assert page["count"] == 2_000
        assert len({row["id"] for row in page["results"]}) == 150
        assert set(METADATA) <= set(page["results"][0])
        row = page["results"][7]
        assert np.linalg.norm(row["sim_laion_clap"]) == pytest.approx(1, abs=1e-6)
        near = {"similar_to": json.dumps(row["sim_laion_clap"]), "fields": "id,score", "filter": f"-id:{row['id'] + 1}"}
        hits = requests.get(where, near, headers=headers, timeout=5).json()["results"]
        assert hits[0] == {"id": row["id"], "score": pytest.approx(1)}
        again = requests.get(where, params | {"page": 11}, headers=headers, timeout=5)
        assert again.json()["results"][0]["created"] >= page["results"][-1]["created"]


def test_small_answers_do_not_wait_for_acknowledgements(ask):
    took = []
    for _ in range(10):
        started = time.perf_counter()
        ask.get(f"/sounds/{SNARE}/", fields="id")
        took.append(time.perf_counter() - started)
    assert min(took) < 0.035


def test_in_a_process_of_its_own():
    with apart(sounds=20) as where:
        answer = requests.get(f"{where.url}/search/", {"token": where.token, "filter": "tag:*"}, timeout=5)
        assert answer.json()["count"] == 20
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(f"{where.url}/search/", timeout=5)
