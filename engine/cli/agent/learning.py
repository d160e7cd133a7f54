"""`mirla agent`: train, judge, score, curve."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from corpus.cli.app import App, command, print_lines, table
from engine.cli.agent.facts import choice_lines, score_lines

_PLOT = 40


class ClassifierOption(click.Option):
    """Names a classifier, or `auto`; the registry is asked when one is named, or when help is asked for."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """The help, with all names."""
        from engine.agent.classifiers import known

        record = super().get_help_record(ctx)
        return (record[0], f"{record[1]} Known: {', '.join(known())} (chosen by cross-validation).") if record else None

    def type_cast_value(self, ctx: click.Context, value: Any) -> Any:
        """Refuse a name that is not known."""
        from engine.agent.classifiers import CLASSIFIERS, known

        if value is not None and value not in known():
            raise click.BadParameter(
                f"no classifier {value!r}; known are {', '.join(known())}{CLASSIFIERS.why_broken()}", ctx, self
            )
        return value


_SEED = click.option(
    "--seed", type=click.IntRange(0, 2**31), default=0, show_default=True, help="Deals folds, starts the network."
)
_OTHER = click.option("--classifier", cls=ClassifierOption, help="Try another; the agent stays as it is.")


@command("train")
@click.argument("name")
@_SEED
def train(app: App, name: str, seed: int) -> None:
    """Learn from the labels, and say how well, with an interval and beside the majority baseline.

    \b
    Example:
      mirla agent train water
    """
    from engine.agent.training import train as learn

    corpus = app.corpus()
    with app.progress("training", "folds") as progress:
        _, report = learn(corpus, name, seed=seed, progress=progress)
    lines = [f"agent {name}, version {report['version']}: {report['good']} good, {report['bad']} bad"]
    lines += choice_lines(report.get("auto"), report["classifier"])
    app.answer(report, lambda console: print_lines(console, lines + score_lines(report)))
    _say_left_out(app, report)
    for note in report["notes"]:
        app.say(note)


@command("score")
@click.argument("name")
@click.option(
    "--protocol",
    type=click.Choice(["cv", "paper", "test"]),
    default="cv",
    show_default=True,
    help="Repeated cross-validation; the paper's one split of 70 and 30 %; or the sounds labelled with --test.",
)
@_OTHER
@_SEED
def score(app: App, name: str, protocol: Any, classifier: str | None, seed: int) -> None:
    """Say how well an agent judges, with intervals and beside the majority baseline; nothing is kept.

    \b
    Example:
      mirla agent score water
      mirla agent score water --classifier lda
      mirla agent score water --protocol test
    """
    from engine.agent.scoring import score as scored

    corpus = app.corpus()
    with app.progress("scoring", "folds") as progress:
        report = scored(corpus, name, protocol, classifier, seed, progress)
    lines = [f"agent {name} ({report['classifier']}): {report['good']} good, {report['bad']} bad"]
    app.answer(report, lambda console: print_lines(console, lines + score_lines(report)))
    _say_left_out(app, report)


@command("curve")
@click.argument("name")
@_OTHER
@_SEED
@click.option(
    "--html", type=click.Path(path_type=Path, dir_okay=False), help="Also write it as a page; it needs no network."
)
def curve(app: App, name: str, classifier: str | None, seed: int, html: Path | None) -> None:
    """Show accuracy against the number of labels, with its 95 % interval: whether more labels would help.

    \b
    Example:
      mirla agent curve water
      mirla agent curve water --html curve.html
    """
    from engine.agent.curve import curve as learnt
    from engine.page.page import check_writable

    if html is not None:
        check_writable(html)
    corpus = app.corpus()
    with app.progress("learning", "sizes") as progress:
        report = learnt(corpus, name, classifier, seed, progress)
    if html is not None:
        report["html"] = str(html) if report["points"] else None
    if html is not None and report["points"]:
        from engine.cli.agent.curve_page import page

        page(report).write(html)
    app.answer(report, lambda console: print_lines(console, _curve_lines(report)))
    _say_left_out(app, report)


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
    answer = {"agent": name, "version": verdicts.version, "verdicts": data, "drift": verdicts.drift}
    app.answer(answer, lambda console: table(console, ["id", "name", "label", "p"], rows))
    if verdicts.warning:
        app.warn(verdicts.warning)


COMMANDS = (train, judge, score, curve)


def _say_left_out(app: App, report: dict[str, Any]) -> None:
    if ids := report["left_out"]:
        more = f" and {len(ids) - 10} more" if len(ids) > 10 else ""
        app.warn(f"left out, since they have no vectors: {', '.join(map(str, ids[:10]))}{more}; {report['lacks']}")


def _curve_lines(report: dict[str, Any]) -> list[str]:
    if not report["points"]:
        return [f"no curve: {report['protocol']}"]
    lines = [f"agent {report['agent']} ({report['classifier']}): accuracy by number of labels"]
    for point in report["points"]:
        value, (low, high) = point["accuracy"]["value"], point["accuracy"]["interval"]
        bar = _band(low, value, high, report["baseline"])
        lines.append(f"{point['labels']:>6} {bar} {value:.2f} ({low:.2f} to {high:.2f})")
    lines.append(f"{'':>6} 0{'0.5':^{_PLOT - 2}}1  │ always saying the commoner label: {report['baseline']:.2f}")
    return [*lines, report["protocol"], *([f"page: {report['html']}"] if report.get("html") else [])]


def _band(low: float, value: float, high: float, baseline: float) -> str:
    """One line of the plot, from 0 to 1: the interval, the value, the baseline."""
    first, last, usual, reached = (min(_PLOT - 1, int(share * _PLOT)) for share in (low, high, baseline, value))
    cells = ["░" if first <= cell <= last else "·" for cell in range(_PLOT)]
    cells[usual], cells[reached] = "│", "█"
    return "".join(cells)
