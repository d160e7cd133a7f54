"""The gates to HTML, to script elements and to JSON; those to terminals and CSV are in `test_bad_input_text`."""

import html
import json
from html.parser import HTMLParser

from hypothesis import example, given
from hypothesis import strategies as st

from corpus.text import for_html, for_json, for_script, for_terminal
from tests.bad_input import assert_safe

ODD = "<>&\"'/!-=scriptbx\x1b\x00\ud800\u2028\u202e`;:"
TEXT = st.text() | st.text(st.sampled_from(ODD)) | st.binary().map(lambda data: data.decode(errors="surrogateescape"))
DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


class Reading(HTMLParser):
    """What a browser makes of a page: its tags, and the text between them."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.tags, self.text, self.attributes = [], "", {}
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes |= dict(attrs)

    def handle_comment(self, data):
        self.tags.append("comment")

    def handle_decl(self, decl):
        self.tags.append("declaration")

    def handle_data(self, data):
        self.text += data


@given(TEXT)
@example("</p><script>alert(1)</script>")
@example('" onmouseover="alert(1)')
@example("<!--")
@example("&lt;script&gt;")
def test_between_tags_and_in_an_attribute_text_stays_text(text):
    escaped = for_html(text)
    assert not set(escaped) & set("<>\"'")
    assert_safe(escaped)
    read = Reading(f'<p title="{escaped}">{escaped}</p>')
    assert (read.tags, list(read.attributes)) == (["p"], ["title"])
    assert read.text == read.attributes["title"] == for_terminal(text)
    assert html.unescape(escaped) == for_terminal(text)


@given(DATA)
@example({"</script><script>": "</SCRIPT >"})
@example(["<!--<script>", "]]>", "\u2028"])
def test_nothing_ends_a_script_element_early(data):
    text = for_script(data)
    assert not set(text) & set("<>&\n\r\u2028\u2029")
    text.encode("ascii")
    assert json.loads(text) == json.loads(for_json(data))


@given(DATA)
def test_json_is_one_line_that_others_read(data):
    text = for_json(data)
    text.encode("ascii")
    assert "\n" not in text
    json.dumps(json.loads(text), ensure_ascii=False).encode()  # no lone surrogates
