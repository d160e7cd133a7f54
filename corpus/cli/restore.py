"""`mirla restore`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from corpus.cli.app import App, command, print_lines
from corpus.text import many

if TYPE_CHECKING:
    from corpus.backup import Restored


@command(stopped="stopped; the database is as it was, or as the backup")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--latest", is_flag=True, help="The newest in `backups/`, but for what restores kept.")
def restore(app: App, file: Path | None, latest: bool) -> None:
    """Put back a backup of the database. What is there now is kept as a backup first.

    It is verified before, and refused while another process has the home open. Labels that are newer than the backup
    are counted: they are in the backup just made. `mirla check` then says which audio the restored database lacks.

    \b
    Example:
      mirla restore --latest
    """
    from corpus.backup import restore as put_back
    from corpus.settings import Settings

    if (file is None) != latest:
        raise click.UsageError("say which backup: its file, or --latest")
    done = put_back(Settings.load(app.home), file)
    backup, kept = done.backup, done.kept and str(done.kept)
    data = vars(backup) | vars(done) | {"file": str(backup.file), "kept": kept}
    del data["backup"]
    lines = [
        f"restored {backup.file}",
        f"{many(backup.sounds, 'sound')}{_before(done.sounds_before)}, "
        f"{many(backup.labels, 'label')}{_before(done.labels_before)}",
        *([_kept(done)] if kept else []),
    ]
    app.answer(data, lambda console: print_lines(console, lines))
    if done.newer_labels:
        app.warn(f"newer than this backup: {many(done.newer_labels, 'label')}, in {kept}")


def _kept(done: Restored) -> str:
    same = done.kept == done.backup.file
    return "what was there was the same" if same else f"what was there is kept as {done.kept}"


def _before(count: int | None) -> str:
    return "" if count is None else f" ({count} before)"
