"""Pages: nothing a stranger wrote becomes markup, in any of their places; sounds play in a real browser."""

import base64
import io
import json
import string
from html.parser import HTMLParser

import numpy as np
import pytest
import soundfile
from hypothesis import example, given
from hypothesis import strategies as st

from corpus import Corpus
from corpus.analysis.loudness import LevelMeter
from corpus.licences import Licence
from corpus.model import Sound
from corpus.text import for_html, for_script, for_terminal, storable
from engine.errors import EngineError
from engine.page.excerpts import Excerpt, excerpts
from engine.page.page import Html, Page
from tests.audio_files import tone, write, write_tone

HOSTILE = (
    "</script><script>alert(1)</script><!--<img src=x onerror=alert(2)>\"'><b>bold</b>"
    '<a href="javascript:alert(3)">link</a>&lt;i&gt;%{x}\u2028\u202e]]>'
)
MARKUP = st.text(
    st.one_of(st.sampled_from("<>\"'&/!-;#=` \n\0\u2028\u2029\u202e\ud800"), st.sampled_from(string.ascii_letters)),
    max_size=60,
) | st.sampled_from([HOSTILE, "</title>", "</style", "<!--", "<script", "</bdi>", "&lt;b&gt;", "&#60;"])


class Read(HTMLParser):
    """A page as a browser reads it: elements with their attributes' names, text, and JSON by the element's id."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.text, self.data = [], "", {}
        self._inside = self._id = None
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, *sorted(name for name, _ in attributes)))
        self._inside, self._id = tag, dict(attributes).get("id")

    def handle_endtag(self, tag):
        self._inside = None

    def handle_data(self, data):
        if self._inside != "script":
            self.text += data
        elif self._id:
            self.data[self._id] = json.loads(data)


def about(text):
    """A page with `text` in every place that takes text, without its own scripts."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr("engine.page.page._plotly", lambda: "")
        monkeypatch.setattr("engine.page.page._own", lambda name: "")
        page = Page(text, text)
        sound = Sound(5, text, text, Licence(text, text, text), text, (text,))
        silent = Sound(6, text)
        figure = {"data": [{"text": [for_html(text)]}], "layout": {"meta": text}}
        players = page.players([Excerpt(sound, "data:,"), Excerpt(silent, lacks=text)])
        page.section(text, text, page.table([text], [[text]]), page.figure(figure, text), players)
        return Read(page._whole())


@given(text=MARKUP)
@example(HOSTILE)
def test_no_text_becomes_markup(text):
    text = f"a{text}z"
    found, plain = about(text), about("plain")
    assert found.elements == plain.elements
    assert found.text == plain.text.replace("plain", for_terminal(text))
    assert found.data["sounds"]["5"]["credit"].startswith(storable(f"{text} by {text}"))
    assert found.data["figure-1-data"]["data"][0]["text"] == [for_html(text)]
    assert found.data["figure-1-data"]["layout"]["meta"] == storable(text)


def test_text_that_ends_no_script():
    """Nothing that HTML knows is in the source, not even where a browser would let it pass."""
    source = for_script([HOSTILE, {HOSTILE: 1}])
    assert not set(source) & set("<>&\u2028\u2029")
    assert json.loads(source) == [HOSTILE, {HOSTILE: 1}]


@pytest.fixture
def sounds(home, tmp_path):
    """Sounds of many kinds by name, held in a corpus; the file of one was lost since, that of another damaged."""
    rate = 44100
    time = np.arange(4 * rate) / rate
    late = np.where(time < 3.5, 0, 0.01 * np.sin(2 * np.pi * 440 * time))
    made = {
        "mono": tone(440),
        "stereo": tone(441, channels=2) * [1, 0.5],
        "eight": tone(442, channels=8),
        "long": tone(443, seconds=8),
        "soft": tone(444) * 0.03,
        "late": late,
        "click": np.array([0.5]),
        "silence": np.zeros(rate),
        "lost": tone(445),
        "damaged": tone(446),
    }
    for name, samples in made.items():
        write(tmp_path / f"{name}.wav", samples, rate, subtype="FLOAT")
    write_tone(tmp_path / "opus.opus", 447, kind="opus")
    write_tone(tmp_path / "slow.wav", 300, rate=8000)
    with Corpus(home) as corpus:
        assert not corpus.adopt([tmp_path]).failed
        sounds = {sound.name: sound for sound in corpus.sounds.many(corpus.sounds.ids())}
    sounds["lost"].file.path.unlink()
    sounds["damaged"].file.path.write_bytes(b"RIFF" + b"x" * 1000)
    return sounds | {"record": Sound(7, "record")}


