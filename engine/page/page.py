"""Page: the one way to a self-contained HTML page, readable without a network and printable.

Whatever is not `Html` is text, perhaps a stranger's, and is escaped (`corpus.text.for_html`); `Html` is made here
alone. The page's Content-Security-Policy allows no request and no script but its own, known by their digests.

A *figure* is plotly's JSON as a plain mapping, `{"data": [trace, ...], "layout": {...}}`. Arrays may be NumPy's, finite
and of at most 32 bits. Its words go through `for_html` where they are made, since plotly knows some of HTML's tags. A
point whose `customdata` is a sound's id plays that sound when it is clicked, or says why it does not. Colours of text
and grid are the page's.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from corpus import __version__
from corpus.text import for_html, for_script
from engine.errors import EngineError
from engine.page.excerpts import Excerpt


class Html(str):
    """Finished HTML, as the functions of this module make it."""


Block = str | Html
"""A paragraph of text, or finished HTML."""


class Page:
    """A page under construction.

    Parameters
    ----------
    title : str
    lead : str
        What the page shows, in a sentence or two.

    Examples
    --------
    >>> page = Page("Comparison")                                           # doctest: +SKIP
    ... page.section("Hubness", "The lower the better.", page.table(["measure", "hubness"], [["mfcc", 0.4]]))
    ... page.section("Sounds", page.players(excerpts(sounds)))
    ... page.write(Path("comparison.html"))
    """

    def __init__(self, title: str, lead: str = "") -> None:
        self.title = title
        self.lead = lead
        self._body: list[Html] = []
        self._figures: list[Html] = []
        self._sounds: dict[int, Excerpt] = {}

    def section(self, heading: str, *blocks: Block) -> None:
        """Add a section: paragraphs of text, and what the other methods made."""
        inside = "\n".join(block if isinstance(block, Html) else _element("p", block) for block in blocks)
        self._body.append(Html(f"<section>\n{_element('h2', heading)}\n{inside}\n</section>"))

    def table(self, headings: Sequence[object], rows: Iterable[Sequence[object]]) -> Html:
        """A table; a cell is text, a number (set to the right), Html, or None for an empty one."""
        head = "".join(_element("th", heading) for heading in headings)
        body = "\n".join(f"<tr>{''.join(_cell(value) for value in row)}</tr>" for row in rows)
        return Html(
            f'<div class="wide"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>'
        )

    def unbroken(self, text: object) -> Html:
        """Text for a cell, in one line however narrow the page."""
        return Html(f'<span class="unbroken">{for_html(text)}</span>')

    def figure(self, figure: Mapping[str, Any], label: str) -> Html:
        """A figure of plotly's (see above); `label` says what it shows to those who do not see it."""
        name = f"figure-{len(self._figures) + 1}"
        self._figures.append(_data(name + "-data", _plain(figure)))
        return Html(f'<div class="figure" id="{name}" role="img" aria-label="{for_html(label)}"></div>')

    def player(self, excerpt: Excerpt) -> Html:
        """A button that plays a sound, with its name; the sound is embedded once, however many buttons it has."""
        self.embed([excerpt])
        name = _element("bdi", excerpt.sound.name)
        if excerpt.uri is None:
            return Html(f'<span class="unheard">{name} {for_html(excerpt.lacks)}</span>')
        plays = f'data-sound="{excerpt.sound.id:d}" aria-pressed="false"'
        return Html(f'<button type="button" class="sound" {plays}>{name}</button>')

    def players(self, some: Iterable[Excerpt]) -> Html:
        """A list of players, each with its credit line."""
        items = "\n".join(
            f'<li>{self.player(excerpt)} <span class="credit"><bdi>{for_html(excerpt.credit)}</bdi></span></li>'
            for excerpt in some
        )
        return Html(f'<ul class="players">\n{items}\n</ul>')

    def embed(self, some: Iterable[Excerpt]) -> None:
        """Embed sounds for the points of a figure; their credits must stand on the page, as in `players`.

        Of one that cannot be heard the page keeps why, to say it on a click.
        """
        self._sounds.update((excerpt.sound.id, excerpt) for excerpt in some)

    def write(self, path: Path) -> None:
        """Write the page, whole or not at all.

        Raises
        ------
        EngineError
            It cannot be written there.
        """
        with _part(path) as part:
            part.write_text(self._whole(), "utf-8")
            part.replace(path)

    def _whole(self) -> str:
        sounds = {
            number: {"uri": one.uri, "credit": one.credit} if one.uri else {"lacks": f"{one.sound.name} {one.lacks}"}
            for number, one in self._sounds.items()
        }
        scripts = [_own("page.js")]
        if self._figures:
            scripts.insert(0, _plotly())
        return "\n".join(
            [
                "<!DOCTYPE html>",
                '<html lang="en">',
                "<head>",
                '<meta charset="utf-8">',
                f'<meta http-equiv="Content-Security-Policy" content="{_policy(scripts)}">',
                '<meta name="viewport" content="width=device-width, initial-scale=1">',
                '<meta name="color-scheme" content="light dark">',
                f'<meta name="generator" content="mirla {for_html(__version__)}">',
                _element("title", self.title),
                f"<style>\n{_own('page.css')}</style>",
                "</head>",
                "<body>",
                f"<header>\n{_element('h1', self.title)}\n{_element('p', self.lead) if self.lead else ''}\n</header>",
                "<main>",
                *self._body,
                "</main>",
                '<footer id="playing" role="status"></footer>',
                "<audio></audio>",
                "<noscript><p>Figures and sounds need JavaScript, which is switched off here.</p></noscript>",
                _data("sounds", sounds),
                *self._figures,
                *(f"<script>{script}</script>" for script in scripts),
                "</body>",
                "</html>",
                "",
            ]
        )


