"""`mirla live`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from corpus.cli.app import App, command

if TYPE_CHECKING:
    from engine.cli.ending import Ending
    from engine.cli.scripted import Errors
    from engine.performing.replay import Log
    from engine.performing.script import Script
    from engine.session import Session


@command()
@click.argument("script", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--batch", is_flag=True, help="End after the script, as without a terminal.")
@click.option("--device", help="Sound device by name or number; else MIRLA_DEVICE, else the system's own.")
@click.option("--seed", type=click.IntRange(0), help="Make chance repeatable.")
@click.option("--stage", is_flag=True, help="Refuse every connection and name look-up but to this computer itself.")
@click.option(
    "--loudness",
    type=click.FloatRange(-60, -10),
    show_default="-23, or what a log says",
    help="Of each sound, in LUFS.",
)
@click.option("--agent", "agents", multiple=True, help="Has to call good whatever comes; several: all have to.")
@click.option("--measure", help="What near means.")
def live(
    app: App,
    script: Path | None,
    batch: bool,
    device: str | None,
    seed: int | None,
    stage: bool,
    loudness: float | None,
    agents: tuple[str, ...],
    measure: str | None,
) -> None:
    """Play live: a script, if there is one, and then a prompt, where every line is Python. Ctrl-D fades out and ends.

    A script is a Python file with the names s (the session), group and wait; or the log of a set, ending in .jsonl.

    \b
    Example:
      mirla live
      mirla live set.py --seed 1
      mirla live --stage --agent water
    """
    if stage:
        from engine.stage import enter

        enter()
    from engine import pauses
    from engine.cli import scripted
    from engine.cli.ending import FADE, Told, ending, interrupt
    from engine.performing.script import names
    from engine.session import Session

    played = scripted.read(script) if script else None
    prompting = not batch and not app.json and sys.stdin.isatty()
    if played is None and not prompting:
        raise click.UsageError("nothing to play: name a script, or run it in a terminal")
    title = script.name if script else ""
    loud = scripted.loudness(played, loudness)
    with (
        ending(interrupt) as end,
        Session(app.home, device=device, seed=seed, title=title, say=app.warn, loudness=loud) as session,
        pauses.shortened(),
    ):
        errors = scripted.Errors(app, session)
        if agents:
            session.check_agents(agents)
            session.agent(*agents)
        if measure:
            session.check_measure(measure)
            session.measure(measure)
        found = names(session)
        try:
            if played:
                _play(played, app, session, errors, found, prompting)
            if prompting:
                _prompt(app, session, found, end)
        except Told:
            app.say("asked to end")
        end.told = True
        session.fade(FADE)
    if not prompting:
        app.answer({"errors": errors.count}, lambda console: None)
        if errors.count:
            click.get_current_context().exit(1)


def _play(
    played: Script | Log, app: App, session: Session, errors: Errors, found: dict[str, object], prompting: bool
) -> None:
    from engine.cli.ending import Told
    from engine.cli.scripted import run

    try:
        run(played, app, session, errors, found)
    except KeyboardInterrupt as error:
        if isinstance(error, Told) or not prompting:
            raise
        app.warn("the script was stopped; the sound goes on")


def _prompt(app: App, session: Session, found: dict[str, object], end: Ending) -> None:
    from engine.cli.prompt import ask

    sounds = session.corpus.sounds.summary()["sounds"]
    app.say(
        f'{sounds} sounds here. Type a = group("a").random(2), then a.similar(); s.panic() silences, Ctrl-D ends'
        if sounds
        else "no sounds here yet: `mirla demo` or `mirla adopt DIR` brings some; Ctrl-D ends"
    )
    session.rig.prepare()
    ask(session, found, session.corpus.home / "live", app.debug, end)
