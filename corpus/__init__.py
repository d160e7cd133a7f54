"""Facts, at rest: which sounds, which files, which licence, which vectors, which labels.

Names load when first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from corpus.library import Corpus
    from corpus.model import Sound

__all__ = ["Corpus", "Sound", "__version__"]
__version__ = "0.1.0"

_HOMES = {"Corpus": "corpus.library", "Sound": "corpus.model"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'corpus' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
