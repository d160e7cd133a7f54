"""`mirla play`."""

from __future__ import annotations

import click

from corpus.cli.app import App, command


@command()
@click.argument("ids", nargs=-1, required=True, type=int, metavar="ID...")
@click.option("--together", is_flag=True, help="All at once instead of one after another.")
@click.option("--seconds", type=click.FloatRange(0, 14400, min_open=True), help="Go on for so long, round and round.")
@click.option("--device", help="Sound device by name or number; else MIRLA_DEVICE, else the system's own.")
def play(app: App, ids: tuple[int, ...], together: bool, seconds: float | None, device: str | None) -> None:
    """Play sounds, at one loudness. Ctrl-C fades out.

    \b
    Example:
      mirla play 4832 100067
      mirla play 4832 100067 --together --seconds 30
    """
    from engine.clips import load
    from engine.playback.arrangement import arrange
    from engine.playback.perform import play_arrangement
    from engine.playback.player import Player

    corpus = app.corpus()
    corpus.sounds.many(ids)
    with Player(device or corpus.settings.device) as player:
        with app.progress("loading") as progress:
            clips = load(corpus, ids, player.rate, progress)
        placed = arrange(clips, together=together, seconds=seconds)
        whole = play_arrangement(player, placed, lambda item: app.say(f"{item.clip.id} {item.clip.name}"))
        underruns = player.stats()["underruns"]
    if underruns:
        app.warn(f"drop-outs: {underruns}; the machine was too busy")
    data = {"played": list(dict.fromkeys(ids)), "whole": whole, "underruns": underruns}
    app.answer(data, lambda console: None)
    if not whole:
        raise KeyboardInterrupt
