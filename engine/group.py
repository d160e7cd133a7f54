"""Group: sounds playing together, and what a performer says to them.

Numbers of sounds count from 0, in the order in which they came. Lengths of time are seconds, or beats of the session's
tempo as text (`"4b"`). Options of queries are those of the command line: `agent`, `any_agent`, `not_agent`, `strict`,
`best`, `measure`, `filter`, `tags`, `licence`, `near`, `fresh`, `spread`, `seed`.
"""

from __future__ import annotations

from engine.performing.bringing import Bringing
from engine.performing.effected import Effected
from engine.performing.moving import Moving
from engine.performing.shaping import Shaping
from engine.performing.telling import Telling
from engine.performing.verbs import immediate


class Group(Bringing, Shaping, Moving, Effected, Telling):
    """Sounds playing together. Made by `Session.group`; every verb returns at once.

    Examples
    --------
    >>> a = s.group("a")  # doctest: +SKIP
    >>> a.tag("metal", 3)
    >>> a.similar(agent="water").play(rate=0.5).volume(0.3)
    """

    @immediate
    def agent(self, *names: str) -> None:
        """Have agents choose for this group from now on; without a name none does."""
        self._session.check_agents(names)
        self._defaults.agents = names

    @immediate
    def measure(self, name: str) -> None:
        """Say what near means to this group from now on."""
        self._session.check_measure(name)
        self._defaults.measure = name
