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
├── AnalysisError           12   an unknown space, or an extractor that is not installed
├── FreesoundError          13   Freesound answered something that cannot be used
│   ├── TokenRefused        14   no API key, or one that Freesound does not accept
│   ├── QuotaSpent          15   the day's requests are spent
│   ├── BadQuery            16   Freesound rejects what was asked
│   ├── NotThere            17   Freesound has no such thing, or not any more
│   └── Unreachable         18   no network, or a server that fails
├── HarvestError            19   a harvest that cannot be made as it was asked for
├── NotConfirmed            30   what cannot be had again would be deleted, and nobody said yes
├── FilterError             31   a filter that cannot be read
├── LabelsError             32   a file of labels that cannot be read or written, or a person without a name
├── PerformanceError        33   a performance that does not exist, or cannot be kept
├── CheckError              34   another check is at work
└── RestoreError            36   a backup that cannot be restored, or not now

20 to 29 are the engine's (`engine.errors`), 30 and up the corpus's again.
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


class FreesoundError(CorpusError):
    """Freesound answered something that cannot be used."""

    exit_code = 13


class TokenRefused(FreesoundError):
    """There is no API key, or Freesound does not accept it."""

    exit_code = 14


class QuotaSpent(FreesoundError):
    """The day's requests are spent; the message says when to come back."""

    exit_code = 15


class BadQuery(FreesoundError):
    """Freesound rejects what was asked; its words are in the message."""

    exit_code = 16


class NotThere(FreesoundError):
    """Freesound has no such thing, or not any more."""

    exit_code = 17


class Unreachable(FreesoundError):
    """No network, or a server that fails; worth trying again."""

    exit_code = 18


class HarvestError(CorpusError):
    """A harvest that cannot be made as it was asked for."""

    exit_code = 19


class NotConfirmed(CorpusError):
    """What cannot be had again would be deleted, and nobody said yes."""

    exit_code = 30


class FilterError(CorpusError):
    """A filter that cannot be read; the message says at which character."""

    exit_code = 31


class LabelsError(CorpusError):
    """A file of labels that cannot be read or written, or who labels has no name."""

    exit_code = 32


class PerformanceError(CorpusError):
    """A performance that does not exist, or that cannot be kept as it is."""

    exit_code = 33


class CheckError(CorpusError):
    """Another check is at work in this home."""

    exit_code = 34


class RestoreError(CorpusError):
    """A backup that is damaged or no corpus, or a home that is in use."""

    exit_code = 36
