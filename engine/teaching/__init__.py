"""Teaching an agent by ear: one sound after another, and what is said of it. No terminal and no sound device here."""

from engine.teaching.status import Given, Status, Verdict
from engine.teaching.teacher import Teacher

__all__ = ["Given", "Status", "Teacher", "Verdict"]
