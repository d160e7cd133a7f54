"""How long to fuzz: as briefly as each test says, or `MIRLA_FUZZ` times as long (`make fuzz`)."""

import os

from hypothesis import settings

TIMES = int(os.environ.get("MIRLA_FUZZ", "1"))


def examples(usual):
    """How many examples a test takes that usually takes so many."""
    return usual * TIMES


settings.register_profile("mirla", max_examples=examples(100), deadline=None)
settings.load_profile("mirla")
