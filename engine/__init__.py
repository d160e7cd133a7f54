"""Decisions: which sounds are near, which are good, what plays now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.session import Session

__all__ = ["Session"]


def __getattr__(name: str) -> Any:
    """Load the session when it is first asked for: importing the package must stay light (the audio process does)."""
    if name == "Session":
        from engine.session import Session

        return Session
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
