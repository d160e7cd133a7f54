"""The instrument: clips in memory, a pure mixer, and a device in a process of its own."""

from engine.playback.arrangement import Placed, arrange
from engine.playback.clip import Clip, clip_from_array, load_clip
from engine.playback.mixer import Mixer
from engine.playback.perform import play_arrangement
from engine.playback.player import Player
from engine.playback.render import Rendered, render_offline

__all__ = [
    "Clip",
    "Mixer",
    "Placed",
    "Player",
    "Rendered",
    "arrange",
    "clip_from_array",
    "load_clip",
    "play_arrangement",
    "render_offline",
]
