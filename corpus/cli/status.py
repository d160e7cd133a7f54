"""`mirla status`."""

from __future__ import annotations

from corpus.cli.app import App, command, print_lines


@command()
def status(app: App) -> None:
    """What the corpus holds: sounds, audio, vectors, agents, licences.

    \b
    Example:
      mirla status
    """
    corpus = app.corpus()
    data = corpus.status()

    audio = f"{data['seconds']:.0f} s, {data['bytes'] / 1e6:.1f} MB"
    lines = [
        f"{data['home']} (schema {data['schema']})",
        f"{data['sounds']} sounds, {data['with_audio']} with audio: {audio}",
        *([f"{data['gone']} of them gone from Freesound; `mirla forget --gone` deletes them"] if data["gone"] else []),
        *(
            f"space {name}: {count} served by Freesound"
            if corpus.origin(name) == "api"
            else f"space {name}: {count} of {data['with_audio']} analysed"
            for name, count in data["spaces"].items()
        ),
        *([f"onsets: of {data['onsets']} sounds"] if data["onsets"] else []),
        *(f"licence {name}: {count}" for name, count in data["licences"].items()),
        f"agents: {', '.join(data['agents']) or 'none yet'}",
    ]
    if not data["sounds"]:
        lines.append("The corpus is empty: `mirla adopt DIR` takes in a folder of sounds, `mirla demo` shows how.")
    app.answer(data, lambda console: print_lines(console, lines))
