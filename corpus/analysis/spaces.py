"""The registry of computed spaces: each is one short definition, and adding one is adding one.

Another package adds a space by an entry point of the group `mirla.spaces` that names an `Extractor`, or a function
declared by `space`. (`register` alone makes a space known to one process, and analysing is done by others.)

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

from corpus import plugins
from corpus.analysis import librosa_mfcc, mfcc, mfcc_frames, traits
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
    streams_by : str
        What decodes in `compute_file`.
    may_miss : tuple of int
        Which of the numbers may be NaN, for what a sound has not. Any other that is not finite is refused.
    """

    name: str
    dim: int
    about: str
    library: str
    parameters: dict[str, Any]
    compute: Callable[[Samples], npt.NDArray[np.float32]]
    compute_file: Callable[[Path, float | None], npt.NDArray[np.float32]] | None = None
    streams_by: str = "essentia"
    may_miss: tuple[int, ...] = ()

    @property
    def installed(self) -> bool:
        """Whether its library is there."""
        return find_spec(self.library) is not None

    @property
    def version(self) -> str:
        """Library and version, as stored with each vector."""
        return f"{self.library} {metadata.version(self.library)}"


_EXTRACTORS: plugins.Registry[Extractor] = plugins.Registry("mirla.spaces", Extractor)


def register(extractor: Extractor) -> Extractor:
    """Add a space.

    Raises
    ------
    ValueError
        There is another of that name.
    """
    return _EXTRACTORS.register(extractor)


def space(
    name: str, dim: int, about: str, *, library: str, parameters: dict[str, Any], **more: Any
) -> Callable[[Callable[[Samples], npt.NDArray[np.float32]]], Extractor]:
    """Declare the decorated function as a new space: it makes an Extractor of it (see there) and registers it.

    Examples
    --------
    >>> @space("level", 1, "how loud", library="numpy", parameters={})       # doctest: +SKIP
    ... def level(mono):
    ...     return np.array([np.sqrt(np.mean(mono**2))])
    """

    def declare(compute: Callable[[Samples], npt.NDArray[np.float32]]) -> Extractor:
        return register(Extractor(name, dim, about, library, parameters, compute, **more))

    return declare


def extractor(name: str) -> Extractor:
    """One extractor by the name of its space.

    Raises
    ------
    AnalysisError
        There is none, or its library is not installed.
    """
    found = _EXTRACTORS.get(name)
    if found is None:
        raise AnalysisError(f"no space {name!r}; known are {', '.join(known())}{_EXTRACTORS.why_broken()}")
    if not found.installed:
        raise AnalysisError(f"space {name!r} needs {found.library}, which is not installed here; try {default()!r}")
    return found


def known() -> list[str]:
    """Names of all spaces that can be computed, those of other packages last."""
    return list(_EXTRACTORS)


def default() -> str:
    """The space analysed unless told otherwise: `mfcc`, or `mfcc_librosa` where Essentia has no wheel."""
    return next(name for name, one in _EXTRACTORS.items() if one.installed)


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
register(
    Extractor(
        name="mfcc_frames",
        dim=mfcc_frames.DIM,
        about="mean and covariance of 13 MFCCs, one Gaussian for all frames",
        library="essentia",
        parameters=mfcc_frames.PARAMETERS,
        compute=mfcc_frames.mfcc_frames,
        compute_file=mfcc_frames.mfcc_frames_of_file,
    )
)
register(
    Extractor(
        name="traits9",
        dim=traits.DIM,
        about="mean and variance of nine traits of pitch, rhythm, brightness and noisiness",
        library="essentia",
        parameters=traits.PARAMETERS,
        compute=traits.traits,
        compute_file=traits.traits_of_file,
        streams_by="libsndfile",
        may_miss=traits.MAY_MISS,
    )
)
