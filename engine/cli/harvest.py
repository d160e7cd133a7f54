"""`mirla harvest`. It lives here and not with the corpus's commands because agents may choose what it fetches."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from corpus.cli.app import App, command, print_lines, table
from corpus.errors import HarvestError

if TYPE_CHECKING:
    from corpus.harvest import HarvestReport, Progress
    from corpus.library import Corpus
    from corpus.store.harvests import Harvest
    from corpus.wanted import Wanted

_LATEST = -1
_STATES = {"running": "paused", "audio": "incomplete", "done": "done"}
"""What the state of a harvest means to people when nobody is at work on it."""
_CHANGEABLE = ("max_bytes", "similar")
"""What may be said anew of a harvest that is gone on with."""
_BOUNDS = ("max_sounds", "max_bytes", "audio", "similar", "agents", "most")


class Bytes(click.ParamType):  # type: ignore[type-arg]  # older clicks have no parameter there
    """A number of bytes, of thousands, millions or thousands of millions of them."""

    name = "bytes"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """`500M` to 500 000 000."""
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kKMG]?)B?", str(value))
        if not found:
            self.fail(f"{value!r} is not a number of bytes, as 500M is", param, ctx)
        return int(float(found[1]) * {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9}[found[2]])


@command()
@click.argument("text", nargs=-1, metavar="[TEXT]")
@click.option("--tag", "tags", multiple=True, help="With this tag; several: with all of them.")
@click.option("--user", "users", multiple=True, help="By this maker; several: by any of them.")
@click.option("--pack", "packs", multiple=True, help="From this pack; several: from any of them.")
@click.option("--filter", "filter_", default="", help="Freesound's filter language, as it is.")
@click.option("--ids", type=click.File("rb"), help="A file of Freesound ids, separated by spaces, lines or commas.")
@click.option("--like", type=click.IntRange(1), help="The API's own list of sounds similar to this id.")
@click.option("--hops", type=click.IntRange(1, 5), default=1, show_default=True, help="With --like: theirs too.")
@click.option(
    "--random", type=click.IntRange(1), metavar="N", help="N by chance: of what fits, or of all of Freesound."
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Another seed, other chances.")
@click.option("--recipe", type=click.Path(path_type=Path), help="A TOML file that describes a corpus.")
@click.option("--relock", is_flag=True, help="With --recipe: ask its queries anew, not the lock file beside it.")
@click.option(
    "--licence", "--license", "licences", multiple=True, help="Under this licence; several: under any of them."
)
@click.option("--max-duration", type=click.FloatRange(0, min_open=True), help="No longer than so many seconds.")
@click.option("--max-sounds", type=click.IntRange(1), help="At most so many sounds; 2000 unless told.")
@click.option("--max-bytes", type=Bytes(), help="At most so many bytes of audio; k, M and G may stand behind it.")
@click.option(
    "--audio",
    type=click.Choice(["hq-ogg", "hq-mp3", "lq-ogg", "lq-mp3", "none"]),
    help="Which preview to fetch; hq-ogg unless told.",
)
@click.option("--similar", type=click.IntRange(1, 150), metavar="N", help="Keep N places of each sound's similar list.")
@click.option("--agent", "agents", multiple=True, help="Fetch audio only of what this agent calls good, unheard.")
@click.option("-k", "most", type=click.IntRange(1), help="With --agent: of the so many it is surest of.")
@click.option("--dry-run", is_flag=True, help="Say what it would cost; fetch nothing.")
@click.option("--drop", type=int, metavar="N", help="Let go of harvest N; what it brought stays.")
@click.option("--resume", type=int, is_flag=False, flag_value=_LATEST, help="Go on with harvest N, or the latest.")
@click.option("--list", "listing", is_flag=True, help="List the harvests and how far they are.")
def harvest(app: App, resume: int | None, drop: int | None, listing: bool, dry_run: bool, **asked: Any) -> None:
    """Bring sounds from Freesound: records, vectors and previews, for when there is no network.

    Needs an API key in FREESOUND_TOKEN. Keeps within the API's limits; what is there is never fetched again.
    Words, tags, makers, packs and the filter narrow one another; --ids, --like and --recipe add to what those find.

    \b
    Example:
      mirla harvest rain --tag field-recording --max-sounds 300
      mirla harvest --tag metal --agent bright -k 50 --dry-run
      mirla harvest --resume
    """
    corpus = app.corpus()
    if listing:
        _list(app, corpus)
        return
    if drop is not None:
        corpus.harvests.drop(corpus.harvests.get(drop))
        app.answer({"dropped": drop}, lambda console: print_lines(console, [f"harvest {drop} dropped"]))
        return
    begun = None if resume is None else _begun(corpus, resume)
    wanted = _wanted(**asked) if begun is None else _rebound(begun, **asked)
    judge = _judge(corpus, wanted.agents)
    if dry_run:
        if begun:
            raise HarvestError(f"harvest {begun.id} is begun already; --dry-run is for one that is not")
        _estimate(app, corpus, wanted)
        return
    if wanted.recipe is None and asked["recipe"]:
        app.say("this is not the recipe alone, so no lock file is written")
    try:
        with app.phases() as show:
            number = begun.id if begun else None
            report = corpus.harvest(wanted, number, judge=judge, progress=lambda progress: show(*_shown(progress)))
    except KeyboardInterrupt:
        unfinished = begun.id if begun else max((one.id for one in corpus.harvests.all()), default=None)
        if unfinished:
            app.say(f"`mirla harvest --resume {unfinished}` goes on with it")
        raise
    _answer(app, wanted, report)


def _answer(app: App, wanted: Wanted, report: HarvestReport) -> None:
    data = vars(report) | {"failed": [{"id": sound_id, "error": words} for sound_id, words in report.failed]}
    lines = [f"harvest {report.harvest} ({report.state}): {report.added} sounds added, {report.updated} updated"]
    if report.chosen is not None:
        lines.append(f"{report.chosen} of {report.found} called good by {', '.join(wanted.agents)}")
    lines.append(f"{report.audio} files, {_size(report.bytes)}, {report.requests} requests")
    if report.here:
        lines.append(f"{report.here} sounds had audio already")
    if report.lists:
        lines.append(f"{report.lists} similar lists")
    if report.lock:
        lines.append(f"{'held against' if wanted.locked else 'locked in'} {report.lock}")
    app.answer(data, lambda console: print_lines(console, lines))
    if not report.found:
        app.say("Freesound has nothing that fits")
    if not report.within_sounds:
        app.say(
            f"stopped at {wanted.max_sounds} sounds and left out what is beyond; --max-sounds says how many may come"
        )
    if not report.within_bytes:
        app.say(
            f"stopped at --max-bytes {wanted.max_bytes}; "
            f"`mirla harvest --resume {report.harvest} --max-bytes …` with more goes on"
        )
    elif report.state != "done":
        app.say(f"`mirla harvest --resume {report.harvest}` tries again what failed")
    app.finish(report.failed)


def _estimate(app: App, corpus: Corpus, wanted: Wanted) -> None:
    cost = corpus.estimate(wanted)
    lines = [
        f"{cost.sounds} sounds, {_size(cost.bytes)} of audio at most",
        f"{cost.requests} requests of {cost.requests_left} left today, in {max(1, round(cost.minutes))} min or less",
        *([f"that is {cost.days} more days of quota; `--resume` goes on each day"] if cost.days else []),
    ]
    app.answer({"dry_run": True, **asdict(cost)}, lambda console: print_lines(console, lines))


def _shown(progress: Progress) -> tuple[str, int, int | None, str]:
    units = {"records": "sounds", "audio": "files", "similar lists": "sounds"}
    words = f"{units[progress.phase]}, {_size(progress.bytes)}, {progress.requests_left} requests left today"
    words = f"{words}; {progress.waits}" if progress.waits else words
    return progress.phase, progress.done, progress.total, words


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"


def _judge(corpus: Corpus, agents: Sequence[str]) -> Callable[[Sequence[str]], Sequence[int]] | None:
    if not agents:
        return None
    from engine.agent.judging import check_served, surest_served

    check_served(corpus, agents)
    return lambda names: surest_served(corpus, names)


def _wanted(
    recipe: Path | None,
    relock: bool,
    text: tuple[str, ...],
    filter_: str,
    ids: Any,
    like: int | None,
    hops: int,
    random: int | None,
    seed: int,
    licences: tuple[str, ...],
    max_duration: float | None,
    **asked: Any,
) -> Wanted:
    from corpus.recipe import load
    from corpus.wanted import MAX_SOUNDS, Query, Wanted

    bounds = _given(asked)
    context = click.get_current_context()
    for name, other, there in (("hops", "like", like), ("seed", "random", random)):
        if there is None and context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise HarvestError(f"--{name} says how --{other} is meant; give that too")
    narrow: dict[str, Any] = {"licences": licences, "max_duration": max_duration}
    searched = Query(
        text=" ".join(text),
        tags=asked["tags"],
        users=asked["users"],
        packs=asked["packs"],
        filter=filter_,
        random=random,
        seed=seed,
        **narrow,
    )
    own = [searched] if searched.bounded else []
    numbers = _ids(ids) if ids else ()
    own += [Query(ids=numbers, **narrow)] if numbers else []
    bounds.setdefault("max_sounds", max(MAX_SOUNDS, len(numbers) + (random or 0)))
    own += [Query(like=like, hops=hops, **narrow)] if like is not None else []
    if relock and not recipe:
        raise HarvestError("--relock is about a recipe's lock file; name the recipe with --recipe")
    if not recipe:
        return Wanted(tuple(own), **bounds)
    cooked = load(recipe, relock)
    if asked["max_sounds"] is None:
        del bounds["max_sounds"]
        if not own and not licences and max_duration is None:
            return replace(cooked, **bounds)
    narrowed = tuple(
        replace(query, **{name: value for name, value in narrow.items() if value}) for query in cooked.queries
    )
    return replace(cooked, queries=(*narrowed, *own), recipe=None, **bounds)  # not the recipe alone: nothing to lock


def _rebound(begun: Harvest, **asked: Any) -> Wanted:
    """What is wanted of a harvest that is gone on with."""
    from corpus.wanted import Wanted

    source = click.get_current_context().get_parameter_source
    other = [name for name in asked if name not in _CHANGEABLE and source(name) is ParameterSource.COMMANDLINE]
    if other:
        (option,) = (one for one in click.get_current_context().command.params if one.name == other[0])
        raise HarvestError(
            f"harvest {begun.id} goes on as it was begun; leave out {option.opts[0]}, or begin another without --resume"
        )
    return replace(Wanted.from_json(begun.wanted), **{name: asked[name] for name in _CHANGEABLE if asked[name]})


def _given(asked: dict[str, Any]) -> dict[str, Any]:
    return {name: asked[name] for name in _BOUNDS if asked[name] not in (None, ())}


def _ids(file: Any) -> tuple[int, ...]:
    words = [word for word in re.split(r"[\s,;]+", file.read().decode("ascii", "backslashreplace")) if word]
    for word in words:
        if not (word.isdigit() and len(word) < 10):
            raise HarvestError(f"{Path(file.name)}: {word!r} is not a Freesound id; give numbers, separated by spaces")
    if not words:
        raise HarvestError(f"{Path(file.name)} holds no ids; give numbers, separated by spaces")
    return tuple(dict.fromkeys(int(word) for word in words))


def _begun(corpus: Corpus, number: int) -> Harvest:
    if number != _LATEST:
        return corpus.harvests.get(number)
    unfinished = [one for one in corpus.harvests.all() if one.state != "done"]
    if not unfinished:
        raise HarvestError("no harvest is unfinished; `mirla harvest --list` shows them")
    return unfinished[-1]


def _list(app: App, corpus: Corpus) -> None:
    data: list[dict[str, Any]] = [
        {
            "harvest": one.id,
            "state": one.state,
            "sounds": len(corpus.harvests.brought(one)),
            "waiting": len(corpus.harvests.downloads(one, retry=False)),
            "failed": len(corpus.harvests.failures(one)),
            "started": one.started,
            "wanted": one.wanted,
        }
        for one in corpus.harvests.all()
    ]
    headings = ["harvest", "state", "sounds", "waiting", "failed", "started"]
    rows = [[_STATES.get(one[name], one[name]) for name in headings] + [_in_words(one["wanted"])] for one in data]
    app.answer({"harvests": data}, lambda console: table(console, [*headings, "wanted"], rows))
    if not data:
        app.say("no harvests yet; `mirla harvest TEXT` begins one")


def _in_words(wanted: dict[str, Any]) -> str:
    if wanted.get("recipe"):
        return Path(wanted["recipe"]).name
    words = []
    for query in wanted["queries"]:
        for name, value in query.items():
            if name == "ids" and value:
                words.append(f"{len(value)} ids")
            elif value and name not in ("hops", "seed"):
                shown = " ".join(map(str, value)) if isinstance(value, list) else value
                words.append(f"{name} {shown}")
    bound = f", at most {wanted['max_sounds']}, {wanted['audio']}"
    return textwrap.shorten(", ".join(words), 60, placeholder=" …") + bound
