"""`mirla forget`."""

from __future__ import annotations

import click

from corpus.cli.app import App, command, print_lines
from corpus.errors import NotConfirmed


@command()
@click.argument("ids", nargs=-1, type=int, metavar="[IDS]...")
@click.option("--gone", is_flag=True, help="All sounds that Freesound has no more.")
@click.option("--yes", is_flag=True, help="Do not ask before deleting what cannot be fetched again.")
def forget(app: App, ids: tuple[int, ...], gone: bool, yes: bool) -> None:
    """Delete sounds: all that the corpus knows of them, and its copies of their files. Linked files stay.

    Sounds of your own, and those that Freesound has no more, cannot be fetched again: you are asked before.

    Labels are kept: they count again when the sound is back, harvested by its id or adopted from the same file. An
    agent that keeps no numbers of its own (svm, knn, forest, gp) must be trained again: `mirla agent train NAME`.

    \b
    Example:
      mirla forget 4832 100055
      mirla forget --gone
    """
    if bool(ids) == gone:
        raise click.UsageError("say which sounds: their ids, or --gone")
    corpus = app.corpus()
    wanted = corpus.checks.gone() if gone else ids
    try:
        report = corpus.forget(wanted, for_good=yes)
    except NotConfirmed as loss:
        if not app.confirmed(f"{loss}. Delete for good?"):
            raise NotConfirmed(f"{loss}; nothing was deleted (--yes deletes without asking)") from None
        report = corpus.forget(wanted, for_good=True)
    data = vars(report) | {"failed": [{"path": path, "error": words} for path, words in report.failed]}
    lines = [
        f"{len(report.forgotten)} sounds forgotten, {report.files} files deleted, {report.bytes / 1e6:.1f} MB",
        *(f"agent {name}: {count} labels wait until the sounds are back" for name, count in report.labels.items()),
    ]
    app.answer(data, lambda console: print_lines(console, lines))
    app.finish(report.failed)
