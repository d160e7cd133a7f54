"""Preflight: whether everything is there that a set needs, before it begins and while there still is a network.

Each check is one line: what was found, and where it is not ok what to do. A check that cannot be made is not ok. What
is derived (indexes, verdicts) is made here, so that nobody waits for it on stage.
"""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from corpus.analysis.inspect import inspect
from corpus.analysis.spaces import fingerprinted
from corpus.errors import CorpusError
from corpus.library import Corpus
from corpus.model import Agent, Palette, Sound
from corpus.store import schema
from corpus.workers import Workers, cores
from engine.errors import DeviceError, EngineError, PaletteError
from engine.playback.shared import SHARED_FOLDER

Progress = Callable[[str, int, int | None, str], None]
"""Told of the check, and of how many items of it are done and how many there are."""

DEVICE_SECONDS = 2.0
ROOM = 1 << 30
"""Bytes that should be free on the disk: an hour's recording is 0.95 GB."""
_PATIENCE = 10.0
_NAMED = 5
"""Ids that are named in a line."""
_BYTES_A_FRAME = 8
_USUAL_RATE = 44100
"""In Hz, where there is no device to tell its own."""
_NOTHING = "no sounds to look at; see to the line of the sounds"
_BESIDE = 1 << 28
"""Bytes of memory that the program itself may take."""


