"""The page that says what is served, and what to type where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from corpus.text import for_html

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>mirla: palettes</title>
<style>body {{ font: 1em/1.5 sans-serif; max-width: 50em; margin: 2em auto; padding: 0 1em }}
pre {{ background: #eee; padding: .5em; overflow: auto }}</style></head><body>
<h1>Palettes of mirla</h1>
<h2>Strudel</h2><pre>samples('{map}')
s("{name}:0 {name}:1")</pre>
<h2>TidalCycles</h2><p>In SuperCollider, once SuperDirt is started:</p><pre>~dirt.loadSoundFiles("{folder}/*")</pre>
<p>Then</p><pre>d1 $ sound "{name}:0 {name}:1"</pre>
<h2>Sonic Pi</h2><pre>sample "{folder}/{name}", 0</pre>
{each}</body></html>
"""
_NONE = "<p>Nothing is published yet: <code>mirla palette publish</code> does it.</p>\n"


def page(folder: Path, palettes: Mapping[str, Sequence[str]], address: str) -> str:
    """The page, for a map at an address.

    Parameters
    ----------
    folder : Path
        Where the palettes are.
    palettes : dict
        Their files by name.
    address : str
        The map's.
    """
    each = "".join(_palette(folder, name, files) for name, files in palettes.items())
    name = next(iter(palettes), "NAME")
    return _PAGE.format(map=for_html(address), folder=for_html(folder), name=for_html(name), each=each or _NONE)


def _palette(folder: Path, name: str, files: Sequence[str]) -> str:
    credits = folder / name / "CREDITS.txt"
    lines = credits.read_text(encoding="utf-8").splitlines() if credits.is_file() else []
    listed = "\n".join(for_html(line) for line in lines)
    return f"<h2>{for_html(name)}</h2><p>{len(files)} sounds</p><pre>{listed}</pre>\n"
