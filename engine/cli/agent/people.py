"""`mirla agent`: merge, agreement: several people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from corpus.cli.app import App, command, print_lines, table
from engine.cli.agent.facts import counts_of
from engine.cli.agent.labelling import counted

if TYPE_CHECKING:
    from rich.console import Console

    from engine.agent.people import Agreement, Rule


@command("merge")
@click.argument("name", metavar="NEW")
@click.argument("sources", nargs=-1, required=True, metavar="NAME...")
@click.option(
    "--conflicts",
    "rule",
    type=click.Choice(["majority", "newest", "list"]),
    default="majority",
    show_default=True,
    help="Where people differ: what most say (a tie stays open), what was said last, or leave all open.",
)
def merge(app: App, name: str, sources: tuple[str, ...], rule: Rule) -> None:
    """Make one agent of the labels of several, and say how far they agree.

    Each person has one voice a sound in each agent. Sounds left open are listed, for `mirla agent label` to decide.
    The agents merged stay as they are, and all voices in them: the new one has what was decided. It learns as the first
    of them that does.

    \b
    Example:
      mirla agent merge ours anna ben --conflicts list
    """
    from engine.agent.people import agreement
    from engine.agent.people import merge as merge_labels

    corpus = app.corpus()
    merged = merge_labels(corpus, name, sources, rule)
    agreed = agreement(corpus, sources)
    counts = counts_of(corpus, merged.agent)
    still_open = [conflict for conflict in merged.conflicts if conflict["label"] is None]
    words = f"agent {name}: {counted(counts)}; {len(merged.conflicts)} conflicts, {len(still_open)} left open"
    answer = {
        "agent": name,
        **counts,
        "skipped": still_open,
        "rule": rule,
        "conflicts": merged.conflicts,
        "agreement": agreed.as_json(),
    }

    def draw(console: Console) -> None:
        print_lines(console, [words])
        _draw(console, agreed)
        if still_open:
            rows = [[one["id"], _voices(one["said"])] for one in still_open]
            table(console, ["open", "said"], rows)

    app.answer(answer, draw)


@command("agreement")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
def agreement_(app: App, names: tuple[str, ...]) -> None:
    """How far the people who labelled agree, and agents among themselves: Cohen's kappa.

    1: always; 0: no more than by chance. Only sounds that both have labelled count.

    \b
    Example:
      mirla agent agreement water
      mirla agent agreement anna ben
    """
    from engine.agent.people import agreement

    found = agreement(app.corpus(), names)
    app.answer({"agents": list(names), "agreement": found.as_json()}, lambda console: _draw(console, found))
    if not (found.annotators or found.agents):
        app.say("one person labelled here; `mirla agent label NAME --by WHO` says who else does")


def _draw(console: Console, found: Agreement) -> None:
    for heading, pairs in (("people", found.annotators), ("agents", found.agents)):
        rows = []
        for pair in pairs:
            value = low = high = None
            if pair.kappa:
                value, (low, high) = pair.kappa.value, pair.kappa.interval
            figures = [None if number is None else f"{number:.2f}" for number in (value, low, high)]
            rows.append([f"{pair.a} and {pair.b}", pair.n, pair.same, *figures])
        if rows:
            table(console, [heading, "sounds", "same", "kappa", "from", "to"], rows)


def _voices(said: list[dict[str, str]]) -> str:
    return ", ".join(f"{one['label']} by {one['who']}" for one in said)


COMMANDS = (merge, agreement_)
