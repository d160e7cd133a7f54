"""Queries: which sounds are allowed, and in what order they come."""
