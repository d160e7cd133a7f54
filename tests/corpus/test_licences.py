"""Licences and credit lines."""

import csv
import io

import pytest

from corpus.credits import as_csv, as_text
from corpus.licences import Licence, credit_line, from_text
from corpus.model import Sound

BY4 = "https://creativecommons.org/licenses/by/4.0/"


@pytest.mark.parametrize(
    ("text", "licence"),
    [
        ("http://creativecommons.org/publicdomain/zero/1.0/", ("Creative Commons 0", "1.0")),
        (BY4, ("Attribution", "4.0")),
        ("http://creativecommons.org/licenses/by-nc/3.0/", ("Attribution NonCommercial", "3.0")),
        ("https://creativecommons.org/licenses/sampling+/1.0/", ("Sampling+", "1.0")),
        ("https://creativecommons.org/licenses/by-sa/4.0/", ("Creative Commons BY-SA", "4.0")),
        ("CC0", ("Creative Commons 0", "1.0")),
        ("cc-by-nc", ("Attribution NonCommercial", "")),
        ("by 3.0", ("Attribution", "3.0")),
        ("Attribution NonCommercial", ("Attribution NonCommercial", "")),
        ("ask me first", ("ask me first", "")),
        ("https://example.org/terms", ("", "")),
        ("", ("", "")),
    ],
)
def test_licences_are_recognised_or_kept_as_they_came(text, licence):
    found = from_text(text)
    assert (found.name, found.version) == licence
    if "://" in text:
        assert found.url == text


def test_what_a_licence_permits():
    permits = {
        code: (from_text(code).redistributable, from_text(code).commercial)
        for code in ("CC0", "BY", "BY-NC", "sampling+")
    }
    assert permits == {"CC0": (True, True), "BY": (True, True), "BY-NC": (True, False), "sampling+": (True, False)}
    for other in ("by-nd 4.0", "ask me first", ""):
        assert (from_text(other).redistributable, from_text(other).commercial) == (False, False)


def test_the_credit_line():
    line = credit_line("tin roof", "alba", "https://freesound.org/s/1/", from_text(BY4))
    assert line == f"tin roof by alba (https://freesound.org/s/1/) licensed under Attribution 4.0 ({BY4})"
    assert credit_line("x", None, None, Licence("")) == "x by an unknown maker licensed under an unknown licence"


def test_credits_as_text_and_csv():
    sounds = [Sound(1, "=cmd()\nx", "a,b", from_text("CC0")), Sound(2, "plain")]
    assert len(as_text(sound.credited for sound in sounds).splitlines()) == 2
    heading, first, second = csv.reader(io.StringIO(as_csv(sound.credited for sound in sounds)))
    assert heading == ["id", "name", "username", "url", "licence", "licence_url", "line"]
    assert first[1] == "'=cmd()\nx"
    assert first[2] == "a,b"
    assert second[3] == ""


def test_no_version_is_made_up():
    assert str(from_text("by")) == "Attribution"
    assert from_text("by").url == ""
    assert from_text("by 3.0").url == "https://creativecommons.org/licenses/by/3.0/"
