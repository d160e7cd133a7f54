"""Folders that cannot be walked as they stand: links in circles, closed doors, nothing in them, no such place."""

import pytest

from tests.audio_files import write_tone
from tests.bad_input import run, unprivileged


@pytest.fixture
def folder(tmp_path):
    """A folder with two sounds, one of them in a folder below."""
    (tmp_path / "sounds" / "below").mkdir(parents=True)
    write_tone(tmp_path / "sounds" / "one.wav", 500)
    write_tone(tmp_path / "sounds" / "below" / "two.wav", 501)
    return tmp_path / "sounds"


def adopt(mirla, *places, check=0, **how):
    return mirla("--json", "adopt", *places, check=check, **how).json


def failures(answer):
    return {failure["path"]: failure["error"] for failure in answer["failed"]}


def test_a_folder_that_contains_itself_by_a_link_is_walked_once(folder, home):
    (folder / "other").mkdir()
    write_tone(folder / "other" / "three.wav", 502)
    for number, target in enumerate([".", "..", "../below", "../other", folder, "loop-0"]):
        (folder / "below" / f"loop-{number}").symlink_to(target)
    (folder / "other" / "loop.wav").symlink_to(folder / "below")
    answer = run("--json", "adopt", folder, home=home, timeout=30).json
    assert (answer["added"], answer["skipped"], answer["failed"]) == (3, 0, [])


def test_a_home_inside_the_folder_is_no_loop(folder, mirla):
    home = folder / "home"
    assert adopt(mirla, folder, home=home)["added"] == 2
    again = adopt(mirla, folder, home=home)
    assert (again["added"], again["skipped"], again["failed"]) == (0, 4, [])
    assert mirla("--json", "status", home=home).json["sounds"] == 2


def test_a_folder_named_twice_is_no_failure(folder, mirla):
    answer = adopt(mirla, folder, folder, folder / "below")
    assert (answer["added"], answer["failed"]) == (2, [])


def test_a_folder_without_sounds_is_said_and_the_next_is_adopted(folder, mirla, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "notes.txt").write_text("no sound")
    answer = adopt(mirla, empty, folder, check=1)
    assert answer["added"] == 2
    assert failures(answer).keys() == {str(empty)}
    assert ".wav" in failures(answer)[str(empty)]


def test_places_that_are_not_there_are_said_and_the_next_is_adopted(folder, mirla, monkeypatch):
    monkeypatch.chdir(folder)
    places = ["nowhere", "~nobody-here/sounds", "~one.wav", "x" * 300, "one.wav/below"]
    answer = adopt(mirla, *places, "one.wav", check=1)
    assert answer["added"] == 1
    assert failures(answer).keys() == {str(folder / place) for place in places}


def test_a_name_that_begins_with_a_tilde_is_a_name(folder, mirla, monkeypatch):
    (folder / "one.wav").rename(folder / "~one.wav")
    monkeypatch.chdir(folder)
    assert adopt(mirla, "~one.wav")["added"] == 1


def test_a_closed_folder_is_said_and_what_is_open_is_adopted(folder, tmp_path):
    (folder / "below").chmod(0)
    ran = run("--json", "adopt", folder, home=tmp_path / "home", check=1, before=unprivileged())
    assert ran.json["added"] == 1
    assert failures(ran.json).keys() == {str(folder / "below")}
    assert "cannot be read: Permission denied" in failures(ran.json)[str(folder / "below")]


def test_closed_places_given_by_name_are_said_and_the_next_is_adopted(folder, tmp_path):
    (folder / "below").chmod(0)
    closed = [folder / "below", folder / "below" / "two.wav"]
    ran = run("--json", "adopt", *closed, folder / "one.wav", home=tmp_path / "home", check=1, before=unprivileged())
    assert ran.json["added"] == 1
    assert failures(ran.json).keys() == {str(place) for place in closed}
    assert all("cannot be read: Permission denied" in words for words in failures(ran.json).values())
