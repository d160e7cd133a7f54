"""Everything at once, for a minute (`MIRLA_TORTURE=600` for ten): no exception, no leak, no more drop-outs than idle.

A second player that plays nothing runs beside it: what it misses, the computer was too busy for, whoever plays.
"""

import gc
import multiprocessing
import os
import random
import resource
import shutil
import time
from pathlib import Path

import pytest

from engine.playback.player import Player
from engine.session import Session

SECONDS = float(os.environ.get("MIRLA_TORTURE", "60"))
PAGE = resource.getpagesize()


def memory(*processes):
    """Bytes that processes hold for themselves, without what they share."""
    total = 0
    for process in processes:
        _, resident, shared, *_ = map(int, Path(f"/proc/{process}/statm").read_text().split())
        total += (resident - shared) * PAGE
    return total


class Mind:
    """Says whatever comes to mind to a session."""

    def __init__(self, session, seed):
        self.s = session
        self.chance = random.Random(seed)
        self.groups = [session.group(name) for name in "abcd"]
        self.lesson = session.teach("torture").random()

    def say(self):
        chance, group = self.chance, self.chance.choice(self.groups)
        if len(group.sounds) > 8:
            group.remove(*range(5))
        chance.choice(
            (
                lambda: group.random(chance.randint(1, 3)),
                lambda: group.tag(chance.choice(("bd", "ambi", "loop", "tabla", "nosuch"))),
                lambda: group.similar(chance.randint(0, 9)),
                lambda: group.search(chance.choice(("cymbal", "drone", "zzz"))),
                lambda: group.dur(chance.uniform(0.1, 9)),
                lambda: group.play(chance.uniform(-2, 2)),
                lambda: group.sequence(chance.uniform(0.5, 2)),
                lambda: group.parallel(),
                lambda: group.volume(chance.random(), 0.1),
                lambda: group.pan(chance.uniform(-1, 1)),
                lambda: group.solo(0),
                lambda: group.mute(0),
                lambda: group.unmute(),
                lambda: group.slice(chance.randrange(9)),
                lambda: group.slice(),
                lambda: group.pitchshift(chance.choice((-12, 0, 7))),
                lambda: getattr(group, chance.choice(("lowpf", "reverb", "delay", "chorus", "vibrato", "rmod")))(),
                lambda: group.bypass(),
                lambda: group.fadeout(0.2),
                lambda: group.fadein(0.2),
                lambda: group.playauto(4, 0.1),
                lambda: group.autochopped(4, 0.1),
                lambda: group.similarauto(0, 2, 0.2),
                lambda: group.stop(),
                lambda: group.clear(),
                lambda: group.info(),
                lambda: self.s.find(like=[100055, 4832], k=20),
                lambda: chance.choice((self.lesson.ok, self.lesson.ko, self.lesson.skip, self.lesson.undo))(),
                lambda: self.s.panic() if chance.random() < 0.1 else None,
                lambda: self.s.status(),
            )
        )()


@pytest.fixture
def home(finished_home, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(finished_home, home)
    return home


def test_everything_at_once(home, jack, tmp_path, record_property):
    lines, sizes = [], []
    with Player("system") as idle, Session(home, device="system", seed=7, say=lines.append) as s:
        s.corpus.analyse(["mfcc"], onsets=True, ids=s.corpus.sounds.ids()[:40].tolist(), jobs=1)
        s.record(str(tmp_path / "set.wav"))
        one, told = Mind(s, 7), 0
        begun = time.monotonic()
        while (passed := time.monotonic() - begun) < SECONDS:
            one.say()
            told += 1
            time.sleep(0.02)
            if passed > SECONDS / 2 * (1 + len(sizes) / 10):  # ten looks in the second half
                gc.collect()
                sizes.append(memory(os.getpid(), *(one.pid for one in multiprocessing.active_children())))
        stats, control = s.rig.instrument.stats(), idle.stats()
    figures = {
        "commands": told,
        "underruns": stats["underruns"],
        "of an idle player": control["underruns"],
        "megabytes": [size >> 20 for size in sizes],
    }
    record_property("figures", figures)
    print(figures)
    assert not [line for line in lines if "unexpected" in line or "report it" in line]
    assert stats["errors"] == stats["faults"] == stats["lost"] == 0
    assert stats["underruns"] <= 2 * control["underruns"] + SECONDS / 6, figures
    assert max(sizes[5:]) < 1.05 * max(sizes[:5]) + (4 << 20), figures
    assert (tmp_path / "set.wav").stat().st_size > 44100 * 6 * SECONDS * 0.8
