"""Single sounds, users, packs and files of a local Freesound, against the corpus and against what was harvested."""

import re
import shutil

import numpy as np
import pytest
import soundfile

from corpus.descriptors import SCALARS
from engine.server.freesound.fields import DESCRIPTORS, METADATA, VECTORS
from engine.server.freesound.pictures import png
from tests.audio_files import write_tone
from tests.engine.server.conftest import running

SNARE = 13146
HERE = ["url", "pack", "download", "bookmark", "previews", "images", "rate", "comments", "comment", "similar_sounds"]


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    """A server over one sound of one's own, with a name that shells and pages would trip over."""
    folder = tmp_path_factory.mktemp("mine")
    with running(folder / "home") as local:
        (sound_id,) = local.corpus.adopt([write_tone(folder / "tin $(roof) <b> ☂.wav", 440)]).ids
        yield local, sound_id


def test_a_harvested_sound_says_what_freesound_said(harvested, freesound_server):
    upstream = {record["id"]: record for record in freesound_server.catalogue.records}
    for row in harvested.all(fields="*"):
        told = upstream[row["id"]]
        for name in set(METADATA) - {*HERE, "tags", "num_comments"}:
            assert row[name] == told[name] or (told[name] in (None, "") and not row[name]), (row["id"], name)
        assert row["tags"] == [tag.lower() for tag in told["tags"]]
        for name in (*SCALARS, "mfcc", "mfcc_var"):
            numbers = isinstance(told[name], float | list)
            expected = pytest.approx(told[name], rel=1e-6, abs=1e-3) if numbers else told[name]
            assert row[name] == expected, (row["id"], name)
        for name in VECTORS:
            assert row[name] == (told[name] and pytest.approx(told[name], abs=1e-6))


def test_every_address_leads_here(harvested):
    row = harvested.get(f"sounds/{SNARE}/")
    assert list(row) == METADATA
    assert row["url"].startswith("https://freesound.org/people/"), "the page to credit is the real one"
    for name in set(HERE) - {"url"}:
        for address in row[name].values() if isinstance(row[name], dict) else [row[name]]:
            assert address.startswith(f"{harvested.url}/")
    assert harvested.get(row["similar_sounds"])["count"] > 0
    assert harvested.get(row["comments"]) == {"count": 0, "next": None, "previous": None, "results": []}
    assert harvested.get(row["pack"])["name"] == row["pack_name"]
    by_name = harvested.ask(f"http://localhost:{harvested.port}/apiv2/sounds/{SNARE}/").json()
    assert by_name["download"] == f"http://localhost:{harvested.port}/apiv2/sounds/{SNARE}/download/"


def test_a_sound_of_ones_own_has_what_clients_rely_on(mine):
    local, sound_id = mine
    row = local.get(f"sounds/{sound_id}/", fields="*")
    assert set(row) == {*METADATA, *DESCRIPTORS, "sim_laion_clap", "sim_freesound_classic"}
    unknown = "category subcategory category_code geotag pack pack_name md5".split()
    assert [name for name in METADATA if row[name] is None] == unknown
    assert (row["id"], row["username"], row["type"], row["channels"]) == (sound_id, "local", "wav", 1)
    assert row["name"] == "tin $(roof) <b> ☂"
    assert "☂".encode() in local.ask(f"sounds/{sound_id}/").content, "raw UTF-8"
    assert local.get(row["url"])["id"] == sound_id
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", row["created"])
    assert local.ids("users/local/sounds/") == [sound_id]
    assert local.get("users/local/")["num_sounds"] == 1
    disposition = local.ask(row["download"]).headers["content-disposition"]
    assert re.fullmatch(r'attachment; filename="[A-Za-z0-9._-]+\.wav"', disposition)


def test_both_forms_of_an_address_answer(own):
    for path in ("search", f"sounds/{SNARE}", f"sounds/{SNARE}/similar", "search/text", f"sounds/{SNARE}/analysis"):
        assert own.get(path) == own.get(f"{path}/")


def test_analysis_is_flat(own, harvested):
    sound = harvested.get(f"sounds/{SNARE}/", fields="*")
    analysis = harvested.get(f"sounds/{SNARE}/analysis/")
    assert {name: sound[name] for name in DESCRIPTORS} == {name: analysis[name] for name in DESCRIPTORS}
    assert analysis["laion_clap"] == sound["sim_laion_clap"]
    assert len(analysis["laion_clap"]) == 512
    _, X = own.corpus.vectors.matrix("mfcc")
    own_mfcc = own.get(f"sounds/{SNARE}/analysis/")["mfcc"]
    assert min(np.abs(X[:, :13] - own_mfcc).max(axis=1)) < 1e-3


def test_users_and_packs(harvested):
    user = harvested.get("users/looppool/")
    rows = harvested.all("users/looppool/sounds/", fields="id,created,username,pack", page_size=10)
    assert len(rows) == user["num_sounds"] > 10
    assert {row["username"] for row in rows} == {"looppool"}
    dates = [row["created"].rstrip("Z") for row in rows]
    assert dates == sorted(dates, reverse=True)
    (pack,) = harvested.get("users/looppool/packs/")["results"]
    assert harvested.get(f"packs/{pack['id']}/") == pack
    own = harvested.all(f"packs/{pack['id']}/sounds/", fields="id,pack_name,username")
    assert len(own) == pack["num_sounds"]
    assert {(row["pack_name"], row["username"]) for row in own} == {(pack["name"], "looppool")}
    page = harvested.get("users/looppool/sounds/", page_size=5, token="secret", fields="id,name")
    assert page["next"] == f"{harvested.url}/users/looppool/sounds/?fields=id%2Cname&page=2&page_size=5"


