"""`mirla trial`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from corpus.cli.app import App, command, print_lines, table
from engine.errors import QueryError

if TYPE_CHECKING:
    from rich.console import Console

    from corpus.library import Corpus
    from corpus.store.trials import Trial

_PAIRS = 100


@command()
@click.argument("name")
@click.option("--pairs", type=click.IntRange(2, 100_000), help=f"How many pairs.  [default: {_PAIRS}]")
@click.option("--seed", type=click.IntRange(0, 2**31), help="Draws targets, deals arms.  [default: 0]")
@click.option("--measure", metavar="M", help="What near means.  [default: mfcc]")
@click.option("--judge", "rule", metavar="RULE", help="No listener: what fits this filter is good.")
@click.option("--by", "who", help="Who listens; you unless told.")
@click.option("--resume", is_flag=True, help="Go on with the agent's last trial, or show its figures if it is over.")
@click.option("--device", help="Sound device by name or number; else MIRLA_DEVICE, else the system's own.")
@click.option("--silent", is_flag=True, help="Play nothing: only name the sounds, as without a device.")
def trial(
    app: App,
    name: str,
    pairs: int | None,
    seed: int | None,
    measure: str | None,
    rule: str | None,
    who: str | None,
    resume: bool,
    device: str | None,
    silent: bool,
) -> None:
    """Does an agent help? Play sounds and what is found near them, half with the agent and half without, in an order of
    chance that you are not told; say good or bad of each. Every answer is kept at once: stop at any time, and --resume.

    With --judge a rule in Freesound's filter language takes your place, and each target is asked with the agent and
    without. Sounds that the agent was taught take no part.

    \b
    Example:
      mirla trial water --pairs 100 --seed 1
      mirla trial water --resume
      mirla trial water --judge "tag:(water OR rain)"
    """
    chosen = {key: value for key, value in {"seed": seed, "measure": measure}.items() if value is not None}
    if resume and (chosen or rule is not None or pairs is not None):
        raise click.UsageError("--resume goes on as it was planned; leave out --pairs, --seed, --measure and --judge")
    corpus = app.corpus()
    if rule is not None:
        _judge(app, corpus, name, rule, pairs or _PAIRS, chosen)
        return
    under_way = _last(corpus, name) if resume else _begun(app, corpus, name, pairs or _PAIRS, chosen)
    from engine.cli.agent.labelling import user
    from engine.cli.hearing import player
    from engine.cli.listening import listen
    from engine.trial.listening import as_json

    if not as_json(corpus, under_way, name)["over"]:
        listen(app, corpus, under_way, who or user(), None if silent else player(app, corpus, device, "named"))
    data = as_json(corpus, under_way, name)
    if not data["over"]:
        app.say(f"{data['answered']} of {2 * data['pairs']} answers are kept; go on with --resume")
    app.answer(data, lambda console: _draw(console, data) if data["over"] else None)


def _judge(app: App, corpus: Corpus, name: str, rule: str, pairs: int, chosen: dict[str, Any]) -> None:
    from engine.trial.judged import judged

    with app.progress("trying", "targets") as progress:
        found = judged(corpus, name, rule, pairs, **chosen, progress=progress)
    data = found.as_json()
    if data["pairs"] < pairs:
        app.say(f"{data['pairs']} targets, since there are no more")
    if data["control_missing"]:
        app.warn(f"no control by shuffled labels: {data['control_missing']}")
    app.answer(data, lambda console: _draw(console, data))


def _last(corpus: Corpus, name: str) -> Trial:
    last = corpus.trials.last(corpus.agents.get(name))
    if last is None:
        raise QueryError(f"agent {name!r} was never tried; begin without --resume")
    return last


def _begun(app: App, corpus: Corpus, name: str, pairs: int, chosen: dict[str, Any]) -> Trial:
    from engine.trial.listening import start

    begun = start(corpus, name, pairs, **chosen)
    if (made := len(begun.plan["pairs"])) < pairs:
        app.say(f"{made} pairs, since there are no more sounds to ask about")
    return begun


def _draw(console: Console, data: dict[str, Any]) -> None:
    arms = {"with the agent": data["with"], "without": data["without"], "shuffled labels": data["control"]}
    print_lines(
        console, [f"agent {data['agent']}, version {data['version']}: first neighbours by {data['measure']}", ""]
    )
    rows = [[arm, _words(one["good"]), _words(one["bad_to_good"])] for arm, one in arms.items() if one]
    table(console, ["", "good", "good after a bad target"], rows)
    lines = ["", f"the agent's gain: {_words(data['difference'])}, p = {_p(data['p'])}"]
    lines += [f"after bad targets: {_words(data['bad']['difference'])}, p = {_p(data['bad']['p'])}"]
    if data["trial"] is None:
        lines += ["p takes each target for a case of its own; the intervals take all those of one maker for one"]
    print_lines(console, lines)


def _words(one: dict[str, Any] | None) -> str:
    if one is None:
        return "none"
    low, high = one["interval"]
    return f"{one['value']:.2f} ({low:.2f} to {high:.2f}) of {one['n']}"


def _p(value: float | None) -> str:
    return "none" if value is None else f"{value:.2g}"
