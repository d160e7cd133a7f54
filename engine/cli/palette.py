"""`mirla palette`: sounds published for other live-coding systems."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from corpus.cli.app import App, command, print_lines, table
from corpus.credits import limits_of
from corpus.text import for_terminal
from engine.cli.choosing import choosing_published
from engine.similarity import DEFAULT

if TYPE_CHECKING:
    from corpus.library import Corpus
    from corpus.model import Palette
    from engine.query.run import Choice


@click.group()
def palette() -> None:
    """Publish sounds as folders that TidalCycles, Sonic Pi, Strudel and samplers read.

    \b
    Example:
      mirla palette publish tablas --like 4832 -n 8
      mirla palette list
    """


@command()
@click.argument("name")
@click.argument("ids", nargs=-1, type=int, metavar="[IDS]...")
@click.option("--like", "likes", type=int, multiple=True, metavar="ID", help="This sound, and those nearest to it.")
@click.option("--search", "text", metavar="TEXT", help="What a search for these words finds.")
@click.option("--measure", default=DEFAULT, show_default=True, help="What near means, for --like.")
@click.option("--append", is_flag=True, help="Behind what the palette has, whose numbers stay as they are.")
@click.option("--replace", "anew", is_flag=True, help="Instead of what the palette has.")
@click.option("--seconds", type=click.FloatRange(0, 3600, min_open=True), help="Cut each sound to this.")
@click.option("--use", type=click.Choice(["commercial"]), help="Refuse sounds whose licence forbids this.")
@choosing_published
def publish(
    app: App,
    name: str,
    ids: tuple[int, ...],
    likes: tuple[int, ...],
    text: str | None,
    measure: str,
    append: bool,
    anew: bool,
    seconds: float | None,
    use: str | None,
    choice: Choice,
) -> None:
    """Publish sounds under a NAME: these IDS, those like others, or those that a search finds.

    The folder is there as a whole or as it was before. NAME:3 stays the same sound while others are appended.

    \b
    Example:
      mirla palette publish tablas 4832 100055
      mirla palette publish tablas --like 4832 -n 8 --agent percussive --replace
      mirla palette publish drums --search "drum -loop" --licence CC0 --append
    """
    from engine import palette as palettes

    if append and anew:
        raise click.UsageError("--append and --replace exclude each other; give one")
    palettes.check_name(name)
    corpus = app.corpus()
    chosen = _chosen(corpus, ids, likes, text, measure, choice)
    wish = palettes.Wish(append, anew, seconds, "commercial" if use else None)
    with app.progress("publishing") as progress:
        published = palettes.publish(corpus, name, chosen, wish, progress)
    _show(app, corpus, published)
    for sound in published.sounds:
        if sound.id in chosen and (limits := limits_of(sound.credit)):
            app.say(f"mind: {sound.file}: {for_terminal(limits)}")


@command("list")
def list_(app: App) -> None:
    """The palettes that are published.

    \b
    Example:
      mirla palette list
    """
    from engine import palette as palettes

    corpus = app.corpus()
    known = corpus.palettes.all()
    rows = [[one.name, len(one.sounds), one.published, palettes.address(corpus, one)] for one in known]
    data = {"palettes": [palettes.as_json(corpus, one) for one in known]}
    app.answer(data, lambda console: table(console, ["palette", "sounds", "published", "folder"], rows))
    if not known:
        app.say("no palette yet; `mirla palette publish` makes one")


@command()
@click.argument("name")
def show(app: App, name: str) -> None:
    """The sounds of a palette, by their numbers.

    \b
    Example:
      mirla palette show tablas
    """
    from engine.palette import published

    corpus = app.corpus()
    _show(app, corpus, published(corpus, name))


@command()
@click.argument("name")
def remove(app: App, name: str) -> None:
    """Take a palette back: its folder is deleted, the sounds stay in the corpus.

    \b
    Example:
      mirla palette remove tablas
    """
    from engine import palette as palettes

    corpus = app.corpus()
    removed = palettes.remove(corpus, name)
    words = f"palette {removed.name} is removed, with {len(removed.sounds)} files"
    app.answer(palettes.as_json(corpus, removed), lambda console: print_lines(console, [words]))


for _command in (publish, list_, show, remove):
    palette.add_command(_command)


def _chosen(
    corpus: Corpus, ids: tuple[int, ...], likes: tuple[int, ...], text: str | None, measure: str, choice: Choice
) -> list[int]:
    """What is to be published."""
    from engine.query import run

    asked = choice != run.Choice(with_audio=True)
    if bool(ids) + bool(likes) + (text is not None) > 1 or (ids and asked):
        raise click.UsageError("IDS, --like and --search exclude each other, and IDS are taken as they are; give one")
    if ids:
        return list(ids)
    if likes:
        if choice.k <= len(likes):
            return list(likes)[: choice.k]
        near = run.similar(corpus, likes, replace(choice, k=choice.k - len(likes)), measure)
        return [*likes, *(hit.sound.id for hit in near.hits)]
    if text is None and not asked:
        raise click.UsageError("say which sounds: IDS, --like ID, --search TEXT, or options such as --tag")
    return [hit.sound.id for hit in run.search(corpus, replace(choice, text=text or "")).hits]


def _show(app: App, corpus: Corpus, palette: Palette) -> None:
    from engine import palette as palettes

    folder = palettes.address(corpus, palette)
    rows = [[f"{palette.name}:{one.index}", one.id, one.file, one.credit["licence"]] for one in palette.sounds]
    app.answer(
        palettes.as_json(corpus, palette),
        lambda console: table(console, ["", "id", "file", "licence"], rows, ["licence"]),
    )
    app.say(f"in {folder}")
