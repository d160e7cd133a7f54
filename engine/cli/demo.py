"""`mirla demo`."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from corpus.cli.app import App, clean, command, print_lines, table

if TYPE_CHECKING:
    from rich.console import Console

    from engine.demo.run import Comparison, Material

_SHOWN_CREDITS = 3


@command()
@click.argument("folder", required=False, type=click.Path(path_type=Path), metavar="[DIR]")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), default="demo.wav", show_default=True, help="The sound."
)
def demo(app: App, folder: Path | None, out: Path) -> None:
    """The whole job in one go: adopt, analyse, teach an agent, compare, render, credit.

    On DIR, else on Sonic Pi's samples where they are installed, else on sounds that mirla synthesises. In a
    temporary home, unless --home says where to keep it.

    \b
    Example:
      mirla demo
      mirla demo ~/recordings --home ~/mirla-demo
    """
    from engine.demo.run import material

    with tempfile.TemporaryDirectory(prefix="mirla-demo-") as scratch:
        chosen = material(folder.absolute() if folder else None, Path(scratch))
        kept = app.home is not None
        app.home = app.home or Path(scratch) / "home"
        data, comparisons = _run(app, chosen, out)

        def draw(console: Console) -> None:
            _draw(console, data, comparisons)
            _next_steps(console, app.home if kept else None, data)

        app.answer(data if kept else data | {"home": None}, draw)


def _run(app: App, chosen: Material, out: Path) -> tuple[dict[str, Any], list[Comparison]]:
    from engine.demo import run
    from engine.errors import DemoError

    start = time.monotonic()
    corpus = app.corpus()
    app.say(f"adopting {chosen.about}")
    with app.progress("adopting", "files") as progress:
        adopted = corpus.adopt([chosen.folder], chosen.how, progress)
    for path, words in adopted.failed:
        app.warn(f"left out: {path}: {words}")
    sounds = corpus.sounds.many(corpus.sounds.ids().tolist())
    if len(sounds) < 2:
        raise DemoError(f"{chosen.folder} gave {len(sounds)} sounds; the demo needs two at least")
    app.say(f"analysing {len(sounds)} sounds")
    with app.progress("analysing") as progress:
        analysed = corpus.analyse(progress=progress)
    lesson = run.examples(sounds)
    scores = None
    if lesson is None:
        app.warn(
            "the tags tell no two kinds of sound apart, so no agent is taught; put kinds into folders of their own"
        )
    else:
        app.say(f"teaching agent {lesson.agent!r} with {len(lesson.good)} good and {len(lesson.bad)} bad sounds")
        with app.progress("training", "rounds") as progress:
            scores = run.teach(corpus, lesson, progress)
    comparisons = run.compare(corpus, lesson, scores["agent"] if scores else None, sounds)
    app.say(f"rendering {run.SECONDS:.0f} s")
    rendered, heard = run.render(corpus, comparisons, out)
    credits_file = out.with_name(f"{out.stem}-credits.txt")
    run.write_credits(heard, credits_file)
    data = {
        "home": str(corpus.home),
        "sounds": len(sounds),
        "analysed_in": round(analysed.seconds, 2),
        "audio_seconds": round(analysed.audio_seconds, 1),
        "agent": scores,
        "comparisons": [
            {
                "target": one.target.id,
                "without": [hit.as_json() for hit in one.without],
                "with": [hit.as_json() for hit in one.with_agent],
            }
            for one in comparisons
        ],
        "wav": str(out),
        **rendered,
        "credits": str(credits_file),
        "credited": [sound.credit for sound in heard],
        "took": round(time.monotonic() - start, 1),
    }
    return data, comparisons


def _draw(console: Console, data: dict[str, Any], comparisons: list[Comparison]) -> None:
    from engine.cli.agent.facts import score_lines
    from engine.cli.render import describe

    agent = data["agent"]
    console.print(f"\n{data['sounds']} sounds, {data['audio_seconds']} s measured in {data['analysed_in']} s")
    if agent:
        print_lines(console, [f"agent {agent['agent']}: {agent['good']} good, {agent['bad']} bad", *score_lines(agent)])
    for one in comparisons:
        console.print()
        console.print(clean(f"nearest to {one.target.id} {one.target.name}"), style="bold")
        columns = [("without an agent", one.without)]
        if agent:
            columns.append((f"with agent {agent['agent']}", one.with_agent))
        depth = max(len(hits) for _, hits in columns)
        cells = [
            [
                f"{hits[place].distance:6.2f}  {hits[place].sound.name}" if place < len(hits) else ""
                for _, hits in columns
            ]
            for place in range(depth)
        ]
        table(console, [heading for heading, _ in columns], cells)
    lines = data["credited"]
    print_lines(console, ["", f"{data['wav']}: {describe(data)}", f"{data['credits']}: {len(lines)} sounds credited"])
    print_lines(console, [f"  {line}" for line in lines[:_SHOWN_CREDITS]])
    if len(lines) > _SHOWN_CREDITS:
        console.print(f"  and {len(lines) - _SHOWN_CREDITS} more")
    console.print(f"done in {data['took']} s")


def _next_steps(console: Console, home: Path | None, data: dict[str, Any]) -> None:
    program = "mirla" if shutil.which("mirla") else sys.argv[0]
    if home is not None:
        target = data["comparisons"][0]["target"]
        steps = [f"{program} --home {home} similar {target}", f"{program} --home {home} play {target}"]
    else:
        steps = [
            f"{program} adopt ~/YOUR/SOUNDS    take in a folder of your own",
            f"{program} analyse                measure it",
            f"{program} search WORD            find a sound, then `{program} similar ID` and `{program} play ID`",
        ]
    print_lines(console, ["", "What to type next:", *(f"  {step}" for step in steps)])
