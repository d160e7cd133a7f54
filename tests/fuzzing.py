"""How long to fuzz: as briefly as each test says, or `MIRLA_FUZZ` times as long (`make fuzz`).

The brief runs draw the same examples each time, so that what fails was changed; the long ones draw others each time.
"""

import os

from hypothesis import settings

TIMES = int(os.environ.get("MIRLA_FUZZ", "1"))


def examples(usual):
    """How many examples a test takes that usually takes so many."""
    return usual * TIMES


BRIEF = "MIRLA_FUZZ" not in os.environ
settings.register_profile("mirla", max_examples=examples(100), deadline=None, derandomize=BRIEF)
settings.load_profile("mirla")
