"""Palettes by HTTP: the map, the files and nothing else, as published; and in a real browser."""

import contextlib
import functools
import http.client
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import soundfile
from playwright.sync_api import sync_playwright

from corpus import Corpus
from engine.palette import publish
from engine.server.http import palette_app
from engine.server.sockets import bound
from engine.server.web import Running, web_server
from tests.browser import PATH

FILE = "/palettes/kit/000_{}.wav"


class Shop:
    """A home with a palette, served, and a client of it."""

    def __init__(self, home, port):
        self.home, self.port, self.folder = home, port, home / "palettes"

    def ask(self, path, method="GET", **headers):
        """The response to a request, and its body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(connection):
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, headers=named)
            response = connection.getresponse()
            return response, response.read()

    @property
    def map(self):
        return json.loads(self.ask("/strudel.json")[1])


@contextlib.contextmanager
def served(home):
    with (
        bound(socket.SOCK_STREAM, 0) as listening,
        Running(web_server(palette_app(home)), listening),
    ):
        yield Shop(home, listening.getsockname()[1])


@pytest.fixture(scope="module")
def shop(tmp_path_factory, samples):
    home = tmp_path_factory.mktemp("shop") / "home"
    with Corpus(home) as corpus:
        report = corpus.adopt(samples[:3])
        corpus.analyse(jobs=1)
        publish(corpus, "kit", report.ids)
        publish(corpus, "one", report.ids[:1])
    with served(home) as shop:
        yield shop


def test_the_map_has_all_palettes_and_where_they_are(shop):
    files = shop.map
    assert files.pop("_base") == f"http://127.0.0.1:{shop.port}/palettes"
    assert {name: len(each) for name, each in files.items()} == {"kit": 3, "one": 1}
    for name in files:
        listed = [f"/{name}/{path.name}" for path in sorted((shop.folder / name).glob("*.wav"))]
        assert files[name] == listed


def test_every_file_of_the_map_is_served_whole_and_is_audio(shop, tmp_path):
    for name, files in shop.map.items():
        for number, file in enumerate(files if name != "_base" else []):
            response, body = shop.ask(f"/palettes{file}")
            assert (response.status, response.headers["Access-Control-Allow-Origin"]) == (200, "*")
            assert body == (shop.folder / file[1:]).read_bytes()
            (tmp_path / "one.wav").write_bytes(body)
            assert soundfile.info(tmp_path / "one.wav").samplerate == 44100
            assert file.split("/")[-1].startswith(f"{number:03}")


def test_a_part_of_a_file_is_served(shop):
    file = "/palettes" + shop.map["kit"][0]
    whole = shop.ask(file)[1]
    response, body = shop.ask(file, Range="bytes=4-7")
    assert (response.status, body) == (206, whole[4:8])
    assert response.headers["Content-Range"] == f"bytes 4-7/{len(whole)}"
    assert shop.ask(file, Range=f"bytes={len(whole)}-")[0].status == 416


def test_a_file_that_was_not_changed_is_not_sent_again(shop):
    file = "/palettes" + shop.map["kit"][0]
    tag = shop.ask(file)[0].headers["ETag"]
    response, body = shop.ask(file, If_None_Match=tag)
    assert (response.status, body) == (304, b"")
    assert response.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "/palettes/../corpus.sqlite",
        "/palettes/%2e%2e/corpus.sqlite",
        "/palettes/kit/..%2f..%2fcorpus.sqlite",
        "/palettes/kit/../../corpus.sqlite",
        "/palettes//etc/passwd",
        "/palettes/%2fetc/passwd",
        "/palettes/out/corpus.sqlite",
        "/palettes/kit/%00.wav",
        "/palettes/" + "x" * 5000,
        "/palettes/.lock",
        "/palettes/.kit-1/strudel.json",
        "/palettes/kit",
        "/palettes/kit/",
        "/palettes/",
        "/corpus.sqlite",
    ],
)
def test_nothing_else_is_served(shop, path):
    if not (out := shop.folder / "out").is_symlink():
        out.symlink_to(shop.home)
    assert (shop.home / "corpus.sqlite").is_file() and (shop.folder / ".kit-1" / "strudel.json").is_file()
    response, body = shop.ask(path)
    assert response.status == 404 and len(body) < 100


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "a b"])
def test_another_name_for_this_machine_is_refused(shop, host):
    response, body = shop.ask("/strudel.json", Host=host)
    assert response.status in (400, 421) and b"palettes" not in body


def test_the_map_names_the_machine_as_it_was_asked(shop):
    body = shop.ask("/strudel.json", Host=f"localhost:{shop.port}")[1]
    assert json.loads(body)["_base"] == f"http://localhost:{shop.port}/palettes"


def test_a_browser_may_ask_before_it_asks(shop):
    response, body = shop.ask(
        "/strudel.json", "OPTIONS", Origin="https://strudel.cc", Access_Control_Request_Private_Network="true"
    )
    assert (response.status, body) == (204, b"")
    assert response.headers["Access-Control-Allow-Private-Network"] == "true"


def test_nothing_can_be_changed(shop):
    for method in ("PUT", "POST", "DELETE"):
        assert shop.ask("/palettes/kit/CREDITS.txt", method)[0].status == 405


def test_the_page_says_what_to_type_and_is_for_nobody_elses_script(shop):
    response, body = shop.ask("/")
    page = body.decode()
    assert f"samples('http://127.0.0.1:{shop.port}/strudel.json')" in page
    assert f'~dirt.loadSoundFiles("{shop.folder}/*")' in page and f'sample "{shop.folder}/kit", 0' in page
    for line in (shop.folder / "kit" / "CREDITS.txt").read_text().splitlines():
        assert line.replace("'", "&#39;").replace('"', "&#34;") in page
    assert response.headers["Access-Control-Allow-Origin"] is None


def test_before_anything_is_published_the_map_is_empty(home):
    Corpus(home).close()
    with served(home) as shop:
        assert list(shop.map) == ["_base"]
        assert shop.ask("/palettes/kit/000_x.wav")[0].status == 404
        assert b"Nothing is published yet" in shop.ask("/")[1]


def test_what_is_published_meanwhile_is_served(home, samples):
    with Corpus(home) as corpus, served(home) as shop:
        ids = corpus.adopt(samples[:1]).ids
        publish(corpus, "late", ids)
        assert len(shop.map["late"]) == 1
        assert shop.ask("/palettes" + shop.map["late"][0])[0].status == 200


DECODE = """async (address) => {
    const files = await (await fetch(address)).json();
    const response = await fetch(files._base + files.kit[1]);
    const audio = await new OfflineAudioContext(2, 1, 44100).decodeAudioData(await response.arrayBuffer());
    return [location.origin, audio.duration, audio.numberOfChannels, Math.max(...audio.getChannelData(0))];
}"""


class Elsewhere(BaseHTTPRequestHandler):
    """A page from another origin, as Strudel's is."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!DOCTYPE html><title>elsewhere</title>")

    def log_message(self, *_):
        pass


@pytest.fixture
def elsewhere():
    with HTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        thread = threading.Thread(target=functools.partial(server.serve_forever, 0.05))
        thread.start()
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_the_map_plays_in_a_browser_on_a_page_from_elsewhere(shop, elsewhere):
    with (
        sync_playwright() as playwright,
        contextlib.closing(playwright.chromium.launch(executable_path=PATH, args=["--no-sandbox"])) as browser,
    ):
        page = browser.new_page()
        page.goto(elsewhere)
        origin, duration, channels, peak = page.evaluate(DECODE, f"http://127.0.0.1:{shop.port}/strudel.json")
    file = soundfile.info(shop.folder / shop.map["kit"][1][1:])
    assert origin + "/" == elsewhere
    assert duration == pytest.approx(file.duration, abs=1e-4)
    assert channels == 2 and 0.01 < peak <= 1
