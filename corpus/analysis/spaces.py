"""The registry of computed spaces: each is one short definition, and adding one is adding one.

An extractor's fingerprint is its parameters plus a digest of what it answers on a built-in probe, rounded to three
significant digits: an upgrade of a library that changes nothing invalidates nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from corpus.analysis import librosa_mfcc, mfcc
from corpus.analysis.decode import RATE, Samples
from corpus.errors import AnalysisError
from corpus.model import Space


@dataclass(frozen=True)
class Extractor:
    """How the vectors of a space are computed.

    Attributes
    ----------
    name, dim, about
        What the space is called, how many numbers a vector has, one line for people.
    library : str
        The package that does the work; its version is stored as provenance.
    parameters : dict
        Everything that the numbers depend on.
    compute : callable
        Mono samples at 44100 Hz to a vector.
    compute_file : callable, optional
        The same from a file of any length in flat memory, or from its first so many seconds.
    """

    name: str
    dim: int
    about: str
    library: str
    parameters: dict[str, Any]
    compute: Callable[[Samples], npt.NDArray[np.float32]]
    compute_file: Callable[[Path, float | None], npt.NDArray[np.float32]] | None = None

    @property
    def installed(self) -> bool:
        """Whether its library is there."""
        return find_spec(self.library) is not None

    @property
    def version(self) -> str:
        """Library and version, as stored with each vector."""
        return f"{self.library} {metadata.version(self.library)}"


_EXTRACTORS: dict[str, Extractor] = {}


def register(extractor: Extractor) -> Extractor:
    """Add a space."""
    _EXTRACTORS[extractor.name] = extractor
    return extractor


def extractor(name: str) -> Extractor:
    """One extractor by the name of its space.

    Raises
    ------
    AnalysisError
        There is none, or its library is not installed.
    """
    if name not in _EXTRACTORS:
        raise AnalysisError(f"no space {name!r}; known are {', '.join(_EXTRACTORS)}")
    found = _EXTRACTORS[name]
    if not found.installed:
        raise AnalysisError(f"space {name!r} needs {found.library}, which is not installed here; try {default()!r}")
    return found


def default() -> str:
    """The space analysed unless told otherwise: `mfcc`, or `mfcc_librosa` where Essentia has no wheel."""
    return next(e.name for e in _EXTRACTORS.values() if e.installed)


@cache
def fingerprinted(name: str) -> Space:
    """The space with its fingerprint as of the library installed here (loads the library)."""
    found = extractor(name)
    answer = [f"{value:.2e}" for value in found.compute(probe())]
    text = json.dumps([found.name, found.parameters, answer], sort_keys=True)
    return Space(name, found.dim, hashlib.sha256(text.encode()).hexdigest())


def probe() -> Samples:
    """Half a second of much that an extractor may meet: a decaying chord, noise, silence.

    No library's random numbers are in it, so it never changes.
    """
    time = np.arange(RATE // 2) / RATE
    chord = sum(np.sin(2 * np.pi * frequency * time) for frequency in (110.0, 441.0, 1733.0, 6007.0))
    noise = np.modf(np.sin(np.arange(RATE // 2) * 12.9898) * 43758.5453)[0]
    signal: npt.NDArray[np.float64] = np.exp(-6 * time) * (0.2 * chord + 0.1 * noise)
    return np.where(time > 0.4, 0, signal).astype(np.float32)


register(
    Extractor(
        name="mfcc",
        dim=26,
        about="mean and variance of 13 MFCCs, as Freesound's extractor has them",
        library="essentia",
        parameters=mfcc.PARAMETERS,
        compute=mfcc.mfcc,
        compute_file=mfcc.mfcc_of_file,
    )
)
register(
    Extractor(
        name="mfcc_librosa",
        dim=26,
        about="mean and variance of 13 MFCCs by librosa's defaults",
        library="librosa",
        parameters=librosa_mfcc.PARAMETERS,
        compute=librosa_mfcc.mfcc_librosa,
    )
)
