"""A local Freesound: the corpus under the form of Freesound's API, so that instruments made for it play offline."""

from engine.server.freesound.app import freesound_app
from engine.server.freesound.options import Options

__all__ = ["Options", "freesound_app"]
