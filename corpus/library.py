"""Corpus: the facade that everything else uses."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpus.caches import Caches
from corpus.errors import HarvestError, HomeError, UnknownSound
from corpus.files import AudioFolder
from corpus.publishing import PaletteFolder
from corpus.settings import Settings
from corpus.store import backups, schema
from corpus.store.agents import Agents
from corpus.store.checks import Checks
from corpus.store.database import Database
from corpus.store.harvests import Harvests
from corpus.store.identities import Identities
from corpus.store.listing import Listing
from corpus.store.onsets import Onsets
from corpus.store.palettes import Palettes
from corpus.store.performances import Performances
from corpus.store.returned import Returned
from corpus.store.similar_lists import SimilarLists
from corpus.store.soundness import Soundness
from corpus.store.sounds import Sounds
from corpus.store.states import States
from corpus.store.texts import Texts
from corpus.store.traits import Traits
from corpus.store.trials import Trials
from corpus.store.vectors import Vectors

if TYPE_CHECKING:
    from corpus.agreement import Agreement
    from corpus.analysis.runner import AnalysisReport
    from corpus.check import CheckReport
    from corpus.check import Progress as CheckProgress
    from corpus.estimate import Estimate
    from corpus.folder import Adoption, AdoptReport
    from corpus.forget import Forgotten
    from corpus.freesound.client import Client
    from corpus.harvest import HarvestReport, Judge
    from corpus.harvest import Progress as HarvestProgress
    from corpus.model import Origin
    from corpus.packing import PackReport, Part
    from corpus.partway import Wanted as ToCheck
    from corpus.refresh import RefreshReport
    from corpus.repaired import Repaired
    from corpus.unpacking import UnpackReport
    from corpus.wanted import Wanted

Progress = Callable[[int, int], None]


class Corpus:
    """The collection at one home.

    Parameters
    ----------
    home : str or Path, optional
        Its folder; else `MIRLA_HOME`, else the platform's folder for user data.
    make : bool
        Make a corpus there if there is none; else that is an error.

    Attributes
    ----------
    sounds, checks, vectors, descriptors, similar_lists, agents, identities, harvests, onsets, performances, palettes
        What is held, by family.
    caches
        What was derived of it.

    Raises
    ------
    HomeError, SchemaError, SettingsError
        The home, its database or its settings cannot be used, or the database of a home with sounds is missing.

    Examples
    --------
    >>> with Corpus("/tmp/demo") as corpus:         # doctest: +SKIP
    ...     corpus.adopt([Path("~/recordings")])
    ...     corpus.analyse()
    ...     ids, X = corpus.vectors.matrix("mfcc")
    """

    def __init__(self, home: str | Path | None = None, *, make: bool = True) -> None:
        self.settings = Settings.load(home)
        self.home = self.settings.home
        self.database = Database(self.settings.database)
        self.audio = AudioFolder(self.home)
        schema.prepare(self.database, lambda: self._check_new(make))
        self.caches = Caches(self.home / "cache")
        self.sounds = Sounds(self.database, self.home, Texts(self.database, self.caches))
        self.checks = Checks(self.database)
        self.vectors = Vectors(self.database, self.home)
        self.descriptors = Traits(self.database)
        self.agents = Agents(self.database)
        self.identities = Identities(self.database)
        self.trials = Trials(self.database)
        self.harvests = Harvests(self.database)
        self.similar_lists = SimilarLists(self.database)
        self.returned = Returned(self.database)
        self.onsets = Onsets(self.database)
        self.performances = Performances(self.database)
        self.listing = Listing(self.database)
        self.palettes = Palettes(self.database)
        self.palette_folder = PaletteFolder(self.home, self.palettes)
        self.soundness = Soundness(self.database)
        self.states = States(self.database)

    def __enter__(self) -> Corpus:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check_new(self, make: bool) -> None:
        """Whether a corpus may be made here: an empty one beside its sounds would not know any of them."""
        file = self.database.file
        if file and backups.kept(file):
            raise HomeError(
                f"the database {file} is missing, and there are backups of it: `mirla restore --latest` puts one back"
            )
        if self.audio.used():
            raise HomeError(
                f"the database {file} is missing, and {self.audio.root} holds a corpus's sounds: `mirla unpack` an "
                f"archive of it into another home, put the database back from a copy of this one, or move "
                f"{self.audio.root} away and adopt it"
            )
        if not make:
            raise HomeError(
                f"there is no corpus in {self.home}; choose another home with --home or MIRLA_HOME, or make one: "
                "`mirla adopt FOLDER`"
            )

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()

    def adopt(
        self, places: Sequence[str | Path], how: Adoption | None = None, progress: Progress | None = None
    ) -> AdoptReport:
        """Take in files and folders of one's own (see `corpus.folder.adopt`)."""
        from corpus.folder import Adoption, adopt

        return adopt(self.sounds, self.audio, [Path(place) for place in places], how or Adoption(), progress)

    def harvest(
        self,
        wanted: Wanted | None = None,
        resume: int | None = None,
        *,
        judge: Judge | None = None,
        progress: Callable[[HarvestProgress], None] | None = None,
    ) -> HarvestReport:
        """Bring from Freesound what is wanted, or go on with a harvest that was begun; both: go on with other bounds.

        Parameters
        ----------
        wanted : Wanted, optional
        resume : int, optional
            Number of a harvest.
        judge : callable, optional
            Given the names of the agents wanted, the sounds that they call good by what is served, the surest first.
        progress : callable, optional
            Called with `corpus.harvest.Progress` after each step.

        Raises
        ------
        FreesoundError
            There is no API key, no network or no quota left, or Freesound refuses; what came before stays.
        HarvestError
            There is no such harvest, nothing is wanted, or another harvest is at work here.
        """
        from corpus.harvest import Harvesting, alone

        with self._freesound() as client, alone(self.home):
            if resume is None:
                if wanted is None:
                    raise HarvestError("nothing is wanted; name a query or a harvest to go on with")
                harvest = self.harvests.start(wanted.as_json())
            else:
                harvest = self.harvests.get(resume)
                if wanted is not None:
                    harvest = self.harvests.rebound(harvest, wanted.as_json())
            stores = self.database, self.sounds, self.vectors, self.similar_lists, self.checks, self.harvests
            return Harvesting(*stores, self.audio, client, harvest, progress).run(judge)

    def estimate(self, wanted: Wanted) -> Estimate:
        """What a harvest would cost (see `corpus.estimate.estimate`)."""
        from corpus.estimate import estimate

        with self._freesound() as client:
            return estimate(client, wanted, self.settings.freesound_per_minute, self.settings.freesound_per_day)

    def refresh(self, ids: Sequence[int] | None = None, progress: Progress | None = None) -> RefreshReport:
        """Ask Freesound again about its sounds held here, or those of `ids` (see `corpus.refresh`).

        Raises
        ------
        UnknownSound
            One of `ids` is not held, or is a sound of one's own.
        FreesoundError
            There is no API key, no network or no quota left, or Freesound refuses; what was found out before stays.
        """
        from corpus.refresh import Refreshing

        for sound in self.sounds.many(ids or ()):
            if sound.local:
                raise UnknownSound(f"sound {sound.id} is one of your own: Freesound cannot be asked; leave it out")
        with self._freesound() as client:
            return Refreshing(self.database, self.sounds, self.vectors, self.checks, client).run(ids, progress)

    def forget(self, ids: Iterable[int], *, for_good: bool = False) -> Forgotten:
        """Delete sounds and their copied files (see `corpus.forget.forget`).

        Parameters
        ----------
        ids : iterable of int
        for_good : bool
            Also those that cannot be fetched again: local ones, and those that Freesound has no more.

        Raises
        ------
        UnknownSound
            One of `ids` is not held; nothing was deleted.
        NotConfirmed
            One of them cannot be fetched again, and that was not wanted; nothing was deleted.
        """
        from corpus.forget import forget

        return forget(self.database, self.sounds, self.harvests, self.audio, ids, for_good)

    def analyse(
        self,
        spaces: Sequence[str] = (),
        ids: Sequence[int] | None = None,
        *,
        jobs: int | None = None,
        redo: bool = False,
        traits: bool = False,
        onsets: bool = False,
        progress: Progress | None = None,
    ) -> AnalysisReport:
        """Measure what is new or stale (see `corpus.analysis.runner.Analysis.run`).

        Raises
        ------
        UnknownSound
            One of `ids` is not held.
        """
        from corpus.analysis.runner import Analysis

        if ids is not None:
            self.sounds.many(ids)
        run = Analysis(self.database, self.sounds, self.vectors, self.descriptors, self.onsets).run
        return run(spaces, ids, jobs=jobs, redo=redo, traits=traits, onsets=onsets, progress=progress)

    def check(self, wanted: ToCheck | None = None, progress: CheckProgress | None = None) -> CheckReport:
        """Hold the corpus against what it says of itself; nothing is changed (see `corpus.check`).

        Raises
        ------
        CheckError
            Another check is at work here.
        """
        from corpus.check import Checking
        from corpus.partway import Wanted

        checking = Checking(self.soundness, self.audio, self.caches, self.palette_folder, wanted or Wanted(), progress)
        return checking.run()

    def repair(self, report: CheckReport) -> Repaired:
        """Mend what a check found, as far as that can be done without deleting anything (see `corpus.repair`)."""
        from corpus.repair import Repairing

        means = self.soundness, self.audio, self.caches, self.sounds, self.vectors, self.palette_folder
        return Repairing(*means, self._freesound, self.analyse, self.refresh).run(report)

    def pack(
        self,
        file: str | Path,
        part: Part | None = None,
        *,
        replace: bool = False,
        progress: Callable[[str, int, int | None, str], None] | None = None,
    ) -> PackReport:
        """Write the corpus, or a part of it, to one file (see `corpus.packing`).

        Raises
        ------
        PackError
            There is such a file already, it cannot be written, or the part wanted is not there.
        """
        from corpus.packing import Part, pack

        return pack(self.database, self.home, Path(file), part or Part(), replace, progress)

    def unpack(
        self, file: str | Path, progress: Callable[[str, int, int | None, str], None] | None = None
    ) -> UnpackReport:
        """Take in what `pack` wrote, all of it or nothing (see `corpus.unpacking`).

        Raises
        ------
        PackError
            It is damaged, cut short, or was not made by mirla; nothing was changed.
        """
        from corpus.unpacking import unpack

        return unpack(self.database, self.audio, self.palette_folder, Path(file), progress)

    def origin(self, space: str) -> Origin:
        """Whether vectors in a space come from `analyse` or with a harvest, also when there are none yet."""
        from corpus.freesound.wire import SPACES

        known = self.vectors.space(space) or SPACES.get(space)
        return known.origin if known else "computed"

    def agreement(self, k: int = 5) -> Agreement:
        """How far the MFCCs measured here are from those that Freesound serves (see `corpus.agreement`).

        Parameters
        ----------
        k : int
            How many of the sounds that disagree most to name.

        Raises
        ------
        AnalysisError
            No sound has both.
        """
        from corpus.agreement import agreement

        return agreement(self.vectors, k)

    def traits(self, sound_id: int) -> dict[str, dict[str, Any]]:
        """The scalar descriptors of a sound by name, each as `{"value", "from"}`.

        `from` is `analysis` for what was computed here, which goes before `freesound` for what Freesound serves. What
        the analysis looked for and did not find is None, unless Freesound serves it.
        """
        from corpus.analysis.scalars import NAMES

        found = self.descriptors.of([sound_id]).get(sound_id, {})
        origins = {"computed": "analysis", "api": "freesound"}
        known: dict[str, dict[str, Any]] = {
            name: {"value": value, "from": origins[origin]} for name, (value, origin) in found.items()
        }
        if any(origin == "computed" for _, origin in found.values()):
            known |= {name: {"value": None, "from": "analysis"} for name in NAMES if name not in known}
        return dict(sorted(known.items()))

    def status(self) -> dict[str, Any]:
        """What is held, as `mirla status --json` answers it."""
        return {
            "home": str(self.home),
            "schema": schema.HEAD,
            **self.sounds.summary(),
            "gone": len(self.checks.gone()),
            "spaces": self.vectors.counts(),
            "onsets": self.onsets.count(),
            "agents": [agent.name for agent in self.agents.all()],
        }

    @contextlib.contextmanager
    def _freesound(self) -> Iterator[Client]:
        """A client with the account and the limits of the settings."""
        from corpus.freesound.client import Account, Client
        from corpus.store.quota import RequestLog

        settings = self.settings
        account = Account(settings.freesound_url, settings.freesound_token)
        log = RequestLog(self.database, settings.freesound_per_minute, settings.freesound_per_day)
        with contextlib.closing(Client(account, log)) as client:
            yield client
