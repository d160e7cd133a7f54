"""`mirla serve`."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from corpus.cli.app import App, command, print_lines
from engine.cli.ending import FADE, ending

if TYPE_CHECKING:
    from engine.server.freesound import Options
    from engine.server.sockets import Clients
    from engine.session import Session

_PORT = click.IntRange(0, 65535)
_INTERRUPTED = 130
_LOOK = 0.5
"""Seconds between two looks at whether to stop."""


@command()
@click.option("--osc", type=_PORT, metavar="PORT", help="Take verbs by OSC on PORT, such as 57130; 0 is any free one.")
@click.option("--http", type=_PORT, metavar="PORT", help="Serve palettes to Strudel and other pages on PORT.")
@click.option("--freesound", type=_PORT, metavar="PORT", help="Answer as Freesound's API on PORT.")
@click.option(
    "--allow", multiple=True, metavar="ADDRESS", help="Let in others: an IPv4 address or network; repeatable."
)
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Of --freesound: others than loopback want --token."
)
@click.option(
    "--token",
    default="",
    envvar="MIRLA_SERVE_TOKEN",
    help="Of --freesound: the one to let in; without it any, and none at all. MIRLA_SERVE_TOKEN, unlike the command "
    "line, is not shown to the others on this machine.",
)
@click.option("--legacy", is_flag=True, help="Of --freesound: answer as the API was until 2025, for MIRLC and MIRLCa.")
@click.option(
    "--map-unknown-ids",
    is_flag=True,
    help="Of --legacy: let ids up to 571613 that are not held stand for sounds that are (for MIRLCa's random).",
)
@click.option("--device", help="Sound device by name or number; else MIRLA_DEVICE, else the system's own.")
@click.option("--seed", type=click.IntRange(0), help="Make chance repeatable.")
@click.option(
    "--loudness", type=click.FloatRange(-60, -10), default=-23.0, show_default=True, help="Of each sound, in LUFS."
)
@click.option("--stage", is_flag=True, help="Refuse every connection and name look-up but to this computer itself.")
def serve(
    app: App,
    osc: int | None,
    http: int | None,
    freesound: int | None,
    allow: tuple[str, ...],
    host: str,
    token: str,
    legacy: bool,
    map_unknown_ids: bool,
    device: str | None,
    seed: int | None,
    loudness: float,
    stage: bool,
) -> None:
    """Answer other programs on this machine, until stopped with Ctrl-C, which fades out.

    \b
    Example:
      mirla serve --osc 57130
      mirla serve --osc 57130 --http 8000 --stage
      mirla serve --freesound 8777
      mirla serve --freesound 8777 --legacy --map-unknown-ids
    """
    if osc is None and http is None and freesound is None:
        raise click.UsageError("nothing to serve; name a port, as in --osc 57130, --http 8000 or --freesound 8777")
    if stage:
        if allow:
            raise click.UsageError("--stage lets nobody in but this machine; leave out --allow or --stage")
        from engine.stage import enter

        enter()
    from engine import pauses
    from engine.server.freesound import Options
    from engine.server.sockets import clients
    from engine.session import Session

    others = clients(allow)
    with (
        _until_stopped(app) as stopped,
        Session(app.home, device=device, seed=seed, title="serve", say=app.warn, loudness=loudness) as session,
        _fading(session),
        contextlib.ExitStack() as servers,
        pauses.shortened(),
    ):
        where: dict[str, Any] = {}
        if freesound is not None:
            where["freesound"] = _freesound(servers, session, freesound, Options(host, token, legacy, map_unknown_ids))
        if http is not None:
            where["http"] = _http(servers, session, http, others)
        if osc is not None:
            where |= _osc(app, servers, session, osc, others)
        app.answer(where, lambda console: print_lines(console, _lines(session, where)))
        if osc is not None:
            session.rig.prepare()
        while not stopped.wait(_LOOK):  # a Ctrl-C that came just before a wait without end would go unnoticed
            pass


@contextlib.contextmanager
def _until_stopped(app: App) -> Iterator[threading.Event]:
    """An event that is set when the system asks to end. Ctrl-C ends with its own code, and no second answer."""
    stopped = threading.Event()
    with ending(stopped.set):
        try:
            yield stopped
        except KeyboardInterrupt:
            app.say("stopped")
            click.get_current_context().exit(_INTERRUPTED)


@contextlib.contextmanager
def _fading(session: Session) -> Iterator[None]:
    """Fade out at the end, when no server takes anything more."""
    try:
        yield
    finally:
        session.fade(FADE)


def _osc(
    app: App, servers: contextlib.ExitStack, session: Session, port: int, others: Clients
) -> dict[str, dict[str, Any] | str]:
    import engine
    from engine.server.osc import OscServer

    server = OscServer(session, port, others)

    def close() -> None:
        app.say("OSC: " + ", ".join(f"{name} {count}" for name, count in server.close().items()))

    servers.callback(close)
    folder = Path(engine.__path__[0]) / "clients" / "supercollider"
    return {"osc": {"host": server.host, "port": server.port}, "supercollider": str(folder)}


def _http(servers: contextlib.ExitStack, session: Session, port: int, others: Clients) -> str:
    from engine.server.http import palette_app
    from engine.server.sockets import bound
    from engine.server.web import Running, web_server

    listening = servers.enter_context(bound(socket.SOCK_STREAM, port, others))
    servers.enter_context(Running(web_server(palette_app(session.corpus.home, others)), listening))
    return f"http://{_shown(listening)}/"


def _freesound(servers: contextlib.ExitStack, session: Session, port: int, options: Options) -> str:
    from engine.server.freesound.serve import freesound_server, listening
    from engine.server.security import check
    from engine.server.web import Running

    check(options.host, options.token)
    at = servers.enter_context(listening(options.host, port))
    servers.enter_context(Running(freesound_server(session.corpus, options), at))
    return f"http://{_shown(at)}/"


def _shown(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _lines(session: Session, where: dict[str, Any]) -> Iterator[str]:
    """Where it listens, and how to reach it."""
    if "freesound" in where:
        held = session.corpus.sounds.summary()["sounds"]
        yield f"A local Freesound at {where['freesound']} ({held} sounds)"
    if "http" in where:
        yield f"Palettes at {where['http']}; in Strudel: samples('{where['http']}strudel.json')"
    if "osc" in where:
        yield f"OSC at {where['osc']['host']}, port {where['osc']['port']}: /mirla/a/random 2, say"
        yield f'SuperCollider, once: LanguageConfig.addIncludePath("{where["supercollider"]}"); LanguageConfig.store;'
    yield "Ctrl-C stops it"
