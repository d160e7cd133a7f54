"""Scripts: a Python file run as if it were typed, statement by statement, live or rendered.

What goes wrong in a statement is one line, and the script goes on with the next; what is no Python at all is said
before anything plays. A script has the names `s` (the session), `group`, `wait`, `panic` and `stop`, and what it
assigns.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any, Protocol

from corpus.errors import CorpusError
from engine.errors import EngineError, SetError
from engine.performing.clock import Clock
from engine.performing.rig import Rig
from engine.performing.times import Length
from engine.performing.verbs import Speaker, verbs_of

_NEAR = 0.5
"""How like a verb what is misspelt is, from 0 to 1, for it to be named."""
_UNWRITTEN = (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError)
"""What Python's parser says of text that is no program."""


class Stage(Speaker, Protocol):
    """What a script and a log need of a session."""

    clock: Clock
    rig: Rig

    def group(self, name: str) -> Speaker:
        """The group of a name."""

    def wait(self, length: Length) -> None:
        """Let time pass."""

    @property
    def panic(self) -> Callable[[], object]:
        """Silence everything."""

    @property
    def stop(self) -> Callable[[], object]:
        """Stop all groups."""

    def say(self, words: str, group: str | None = None, kind: str = "said") -> None:
        """Say a line."""


@dataclass(frozen=True)
class _Statement:
    line: int
    code: CodeType


@dataclass(frozen=True)
class Script:
    """A program, ready to run.

    Attributes
    ----------
    name : str
        Its file's.
    """

    name: str
    statements: tuple[_Statement, ...]

    @classmethod
    def read(cls, path: Path) -> Script:
        """Read a file.

        Raises
        ------
        SetError
            It cannot be read, or is no Python.
        """
        return cls.parse(str(path), text_of(path))

    @classmethod
    def parse(cls, name: str, text: str) -> Script:
        """Make it of text; compiled at once, so that nothing plays of what is no Python.

        Raises
        ------
        SetError
            It is no Python.
        """
        try:
            return cls(name, tuple(_compiled(node, name) for node in ast.parse(text, name).body))
        except _UNWRITTEN as error:
            line = getattr(error, "lineno", None)
            where = name if line is None else f"{name}, line {line}"
            raise SetError(f"{where}: {in_a_line(error)}; mend it, nothing was played") from error

    def run(self, names: dict[str, Any], show: Callable[[Any], None], failed: Callable[[str, Exception], None]) -> None:
        """Run it to its end, or to where it calls `exit()`.

        Parameters
        ----------
        names : dict
            The names that it finds, and those that it makes.
        show : callable
            Given the value of each statement that is an expression, as a prompt shows it.
        failed : callable
            Given, in a line, what went wrong in a statement, and the error itself.
        """
        for statement in self.statements:
            try:
                value = eval(statement.code, names)
                if value is not None:
                    show(value)
            except SystemExit:
                return
            except Exception as error:  # the sound goes on
                failed(f"{self.name}, line {self._line(error, statement)}: {in_a_line(error)}", error)

    def _line(self, error: Exception, statement: _Statement) -> int:
        """The line of this script in which it went wrong, as deep as it went."""
        line, trace = statement.line, error.__traceback__
        while trace:
            if trace.tb_frame.f_code.co_filename == self.name:
                line = trace.tb_lineno
            trace = trace.tb_next
        return line


def names(session: Stage) -> dict[str, Any]:
    """What a script and the prompt find."""
    said = {"group": session.group, "wait": session.wait, "panic": session.panic, "stop": session.stop}
    return {"s": session, **said, "__name__": "__main__"}


def in_a_line(error: BaseException) -> str:
    """What to say of an error; what is not mirla's own with its kind in front."""
    if isinstance(error, CorpusError | EngineError):
        return str(error)
    if isinstance(error, NameError) and error.name:
        name = error.name
        return f'no name {name!r} here; {name} = group("{name}") makes a group of it, if it is not misspelt'
    if isinstance(error, AttributeError) and error.obj is not None and (known := verbs_of(type(error.obj))):
        near = difflib.get_close_matches(error.name or "", known, cutoff=_NEAR)
        asked = f"did you mean {', '.join(near)}?" if near else f"Tab lists the {len(known)} there are"
        return f"no verb {error.name!r}; {asked}"
    if isinstance(error, SyntaxError):
        text = (error.text or "").strip()
        return f"{error.msg}: {text}" if text else str(error.msg)
    return f"{type(error).__name__}: {' '.join(str(error).split())}".rstrip(": ")


def text_of(path: Path) -> str:
    """The text of a file.

    Raises
    ------
    SetError
        It cannot be read as text.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SetError(f"{path} cannot be read: {error.strerror or error}; see to its name") from error
    except UnicodeDecodeError as error:
        raise SetError(f"{path} is no text in UTF-8: {error.reason} at byte {error.start}; save it as UTF-8") from error


def _compiled(node: ast.stmt, name: str) -> _Statement:
    if isinstance(node, ast.Expr):
        return _Statement(node.lineno, compile(ast.Expression(node.value), name, "eval"))
    return _Statement(node.lineno, compile(ast.Module([node], []), name, "exec"))