def test_previews_are_the_files_with_ranges_and_etags(own):
    sound = own.corpus.sounds.get(SNARE)
    whole = sound.file.path.read_bytes()
    address = own.get(f"sounds/{SNARE}/")["previews"]["preview-hq-ogg"]
    answer = own.ask(address)
    assert (answer.content, answer.headers["content-type"]) == (whole, "audio/flac")
    assert int(answer.headers["content-length"]) == len(whole)
    tag = answer.headers["etag"]
    assert own.ask(address, {"If-None-Match": f'"x", W/{tag}'}).status_code == 304
    cases = {"bytes=0-99": (0, 100), "bytes=100-": (100, None), "bytes=-7": (len(whole) - 7, None)}
    cases["bytes=5-99999999"] = (5, None)
    for asked, (start, stop) in cases.items():
        part = own.ask(address, {"Range": asked})
        assert (part.status_code, part.content) == (206, whole[start:stop])
        end = start + len(part.content) - 1
        assert part.headers["content-range"] == f"bytes {start}-{end}/{len(whole)}"
    for asked in ("bytes=", "bytes=9-3", "bytes=a-b", "lines=0-3", "bytes=0-1,5-6"):
        assert own.ask(address, {"Range": asked}).status_code == 200
    assert own.ask(address, {"Range": "bytes=0-9", "If-Range": '"other"'}).status_code == 200
    assert own.ask(address, {"Range": "bytes=0-9", "If-Range": tag}).status_code == 206
    missing = own.ask(address, {"Range": f"bytes={len(whole)}-"})
    assert (missing.status_code, missing.headers["content-range"]) == (416, f"bytes */{len(whole)}")
    head = own.ask(address, method="HEAD")
    assert (head.content, int(head.headers["content-length"])) == (b"", len(whole))


def test_a_large_file_comes_whole(tmp_path):
    with running(tmp_path / "home") as local:
        noise = np.random.default_rng(0).uniform(-1, 1, 500_000)
        soundfile.write(tmp_path / "noise.wav", noise, 44100)
        (sound_id,) = local.corpus.adopt([tmp_path / "noise.wav"]).ids
        answer = local.ask(f"sounds/{sound_id}/download/")
        assert answer.content == (tmp_path / "noise.wav").read_bytes()


@pytest.mark.parametrize("size", ["M", "L"])
@pytest.mark.parametrize("kind", ["waveform", "spectral", "waveform_bw"])
def test_pictures_are_drawn(own, browse_png, kind, size):
    address = own.get(f"sounds/{SNARE}/")["images"][f"{kind}_{size.lower()}"]
    answer = own.ask(address)
    assert answer.headers["content-type"] == "image/png"
    pixels = browse_png(answer.content)
    assert pixels.shape == {"M": (71, 120, 3), "L": (201, 900, 3)}[size]
    drawn = (pixels != pixels[0, 0]).any(axis=2).mean()
    assert 0.01 < drawn < 0.99
    assert own.ask(address, {"If-None-Match": answer.headers["etag"]}).status_code == 304


def test_a_waveform_shows_where_it_is_loud(tmp_path, browse_png):
    with running(tmp_path / "home") as local:
        loud = np.concatenate([np.zeros(22050), np.random.default_rng(0).uniform(-1, 1, 22050)])
        soundfile.write(tmp_path / "half.wav", loud, 44100)
        (sound_id,) = local.corpus.adopt([tmp_path / "half.wav"]).ids
        pixels = browse_png(local.ask(f"displays/{sound_id // 1000}/{sound_id}_0_wave_bw_M.png").content)
        dark = (pixels[..., 0] == 0).sum(axis=0)
        assert dark[:59].max() == 1
        assert dark[61:].min() > 60


@pytest.fixture
def browse_png():
    """Read a PNG without any filter, from its definition."""
    import struct
    import zlib

    def read(data):
        assert data[:8] == b"\x89PNG\r\n\x1a\n"
        at, chunks = 8, {}
        while at < len(data):
            (length,), name = struct.unpack(">I", data[at : at + 4]), data[at + 4 : at + 8]
            chunks[name] = data[at + 8 : at + 8 + length]
            assert struct.unpack(">I", data[at + 8 + length : at + 12 + length])[0] == zlib.crc32(name + chunks[name])
            at += 12 + length
        columns, rows = struct.unpack(">II", chunks[b"IHDR"][:8])
        lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(rows, 1 + 3 * columns)
        return lines[:, 1:].reshape(rows, columns, 3)

    return read


def test_pictures_round_trip(browse_png):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype(np.uint8)
    assert (browse_png(png(pixels)) == pixels).all()


def test_what_is_not_here_is_said_so(harvested, own_home, tmp_path):
    assert harvested.detail(f"previews/13/{SNARE}_0-hq.ogg", status=404) == "Not found", "harvested without audio"
    shutil.copytree(own_home, tmp_path / "home")
    with running(tmp_path / "home") as local:
        local.corpus.sounds.get(SNARE).file.path.unlink()
        assert local.detail(f"sounds/{SNARE}/download/", status=404) == "Not found"
        assert local.detail(f"displays/13/{SNARE}_0_wave_M.png", status=404) == "Not found"


def test_the_page_tells_each_client_where_to_ask(own):
    answer = own.ask(f"http://127.0.0.1:{own.port}/")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert f"Freesound.uris[\\BASE] = &#34;{own.url}&#34;;" in answer.text
    assert f"MIRLA_FREESOUND_URL={own.url}" in answer.text
    assert "drums" in answer.text
    assert "<script" not in answer.text
