"""What every command shares: global options, one answer on standard output, everything else on standard error."""

from __future__ import annotations

import contextlib
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from corpus.text import for_json, for_terminal

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID

    from corpus.library import Corpus

Function = TypeVar("Function", bound=Callable[..., Any])

_KEPT = "stopped; what was done is kept"
_WIDE = 160
"""Columns when the output is not a terminal, so that piped tables are not cut short."""
_ROOMY = 100
"""Columns from which a terminal has room for everything."""


class App:
    """The global options, and the ways out."""

    def __init__(self) -> None:
        self.home: Path | None = None
        self.json = False
        self.quiet = False
        self.debug = False
        self.stopped = _KEPT

    def corpus(self, make: bool = True) -> Corpus:
        """Open the corpus, or make one unless there must be one; it is closed when the command ends."""
        from corpus.library import Corpus

        return click.get_current_context().with_resource(Corpus(self.home, make=make))

    def answer(self, data: dict[str, Any], draw: Callable[[Console], None]) -> None:
        """Give the command's one answer: `data` as JSON with `--json`, else whatever `draw` prints."""
        if self.json:
            click.echo(for_json(data))
        else:
            draw(_console(stderr=False))

    def say(self, message: str) -> None:
        """One line on standard error, unless `--quiet`."""
        if not self.quiet:
            click.echo(for_terminal(message), err=True)

    def warn(self, message: str) -> None:
        """One line on standard error, in any case."""
        click.echo(for_terminal(message), err=True)

    def trace(self, error: BaseException) -> None:
        """The whole trace of an error on standard error, with `--debug`; what is foreign in it is made visible."""
        if self.debug:
            for line in "".join(traceback.format_exception(error)).splitlines():
                self.warn(line)

    def confirmed(self, question: str) -> bool:
        """Ask on standard error and wait for a yes; without a terminal nobody can give one."""
        if not sys.stdin.isatty():
            return False
        click.echo(f"{for_terminal(question)} [y/N] ", nl=False, err=True)
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    @contextlib.contextmanager
    def progress(self, label: str, unit: str = "sounds") -> Iterator[Callable[[int, int], None]]:
        """A progress bar on a terminal; yields a function of the items done and of all items."""
        with self.phases() as show:
            yield lambda done, total: show(label, done, total, unit)

    @contextlib.contextmanager
    def phases(self) -> Iterator[Callable[[str, int, int | None, str], None]]:
        """The same for work in phases: yields a function of phase, items done, all items (None: unknown) and words.

        The bar begins anew with each phase.
        """
        console = None if self.quiet or not sys.stderr.isatty() else _console(stderr=True)
        if console is None:
            yield lambda phase, done, total, words: None
            return
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[words]}"),
        )
        with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:
            tasks: dict[str, TaskID] = {}

            def show(phase: str, done: int, total: int | None, words: str) -> None:
                if phase not in tasks:
                    for task in tasks.values():
                        bar.update(task, visible=False)
                    tasks[phase] = bar.add_task(phase, total=None, words=words)
                bar.update(tasks[phase], completed=done, total=total, words=words)

            yield show

    def finish(self, failed: Sequence[tuple[object, str]], most: int | None = None) -> None:
        """List what failed, a line each, `most` of them, and end with exit code 1 if anything did."""
        for what, words in failed[:most]:
            self.warn(f"failed: {what}: {words}")
        if most is not None and len(failed) > most:
            self.warn(f"failed: and {len(failed) - most} more; --json lists all")
        if failed:
            click.get_current_context().exit(1)


class Command(click.Command):
    """A command that also takes the global options behind its name, since that is where they are typed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(global_options(hidden=True))
        self.stopped = _KEPT

    def invoke(self, ctx: click.Context) -> Any:
        """Run it; should it be stopped, its own words are said."""
        ctx.ensure_object(App).stopped = self.stopped
        return super().invoke(ctx)


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called or listed."""

    def __init__(self, *args: Any, lazy: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order in which a newcomer needs them."""
        return list(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in self._lazy:
            return None
        module, name = self._lazy[cmd_name].split(":")
        command: click.Command = getattr(import_module(module), name)
        return command


def global_options(hidden: bool = False) -> list[click.Option]:
    """`--home`, `--json`, `--quiet` and `--debug`, kept in the App."""

    def keep(ctx: click.Context, option: click.Parameter, value: Any) -> None:
        app = ctx.ensure_object(App)
        if value and option.name:
            setattr(app, option.name, Path(value) if option.name == "home" else value)

    def option(name: str, help_text: str, **attributes: Any) -> click.Option:
        return click.Option([name], help=help_text, callback=keep, expose_value=False, hidden=hidden, **attributes)

    folder = click.Path(readable=False)  # what is wrong with a home is for the corpus to say
    return [
        option("--home", "Folder of the corpus; else MIRLA_HOME, else your user data folder.", type=folder),
        option("--json", "Answer one JSON object on standard output.", is_flag=True),
        option("--quiet", "No progress, no messages.", is_flag=True),
        option("--debug", "Show the whole trace of an error.", is_flag=True),
    ]


def command(name: str | None = None, stopped: str = _KEPT) -> Callable[[Callable[..., Any]], click.Command]:
    """Declare a command; its function gets the App first. `stopped` is what is said after Ctrl-C."""

    def declare(function: Callable[..., Any]) -> click.Command:
        declared: Command = click.command(name, cls=Command)(click.pass_obj(function))
        declared.stopped = stopped
        return declared

    return declare


def clean(value: object) -> Any:
    """Foreign text as a rich Text: safe to print, and never taken for markup."""
    from rich.text import Text

    return Text("" if value is None else for_terminal(value))


def print_lines(console: Console, lines: Iterable[str]) -> None:
    """Print lines of text that may be foreign."""
    for line in lines:
        console.print(clean(line), soft_wrap=True)


def table(
    console: Console, headings: Sequence[str], rows: Iterable[Sequence[object]], spare: Sequence[str] = ()
) -> None:
    """Print a plain table; numbers are set to the right and never broken.

    Parameters
    ----------
    spare : sequence of str
        Headings of columns that a narrow terminal does without.
    """
    from rich.table import Table

    places = [p for p, heading in enumerate(headings) if console.width >= _ROOMY or heading not in spare]
    cells = [[row[place] for place in places] for row in rows]
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for place, heading in enumerate(headings[p] for p in places):
        numeric = bool(cells) and all(_numeric(row[place]) for row in cells)
        drawn.add_column(heading, justify="right" if numeric else "left", no_wrap=numeric, overflow="fold")
    for row in cells:
        drawn.add_row(*(clean(value) for value in row))
    console.print(drawn)


def _numeric(value: object) -> bool:
    return value is None or isinstance(value, int | float) or str(value).removeprefix("-").replace(".", "").isdecimal()


def _console(stderr: bool) -> Console:
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, highlight=False, width=None if stream.isatty() else _WIDE)
