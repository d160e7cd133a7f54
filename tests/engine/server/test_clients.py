"""Somebody else's client (PyPI `freesound-api`, of 2022): all its read calls, on both forms, field by field."""

import subprocess
import sys

import numpy as np
import pytest
from freesound import URIS, FreesoundClient, FreesoundException

from engine.query.run import Choice, similar
from engine.server.freesound.legacy import safe_name
from tests.documents import ROOT, blocks
from tests.engine.server.old_clients import HOSTILE, NOT_MEASURED, SILENT

FIELDS = "id,name,tags,username,license,description,url,duration,type,channels,samplerate,filesize,previews"


@pytest.fixture(params=["today", "old"])
def local(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def form(request, local, old):
    return "old" if local is old else "today"


@pytest.fixture
def client(local, monkeypatch):
    monkeypatch.setattr(URIS, "BASE", local.url)
    client = FreesoundClient()
    client.set_token("anything")
    yield client
    client.session.close()


@pytest.fixture
def one(small):
    """A sound that is as it should be, of a maker with several."""
    held = small.sounds.many(small.vectors.ids("mfcc").tolist())
    return next(sound for sound in held if sound.name != HOSTILE and sound.username == "looppool")


def check(found, sound, local, form):
    """What the client has of a sound is what the corpus knows."""
    assert found.id == sound.id
    assert found.name == (safe_name(sound.id, sound.name) if form == "old" else sound.name)
    assert found.tags == list(sound.tags)
    assert found.username == sound.username
    assert found.license == sound.licence.url
    assert found.description == (sound.description or "")
    assert found.url == sound.url
    assert found.duration == pytest.approx(sound.duration)
    file = sound.file
    assert (found.type, found.channels, found.samplerate, found.filesize) == (
        file.format,
        file.channels,
        file.samplerate,
        file.bytes,
    )
    assert found.previews.preview_hq_ogg.startswith(f"{local.url}/previews/{sound.id // 1000}/{sound.id}_")


def test_a_sound(client, local, form, one):
    whole = client.get_sound(one.id)
    check(whole, one, local, form)
    here = f"{local.url}/sounds/{one.id}"
    assert whole.similar_sounds == f"{here}/similar/"
    assert whole.comments == f"{here}/comments/"
    assert whole.num_comments == 0
    name = safe_name(one.id, one.name) if form == "old" else one.name
    assert client.get_sound(one.id, fields="id,name").as_dict() == {"id": one.id, "name": name}


def test_a_text_search_page_by_page_there_and_back(client, local, form, small):
    first = client.text_search(query="drum", fields=FIELDS, page_size=6)
    matching = small.sounds.matching("drum", with_audio=form == "old").first().tolist()
    if form == "today":
        assert first.count == len(matching)
    second = first.next_page()
    ids = [row["id"] for row in first.results + second.results]
    assert ids[: len(matching)] == matching[:12]
    for found in first:
        if found.id != SILENT:
            check(found, small.sounds.get(found.id), local, form)
    assert [row["id"] for row in second.previous_page().results] == ids[:6]


def test_filters_and_sorts(client, small):
    found = client.text_search(filter="duration:[0.1 TO 0.3]", sort="duration_asc", fields="id,duration", page_size=30)
    held = small.sounds.many(small.sounds.ids(with_audio=True).tolist())
    wanted = sorted((one.duration, one.id) for one in held if 0.1 <= one.duration <= 0.3)
    assert [(row["duration"], row["id"]) for row in found.results] == [
        (pytest.approx(duration), sound_id) for duration, sound_id in wanted[:30]
    ]


def test_similar_sounds(client, form, small, one):
    found = [row["id"] for row in client.get_sound(one.id).get_similar(fields="id", page_size=10).results]
    nearest = [hit.sound.id for hit in similar(small, one.id, Choice(k=10)).hits]
    assert found == ([one.id, *nearest[:9]] if form == "old" else nearest)


def test_analysis(client, small, one):
    flat = client.get_sound(one.id).get_analysis()
    own = {name: value for name, (value, _) in small.descriptors.of([one.id])[one.id].items()}
    assert flat.spectral_centroid == pytest.approx(own["spectral_centroid"], abs=0.001)
    ids, X = small.vectors.matrix("mfcc")
    row = X[np.searchsorted(ids, one.id)]
    assert flat.mfcc == pytest.approx(row[:13], abs=0.001)
    nested = client.get_sound(one.id).get_analysis(descriptors="lowlevel.mfcc,lowlevel.spectral_centroid.mean")
    assert nested.as_dict()["lowlevel"]["mfcc"]["mean"] == pytest.approx(row[:13])
    assert nested.as_dict()["lowlevel"]["mfcc"]["var"] == pytest.approx(row[13:])
    assert nested.lowlevel.spectral_centroid.mean == own["spectral_centroid"]


def test_a_search_by_content(client, local, small):
    ask = {"descriptors_filter": "lowlevel.pitch_instantaneous_confidence.mean:[0.5 TO 1]", "fields": FIELDS}
    found = client.content_based_search(target="lowlevel.pitch.mean:220", **ask)
    ids, values = small.descriptors.numbers(["pitch", "pitch_confidence"])
    fits = (values[:, 0] > 0) & (values[:, 1] >= 0.5)
    far = np.abs(np.log2(values[fits, 0] / 220))
    wanted = ids[fits][np.lexsort((ids[fits], far))][:15].tolist()
    assert [row["id"] for row in found.results][: len(wanted)] == wanted
    for sound in found:
        check(sound, small.sounds.get(sound.id), local, "old")
    assert found.next_page().results[0]["id"] not in wanted


def test_a_combined_search(client, local, small):
    found = client.combined_search(query="drum", target="lowlevel.pitch.mean:220", fields="id,name", page_size=5)
    matching = small.sounds.matching("drum", with_audio=True).first().tolist()
    ids, values = small.descriptors.numbers(["pitch"])
    pitch = dict(zip(ids.tolist(), values[:, 0].tolist(), strict=True))
    order = sorted((abs(np.log2(pitch[one] / 220)), one) for one in matching if pitch[one] > 0)
    assert [row["id"] for row in found.results] == [one for _, one in order[:5]]
    assert found.more.startswith(f"{local.url}/search/combined/?")
    assert "count" not in found.as_dict()


def test_a_user_and_their_sounds(client, small, one):
    user = client.get_user(one.username)
    own = [sound.id for sound in small.sounds.many(small.sounds.ids().tolist()) if sound.username == one.username]
    assert (user.username, user.num_sounds) == (one.username, len(own))
    assert sorted(row["id"] for row in user.get_sounds(page_size=150).results) == sorted(own)
    assert user.get_packs().results == []


def test_a_pack(client):
    (pack,) = client.get_user("alba").get_packs().results
    assert (pack["id"], pack["name"], pack["num_sounds"]) == (41000, "roofs", 1)
    pack = client.get_pack(41000)
    assert (pack.name, pack.username, pack.num_sounds) == ("roofs", "alba", 1)
    assert [row["id"] for row in pack.get_sounds().results] == [SILENT]


def test_comments(client, one):
    assert client.get_sound(one.id).get_comments().results == []


def test_previews_and_downloads(client, one, tmp_path):
    sound = client.get_sound(one.id)
    sound.retrieve_preview(tmp_path, "preview.ogg")
    sound.retrieve(tmp_path, "original.flac")
    held = one.file.path.read_bytes()
    assert (tmp_path / "preview.ogg").read_bytes() == (tmp_path / "original.flac").read_bytes() == held


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda client: client.get_sound(1), 404),
        (lambda client: client.get_user("nobody"), 404),
        (lambda client: client.get_pack(1), 404),
        (lambda client: client.get_user("alba").get_bookmark_categories(), 404),
        (lambda client: client.get_user("alba").get_bookmark_category_sounds(0), 404),
        (lambda client: client.content_based_search(target="nosuch:1"), 400),
        (lambda client: client.text_search(filter="nosuch:1"), 400),
        (lambda client: client.get_sound(NOT_MEASURED).get_analysis(descriptors="lowlevel.mfcc"), 404),
    ],
)
def test_what_fails_says_so(client, call, code):
    with pytest.raises(FreesoundException) as failure:
        call(client)
    assert failure.value.code == code


def test_the_documented_lines_point_a_python_client_here(today):
    (body,) = blocks(ROOT / "docs" / "freesound.md", "python")
    script = body.replace("http://127.0.0.1:8777/apiv2", today.url) + "client.session.close()\n"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert len(done.stdout.splitlines()) == 8, done.stderr
