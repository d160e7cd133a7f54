"""`mirla serve`."""

from __future__ import annotations

import click

from corpus.cli.app import App, command


@command()
@click.option("--freesound", type=click.IntRange(1, 65535), metavar="PORT", help="Answer as Freesound's API on PORT.")
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Where to listen; others than loopback want --token."
)
@click.option("--token", default="", help="The one token to let in; without it any is let in, and none at all.")
@click.option("--legacy", is_flag=True, help="Answer everything as the API was until 2025, for MIRLC and MIRLCa.")
@click.option(
    "--map-unknown-ids",
    is_flag=True,
    help="Let ids up to 571613 that are not held stand for sounds that are (for MIRLCa's random); with --legacy.",
)
def serve(app: App, freesound: int | None, host: str, token: str, legacy: bool, map_unknown_ids: bool) -> None:
    """Answer other programs, until stopped with Ctrl-C.

    \b
    Example:
      mirla serve --freesound 8777
      mirla serve --freesound 8777 --legacy --map-unknown-ids
    """
    if freesound is None:
        raise click.UsageError("nothing to serve; name a port, as in --freesound 8777")
    from engine.server.freesound import Options, serve_freesound

    corpus = app.corpus()
    app.say(f"A local Freesound at http://{host}:{freesound}/ ({len(corpus.sounds.ids())} sounds); Ctrl-C stops it")
    serve_freesound(corpus, freesound, Options(host, token, legacy, map_unknown_ids))
