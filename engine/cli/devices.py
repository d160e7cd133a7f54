"""`mirla devices`."""

from __future__ import annotations

from corpus.cli.app import App, command, print_lines
from corpus.text import for_terminal


@command()
def devices(app: App) -> None:
    """List the sound devices that play; `--device` and MIRLA_DEVICE take a number or a name.

    \b
    Example:
      mirla devices
    """
    from engine.playback.output import devices

    found = devices()
    data = {"devices": [device._asdict() for device in found]}
    lines = [
        f"{device.number:3} {for_terminal(device.name)}: {device.channels} channels, {device.rate} Hz"
        + (", the system's own" if device.default else "")
        for device in found
    ]
    app.answer(data, lambda console: print_lines(console, lines or ["no sound device that plays"]))
