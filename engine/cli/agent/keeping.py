"""`mirla agent`: new, list, show, rename, copy, describe, delete, restore, use."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from corpus.cli.app import App, command, print_lines, table
from engine.cli.agent.facts import answer_agent, answer_shown, counts_of, facts_of
from engine.cli.agent.learning import ClassifierOption

if TYPE_CHECKING:
    from corpus.library import Corpus
    from corpus.model import Agent
    from corpus.store.agents import Agents


@command("new")
@click.argument("name")
@click.option("--about", default="", help="What it is to call good, in words.")
@click.option("--space", "spaces", multiple=True, help="The space it looks at; several: side by side.")
@click.option("--classifier", cls=ClassifierOption, default="mlp", show_default=True, help="What it learns with.")
def new(app: App, name: str, about: str, spaces: tuple[str, ...], classifier: str) -> None:
    """Make an agent that knows nothing yet.

    \b
    Example:
      mirla agent new water --about "wet, flowing sounds"
    """
    from corpus.analysis import spaces as registry

    corpus = app.corpus()
    _check_spaces(corpus, spaces)
    made = corpus.agents.create(name, about, spaces or (registry.default(),), classifier)
    answer_agent(app, corpus, made)
    app.say(f"`mirla agent label {shlex.quote(name)} --good ID…` and `--bad ID…` teach it.")


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
    """Show one agent: its labels, its versions and their scores, and the labels to doubt.

    \b
    Example:
      mirla agent show water
    """
    corpus = app.corpus()
    answer_shown(app, corpus, corpus.agents.get(name))


@command("rename")
@click.argument("name")
@click.argument("to", metavar="NEW")
def rename(app: App, name: str, to: str) -> None:
    """Call an agent otherwise.

    \b
    Example:
      mirla agent rename water rain
    """
    _changed(app, name, lambda agents, chosen: agents.rename(chosen, to))


@command("copy")
@click.argument("name")
@click.argument("to", metavar="NEW")
@click.option("--space", "spaces", multiple=True, help="Look at this space instead; several: side by side.")
@click.option("--classifier", cls=ClassifierOption, help="Learn with this one instead.")
def copy(app: App, name: str, to: str, spaces: tuple[str, ...], classifier: str | None) -> None:
    """Make another agent with the same labels, who gave them and when, and with the version in use.

    One that looks or learns otherwise has no version before it is trained.

    \b
    Example:
      mirla agent copy water rain
      mirla agent copy water rain --classifier lda --space mfcc
    """
    corpus = app.corpus()
    _check_spaces(corpus, spaces)
    source = corpus.agents.get(name)
    copied = corpus.agents.copy(source, to, spaces=spaces, classifier=classifier)
    answer_agent(app, corpus, copied)
    if (copied.spaces, copied.classifier) != (source.spaces, source.classifier):
        app.say(f"`mirla agent train {shlex.quote(copied.name)}` lets it learn from the labels")


@command("describe")
@click.argument("name")
@click.argument("about")
def describe(app: App, name: str, about: str) -> None:
    """Say in words what an agent is to call good.

    \b
    Example:
      mirla agent describe water "wet, flowing, never a voice"
    """
    _changed(app, name, lambda agents, chosen: agents.describe(chosen, about))


@command("delete")
@click.argument("name")
def delete(app: App, name: str) -> None:
    """Put an agent away and free its name. Its labels and versions are kept: `restore` brings it back.

    \b
    Example:
      mirla agent delete water
    """
    corpus = app.corpus()
    chosen = corpus.agents.get(name)
    counts = counts_of(corpus, chosen)
    corpus.agents.delete(chosen)
    words = f"agent {name} is deleted; `mirla agent restore {shlex.quote(name)}` brings it back"
    app.answer({"agent": name, "deleted": True, **counts}, lambda console: print_lines(console, [words]))


@command("restore")
@click.argument("name")
def restore(app: App, name: str) -> None:
    """Bring back the agent of this name that was deleted last.

    \b
    Example:
      mirla agent restore water
    """
    corpus = app.corpus()
    answer_agent(app, corpus, corpus.agents.restore(name))


@command("use")
@click.argument("name")
@click.option("--version", type=int, help="The version that is to judge; the newest unless told.")
def use(app: App, name: str, version: int | None) -> None:
    """Let an older version judge again, until the next training.

    \b
    Example:
      mirla agent use water --version 3
    """
    _changed(app, name, lambda agents, chosen: agents.use(chosen, version))


COMMANDS = (new, list_agents, show, rename, copy, describe, delete, restore, use)


def _changed(app: App, name: str, change: Callable[[Agents, Agent], Agent]) -> None:
    """Change the agent of that name, and say what it is now."""
    corpus = app.corpus()
    answer_agent(app, corpus, change(corpus.agents, corpus.agents.get(name)))


def _check_spaces(corpus: Corpus, spaces: Sequence[str]) -> None:
    from corpus.analysis import spaces as registry

    for space in spaces:
        if corpus.origin(space) == "computed":
            registry.extractor(space)
