"""Somebody else's client of 2022 (PyPI `freesound-api`): those of its calls that the API still has."""

import pytest
import soundfile
from freesound import URIS, FreesoundClient, FreesoundException

SNARE = 13146  # elec_snare


@pytest.fixture
def client(freesound, monkeypatch):
    monkeypatch.setattr(URIS, "BASE", freesound.url)
    client = FreesoundClient()
    client.set_token(freesound.token)
    yield client
    client.session.close()


def test_a_search_is_read_page_by_page_there_and_back(client):
    first = client.text_search(query="drum", fields="id,name,previews", page_size=20)
    second = first.next_page()
    names = {sound.name for sound in first} | {sound.name for sound in second}
    assert first.count == 37 == len(names)
    assert second.next is None
    assert [sound.id for sound in second.previous_page()] == [sound.id for sound in first]


def test_a_sound_has_its_fields(client, freesound):
    sound = client.get_sound(SNARE)
    assert (sound.id, sound.username, sound.type) == (SNARE, "looppool", "flac")
    assert sound.previews.preview_hq_ogg.startswith(freesound.cdn_url)
    assert client.get_sound(SNARE, fields="id,name").as_dict() == {"id": SNARE, "name": sound.name}


def test_a_preview_is_audio_of_the_sounds_length(client, freesound, tmp_path):
    sound = client.get_sound(SNARE)
    sound.retrieve_preview(tmp_path, "preview.mp3")
    assert soundfile.info(tmp_path / "preview.mp3").duration == pytest.approx(sound.duration, abs=0.1)
    assert freesound.asked("cdn")[-1].authorized, "this client is known to send its key to the CDN"


def test_similar_sounds_come_without_the_sound_itself(client):
    pager = client.get_sound(SNARE).get_similar(page_size=5)
    assert len(pager.results) == 5
    assert SNARE not in [sound.id for sound in pager]


def test_analysis_is_flat(client):
    analysis = client.get_sound(SNARE).get_analysis()
    assert (len(analysis.mfcc), len(analysis.laion_clap), len(analysis.freesound_classic)) == (13, 512, 100)


def test_a_users_sounds_and_packs(client):
    user = client.get_user("looppool")
    sounds, packs = user.get_sounds(page_size=150), user.get_packs()
    assert user.num_sounds == sounds.count == len(sounds.results) > 10
    assert user.num_packs == packs.count == 1
    pack = client.get_pack(packs[0].id)
    assert pack.username == "looppool"
    assert pack.get_sounds(page_size=150).as_dict() == sounds.as_dict() | {"next": None}


def test_comments(client):
    sound = next(sound for sound in client.text_search(fields="id,num_comments") if sound.num_comments == 3)
    assert [comment.username for comment in sound.get_comments()] == ["listener 2", "listener 1", "listener 0"]


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda client: client.get_sound(1), 404),
        (lambda client: client.content_based_search(target="lowlevel.pitch.mean:220"), 404),
        (lambda client: client.combined_search(target="lowlevel.pitch.mean:220"), 404),
        (lambda client: client.get_user("looppool").get_bookmark_categories(), 404),
        (lambda client: client.get_sound(SNARE).retrieve("/nowhere"), 401),
        (lambda client: client.text_search(filter=" "), 400),
    ],
)
def test_what_fails_says_so(client, call, code):
    with pytest.raises(FreesoundException) as failure:
        call(client)
    assert failure.value.code == code


def test_without_a_key_nothing_is_told(client):
    client.set_token("wrong")
    with pytest.raises(FreesoundException, match="code=401"):
        client.get_sound(SNARE)
