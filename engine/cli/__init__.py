"""The command line: `mirla`. One module for each command, loaded when it is called."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

import click

from corpus import __version__
from corpus.cli import COMMANDS as CORPUS_COMMANDS
from corpus.cli.app import App, LazyGroup, global_options
from corpus.errors import CorpusError
from corpus.text import for_terminal
from engine.errors import EngineError

_ENGINE_COMMANDS = {
    "search": "engine.cli.search:search",
    "random": "engine.cli.random:random",
    "similar": "engine.cli.similar:similar",
    "measures": "engine.cli.measures:measures",
    "agent": "engine.cli.agent:agent",
    "play": "engine.cli.play:play",
    "render": "engine.cli.render:render",
}
_COMMANDS = {"demo": "engine.cli.demo:demo", **CORPUS_COMMANDS, **_ENGINE_COMMANDS}
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
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    app = App()
    try:
        sys.exit(cli.main(arguments, prog_name="mirla", obj=app, standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("mirla: stopped; what was done is kept", err=True)
        sys.exit(_INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(_BROKEN_PIPE)
    except (CorpusError, EngineError) as error:
        _fail(app, str(error), error.exit_code)
    except Exception as error:  # the last gate: a musician gets a line, a developer --debug
        _fail(
            app, f"unexpected {type(error).__name__}: {error}; please report it with the output of --debug", _UNEXPECTED
        )


def _fail(app: App, message: str, code: int) -> NoReturn:
    if app.debug:
        traceback.print_exc()
    if app.json:
        click.echo(json.dumps({"error": message, "code": code}))
    click.echo(f"mirla: {for_terminal(message)}", err=True)
    sys.exit(code)
