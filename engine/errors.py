"""What can go wrong in the engine, each with the exit code of the command line. Imports nothing.

EngineError                 20   anything below
├── UnknownMeasure          21   a measure that is not registered
├── NoVectors               22   nothing to compare: no vectors yet, or a sound without a vector or a list
├── TrainingError           23   labels that no classifier can learn from, or no model yet
├── DeviceError             24   no sound device, or one that failed
├── DemoError               25   the demo has nothing to work on
├── QueryError              26   a query that cannot be answered as it was asked
├── ModelError              27   a model, in a file or stored, that cannot be used
├── PaletteError            28   a palette that cannot be published, or is not
├── VerbError               29   something said to a group or the session that has no meaning
├── SetError                40   a script, or the log of a set, that cannot be played
├── StageError              41   a way to the network that stage mode refused
└── ServerError             42   a server that cannot be started as it was asked for

20 to 29 and from 40 up are the engine's; 3 to 19, and 30 to 39, are the corpus's (`corpus.errors`).
"""

from __future__ import annotations


class EngineError(Exception):
    """Root of what the engine raises; `exit_code` is the command line's answer."""

    exit_code = 20


class UnknownMeasure(EngineError):
    """A measure that is not registered."""

    exit_code = 21


class NoVectors(EngineError):
    """Nothing to compare: no vectors yet, or a sound without a vector or a similar list."""

    exit_code = 22


class TrainingError(EngineError):
    """Labels that no classifier can learn from, or an agent that was not trained yet."""

    exit_code = 23


class DeviceError(EngineError):
    """No sound device, or one that failed."""

    exit_code = 24


class DemoError(EngineError):
    """The demo has nothing to work on."""

    exit_code = 25


class QueryError(EngineError):
    """A query that cannot be answered as it was asked: what it asks for contradicts itself, or has no meaning."""

    exit_code = 26


class ModelError(EngineError):
    """A model that cannot be used: broken, of the wrong shape, or not to be had in the form that was asked for."""

    exit_code = 27


class PaletteError(EngineError):
    """A palette that cannot be published as it was asked for, or that is not published."""

    exit_code = 28


class VerbError(EngineError):
    """Something said to a group or the session that has no meaning: no such verb, value, or sound in the group."""

    exit_code = 29


class SetError(EngineError):
    """A script, or the log of a set, that cannot be played."""

    exit_code = 40


class StageError(EngineError):
    """A way to the network that stage mode refused."""

    exit_code = 41


class ServerError(EngineError):
    """A server that cannot be started as it was asked for."""

    exit_code = 42