def check_writable(path: Path) -> None:
    """Check that a page can be written there, before the work that it takes.

    Raises
    ------
    EngineError
        It cannot, or standard output is meant.
    """
    if str(path) == "-":
        raise EngineError("cannot write a page to standard output; name a file with --html")
    with _part(path) as part:
        part.touch()


@contextlib.contextmanager
def _part(path: Path) -> Iterator[Path]:
    """Where a page is while it is written; gone afterwards."""
    part = path.with_name(f".{path.name[:100]}.{os.getpid()}.part")
    try:
        yield part
    except OSError as error:
        words = error.strerror or error
        raise EngineError(f"cannot write {path}: {words}; make room or choose another place with --html") from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def _element(name: str, text: object) -> Html:
    return Html(f"<{name}>{for_html(text)}</{name}>")


def _cell(value: object) -> Html:
    if isinstance(value, Html):
        return Html(f"<td>{value}</td>")
    if isinstance(value, int | float):
        return Html(f'<td class="number">{value}</td>')
    return _element("td", "" if value is None else value)


def _data(name: str, data: object) -> Html:
    return Html(f'<script type="application/json" id="{name}">{for_script(data)}</script>')


def _plain(value: Any) -> Any:
    """Plain JSON of a figure; arrays as plotly's base64 of their bytes."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, np.ndarray):
        little = np.ascontiguousarray(value.astype(value.dtype.newbyteorder("<")))
        return {
            "dtype": f"{little.dtype.kind}{little.dtype.itemsize}",
            "bdata": base64.b64encode(little.tobytes()).decode(),
        }
    return value.item() if isinstance(value, np.generic) else value


def _own(name: str) -> str:
    return files("engine.page").joinpath(name).read_text("utf-8")


def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())


def _policy(scripts: Sequence[str]) -> str:
    """No request, no script but these; plotly compiles its shaders' callers, hence the eval."""
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {allowed} 'unsafe-eval'; style-src 'unsafe-inline'; "
        "img-src data: blob:; media-src data: blob:; base-uri 'none'; form-action 'none'"
    )
