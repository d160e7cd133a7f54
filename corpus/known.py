"""The spaces that this program can fill, by computing or from what Freesound serves: what vectors in them are like."""

from __future__ import annotations

import contextlib

from corpus.analysis import spaces
from corpus.errors import AnalysisError
from corpus.freesound.wire import SPACES
from corpus.store.vetting import Known


def known_spaces() -> dict[str, Known]:
    """Of each space its length, which numbers may be NaN, and, where it has but one, its fingerprint."""
    known = {one.name: Known(one.dim, (), one.fingerprint) for one in SPACES.values()}
    for name in spaces.known():
        with contextlib.suppress(AnalysisError):  # not installed
            known[name] = Known(spaces.extractor(name).dim, spaces.extractor(name).may_miss)
    return known
