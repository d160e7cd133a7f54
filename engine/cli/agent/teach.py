"""`mirla agent`: teach, suggest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from corpus.cli.app import App, command, print_lines
from corpus.errors import CorpusError
from engine.cli.agent.facts import score_lines
from engine.cli.agent.labelling import user
from engine.errors import EngineError

if TYPE_CHECKING:
    from corpus.model import Sound
    from engine.cli.agent.screen import Screen
    from engine.cli.hearing import Hearing
    from engine.cli.keys import Keys
    from engine.playback.clip import Clip
    from engine.teaching import Teacher

_LOOK_SECONDS = 0.1
"""How often the screen looks for refits between keys."""
_ANSWERS = {"g": "ok", "b": "ko", "s": "skip"}


@command("teach")
@click.argument("name")
@click.option(
    "--from", "source", default="random", show_default=True, help="random, tag:T, search:T, like:ID or useful."
)
@click.option("--by", "who", help="Who says so; you unless told.")
@click.option("--measure", "measure_name", default="mfcc", show_default=True, help="What like:ID means.")
@click.option("--seconds", type=click.FloatRange(0, min_open=True), help="Play at most so much of each sound.")
@click.option("--device", help="Sound device by name or number; else MIRLA_DEVICE, else the system's own.")
@click.option("--silent", is_flag=True, help="Play nothing: only show the sounds.")
@click.option("--seed", type=click.IntRange(0), help="Make chance repeatable.")
def teach(
    app: App,
    name: str,
    source: str,
    who: str | None,
    measure_name: str,
    seconds: float | None,
    device: str | None,
    silent: bool,
    seed: int | None,
) -> None:
    """Teach an agent by ear: one sound after another, and one key for each. Without such an agent, the first answer
    makes it.

    g good, b bad, s skip, a or space again, u undo, f another source, q stop. Each answer is kept at once; stopping
    keeps what was learnt as a new version. Without a sound device, sounds are shown. Keys also come from a pipe or a
    file, one on each line.

    \b
    Example:
      mirla agent teach water
      mirla agent teach water --from tag:rain --seconds 4
      mirla agent teach water --from useful
    """
    import shlex
    import sys

    from engine.cli.agent.screen import Screen
    from engine.cli.hearing import Hearing, player
    from engine.cli.keys import keys_from
    from engine.teaching import Teacher

    corpus = app.corpus()
    teacher = Teacher(corpus, name, who=who or user(), measure=measure_name, seed=seed)
    screen = Screen(app.quiet)
    hearing = Hearing(corpus, None if silent else player(app, corpus, device, "shown"), seconds, app.warn)
    _greet(teacher, screen)
    try:
        with keys_from(sys.stdin) as keys:
            _lesson(teacher, hearing, screen, keys, source)
    except KeyboardInterrupt:
        screen.clear()
        name = shlex.quote(teacher.status.agent)
        app.say(f"the answers are kept; `mirla agent train {name}` learns from them")
        raise
    finally:
        screen.clear()
        hearing.close()
        teacher.close()
    _end(app, teacher)


@command("suggest")
@click.argument("name")
@click.option("-k", type=click.IntRange(1), default=10, show_default=True, help="At most so many sounds.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Draws the pool in a large corpus.")
def suggest(app: App, name: str, k: int, seed: int) -> None:
    """The most useful sounds to label next: those an agent is unsure of and that are unlike what it knows.

    \b
    Example:
      mirla agent suggest water -k 5
    """
    from engine.cli.choosing import show_answer
    from engine.teaching.suggesting import suggest as most_useful

    version, answer = most_useful(app.corpus(), name, k, seed)
    show_answer(app, answer, {"agent": name, "version": version})


COMMANDS = (teach, suggest)


def _greet(teacher: Teacher, screen: Screen) -> None:
    status = teacher.status
    if teacher.made:
        screen.say(f"new agent {status.agent}: the first answer makes it, and it learns from good and bad ones")
    else:
        behind = "; its model lacks the newest, stopping with q trains it" if teacher.behind else ""
        screen.say(f"agent {status.agent}: {status.good} good, {status.bad} bad so far{behind}")
    screen.keys()


def _lesson(teacher: Teacher, hearing: Hearing, screen: Screen, keys: Keys, source: str) -> None:
    """Ask, take a key, act on it, until there are no more keys."""
    from engine.cli.keys import STOP

    teacher.source(source)
    shown = None
    while True:
        status = teacher.status
        if status.sound is not shown:
            shown = status.sound
            _present(teacher, hearing, screen, keys)
        hearing.keep(status.sound, teacher.upcoming)
        screen.progress(status)
        key = keys.key(_LOOK_SECONDS)
        if keys.resumed:
            keys.resumed = False
            screen.again()
        if key is None:
            continue
        if key in STOP:
            return
        try:
            _act(key, teacher, hearing, screen, keys)
        except (CorpusError, EngineError) as error:
            screen.say(str(error), fg="yellow")


def _act(key: str, teacher: Teacher, hearing: Hearing, screen: Screen, keys: Keys) -> None:
    from engine.cli.keys import unknown
    from engine.teaching.sources import SOURCES

    if key in _ANSWERS:
        screen.answered(getattr(teacher, _ANSWERS[key])())
    elif key == "u":
        teacher.undo()
        screen.say("taken back")
    elif key in ("a", " "):
        _play(teacher.again().sound, hearing)
    elif key == "f":
        screen.clear()
        teacher.source(keys.line(f"{SOURCES}: "))
    elif key == "?":
        screen.keys()
    else:
        screen.say(unknown(key))


def _present(teacher: Teacher, hearing: Hearing, screen: Screen, keys: Keys) -> None:
    """Play and show what is asked."""
    status = teacher.status
    try:
        clip = _play(status.sound, hearing)
    except (CorpusError, EngineError) as error:
        clip = None
        screen.say(str(error), fg="yellow")
    keys.drop()  # pressed before this sound
    if status.sound:
        screen.sound(status.sound, clip)
    else:
        screen.say(f"no more sounds from {status.source}: f chooses another source, q stops")


def _play(sound: Sound | None, hearing: Hearing) -> Clip | None:
    """Play a sound in place of the one before, which ends also where there is none to play."""
    hearing.play(None)
    clip = hearing.clip(sound) if sound else None
    hearing.play(clip)
    return clip


def _end(app: App, teacher: Teacher) -> None:
    with app.progress("training", "rounds") as progress:
        report = teacher.stop(progress)
    words = f"agent {report['agent']}: {report['good']} good, {report['bad']} bad"
    if report["problem"]:
        app.warn(report["problem"])
    scores = score_lines(report["scores"]) if report["scores"] else []
    if not (scores or report["problem"]):
        scores = ["it learns once there are both"]
    version = f", version {report['version']}" if report["version"] else ""
    app.answer(report, lambda console: print_lines(console, [words + version, *scores]))
