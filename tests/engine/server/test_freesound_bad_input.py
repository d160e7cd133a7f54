"""A local Freesound asked badly: never a trace, never a fault without words, never a file that is not a sound's."""

import json
import logging
import socket
import threading
import time
from urllib.parse import quote

import numpy as np
import pytest
import requests
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import ServerError
from engine.server import security
from engine.server.freesound import Options, freesound_app
from engine.server.limits import Limits, Rate, Watched
from tests.engine.server.conftest import running
from tests.fuzzing import examples

SNARE = 13146
PARAMS = "query filter sort weights similar_to similarity_space fields page page_size group_by_pack agent strict format"
PATHS = ["search/", "search/text/", f"sounds/{SNARE}/similar/", f"sounds/{SNARE}/", "users/local/sounds/"]
ODD = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "[1,2]",
            "[" * 200,
            "-1",
            "0",
            "9" * 30,
            "NaN",
            "tag:(",
            "id:[* TO *]",
            "*",
            "\0",
            "a" * 2000,
            '"',
            "%",
            "\ud800",
        ]
    ),
)


def plain(answer):
    """An answer that says what is wrong as JSON, and no more."""
    assert answer.status_code < 500, answer.text
    assert "Traceback" not in answer.text
    if answer.status_code >= 400:
        assert set(answer.json()) == {"detail"}
        assert answer.json()["detail"]


@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from(PATHS), params=st.dictionaries(st.sampled_from(PARAMS.split()), ODD, max_size=4))
def test_any_parameters(harvested, path, params):
    pairs = "&".join(f"{name}={quote(value, errors='surrogatepass')}" for name, value in params.items())
    plain(harvested.ask(f"{path}?{pairs}"))


@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(st.sampled_from(["sounds", "..", "previews", "13", "%2e%2e", "", "0"]), st.text(max_size=8))))
def test_any_path(harvested, parts):
    plain(harvested.ask("/".join(quote(part, safe="%", errors="surrogatepass") for part in parts)))


@settings(max_examples=examples(80), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(["Range", "If-None-Match", "If-Range", "Authorization", "Accept", "Origin", "Cookie"]),
    value=st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=60),
)
def test_any_header(own, name, value):
    plain(own.ask(f"previews/13/{SNARE}_0-hq.ogg", {name: value.strip().encode("latin-1")}))


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_any_bytes(own, data):
    answer = own.raw(b"GET /apiv2/search/?" + data + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert b" 500 " not in answer.split(b"\r\n")[0]
    assert b"Traceback" not in answer


@pytest.mark.parametrize(
    "path",
    [
        "previews/13/../../corpus.sqlite",
        "previews/13/..%2f..%2fcorpus.sqlite",
        f"previews/13/{SNARE}_0-hq.ogg/../../../corpus.sqlite",
        f"previews/14/{SNARE}_0-hq.ogg",
        f"previews/13/{SNARE}_0-hq.sqlite",
        f"displays/13/{SNARE}_0_wave_M.png%00.ogg",
        "sounds/..%2f..%2fetc%2fpasswd/download/",
        "%2e%2e/%2e%2e/etc/passwd",
        f"sounds/{'9' * 18}/download/",
        f"sounds/{'9' * 400}/",
    ],
)
def test_no_file_but_a_sounds(own, path):
    answer = own.raw(f"GET /apiv2/{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 404 ")
    assert json.loads(body) == {"detail": "Not found"}


@pytest.mark.parametrize(
    ("path", "status", "detail"),
    [
        ("sounds/1/", 404, "No Sound matches the given query."),
        ("sounds/1/analysis/", 404, "Not found"),
        ("sounds/1/comments/", 404, "No Sound matches the given query."),
        ("users/nobody/", 404, "No User matches the given query."),
        ("packs/1/", 404, "No Pack matches the given query."),
        ("users/local/sounds/?page=9", 404, "Invalid page."),
        ("users/local/sounds/?page=x", 404, "Invalid page."),
        ("nothing/", 404, "Not found"),
        ("search/?filter=%20", 400, "Invalid filter."),
    ],
)
def test_what_is_not_there(harvested, path, status, detail):
    if "local" in path:
        path = path.replace("local", "looppool")
    assert harvested.detail(path, status) == detail


@pytest.mark.parametrize(
    "narrow", ["mood:sad", "kick", "duration:[0 4]", "tag:(drum", "(" * 20 + "tag:a" + ")" * 20, "loudness:loud"]
)
def test_filters_that_cannot_be_read_say_where(own, narrow):
    words = own.detail(filter=narrow)
    assert words.startswith("Search server error: the filter, at character ")
    assert words.endswith("(please check that your filter syntax and field names are correct)")


def test_what_is_too_long(own):
    assert "at most 20000" in own.detail(filter="tag:" + "a" * 20_001)
    assert "at most 1000" in own.detail(query="a" * 1001)
    assert own.raw(b"GET /" + b"a" * 70_000)[:13] in (b"HTTP/1.1 400 ", b"")


def test_other_methods_and_origins(own):
    assert own.detail("sounds/%0A1/", 404) == "Not found"
    answer = own.ask(method="POST")
    assert (answer.status_code, answer.json()) == (405, {"detail": 'Method "POST" not allowed.'})
    asked = {"Origin": "https://example.org", "Access-Control-Request-Headers": "authorization"}
    allowed = own.ask("sounds/1/", asked, method="OPTIONS").headers
    assert allowed["access-control-allow-origin"] == "*"
    assert "Authorization" in allowed["access-control-allow-headers"]
    assert own.ask("sounds/1/").headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "192.168.0.7", "a b", ""]
)
def test_a_name_that_is_not_ours_is_refused(own, host):
    answer = own.raw(f"GET /apiv2/search/ HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode("latin-1"))
    assert answer.split(b" ")[1] in (b"421", b"400")
    assert b"results" not in answer


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8777", "127.0.0.1", "127.1.2.3:80", "[::1]:80"])
def test_names_that_are_ours(host):
    assert security.allows(host, "127.0.0.1")


def test_names_when_open_to_others():
    assert security.allows(f"{socket.gethostname()}:80", "0.0.0.0")
    assert security.allows("192.168.0.7:80", "0.0.0.0")
    assert security.allows("stage.lan", "stage.lan")
    assert not security.allows("evil.example", "0.0.0.0")


def test_open_to_others_wants_a_token(own, tmp_path):
    for host in ("0.0.0.0", "192.168.0.7", "::", "stage.lan"):
        with pytest.raises(ServerError, match="--token"):
            freesound_app(own.corpus, Options(host=host))


def test_a_token_is_asked_for_and_never_shown(own_home, caplog):
    caplog.set_level(logging.DEBUG)
    token = "open sesame"
    with running(own_home, Options(host="0.0.0.0", token=token)) as local:
        cases = {"": "Authentication credentials were not provided.", "Token x": "Invalid token"}
        for header, words in cases.items():
            answer = local.ask(headers={"Authorization": header})
            assert (answer.status_code, answer.json()) == (401, {"detail": words})
            assert answer.headers["www-authenticate"] == 'Bearer realm="api"'
        assert local.ask(f"previews/13/{SNARE}_0-hq.ogg").status_code == 401
        for header in (f"Token {token}", f"bearer {token}"):
            assert local.ask(headers={"Authorization": header}).status_code == 200
        assert token.replace(" ", "+") not in local.ask(token=token, page_size=2).text
        page = local.ask(f"http://127.0.0.1:{local.port}/").text
        assert "AGPL" in page
        assert token not in page
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("urllib3")]
    assert "sesame" not in " ".join(ours)


