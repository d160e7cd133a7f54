"""Any text whatever, through the gates to terminal, CSV and file names, and into the full-text search."""

import csv
import hashlib
import io
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import Corpus
from corpus.credits import as_csv
from corpus.model import FIRST_LOCAL_ID, Sound
from corpus.text import as_tag, for_csv, for_file_name, for_terminal, storable, words
from tests.bad_input import assert_safe
from tests.fuzzing import examples

NASTY = st.sampled_from(
    [*"\x00\x07\x1b\x7f\x9b\ud800\udcff\u200b\u202e\u2028\ufeff\t\r\n=+-@'\"*^:(){}[]/\\", "NEAR", "AND"]
)
TEXT = st.lists(st.characters() | NASTY | st.sampled_from(["\x1b[2J", "NOT ", " OR ", "kick", '"'])).map("".join)
"""Any code points at all, lone surrogates among them, with what means something to a terminal, a sheet or FTS5."""


@given(TEXT)
def test_nothing_that_a_terminal_acts_upon_gets_through(text):
    shown = for_terminal(text)
    assert_safe(shown)
    assert "\n" not in shown
    assert for_terminal(shown) == shown
    shown.encode()


@given(st.text(string.ascii_letters + string.digits + " []/\\$()äöü日本語😀"))
def test_harmless_text_is_shown_as_it_is(text):
    assert for_terminal(text) == text


@given(TEXT)
def test_no_cell_is_a_formula_or_a_terminal_command(text):
    cell = for_csv(text)
    assert not cell.startswith(tuple("=+-@\t\r"))
    assert storable(cell) == cell
    assert not set(cell) & {chr(code) for code in (*range(32), *range(127, 160)) if chr(code) not in "\t\n"}


@given(st.lists(TEXT.filter(bool), min_size=1, max_size=4))
def test_a_table_of_credits_has_a_row_for_each_sound(names):
    sounds = [Sound(id=number, name=name, username=name, url=name) for number, name in enumerate(names, 1)]
    rows = list(csv.reader(io.StringIO(as_csv(sound.credited for sound in sounds), newline=""), strict=True))
    assert rows[0] == ["id", "name", "username", "url", "licence", "licence_url", "line"]
    assert [row[1] for row in rows[1:]] == [for_csv(name) for name in names]
    assert {len(row) for row in rows} == {7}


@given(TEXT, st.integers(1, 100))
def test_a_file_name_is_plain_and_short(text, limit):
    name = for_file_name(text, limit)
    assert 0 < len(name) <= max(limit, len("sound"))
    assert set(name) <= set(string.ascii_letters + string.digits + "._-")
    assert name[0] not in "._-"


@given(TEXT)
def test_what_is_stored_is_unicode(text):
    storable(text).encode()
    assert storable(storable(text)) == storable(text)
    assert as_tag(text) == "-".join(words(text))
    assert all(word.encode() and word.isalnum() for word in words(text) if word.isascii())


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    with Corpus(tmp_path_factory.mktemp("empty") / "home") as corpus:
        yield corpus


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Two sounds: a kick, then a snare."""
    with Corpus(tmp_path_factory.mktemp("text") / "home") as corpus:
        for name in ("kick one", "snare two"):
            digest = hashlib.sha256(name.encode()).hexdigest()
            corpus.sounds.add(digest, None, lambda sound_id, name=name: Sound(sound_id, name, tags=("drum",)))
        yield corpus


@settings(max_examples=examples(300), deadline=None)
@given(TEXT)
def test_a_search_for_any_text_answers(corpus, text):
    found = corpus.sounds.ids(text).tolist()
    assert set(found) <= {FIRST_LOCAL_ID, FIRST_LOCAL_ID + 1}


@settings(deadline=None)
@given(TEXT)
def test_a_filter_by_any_text_answers(corpus, text):
    assert set(corpus.sounds.ids(with_tags=[text], licences=[text])) <= {FIRST_LOCAL_ID, FIRST_LOCAL_ID + 1}


@settings(deadline=None)
@given(TEXT)
def test_any_words_around_one_that_is_there_never_widen_the_search(corpus, text):
    assert FIRST_LOCAL_ID + 1 not in corpus.sounds.ids(f"kick {text.replace(chr(34), ' ')}").tolist()


@settings(deadline=None)
@given(TEXT)
def test_an_unwanted_word_is_never_found(corpus, text):
    plain = text.replace('"', " ")
    assert FIRST_LOCAL_ID not in corpus.sounds.ids(f"{plain} -kick").tolist()
    assert FIRST_LOCAL_ID not in corpus.sounds.ids(f"-kick {plain}").tolist()


@settings(max_examples=examples(50), deadline=None)
@given(name=TEXT)
def test_a_sound_of_any_name_is_kept_and_credited(empty, name):
    name = storable(name)
    digest = hashlib.sha256(name.encode()).hexdigest()
    sound_id, _ = empty.sounds.add(digest, None, lambda i: Sound(i, name, username=name, description=name, url=name))
    kept = empty.sounds.get(sound_id)
    assert (kept.name, kept.username, kept.description, kept.url) == (name,) * 4
    empty.sounds.ids(name)
    assert_safe(for_terminal(kept.credit))
