"""The options that choose sounds, the same wherever a query returns them, and how hits are shown."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from corpus.cli.app import App, print_lines, table
from corpus.text import for_terminal

if TYPE_CHECKING:
    from rich.console import Console

    from engine.query.run import Answer


def _near(_context: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> tuple[tuple[str, float], ...]:
    wanted = []
    for text in given:
        from engine.query.near import check_name

        name, equals, number = text.partition("=")
        if not name.strip() or not equals:
            raise click.BadParameter(f"{text!r} is not NAME=VALUE, as in pitch=440", param=parameter)
        check_name(name.strip())
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise click.BadParameter(f"the value in {text!r} must be a finite number, as in pitch=440", param=parameter)
        wanted.append((name.strip(), value))
    return tuple(wanted)


_IDS = "mirla.ids"


def _only_ids(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    context.meta[_IDS] = wanted


_SPREAD = click.option(
    "--spread",
    type=click.FloatRange(0, 1),
    metavar="L",
    help="Choose for variety among the first 10 k (at least 100): 1 is the plain order, 0 variety alone.",
)
_OPTIONS = (
    click.option("--tag", "tags", multiple=True, help="Only sounds with this tag; several: with all of them."),
    click.option("--filter", default="", metavar="F", help="Only sounds that fit, in Freesound's filter language."),
    click.option("--licence", "licences", multiple=True, help="Only under this licence; several: under any of them."),
    click.option("--agent", "agents", multiple=True, help="Only what this agent calls good; several: what all do."),
    click.option("--any-agent", "any_agents", multiple=True, help="Only what one at least of these agents calls good."),
    click.option(
        "--not-agent",
        "not_agents",
        multiple=True,
        help="Only what this agent calls bad; several: what all do. What it has no verdict on, not being analysed, is "
        "left out.",
    ),
    click.option(
        "--strict",
        type=click.FloatRange(0, 1),
        metavar="P",
        help="For --agent and --any-agent: good only with a probability of P at least. Not for --not-agent, where "
        "bad stays what is not good; not with agents of FluCoMa's, which have no probabilities.",
    ),
    click.option(
        "--best",
        is_flag=True,
        help="If the agents allow no sound, take the k least bad: those on which the least sure agent is surest.",
    ),
    click.option(
        "--near",
        multiple=True,
        metavar="NAME=VALUE",
        callback=_near,
        help="Near to this value of a trait, as in pitch=440; several: to them all, by their deviations in the corpus "
        "(pitch, bpm and spectral_centroid on a log2 scale). Orders a search; else keeps to the nearest tenth of what "
        "fits, at least k. Leaves out what lacks the trait.",
    ),
    click.option(
        "--fresh",
        is_flag=True,
        help="Leave out what queries with --fresh returned within the last hour, or the last 100 if these are more.",
    ),
    click.option("--seed", type=click.IntRange(0), help="Make chance repeatable."),
)
_SHOWN = (
    click.option("--with-audio", is_flag=True, help="Only sounds whose audio is here."),
    click.option(
        "--ids",
        is_flag=True,
        expose_value=False,
        callback=_only_ids,
        help="Print the ids alone, for another command: mirla play $(mirla random -k 3 --ids).",
    ),
)

_NAMES = (
    *("k", "tags", "filter", "licences", "agents", "any_agents", "not_agents", "strict", "best"),
    *("with_audio", "near", "fresh", "spread", "seed"),
)


def choosing(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the choosing options; the function gets them as one `choice`."""
    number = click.option("-k", type=click.IntRange(1), default=10, show_default=True, help="At most so many sounds.")
    return _choosing(function, number, *_OPTIONS, *_SHOWN, _SPREAD)


def choosing_steps(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the choosing options of a walk, which has a number of its own, `-n`, and is spread by itself."""
    number = click.option(
        "-n", "k", type=click.IntRange(2), default=8, show_default=True, help="So many sounds, the two included."
    )
    return _choosing(function, number, *_OPTIONS, *_SHOWN)


def choosing_published(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the choosing options of what is published: sounds whose audio is here, as many as `-k` or `-n` says."""
    number = click.option(
        "-k", "-n", "k", type=click.IntRange(1), default=10, show_default=True, help="At most so many sounds."
    )

    def with_audio(*args: Any, choice: Any, **kwargs: Any) -> Any:
        return function(*args, choice=replace(choice, with_audio=True), **kwargs)

    return _choosing(functools.wraps(function)(with_audio), number, *_OPTIONS, _SPREAD)


def _choosing(function: Callable[..., Any], *options: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        from engine.query.run import Choice

        chosen = {name: kwargs.pop(name) for name in _NAMES if name in kwargs}
        return function(*args, choice=Choice(**chosen), **kwargs)

    for option in reversed(options):
        wrapped = option(wrapped)
    return wrapped


def show_answer(app: App, answer: Answer, data: dict[str, Any]) -> None:
    """Answer with hits: `data` and `results` as JSON, else a table; says why where there are none."""

    def draw(console: Console) -> None:
        if click.get_current_context().meta.get(_IDS):
            print_lines(console, [str(hit.sound.id) for hit in answer.hits])
            return
        agents = list(answer.hits[0].agents) if answer.hits else []
        headings = ["", "id", "name", "seconds", "audio", "distance", "score", *agents, "by", "licence", "tags"]
        rows = [
            [
                hit.rank,
                hit.sound.id,
                hit.sound.name,
                _number(hit.sound.duration, 2),
                "" if hit.sound.file else "none",
                _number(hit.distance, 3),
                _number(hit.score, 3),
                *(_number(verdict["p"], 2) or verdict["label"] for verdict in hit.agents.values()),
                hit.sound.username,
                str(hit.sound.licence),
                " ".join(hit.sound.tags),
            ]
            for hit in answer.hits
        ]
        shown = [place for place in range(len(headings)) if any(row[place] not in (None, "") for row in rows)]
        if rows:
            spare = ["by", "licence", "tags"]
            table(console, [headings[p] for p in shown], [[row[p] for p in shown] for row in rows], spare)

    app.answer(data | {"results": [hit.as_json() for hit in answer.hits]}, draw)
    if answer.least_bad:
        app.say(f"{for_terminal(answer.refusals)}; these are the least bad")
    elif not answer.hits or not answer.allowed:
        app.say(for_terminal(answer.why_none("--")))


def _number(value: float | None, digits: int) -> Any:
    return None if value is None else f"{value:.{digits}f}"
