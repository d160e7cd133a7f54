"""What one must know to repeat a comparison, and to cite it."""

from __future__ import annotations

import platform
import shlex
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib import metadata

from corpus.library import Corpus
from engine.compare.results import Asked, Comparison
from engine.similarity.measures import VectorMeasure, measure
from engine.similarity.mix import Mix

_LIBRARIES = ("mirla", "numpy", "scipy", "faiss-cpu", "essentia", "librosa", "scikit-learn")


def facts(corpus: Corpus, found: Comparison, listen: Sequence[int] = ()) -> list[tuple[str, str]]:
    """Date, command, corpus, seeds, extractors and software, each by its name."""
    status = corpus.status()
    return [
        ("date", f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"),
        ("command", command(found.asked, listen)),
        (
            "corpus",
            f"{status['sounds']} sounds, {status['with_audio']} with audio, {status['seconds'] / 3600:.2f} hours",
        ),
        ("licences", ", ".join(f"{count} {name}" for name, count in status["licences"].items())),
        ("asked about", f"{found.sounds} sounds, {found.k} neighbours of each"),
        ("seeds", f"{found.asked.seed} for what is drawn, 0 for resamples"),
        *(("extractor of " + name, fingerprint) for name, fingerprint in _extractors(corpus, found.asked.measures)),
        ("software", ", ".join([*_versions(), f"Python {platform.python_version()}", platform.platform()])),
    ]


def command(asked: Asked, listen: Sequence[int] = ()) -> str:
    """The command line that asks the same."""
    words = ["mirla", "compare", *asked.measures, "-k", str(asked.k)]
    if asked.agent is not None:
        words += ["--agent", asked.agent]
    if asked.sample is not None:
        words += ["--sample", str(asked.sample)]
    words += ["--same-maker"] * asked.same_maker + ["--seed", str(asked.seed)]
    for number in listen:
        words += ["--listen", str(number)]
    return shlex.join([*words, "--html", "FILE"])


def _extractors(corpus: Corpus, names: Sequence[str]) -> list[tuple[str, str]]:
    spaces: dict[str, str] = {}
    for name in names:
        how = measure(name)
        parts = [part for _, part in how.parts] if isinstance(how, Mix) else [how]
        for part in parts:
            space = corpus.vectors.space(part.space) if isinstance(part, VectorMeasure) else None
            if space is not None:
                spaces[space.name] = space.fingerprint
    return sorted(spaces.items())


def _versions() -> list[str]:
    found = []
    for library in _LIBRARIES:
        with suppress(metadata.PackageNotFoundError):
            found.append(f"{library} {metadata.version(library)}")
    return found
