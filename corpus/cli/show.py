"""`mirla show`."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from corpus.cli.app import App, command, print_lines

if TYPE_CHECKING:
    from corpus.library import Corpus
    from corpus.model import Sound

_PARAGRAPH = 100


@command()
@click.argument("sound_id", type=int, metavar="ID")
@click.option("--vectors", is_flag=True, help="Its vectors too, by space.")
def show(app: App, sound_id: int, vectors: bool) -> None:
    """All that is known of one sound.

    \b
    Example:
      mirla show 4832 --vectors
    """
    corpus = app.corpus()
    data = _facts(corpus, corpus.sounds.get(sound_id))
    if vectors:
        data["vectors"] = {
            name: [None if number != number else number for number in values.tolist()]  # JSON knows no NaN
            for name, values in corpus.vectors.of_sound(sound_id).items()
        }

    app.answer(data, lambda console: print_lines(console, _lines(data)))


def _lines(facts: dict[str, Any]) -> Iterator[str]:
    for name, value in facts.items():
        if name == "traits":
            yield from _trait_lines(value)
        elif name == "vectors":
            for space, numbers in value.items():
                yield f"{space}: {' '.join('missing' if number is None else f'{number:.6g}' for number in numbers)}"
        elif value not in (None, "", [], {}):
            words = (
                " ".join(value) if isinstance(value, list) else f"{value:.6g}" if isinstance(value, float) else value
            )
            yield f"{name}: {words}"


def _trait_lines(traits: dict[str, dict[str, Any]]) -> Iterator[str]:
    """All traits from one place in one paragraph, as `name=value`."""
    for origin in dict.fromkeys(trait["from"] for trait in traits.values()):
        words = (f"{name}={_short(trait['value'])}" for name, trait in traits.items() if trait["from"] == origin)
        yield f"traits from {origin}:"
        yield from textwrap.wrap(
            ", ".join(words),
            _PARAGRAPH,
            initial_indent="  ",
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )


def _short(value: object) -> str:
    return "missing" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def _facts(corpus: Corpus, sound: Sound) -> dict[str, Any]:
    file, onsets = sound.file, corpus.onsets.of(sound.id)
    path = None if file is None else file.path if file.linked else file.path.relative_to(corpus.home)
    return {
        "id": sound.id,
        "name": sound.name,
        "username": sound.username,
        "licence": str(sound.licence),
        "licence_url": sound.licence.url or None,
        "url": sound.url,
        "tags": list(sound.tags),
        "duration": sound.duration,
        "path": None if path is None else str(path),
        "sha256": file.sha256 if file else None,
        "gone": sound.gone,
        "loudness_lufs": file.loudness if file else None,
        "peak": file.peak if file else None,
        "onsets": None if onsets is None else len(onsets),
        "traits": corpus.traits(sound.id),
        "vectors": {},
    }
