"""Decisions: which sounds are near, which are good, what plays now."""
