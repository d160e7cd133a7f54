"""The prompt of `mirla live`: IPython's, without its configuration, start-up files and traces of errors.

It is made by itself, not by IPython's own program, which alone would run what lies in a profile's `startup` folder and
read its configuration. What IPython keeps (the history of what was typed) is in the home.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.terminal.interactiveshell import TerminalInteractiveShell
from IPython.terminal.prompts import Prompts
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from pygments.token import Token
from traitlets.config import Config

from corpus.text import for_terminal
from engine.cli.ending import Ending, Told
from engine.cli.prompt_arrivals import Arrivals
from engine.cli.prompt_described import described
from engine.cli.prompt_line import BottomLine
from engine.cli.prompt_words import Vocabulary
from engine.cli.scripted import lines_of
from engine.performing.script import in_a_line
from engine.performing.verbs import Verb
from engine.session import Session

NAME = "mirla> "
_AT_ONCE = ("panic", "stop")
"""Verbs that are done without brackets too."""
_REFRESH = 0.5
"""Seconds between two looks at what plays."""


def ask(session: Session, names: dict[str, Any], folder: Path, debug: bool, end: Ending) -> None:
    """Take what is typed until Ctrl-D, or until the system asks to end.

    Parameters
    ----------
    session : Session
    names : dict
        What can be typed, to which is added what is assigned.
    folder : Path
        Where the history is kept.
    debug : bool
        Show the whole trace of an error.
    end : Ending
    """
    settings = Config()
    settings.TerminalInteractiveShell.update(
        banner1="",
        confirm_exit=False,
        term_title=False,
        automagic=False,
        separate_in="",
        autosuggestions_provider=None,
        display_completions="column",
        enable_tip=False,
        colors="nocolor",
        loop_runner="sync",
        autoawait=False,
    )
    settings.IPCompleter.use_jedi = False
    shell = _Shell.instance(session, debug, config=settings, user_ns=names, ipython_dir=str(folder))
    unlisten = session.on(Arrivals(session, _say))
    end.leave = shell.leave
    if not end.told:
        shell.mainloop()
    unlisten()


class _Shell(TerminalInteractiveShell):
    """IPython's terminal, with mirla's completion, bottom line and errors."""

    def __init__(self, session: Session, debug: bool, **how: Any) -> None:
        self._bottom = BottomLine(session)
        self._debug = debug
        self._left = False
        super().__init__(**how)
        assert self.pt_app is not None
        assert self.pt_app.completer is not None
        self.pt_app.completer = _Completion(Vocabulary(session, self.user_ns), self.pt_app.completer)

    def _extra_prompt_options(self) -> dict[str, Any]:
        options: dict[str, Any] = super()._extra_prompt_options()
        return options | {
            "bottom_toolbar": self._bottom,
            "refresh_interval": _REFRESH,
            "complete_in_thread": True,
        }

    def leave(self) -> None:
        """End as Ctrl-D does, whatever is being done; called from a signal's handler."""
        self._left = True
        assert self.pt_app is not None
        app = self.pt_app.app
        if app.is_running and app.loop is not None:
            app.loop.call_soon_threadsafe(lambda: app.is_done or app.exit(exception=EOFError()))
        else:
            raise Told

    def interact(self) -> None:
        """Take line after line."""
        if not self._left:
            super().interact()

    def run_cell(self, *given: Any, **named: Any) -> Any:
        """Do what was typed, unless all ends."""
        if self._left:
            self.ask_exit()
            return None
        return super().run_cell(*given, **named)

    def showtraceback(self, exc_tuple: Any = None, *given: Any, **named: Any) -> None:
        """Say an error in a line."""
        _, error, _ = self._get_exc_info(exc_tuple)
        if isinstance(error, Told):
            self.ask_exit()
            return
        if self._debug and not isinstance(error, KeyboardInterrupt):
            super().showtraceback(exc_tuple, *given, **named)
        _say("stopped waiting; the sound goes on" if isinstance(error, KeyboardInterrupt) else in_a_line(error))

    def showsyntaxerror(self, *given: Any, **named: Any) -> None:
        """Say what is no Python in a line."""
        _say(in_a_line(sys.exc_info()[1] or SyntaxError("not understood")))

    def showindentationerror(self) -> None:
        """The same for a line that begins in the wrong place."""
        self.showsyntaxerror()

    def _prompts_default(self) -> Prompts:
        return _Prompts(self)

    def _displayhook_class_default(self) -> type[DisplayHook]:
        return _Display


class _Prompts(Prompts):
    """Without numbers."""

    def in_prompt_tokens(self) -> list[tuple[Any, str]]:
        return [(Token.Prompt, NAME)]

    def continuation_prompt_tokens(self, *_: Any, **__: Any) -> list[tuple[Any, str]]:
        return [(Token.Prompt, "  ...> ")]

    def out_prompt_tokens(self) -> list[tuple[Any, str]]:
        return []


class _Display(DisplayHook):
    """Shows answers in lines, and nothing of what is only there to be chained."""

    def __call__(self, result: Any = None) -> None:
        verb = getattr(result, "verb", None)
        if isinstance(verb, Verb) and verb.name in _AT_ONCE:
            result()  # whoever panics may forget the brackets
            return
        if not self.quiet():
            typed = self.shell.user_ns["_ih"][-1].strip() if self.shell else ""
            for line in described(result) if typed.isidentifier() or verb else lines_of(result):
                print(line)
        if result is not None and self.shell:
            self.shell.user_ns["_"] = result


class _Completion(Completer):
    def __init__(self, vocabulary: Vocabulary, python: Completer) -> None:
        self._vocabulary, self._python = vocabulary, python

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        try:
            found = self._vocabulary.after(document.text_before_cursor)
        except Exception:  # no key may fail: what cannot be looked up is not offered
            found = None
        if found is None:
            yield from self._python.get_completions(document, complete_event)
            return
        typed, words = found
        for word in words:
            yield Completion(word.text, start_position=-len(typed), display_meta=word.about)


def _say(words: str) -> None:
    print(for_terminal(words), file=sys.stderr)
