"""What one must know to repeat a bench, and to cite it."""

from __future__ import annotations

import platform
import shlex
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

from corpus import __version__
from corpus.library import Corpus
from engine.bench.results import Asked

_LIBRARIES = ("numpy", "scikit-learn", "scipy")


def provenance(corpus: Corpus, asked: Asked, processes: int) -> dict[str, Any]:
    """Date, command, size of the corpus, extractors and software."""
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "command": command(asked),
        "sounds": len(corpus.sounds.ids()),
        "fingerprints": fingerprints(corpus, (part for space in asked.spaces for part in space.split("+"))),
        "versions": versions(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processes": processes,
    }


def fingerprints(corpus: Corpus, spaces: Iterable[str]) -> dict[str, str]:
    """The extractor behind each space."""
    known = ((space, corpus.vectors.space(space)) for space in dict.fromkeys(spaces))
    return {name: space.fingerprint for name, space in known if space}


def versions() -> dict[str, str]:
    """Of what has a say in the figures."""
    return {"mirla": __version__, **{library: metadata.version(library) for library in _LIBRARIES}}


def command(asked: Asked) -> str:
    """The command line that asks the same."""
    words = ["mirla", "bench", *asked.names]
    words += ["--classifiers", ",".join(asked.classifiers), "--spaces", ",".join(asked.spaces)]
    words += ["--seed", str(asked.seed), "--repeats", str(asked.repeats), "--most", str(asked.most)]
    return shlex.join([*words, *(["--no-curves"] * (not asked.curves))])
