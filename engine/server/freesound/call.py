"""A request as resources see it, and how they refuse one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from corpus.library import Corpus
from engine.server.freesound.options import Options
from engine.server.freesound.shelf import Shelf


class ApiError(Exception):
    """An answer with `{"detail": …}`."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


@dataclass(frozen=True)
class Served:
    """What is served: the corpus, how, and what was found in it lately."""

    corpus: Corpus
    options: Options
    shelf: Shelf


@dataclass(frozen=True)
class Call:
    """One request to a resource.

    Attributes
    ----------
    served : Served
    base : str
        The API's address, as the client sees it, without a slash at its end.
    params : mapping
        The parameters of the query string; of one that is given twice the last.
    url : str
        The whole address, without a token.
    headers : mapping
        By name in lower case.
    """

    served: Served
    base: str
    params: Mapping[str, str]
    url: str
    headers: Mapping[str, str]

    @property
    def corpus(self) -> Corpus:
        """The corpus."""
        return self.served.corpus


Answer = Mapping[str, Any]
"""What becomes JSON."""
