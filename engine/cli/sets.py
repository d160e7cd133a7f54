"""`mirla sets`: the performances that were played here."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from corpus.cli.app import App, Command, command, print_lines, table

if TYPE_CHECKING:
    from corpus.library import Corpus
    from corpus.model import Performance, Summary


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
    """What was asked for in performance N and what came of it: a line of JSON about it, then one for each command.

    What happened by itself is there too, as commands of the kind "event". `mirla render --script` plays it again.

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
        {name: value for name, value in vars(one).items() if value or name not in ("error", "facts")}
        for one in corpus.performances.commands(performance)
    ]
    head = _head(corpus, performance)
    text = "".join(for_json(line) + "\n" for line in (head, *lines))
    if out is not None:
        try:
            write_whole(out, text)
        except OSError as error:
            raise PerformanceError(
                f"cannot write {out}: {error.strerror or error}; choose another place with --out"
            ) from error
        said = sum(line.get("facts", {}).get("kind") != "event" for line in lines)
        words = [f"{out}: {said} commands"]
        app.answer({"set": number, "out": str(out), "commands": said}, lambda console: print_lines(console, words))
    elif app.json:
        app.answer({**head, "log": lines}, lambda console: None)
    else:
        click.echo(text, nl=False)


sets.add_command(log)


def _head(corpus: Corpus, performance: Performance) -> dict[str, Any]:
    """What a log says of its set; one that was cut off lasted to what is last known of it."""
    last = [
        *(one.at for one in corpus.performances.commands(performance)),
        *(one.at + (one.seconds or 0.0) for one in corpus.performances.plays(performance=performance)),
    ]
    known = {name: value for name, value in vars(performance).items() if name not in ("id", "facts")}
    seconds = performance.facts.get("seconds", max(last, default=0.0))
    return {"set": performance.id, **known, "seconds": seconds, "facts": performance.facts}


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