def test_any_token_does_on_loopback(own):
    for header in (None, "Token x", "Token <your_api_key>", "Bearer y", "Basic z", "Token"):
        assert own.ask(headers={"Authorization": header} if header else {}).status_code == 200
    assert "AGPL" not in own.ask(f"http://127.0.0.1:{own.port}/").text


def test_a_client_that_asks_too_much_has_to_wait(own_home):
    with running(own_home, Options(limits=Limits(per_second=0.001, at_once=3))) as local:
        assert [local.ask("sounds/1/").status_code for _ in range(5)] == [404, 404, 404, 429, 429]
        assert local.detail(status=429).startswith("Request was throttled because of exceeding a request limit rate (")


def test_the_rate_fills_again():
    at = [0.0]
    rate = Rate(2, 4, clock=lambda: at[0])
    assert [rate.allows("a") for _ in range(5)] == [True] * 4 + [False]
    assert rate.allows("b")
    at[0] = 1.0
    assert [rate.allows("a") for _ in range(3)] == [True, True, False]
    for number in range(2000):
        rate.allows(str(number))
    assert len(rate._buckets) == 1000


def test_connections_that_never_finish_keep_nobody_out(own_home, monkeypatch):
    monkeypatch.setattr(Watched, "request_seconds", 1.0)
    with running(own_home) as local:
        starts = [b"", b"GET /apiv2", b"GET /apiv2/search/ HTTP/1.1\r\nHost: localhost\r\n", b"POST / HTTP/1.1\r\n"]
        starts.append(b"POST /apiv2/search/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc")
        open_ones = [socket.create_connection(("127.0.0.1", local.port), 20) for _ in range(100)]
        for number, one in enumerate(open_ones):
            one.sendall(starts[number % len(starts)])
        assert local.get()["count"] > 100
        for one in open_ones:
            while one.recv(65536):
                pass
            one.close()
        assert local.get()["count"] > 100


def test_a_client_that_takes_nothing_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr(Watched, "stalled_seconds", 0.5)
    with running(tmp_path / "home") as local:
        soundfile.write(tmp_path / "long.wav", np.random.default_rng(0).uniform(-1, 1, 8_000_000), 44100)
        (sound_id,) = local.corpus.adopt([tmp_path / "long.wav"]).ids
        with socket.create_connection(("127.0.0.1", local.port), 20) as one:
            one.sendall(f"GET /apiv2/sounds/{sound_id}/download/ HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            assert one.recv(100)
            deadline = time.monotonic() + 20
            while local.server.server_state.connections:
                assert time.monotonic() < deadline
                time.sleep(0.05)


def test_many_ask_at_once(harvested):
    found, failed = [], []

    def ask(number):
        try:
            with requests.Session() as session:
                for turn in range(10):
                    address = f"{harvested.url}/search/?query=drum&page_size={1 + (number + turn) % 5}&fields=*"
                    found.append(session.get(address, timeout=20).json()["count"])
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=ask, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert len(found) == 80
    assert len(set(found)) == 1
