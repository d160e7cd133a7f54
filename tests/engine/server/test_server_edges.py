"""The edges of both HTTP servers: who is let in before anything else, too many connections, what is no HTTP."""

import contextlib
import json
import logging
import socket
import time

import numpy as np
import pytest
import soundfile

from engine.server.freesound import Options
from engine.server.http import palette_app
from engine.server.limits import Limits
from engine.server.sockets import bound
from engine.server.web import Running, web_server
from tests.engine.server.conftest import running
from tests.engine.server.serving import serving

SNARE = 13146
ROOT = "http://127.0.0.1:{}/"


def head_and_body(answer):
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:])
    return int(lines[0].split()[1]), headers, body


def send(port, request):
    with socket.create_connection(("127.0.0.1", port), 20) as one:
        one.sendall(request)
        found = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := one.recv(65536):
                found += piece
    return head_and_body(found)


def request(path, method="GET", host="localhost", *more):
    return "\r\n".join([f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close", *more, "", ""]).encode()


@pytest.fixture(scope="module")
def palettes(tmp_path_factory):
    """The port of a server of palettes."""
    app = palette_app(tmp_path_factory.mktemp("palettes"))
    with bound(socket.SOCK_STREAM, 0) as listening, Running(web_server(app), listening):
        yield listening.getsockname()[1]


@pytest.fixture(params=["freesound", "palettes"])
def port(request):
    return request.getfixturevalue("own").port if request.param == "freesound" else request.getfixturevalue("palettes")


@pytest.mark.parametrize("method", ["GET", "TRACE", "OPTIONS", "BREW", "DELETE"])
@pytest.mark.parametrize("path", ["/apiv2/search/", "/a%0A/", "/a%0Ab", "//evil.example/%0A/", "/palettes/x%0A/", "*"])
def test_no_address_and_no_method_gets_past_the_name(port, path, method):
    status, headers, _ = send(port, request(path, method, "evil.example"))
    assert status == 421
    assert "location" not in headers


@pytest.mark.parametrize(
    "path", ["/apiv2/a%0A/", "/%0A/", "/apiv2/search/%0A/", "//evil.example/%0A/", "/strudel.json/"]
)
def test_nobody_is_sent_elsewhere(port, path):
    status, headers, _ = send(port, request(path))
    assert status == 404
    assert "location" not in headers


def test_rate_and_token_are_asked_of_every_address(own_home):
    with running(own_home, Options(token="t", limits=Limits(per_second=0.001, at_once=3))) as local:
        found = [
            send(local.port, request(path))[0] for path in ("/apiv2/a%0A/", "/a%0A/", "/apiv2/search", "/a%0A/", "/")
        ]
    assert found == [401, 401, 401, 429, 429]


@pytest.mark.parametrize("method", ["TRACE", "BREW", "POST"])
def test_any_other_method_is_refused_as_json(own, method):
    status, _, body = send(own.port, request("/apiv2/search/", method))
    assert (status, json.loads(body)) == (405, {"detail": f'Method "{method}" not allowed.'})


def test_pages_may_read_what_they_need(own):
    path = f"/apiv2/previews/13/{SNARE}_0-hq.ogg"
    for more in ((), ("Range: bytes=0-9",), ("Range: bytes=99999999-",)):
        _, headers, _ = send(own.port, request(path, "GET", "localhost", *more))
        assert headers["access-control-allow-origin"] == "*"
        assert {"content-range", "etag"} <= set(headers["access-control-expose-headers"].split(", "))
        assert headers["x-content-type-options"] == "nosniff"
    status, headers, _ = send(own.port, request(path, "OPTIONS"))
    assert (status, headers["access-control-allow-private-network"]) == (204, "true")
    assert "access-control-allow-origin" not in send(own.port, request("/"))[1]


@pytest.mark.parametrize(
    "data", [b"nothing\r\n\r\n", b"GET / HTTP/9\r\n\r\n", b"\x16\x03\x01\x00\xa5\r\n\r\n", b"GET /\r\n\r\n"]
)
def test_what_is_no_http_is_refused_as_json(port, data, caplog):
    status, headers, body = send(port, data)
    assert (status, headers["content-type"]) == (400, "application/json")
    assert json.loads(body)["detail"]
    assert not caplog.records


def test_a_request_that_goes_wrong_in_its_body_leaves_no_trace(own, caplog):
    with socket.create_connection(("127.0.0.1", own.port), 20) as one:
        one.sendall(b"POST /apiv2/search/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
        with contextlib.suppress(ConnectionResetError):
            while one.recv(65536):
                pass
    assert own.ask("sounds/1/").status_code == 404
    assert not caplog.records


def test_a_web_socket_is_no_news(own, caplog):
    caplog.set_level(logging.WARNING)
    asked = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: eA==")
    assert send(own.port, request("/apiv2/none/", "GET", "localhost", *asked))[0] == 404
    assert [record.message for record in caplog.records if record.name.startswith("uvicorn")] == []


@pytest.mark.parametrize(
    "path",
    [f"users/{'9' * 5000}/", f"sounds/{'9' * 5000}/", f"packs/{'9' * 5000}/", f"previews/{'9' * 5000}/1_1-hq.ogg"],
)
def test_long_numbers(own, path):
    assert own.ask(path).status_code == 404


def test_connections_that_say_nothing_give_way(own_home):
    with running(own_home, Options(limits=Limits(connections=5))) as local:
        idle = [socket.create_connection(("127.0.0.1", local.port), 20) for _ in range(12)]
        for _ in range(3):
            assert send(local.port, request("/apiv2/search/"))[0] == 200
        assert len(local.server.server_state.connections) <= 6
        for one in idle:
            one.close()


def test_where_all_are_at_work_another_is_refused_as_json(tmp_path):
    with running(tmp_path / "home", Options(limits=Limits(connections=3))) as local:
        soundfile.write(tmp_path / "long.wav", np.random.default_rng(0).uniform(-1, 1, 8_000_000), 44100)
        (sound_id,) = local.corpus.adopt([tmp_path / "long.wav"]).ids
        with contextlib.ExitStack() as busy:
            for _ in range(3):
                one = busy.enter_context(socket.create_connection(("127.0.0.1", local.port), 20))
                one.sendall(request(f"/apiv2/sounds/{sound_id}/download/"))
                assert one.recv(100)
            status, headers, body = send(local.port, request("/apiv2/search/"))
            assert (status, headers["connection"]) == (503, "close")
            assert json.loads(body) == {"detail": "Too many ask at once; ask again later."}
            assert send(local.port, request("/", "GET", "evil.example"))[0] == 421
        deadline = time.monotonic() + 20
        while send(local.port, request("/apiv2/search/"))[0] != 200:
            assert time.monotonic() < deadline


def test_the_token_may_come_from_the_environment(own_home):
    with serving(own_home, "--freesound", 0, "--host", "0.0.0.0", MIRLA_SERVE_TOKEN="sesame") as process:
        port = int(process.where["freesound"].rstrip("/").rpartition(":")[2])
        assert send(port, request("/apiv2/search/"))[0] == 401
        assert send(port, request("/apiv2/search/", "GET", "localhost", "Authorization: Token sesame"))[0] == 200
