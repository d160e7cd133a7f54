"""Sessions that render: a corpus of real sounds, and all that was played in memory."""

import os
import shutil

import numpy as np
import pytest

from engine.playback.offline import OfflinePlayer
from engine.session import Session


class Rendered:
    """A session on a virtual clock, what it said, and what sounded."""

    def __init__(self, home, **options):
        self._blocks = []
        self.lines = []
        self.player = OfflinePlayer(write=lambda block: self._blocks.append(block.copy()))
        self.session = Session(home, rendering=self.player, say=self.lines.append, **{"seed": 1, **options})

    @property
    def audio(self):
        """All that sounded so far, shape (frames, 2)."""
        return np.concatenate(self._blocks) if self._blocks else np.zeros((0, 2), np.float32)

    def hear(self, seconds):
        """Let time pass; what sounds in it."""
        before = len(self.audio)
        self.session.wait(seconds)
        return self.audio[before:]


def link_audio(source, target):
    """Copy a file, but for audio, which nothing writes to."""
    (os.link if source.endswith(".flac") else shutil.copy2)(source, target)


@pytest.fixture
def render(finished_home, tmp_path):
    """Make sessions over a copy of the finished home, which may be written to."""
    home = tmp_path / "played"
    shutil.copytree(finished_home, home, copy_function=link_audio)
    made = []

    def make(**options):
        made.append(Rendered(home, **options))
        return made[-1]

    make.home = home
    yield make
    for each in made:
        each.session.close()


@pytest.fixture
def stage(render):
    """One such session that raises what goes wrong."""
    return render(raising=True)