def test_excerpts_are_short_and_equally_loud(sounds):
    made = {excerpt.sound.name: excerpt for excerpt in excerpts(list(sounds.values()))}
    assert {name: one.lacks for name, one in made.items() if one.uri is None} == {
        "record": "has no audio here",
        "silence": "is silent",
        "lost": "lost its file",
        "damaged": "cannot be decoded any more",
    }
    for name, one in made.items():
        if one.uri is None:
            assert one.credit == sounds[name].credit
            continue
        kind, _, encoded = one.uri.partition(",")
        assert kind == "data:audio/mpeg;base64"
        frames, rate = soundfile.read(io.BytesIO(base64.b64decode(encoded)), always_2d=True)
        assert frames.shape[1] == (2 if name == "stereo" else 1)
        assert np.abs(frames).max() < 1
        assert len(frames) / rate == pytest.approx(max(one.seconds, 0.1), abs=0.06)
        assert one.seconds <= 3
        meter = LevelMeter(rate)
        meter.add(frames.astype(np.float32))
        if name != "click":  # one sample, of which MP3 leaves little
            assert np.abs(frames[: rate // 5]).max() > 0.05, name
            assert meter.loudness() == pytest.approx(-23, abs=1), name
    assert made["long"].credit.endswith(", changed: cut to 3.0 s, levelled and compressed to MP3")
    assert made["late"].credit.endswith(", changed: cut to 0.5 s, levelled and compressed to MP3")
    assert made["mono"].credit.endswith("unknown licence, changed: levelled and compressed to MP3")


def test_a_sound_plays_in_a_browser(sounds, tmp_path, browse):
    page = Page(HOSTILE, HOSTILE)
    one, other = Sound(1, HOSTILE, HOSTILE, file=sounds["long"].file), sounds["mono"]
    some = excerpts([one, other, sounds["silence"]])
    page.section("Some", page.table(["sound", HOSTILE], [[page.player(some[0]), HOSTILE]]), page.players(some))
    page.write(tmp_path / "page.html")
    with browse(tmp_path / "page.html") as opened:
        assert opened.find("img, a, b, i").count() == 0
        assert opened.find("h1").inner_text() == for_terminal(HOSTILE)
        first, second = (opened.find(f"[data-sound='{number}']") for number in (1, other.id))
        assert (first.count(), second.count(), opened.find("audio").count()) == (2, 1, 1)
        first.last.click()
        opened.wait_until_it_plays()
        pressed = opened.find(".playing[aria-pressed=true]")
        assert pressed.count() == 2
        assert for_terminal(opened.find("#playing").inner_text()) == for_terminal(some[0].credit)
        sound = opened.sound()
        second.focus()
        opened.page.keyboard.press("Enter")
        opened.wait_until_it_plays()
        assert opened.sound() not in (sound, None)
        assert pressed.inner_text() == other.name
        opened.page.wait_for_function("() => document.querySelector('audio').ended")  # half a second
        assert pressed.count() == 0
        first.first.click()
        opened.wait_until_it_plays()
        opened.page.keyboard.press("Escape")
        assert (opened.sound(), pressed.count(), opened.find("#playing").inner_text()) == (None, 0, "")


def test_a_page_runs_no_script_but_its_own(tmp_path, browse):
    """Should the gate ever leak, the page's policy still stands."""
    page = Page("leak")
    page.section(
        "leak", Html("<script>document.title = 'ran'</script><button onclick=\"document.title = 'ran'\">x</button>")
    )
    page.write(tmp_path / "page.html")
    with browse(tmp_path / "page.html") as opened:
        opened.find("button").click()
        assert opened.page.title() == "leak"
        assert len(opened.wrong) == 2
        assert all("Content Security Policy" in words for words in opened.wrong)
        opened.wrong.clear()


def full_disk(*_):
    raise OSError(28, "No space left on device")


def test_a_page_replaces_a_file_only_whole(tmp_path, monkeypatch):
    path = tmp_path / "page.html"
    path.write_text("before")
    page = Page("new")
    monkeypatch.setattr("pathlib.Path.replace", full_disk)
    with pytest.raises(EngineError, match=r"cannot write .*page.html: No space left on device; make room or choose"):
        page.write(path)
    monkeypatch.undo()
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("page.html", "before")]
    page.write(path)
    assert "<title>new</title>" in path.read_text()
    with pytest.raises(EngineError, match="No such file or directory"):
        page.write(tmp_path / "nowhere" / "page.html")
