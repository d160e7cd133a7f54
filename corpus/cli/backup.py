"""`mirla backup`."""

from __future__ import annotations

from corpus.cli.app import App, command, print_lines
from corpus.text import many


@command()
def backup(app: App) -> None:
    """Copy the database (labels, agents, all that is known of sounds) to `backups/` in the home, while it is in use.

    The copy is verified before it counts. The last five made by hand are kept, and the last five that are made before
    the database is upgraded or restored; older ones too, that alone have a label or a play. Audio is not in it.

    \b
    Example:
      mirla backup
    """
    from corpus.backup import backup as make

    made = make(app.corpus(make=False).database)
    lines = [
        str(made.file),
        f"{many(made.sounds, 'sound')}, {many(made.files, 'file')}, {many(made.labels, 'label')}; "
        f"{made.bytes / 1e6:.1f} MB",
    ]
    app.answer(vars(made) | {"file": str(made.file)}, lambda console: print_lines(console, lines))
