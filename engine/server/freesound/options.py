"""How a local Freesound answers: all that can be chosen when it is started."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.server.limits import Limits


@dataclass(frozen=True)
class Options:
    """How a local Freesound answers.

    Attributes
    ----------
    host : str
        Where it listens. Any address but loopback wants a token.
    token : str
        The one token that is let in; any, and none at all, if empty.
    legacy : bool
        Whether clients of the old API are served in its forms where a request alone does not tell.
    map_unknown_ids : bool
        Whether ids that are not held stand for sounds that are.
    limits : Limits
        How much one client may ask.
    """

    host: str = "127.0.0.1"
    token: str = ""
    legacy: bool = False
    map_unknown_ids: bool = False
    limits: Limits = field(default_factory=Limits)
