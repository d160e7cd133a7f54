"""`mirla agent why`."""

from __future__ import annotations

from typing import Any

import click

from corpus.cli.app import App, command, print_lines


@command("why")
@click.argument("name")
@click.argument("sound", type=int, metavar="ID")
@click.option(
    "--seconds",
    type=click.FloatRange(0, min_open=True),
    default=10.0,
    show_default=True,
    help="How long to try what would change it.",
)
def why(app: App, name: str, sound: int, seconds: float) -> None:
    """Explain what an agent says of a sound: its nearest examples, and the labels that its verdict hangs on.

    \b
    Example:
      mirla agent why water 4832
    """
    from engine.agent.why import why as explain

    corpus = app.corpus()
    with app.progress("leaving out", "labels") as progress:
        report = explain(corpus, name, sound, seconds, progress)
    named = [sound, *(one["id"] for one in report["nearest"].values() if one), *_left_out_ids(report)]
    names = {found.id: found.name for found in corpus.sounds.many(named)}
    app.answer(report, lambda console: print_lines(console, _lines(report, names)))


COMMANDS = (why,)


def _left_out_ids(report: dict[str, Any]) -> list[int]:
    return [one["id"] for one in (*report["would_change"], *report["cannot_leave_out"])]


def _lines(report: dict[str, Any], names: dict[int, str]) -> list[str]:
    called = f"{report['id']} {names[report['id']]}"
    lines = [
        f"version {report['version']} of agent {report['agent']} calls {called} {report['label']}, p {report['p']:.2f}"
    ]
    if report["taught"]:
        lines.append(f"it was taught that this sound is {report['taught']}")
    for label, one in report["nearest"].items():
        if one:
            lines.append(f"nearest {label} example: {one['id']} {names[one['id']]}, {one['distance']:.2f} away")
    for one in report["would_change"]:
        other = "bad" if report["label"] == "good" else "good"
        lines.append(f"without the {one['label']} {one['id']} {names[one['id']]} it would be {other}, p {one['p']:.2f}")
    lines += [
        f"the {one['label']} {one['id']} {names[one['id']]} cannot be left out: nothing could be learnt without it"
        for one in report["cannot_leave_out"]
    ]
    possible = report["labels"] - len(report["cannot_leave_out"])
    if report["tried"] and not report["would_change"]:
        lines.append(f"none of the {report['tried']} labels that were left out would change it by itself")
    if report["tried"] < possible:
        lines.append(f"tried the nearest {report['tried']} of {report['labels']} labels; --seconds tries more")
    return lines
