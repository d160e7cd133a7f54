"""`mirla agent`: train, judge."""

from __future__ import annotations

import click

from corpus.cli.app import App, command, print_lines, table
from engine.cli.agent.facts import score_lines


@command("train")
@click.argument("name")
@click.option(
    "--seed", type=click.IntRange(0, 2**31), default=0, show_default=True, help="Deals folds, starts the network."
)
def train(app: App, name: str, seed: int) -> None:
    """Learn from the labels, and say how well, with an interval and beside the majority baseline.

    \b
    Example:
      mirla agent train water
    """
    from engine.agent.training import train as learn

    corpus = app.corpus()
    with app.progress("training", "rounds") as progress:
        _, report = learn(corpus, name, seed=seed, progress=progress)
    lines = [f"agent {name}, version {report['version']}: {report['good']} good, {report['bad']} bad"]
    app.answer(report, lambda console: print_lines(console, lines + score_lines(report)))


@command("judge")
@click.argument("name")
@click.argument("ids", nargs=-1, type=int, metavar="[IDS]...")
def judge(app: App, name: str, ids: tuple[int, ...]) -> None:
    """Say what an agent thinks of sounds: its label, and the probability of good. Without IDS, of all.

    \b
    Example:
      mirla agent judge water 4832
    """
    from engine.agent.judging import judge as verdicts_of

    corpus = app.corpus()
    verdicts = verdicts_of(corpus, name)
    sounds = corpus.sounds.many(ids or corpus.sounds.ids().tolist())
    data = [{"id": sound.id, **verdicts.of(sound.id)} for sound in sounds]
    rows = [
        [row["id"], sound.name, row["label"] or "not analysed", row["p"]]
        for row, sound in zip(data, sounds, strict=True)
    ]
    answer = {"agent": name, "version": verdicts.version, "verdicts": data}
    app.answer(answer, lambda console: table(console, ["id", "name", "label", "p"], rows))


COMMANDS = (train, judge)
