"""`mirla credits`."""

from __future__ import annotations

import click

from corpus.cli.app import App, command


@command()
@click.argument("ids", nargs=-1, type=int, metavar="[IDS]...")
@click.option("--format", "form", type=click.Choice(["text", "json", "csv"]), default="text", show_default=True)
def credits(app: App, ids: tuple[int, ...], form: str) -> None:
    """Whose sounds these are: one line a sound. Without IDS, all sounds whose audio is here.

    \b
    Example:
      mirla credits 4832 100067
      mirla credits --format csv > credits.csv
    """
    from corpus.credits import as_csv, as_text
    from corpus.text import for_json, for_terminal

    corpus = app.corpus()
    sounds = corpus.sounds.many(ids or corpus.sounds.ids(with_audio=True).tolist())
    data = {"credits": [sound.credited for sound in sounds]}
    if app.json or form == "json":
        click.echo(for_json(data))
    elif form == "csv":
        click.echo(as_csv(data["credits"]), nl=False)
    else:
        click.echo("".join(for_terminal(line) + "\n" for line in as_text(data["credits"]).splitlines()), nl=False)
