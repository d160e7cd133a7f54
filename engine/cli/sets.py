"""`mirla sets`: the performances that were played here."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from corpus.cli.app import App, Command, command, print_lines, table

if TYPE_CHECKING:
    from corpus.model import Summary


class _Sets(Command, click.Group):
    """A group that is a command too."""


@click.group(invoke_without_command=True, cls=_Sets)
@click.pass_context
def sets(context: click.Context) -> None:
    """The performances that were played here, and what was asked for in each.

    \b
    Example:
      mirla sets
      mirla sets log 3 --out set.jsonl
    """
    if context.invoked_subcommand is None:
        _list(context.ensure_object(App))


@command()
@click.argument("number", type=int, metavar="N")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="A file, instead of standard output.")
def log(app: App, number: int, out: Path | None) -> None:
    """What was asked for in performance N and what came of it: a line of JSON for each command.

    `mirla render --script` plays it again.

    \b
    Example:
      mirla sets log 3 --out set.jsonl
    """
    from corpus.errors import PerformanceError
    from corpus.files import write_whole
    from corpus.text import for_json

    corpus = app.corpus()
    performance = corpus.performances.get(number)
    lines = [
        {name: value for name, value in vars(one).items() if name != "error" or value is not None}
        for one in corpus.performances.commands(performance)
    ]
    text = "".join(for_json(line) + "\n" for line in lines)
    if out is not None:
        try:
            write_whole(out, text)
        except OSError as error:
            raise PerformanceError(
                f"cannot write {out}: {error.strerror or error}; choose another place with --out"
            ) from error
        words = [f"{out}: {len(lines)} commands"]
        app.answer(
            {"set": number, "out": str(out), "commands": len(lines)}, lambda console: print_lines(console, words)
        )
    elif app.json:
        app.answer({"set": number, "log": lines}, lambda console: None)
    else:
        click.echo(text, nl=False)


sets.add_command(log)


def _list(app: App) -> None:
    known = [_facts(one) for one in app.corpus().performances.summaries()]
    rows = [[one["set"], one["begun"], one["seconds"], one["plays"], one["commands"], one["title"]] for one in known]
    headings = ["set", "begun", "seconds", "plays", "commands", "title"]
    app.answer({"sets": known}, lambda console: table(console, headings, rows) if rows else None)
    if not known:
        app.say("nothing was performed here yet")


def _facts(summary: Summary) -> dict[str, Any]:
    """A performance in numbers; one that was cut off lasted to what is last known of it."""
    performance, seconds = summary.performance, summary.seconds
    if performance.ended is not None:
        begun, ended = (datetime.fromisoformat(text) for text in (performance.begun, performance.ended))
        seconds = (ended - begun).total_seconds()
    return {
        "set": performance.id,
        "begun": performance.begun,
        "ended": performance.ended,
        "seconds": round(seconds, 1),
        "seed": performance.seed,
        "title": performance.title,
        "plays": summary.plays,
        "commands": summary.commands,
    }
