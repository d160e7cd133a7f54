"""What can go wrong in the engine, each with the exit code of the command line. Imports nothing.

EngineError                 20   anything below
├── UnknownMeasure          21   a measure that is not registered
├── NoVectors               22   nothing to compare: no vectors yet, or a sound without a vector or a list
├── TrainingError           23   labels that no classifier can learn from, or no model yet
├── DeviceError             24   no sound device, or one that failed
├── DemoError               25   the demo has nothing to work on
├── QueryError              26   a query that cannot be answered as it was asked
├── ModelError              27   a model, in a file or stored, that cannot be used
└── ServerError             29   a server that cannot be started as it was asked for

20 to 29 are the engine's; 3 to 19, and from 30 up, are the corpus's (`corpus.errors`).
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


class ServerError(EngineError):
    """A server that cannot be started as it was asked for."""

    exit_code = 29
