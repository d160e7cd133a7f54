"""`mirla preflight`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from corpus.cli.app import App, command
from corpus.errors import CorpusError
from corpus.text import for_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.preflight import Asked, Check


def _percent(_context: click.Context, parameter: click.Parameter, given: str) -> float:
    try:
        value = float(given.strip().removesuffix("%"))
    except ValueError:
        value = 0.0
    if not 0.0 < value <= 100.0:
        raise click.BadParameter(f"{given!r} is no percentage above 0, such as 10%", param=parameter)
    return value


@command()
@click.option("--palette", metavar="P", help="Only the sounds of this palette; else all.")
@click.option("--agent", "agents", multiple=True, metavar="A", help="This agent; else all that were trained.")
@click.option("--use", type=click.Choice(["commercial"]), help="What the sounds are for; licences must allow it.")
@click.option("--sample", default="100%", show_default=True, metavar="P%", callback=_percent, help="Of the audio.")
@click.option("--device", help="Sound device by name or number; else MIRLA_DEVICE, else the system's own.")
def preflight(
    app: App, palette: str | None, agents: tuple[str, ...], use: str | None, sample: float, device: str | None
) -> None:
    """Check before a set that all is ready for it, and build what can be built ahead. Exit code 1 if not.

    \b
    Example:
      mirla preflight
      mirla preflight --palette cymbals --agent water --use commercial --sample 10%
    """
    from engine.preflight import Asked
    from engine.session import MEMORY

    found: list[Check] = []
    for check in _checks(app, Asked(palette, agents, use == "commercial", sample, device, MEMORY)):
        found.append(check)
        if not app.json:
            click.echo(f"{'ok    ' if check.ok else 'NOT OK'}  {check.name:8}  {for_terminal(check.detail)}")
    ready = all(check.ok for check in found)
    wrong = ", ".join(check.name for check in found if not check.ok)
    if not app.json:
        click.echo("ready" if ready else f"not ready: {wrong}")
    if app.json:
        app.answer({"ready": ready, "checks": [asdict(check) for check in found]}, lambda console: None)
    if not ready:
        click.get_current_context().exit(1)


def _checks(app: App, asked: Asked) -> Iterator[Check]:
    from engine.preflight import Check, Preflight

    try:
        corpus = app.corpus()
    except CorpusError as error:
        yield Check("schema", False, str(error))
        return
    with app.phases() as progress:
        yield from Preflight(corpus, asked, progress).run()
