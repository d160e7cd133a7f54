"""The gates of foreign text on its way out: terminal, HTML, CSV, JSON, file names; and tags on their way in.

Names, tags and descriptions come from strangers. Each destination has one function here, and nothing reaches that
destination but through it.
"""

from __future__ import annotations

import json
import re
import unicodedata

_UNSAFE_IN_FILE_NAMES = re.compile(r"[^A-Za-z0-9._-]+")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\n")
_SURROGATES = re.compile("[\ud800-\udfff]")
_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;"})
_SCRIPT = str.maketrans({"&": "\\u0026", "<": "\\u003c", ">": "\\u003e"})
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def storable(text: str) -> str:
    """Replace what no database or JSON can hold (lone surrogates, as for bytes that are not UTF-8) by U+FFFD."""
    return _SURROGATES.sub("\ufffd", text)


def for_terminal(text: object) -> str:
    r"""Make text safe to print: control, formatting and undecodable characters become visible escapes.

    Examples
    --------
    >>> for_terminal("kick\x1b[2Jdrum\n")
    'kick\\x1b[2Jdrum\\n'
    """
    text = str(text)
    if text.isprintable():  # mostly, and by far the faster
        return text
    return "".join(c if _printable(c) else _escape(c) for c in text)


def for_html(text: object) -> str:
    r"""Make text safe between HTML's tags, in a quoted attribute, and in plotly's labels, which know some tags too.

    What `for_terminal` makes visible is made so here as well. Quotes become numbers: plotly has no names for them.

    Examples
    --------
    >>> for_html('<b>"kick"\x1b')
    '&lt;b&gt;&#34;kick&#34;\\x1b'
    """
    return for_terminal(text).translate(_HTML)


def for_script(data: object) -> str:
    """JSON that nothing can end before its script element does: `<`, `>` and `&` stand in strings alone, as escapes."""
    return for_json(data).translate(_SCRIPT)


def for_csv(text: object) -> str:
    """Make text safe in a spreadsheet: what would start a formula gets an apostrophe in front.

    Line breaks become line feeds: the csv writer quotes those. Other controls and undecodable characters become U+FFFD.
    """
    clean = _CONTROLS.sub("\ufffd", storable(str(text)).replace("\r\n", "\n").replace("\r", "\n"))
    return "'" + clean if clean.startswith(_FORMULA_STARTS) else clean


def from_csv(cell: str) -> str:
    """A cell as it was before `for_csv`: without the apostrophe that keeps it from being a formula."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA_STARTS) else cell


def for_json(data: object) -> str:
    """One line of JSON in ASCII, without the lone surrogates that would keep others from reading it."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False)
    return json.dumps(json.loads(storable(text))) if _SURROGATES.search(text) else json.dumps(data, allow_nan=False)


def for_file_name(text: str, limit: int = 60) -> str:
    """Reduce text to `[A-Za-z0-9._-]`, at most `limit` characters; accents are dropped, the rest becomes `_`.

    Examples
    --------
    >>> for_file_name("Café $(rm -rf) ../x")
    'Cafe_rm_-rf_.._x'
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return _UNSAFE_IN_FILE_NAMES.sub("_", plain).strip("._-")[:limit] or "sound"


def many(count: int, noun: str, plural: str = "") -> str:
    """A count with its noun.

    Examples
    --------
    >>> many(1, "sound"), many(0, "sound"), many(2, "copy", "copies")
    ('1 sound', '0 sounds', '2 copies')
    """
    return f"{count} {noun if count == 1 else plural or f'{noun}s'}"


def as_tag(text: str) -> str:
    """One tag in Freesound's form: lower case, words joined by hyphens."""
    return "-".join(words(text))


def words(text: str) -> list[str]:
    """The lower-case words of a name: runs of letters and digits in any script."""
    return [word for word in re.split(r"[\W_]+", storable(text).replace("\ufffd", " ").lower()) if word]


def _printable(character: str) -> bool:
    return character.isprintable() or character == "\u3000"


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
