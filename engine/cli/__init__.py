"""The command line: `mirla`. One module for each command, loaded when it is called."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import NoReturn

import click

from corpus import __version__
from corpus.cli import COMMANDS as CORPUS_COMMANDS
from corpus.cli.app import App, LazyGroup, global_options
from corpus.errors import CorpusError
from corpus.text import for_json, for_terminal
from engine.errors import EngineError

_ENGINE_COMMANDS = {
    "search": "engine.cli.search:search",
    "random": "engine.cli.random:random",
    "similar": "engine.cli.similar:similar",
    "path": "engine.cli.path:path",
    "measures": "engine.cli.measures:measures",
    "compare": "engine.cli.compare:compare",
    "map": "engine.cli.map:map",
    "agent": "engine.cli.agent:agent",
    "trial": "engine.cli.trial:trial",
    "bench": "engine.cli.bench:bench",
    "play": "engine.cli.play:play",
    "render": "engine.cli.render:render",
    "serve": "engine.cli.serve:serve",
    "live": "engine.cli.live:live",
    "preflight": "engine.cli.preflight:preflight",
    "devices": "engine.cli.devices:devices",
    "palette": "engine.cli.palette:palette",
    "sets": "engine.cli.sets:sets",
}
_COMMANDS = {
    "demo": "engine.cli.demo:demo",
    "harvest": "engine.cli.harvest:harvest",
    **CORPUS_COMMANDS,
    **_ENGINE_COMMANDS,
}
_UNEXPECTED = 70
_INTERRUPTED = 130
_BROKEN_PIPE = 141


@click.group(
    cls=LazyGroup,
    lazy=_COMMANDS,
    params=global_options(),
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="`mirla COMMAND --help` shows an example of each.",
)
@click.version_option(__version__, prog_name="mirla")
def cli() -> None:
    """mirla frees live coders from the network: your sounds, your similarity, your agents, offline.

    \b
    Example:
      mirla demo
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line; whatever goes wrong is one line on standard error and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a file, as Python opens it
    words = list(sys.argv[1:] if arguments is None else arguments)
    app = App()
    app.json = "--json" in words  # also where the words cannot be parsed
    try:
        with _ending():
            _run(app, words)
    except click.ClickException as error:
        error.show()
        _fail(app, error.format_message(), error.exit_code, said=True)
    except _Ended as end:
        _fail(app, app.stopped, end.code)
    except (click.Abort, KeyboardInterrupt):
        _fail(app, app.stopped, _INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(_BROKEN_PIPE)
    except (CorpusError, EngineError) as error:
        _fail(app, str(error), error.exit_code)
    except Exception as error:  # the last gate: a musician gets a line, a developer --debug
        what = f"unexpected {type(error).__name__}: {error}"
        advice = "unless `mirla check` says what is damaged, please report it with the output of --debug"
        _fail(app, f"{what}; {advice}", _UNEXPECTED)


class _Ended(KeyboardInterrupt):
    """The system asks to end, by a signal: what a Ctrl-C would, but for the exit code."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.code = 128 + number


@contextlib.contextmanager
def _ending() -> Iterator[None]:
    """Clean up when SIGTERM or SIGHUP comes, unless someone else sees to that or it was ignored, as by `nohup`."""

    def end(number: int, _frame: FrameType | None) -> None:
        raise _Ended(number)

    ours = [number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) == signal.SIG_DFL]
    for number in ours:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


def _run(app: App, words: list[str]) -> NoReturn:
    """Run a command by click's parts, since its own `main` turns a closed pipe into exit code 1."""
    try:
        with cli.make_context("mirla", words, obj=app) as context:
            cli.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as end:
        sys.stdout.flush()
        sys.exit(end.exit_code)
    sys.exit(0)


def _fail(app: App, message: str, code: int, said: bool = False) -> NoReturn:
    if not said and (error := sys.exception()):
        app.trace(error)
    if not said:
        click.echo(f"mirla: {for_terminal(message)}", err=True)
    if app.json:
        try:
            click.echo(for_json({"error": message, "code": code}))
            sys.stdout.flush()
        except OSError:  # standard output itself is what failed
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)
