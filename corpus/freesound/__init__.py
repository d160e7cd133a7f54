"""Freesound's API: the only room that uses the network."""
