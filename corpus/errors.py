"""What can go wrong in the corpus, each with the exit code of the command line.

CorpusError                  3   anything below
├── SettingsError            4   a setting or an environment variable that cannot be used
├── HomeError                5   the home cannot be made, read or written
├── SchemaError              6   the database is newer than this program, or is not ours
├── StoreError               7   the database refused (locked too long, damaged, full)
├── UnknownSound             8   an id that the corpus does not hold
├── UnknownAgent             9   an agent that does not exist, or exists already
├── AudioError              10   a file that cannot be decoded or used
├── CatalogueError          11   a catalogue that cannot be read
└── AnalysisError           12   an unknown space, or an extractor that is not installed

Every message is one line: what happened, with the value, and what to do next.
"""

from __future__ import annotations


class CorpusError(Exception):
    """Root of what the corpus raises; `exit_code` is the command line's answer."""

    exit_code = 3


class SettingsError(CorpusError):
    """A setting or an environment variable that cannot be used."""

    exit_code = 4


class HomeError(CorpusError):
    """The home cannot be made, read or written."""

    exit_code = 5


class SchemaError(CorpusError):
    """The database is newer than this program, or is not a corpus."""

    exit_code = 6


class StoreError(CorpusError):
    """The database refused: locked too long, damaged or full."""

    exit_code = 7


class UnknownSound(CorpusError):
    """An id that the corpus does not hold."""

    exit_code = 8


class UnknownAgent(CorpusError):
    """An agent that does not exist, or whose name is taken or unusable."""

    exit_code = 9


class AudioError(CorpusError):
    """A file that cannot be decoded, or holds nothing that can be used."""

    exit_code = 10


class CatalogueError(CorpusError):
    """A catalogue file that cannot be read."""

    exit_code = 11


class AnalysisError(CorpusError):
    """A space that does not exist, or whose extractor is not installed."""

    exit_code = 12