@dataclass(frozen=True)
class Check:
    """What one check found: `detail` says it in a line."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True)
class Asked:
    """What is to be ready.

    Attributes
    ----------
    palette : str, optional
        Only its sounds, else all.
    agents : tuple of str
        These, else all that were trained.
    commercial : bool
        Whether the set is paid for.
    sample : float
        How much of the audio is decoded, in percent.
    device : int or str, optional
    memory : int
        Bytes of decoded sound that a session keeps.
    """

    palette: str | None = None
    agents: tuple[str, ...] = ()
    commercial: bool = False
    sample: float = 100.0
    device: int | str | None = None
    memory: int = 1 << 30


class Preflight:
    """All checks of one corpus.

    Parameters
    ----------
    corpus : Corpus
    asked : Asked
    progress : callable
    """

    def __init__(self, corpus: Corpus, asked: Asked, progress: Progress) -> None:
        self._corpus, self._asked, self._progress = corpus, asked, progress
        self._sounds: list[Sound] = []
        self._rate = _USUAL_RATE

    def run(self) -> Iterator[Check]:
        """Make the checks, one after another."""
        for name, make in {
            "schema": self._schema,
            "device": self._device,
            "sounds": self._held,
            "audio": self._audio,
            "vectors": self._vectors,
            "agents": self._verdicts,
            "caches": self._caches,
            "disk": self._disk,
            "memory": self._memory,
            "licences": self._licences,
        }.items():
            self._progress(name, 0, None, "")
            try:
                ok, detail = make()
            except (CorpusError, EngineError) as error:
                ok, detail = False, str(error)
            except Exception as error:  # whatever a check stumbles over, the others are made
                ok, detail = False, f"unexpected {type(error).__name__}: {error}; please report it"
            yield Check(name, ok, detail)

    def _schema(self) -> tuple[bool, str]:
        return True, f"version {schema.HEAD}"  # the corpus is open, which brought it there

    def _device(self) -> tuple[bool, str]:
        from engine.playback.player import Player

        try:
            player = Player(self._asked.device or self._corpus.settings.device)
        except DeviceError as error:
            what, _, _ = str(error).partition(";")
            return False, f"{what}; plug one in, or choose one of `mirla devices` with --device"
        with player:
            self._rate = player.rate
            before, wanted = player.stats()["underruns"], player.position + round(DEVICE_SECONDS * player.rate)
            deadline = time.monotonic() + _PATIENCE
            while player.position < wanted:
                if time.monotonic() > deadline:
                    raise DeviceError(f"{player.name} stands still; choose another with --device")
                time.sleep(0.05)
            lost = player.stats()["underruns"] - before
            if lost:
                return False, f"{player.name}: {lost} drop-outs in {DEVICE_SECONDS:g} s; close other programs"
            return True, f"{player.name}, {player.rate} Hz, no drop-outs in {DEVICE_SECONDS:g} s"

    def _held(self) -> tuple[bool, str]:
        corpus = self._corpus
        if self._asked.palette is None:
            every = len(corpus.sounds.ids())
            self._sounds = corpus.sounds.many(corpus.sounds.ids(with_audio=True).tolist())
            without = every - len(self._sounds)
            if not self._sounds:
                return False, "no sound with audio is here; `mirla adopt DIR` or `mirla harvest TEXT` brings some"
            return True, f"{len(self._sounds)} with audio" + (f", {without} without" if without else "")
        palette = self._palette(self._asked.palette)
        self._sounds = corpus.sounds.many([sound.id for sound in palette.sounds])
        if damaged := corpus.palette_folder.damaged(palette):
            return False, f"palette {palette.name}: {_some(damaged)} missing or changed; publish it again"
        return True, f"palette {palette.name}, {len(self._sounds)} sounds, published whole"

    def _palette(self, name: str) -> Palette:
        palette = self._corpus.palettes.get(name)
        if palette is None:
            raise PaletteError(f"no palette {name!r}; `mirla palette list` shows those that are published")
        return palette

    def _audio(self) -> tuple[bool, str]:
        if not self._sounds:
            return False, _NOTHING
        files = {sound.file.path: sound for sound in self._sounds if sound.file}
        share = max(1, round(len(files) * self._asked.sample / 100.0)) if files else 0
        chosen = random.sample(list(files), share) if share < len(files) else list(files)
        failed: list[tuple[int, str]] = []
        with Workers(min(cores(), len(chosen) or 1)) as workers:
            decoded = workers.over(chosen, inspect, lambda path: _deadline(files[path]))
            for done, (path, result) in enumerate(decoded, 1):
                if isinstance(result, CorpusError):
                    failed.append((files[path].id, str(result)))
                self._progress("audio", done, len(chosen), "sounds")
        lacking = [sound.id for sound in self._sounds if not sound.file]
        failed += [(sound_id, "has no audio here") for sound_id in lacking]
        of = f"{len(chosen)} of {len(files)}" if len(chosen) < len(files) else f"all {len(files)}"
        if failed:
            sound_id, words = min(failed)
            more = f", and {len(failed) - 1} more" if len(failed) > 1 else ""
            return False, f"sound {sound_id} {words}{more}; `mirla forget ID` takes one out"
        return True, f"{of} decoded from end to end"

    def _vectors(self) -> tuple[bool, str]:
        if not self._sounds:
            return False, _NOTHING
        spaces = self._spaces()
        ids = [sound.id for sound in self._sounds]
        with Workers(1) as workers:
            for name, result in workers.over(spaces, fingerprinted, lambda _: 120.0):
                if isinstance(result, CorpusError):
                    raise result
                known = self._corpus.vectors.space(name)
                if known is None or known.fingerprint != result.fingerprint:
                    return False, f"{name} was not measured as it is now; `mirla analyse --space {name}`"
        missing = [one for one in self._corpus.vectors.pending(spaces, ids)[0] if one.spaces or one.levels]
        if missing:
            lacking = sorted({space for one in missing for space in one.spaces})
            what = f"vectors in {', '.join(lacking)}" if lacking else "a loudness"
            options = "".join(f" --space {space}" for space in lacking)
            return False, f"{len(missing)} sounds lack {what}; `mirla analyse{options}`"
        return True, f"{', '.join(spaces)}: all fresh"

    def _spaces(self) -> list[str]:
        """The computed spaces that the default measure and the agents look at."""
        from engine.similarity import DEFAULT
        from engine.similarity.measures import measure

        default = measure(DEFAULT).covers(self._corpus).space
        wanted = [default or DEFAULT, *(space for agent in self._agents() for space in agent.spaces)]
        return [space for space in dict.fromkeys(wanted) if self._corpus.origin(space) == "computed"]

    def _agents(self) -> list[Agent]:
        corpus = self._corpus
        if self._asked.agents:
            return [corpus.agents.get(name) for name in self._asked.agents]
        return [agent for agent in corpus.agents.all() if corpus.agents.model(agent)]

    def _verdicts(self) -> tuple[bool, str]:
        from engine.agent.flucoma_network import FLUCOMA
        from engine.agent.judging import judge
        from engine.agent.loading import model_of
        from engine.agent.training import lesson

        agents = self._agents()
        for done, agent in enumerate(agents):
            self._progress("agents", done, len(agents), agent.name)
            verdicts = judge(self._corpus, agent.name)
            if verdicts.warning:
                return False, verdicts.warning
            model = model_of(self._corpus, agent)
            if agent.classifier != FLUCOMA and lesson(self._corpus, agent).hash != model.labels_hash:
                return False, (
                    f"agent {agent.name} has other labels than version {model.version} learnt from; "
                    f"`mirla agent train {agent.name}`"
                )
        names = ", ".join(f"{agent.name}" for agent in agents)
        return True, f"{names}: verdicts fresh" if agents else "none was trained"

    def _caches(self) -> tuple[bool, str]:
        from engine.query.run import Choice, search, similar
        from engine.similarity import DEFAULT

        known = self._corpus.vectors.ids(DEFAULT)
        began = time.monotonic()
        if len(known):
            similar(self._corpus, int(known[0]), Choice(k=1), DEFAULT)
        search(self._corpus, Choice(k=1, text=self._sounds[0].name if self._sounds else "a"))
        built = time.monotonic() - began
        folder = self._corpus.home / "cache"
        if not os.access(folder, os.W_OK):
            return False, f"{folder} cannot be written, so each start makes all anew; see to its permissions"
        return True, f"built, answering after {built:.1f} s"

    def _disk(self) -> tuple[bool, str]:
        free = shutil.disk_usage(self._corpus.home).free
        where = f"{_gigabytes(free)} free at {self._corpus.home}"
        return (True, where) if free >= ROOM else (False, f"{where}; make room: an hour's recording takes 1 GB")

    def _memory(self) -> tuple[bool, str]:
        if not self._sounds:
            return False, _NOTHING
        seconds = sum(sound.file.duration for sound in self._sounds if sound.file)
        decoded = min(round(seconds * self._rate * _BYTES_A_FRAME), self._asked.memory)
        shared = _shared_free()
        if shared is not None and shared < decoded:
            where = f"{_gigabytes(shared)} free at {SHARED_FOLDER}, {_gigabytes(decoded)} wanted for sounds"
            return False, f"{where}; empty it, or have it made larger: mount -o remount,size=2G {SHARED_FOLDER}"
        free, wanted = _memory_free(), decoded + _BESIDE
        if free is None:
            return True, "what is free cannot be told on this system"
        if free < wanted:
            return False, f"{_gigabytes(free)} free, {_gigabytes(wanted)} wanted; close other programs"
        return True, f"{_gigabytes(free)} free, {_gigabytes(wanted)} wanted"

    def _licences(self) -> tuple[bool, str]:
        if not self._sounds:
            return False, _NOTHING
        counts: dict[str, int] = {}
        for sound in self._sounds:
            counts[sound.licence.name or "unknown"] = counts.get(sound.licence.name or "unknown", 0) + 1
        listed = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
        forbidden = [str(sound.id) for sound in self._sounds if not sound.licence.commercial]
        if self._asked.commercial and forbidden:
            remedy = 'leave them out with --licence "Creative Commons 0" --licence Attribution'
            return False, f"{len(forbidden)} sounds may not be used for money: {_some(forbidden)}; {remedy}"
        return True, listed


def _deadline(sound: Sound) -> float:
    return 60.0 + (sound.file.duration if sound.file else 0.0) / 20.0


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB"


def _shared_free() -> int | None:
    """Bytes of shared memory, where sounds are held, that could still be taken; None where it has no bounds."""
    folder = Path(SHARED_FOLDER)
    return shutil.disk_usage(folder).free if folder.is_dir() else None


def _memory_free() -> int | None:
    """Bytes that programs could still take, as Linux tells it."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return int(found[0]) * 1024 if found else None
