"""`mirla agent`: new, label, unlabel, list, show."""

from __future__ import annotations

import getpass
import os
import shlex
import uuid
from typing import TYPE_CHECKING

import click

from corpus.cli.app import App, command, print_lines, table
from engine.cli.agent.facts import answer_agent, counts_of, facts_of

if TYPE_CHECKING:
    from corpus.model import Label


@command("new")
@click.argument("name")
@click.option("--about", default="", help="What it is to call good, in words.")
@click.option("--space", "spaces", multiple=True, help="The space it looks at; several: side by side.")
@click.option("--classifier", type=click.Choice(["mlp"]), default="mlp", show_default=True, help="The paper's network.")
def new(app: App, name: str, about: str, spaces: tuple[str, ...], classifier: str) -> None:
    """Make an agent that knows nothing yet.

    \b
    Example:
      mirla agent new water --about "wet, flowing sounds"
    """
    from corpus.analysis import spaces as registry

    corpus = app.corpus()
    for space in spaces:
        if corpus.origin(space) == "computed":
            registry.extractor(space)
    made = corpus.agents.create(name, about, spaces or (registry.default(),), classifier)
    answer_agent(app, corpus, made)
    app.say(f"`mirla agent label {shlex.quote(name)} --good ID…` and `--bad ID…` teach it.")


@command("label")
@click.argument("name")
@click.argument("ids", nargs=-1, required=True, type=int, metavar="ID...")
@click.option("--good", is_flag=True, help="These are good.")
@click.option("--bad", is_flag=True, help="These are bad.")
@click.option("--test", is_flag=True, help="Keep them for testing; never train on them.")
@click.option("--by", "who", help="Who says so; you unless told.")
def label(app: App, name: str, ids: tuple[int, ...], good: bool, bad: bool, test: bool, who: str | None) -> None:
    """Call sounds good or bad. A later label of the same sound replaces the earlier one; both are kept.

    \b
    Example:
      mirla agent label water --good 4832 100067
    """
    if good == bad:
        raise click.UsageError("say --good or --bad; for some of each, call it twice")
    _annotate(app, name, ids, "good" if good else "bad", test, who)


@command("unlabel")
@click.argument("name")
@click.argument("ids", nargs=-1, required=True, type=int, metavar="ID...")
@click.option("--by", "who", help="Who says so; you unless told.")
def unlabel(app: App, name: str, ids: tuple[int, ...], who: str | None) -> None:
    """Take back what was said of sounds.

    \b
    Example:
      mirla agent unlabel water 4832
    """
    _annotate(app, name, ids, None, False, who)


@command("list")
def list_agents(app: App) -> None:
    """List the agents.

    \b
    Example:
      mirla agent list
    """
    corpus = app.corpus()
    data = [facts_of(corpus, one) for one in corpus.agents.all()]
    headings = ["name", "version", "good", "bad", "test", "about"]
    rows = [[row[heading] for heading in headings] for row in data]
    app.answer({"agents": data}, lambda console: table(console, headings, rows))
    if not data:
        app.say("no agents yet; `mirla agent new NAME` makes one")


@command("show")
@click.argument("name")
def show(app: App, name: str) -> None:
    """Show one agent: its labels, its version, its scores.

    \b
    Example:
      mirla agent show water
    """
    corpus = app.corpus()
    answer_agent(app, corpus, corpus.agents.get(name))


COMMANDS = (new, label, unlabel, list_agents, show)


def _annotate(app: App, name: str, ids: tuple[int, ...], label: Label | None, test: bool, who: str | None) -> None:
    corpus = app.corpus()
    chosen = corpus.agents.get(name)
    corpus.agents.annotate(chosen, ids, label, test=test, who=who or user(), session=f"cli-{uuid.uuid4().hex[:8]}")
    counts = counts_of(corpus, chosen)
    words = f"agent {name}: {counts['good']} good, {counts['bad']} bad, {counts['test']} for testing"
    app.answer({"agent": name, **counts}, lambda console: print_lines(console, [words]))


def user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no such user in a bare container
        return f"uid {os.getuid()}" if hasattr(os, "getuid") else "unknown"
