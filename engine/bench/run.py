"""Running a bench: every classifier on every space and labelled set, in several processes.

A finished cell is kept in the home's cache under a stamp of all that it was made of, so that a bench that was stopped
or killed can go on. Under a cell's name only the last one is kept.
"""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import numpy as np

from corpus.caches import Arrays
from corpus.library import Corpus
from corpus.workers import MEMORY_LIMIT, Workers
from engine.agent.classifiers import AUTO, CLASSIFIERS, classifier, named
from engine.agent.curve import Point
from engine.agent.estimates import Estimate
from engine.agent.evaluate import Folds, Progress, alike, folds_of, scored
from engine.agent.examples import rows_of
from engine.agent.forms import Floats
from engine.bench import work
from engine.bench.evidence import differences
from engine.bench.provenance import fingerprints, provenance, versions
from engine.bench.results import Asked, Bench, Cell, Judging, SetResult
from engine.bench.sets import Ids, LabelledSet, labelled
from engine.errors import EngineError, NoVectors, TrainingError
from engine.features import load

_FORMAT = 1
_AHEAD = 4
"""Steps asked for ahead of time, per worker."""
_DEADLINE = 7 * 86400.0
_CURVE, _JUDGING = "curve", "judging"


@dataclass(frozen=True)
class _Planned:
    """A cell to be made: of which set, from what, and under which key and stamp it is kept."""

    given: LabelledSet
    folds: Folds
    cell: work.Cell
    key: str
    stamp: str


@dataclass(frozen=True)
class _Step:
    """A part of a cell; what it gives is the arrays' row, or the array of that name."""

    planned: _Planned
    part: int | str
    function: Callable[..., Floats]
    arguments: tuple[Any, ...]


def bench(
    corpus: Corpus, asked: Asked, *, jobs: int | None = None, resume: bool = False, progress: Progress | None = None
) -> Bench:
    """Compare classifiers.

    Parameters
    ----------
    jobs : int, optional
        Processes; as many as there are cores if None. They have one thread each.
    resume : bool
        Take over the cells that an earlier run of the same kept.
    progress : callable, optional
        Called with steps done and all.

    Raises
    ------
    UnknownAgent, AnalysisError, NoVectors, TrainingError
        One of the names means nothing here, or there is nothing to learn from.
    """
    asked = _completed(asked)
    known = _known(corpus, asked)
    plan = [planned for name in asked.names for planned in _planned(corpus, asked, name, known)]
    made = {one.key: found for one in plan if resume and (found := corpus.caches.find(one.key, one.stamp))}
    resumed = len(made)
    with Workers(jobs, MEMORY_LIMIT + _bytes(corpus, asked)) as workers:
        processes = workers.jobs
        steps = [step for one in plan if one.key not in made for step in _steps(corpus, asked, one)]
        for planned, arrays in _made(workers, steps, progress):
            made[planned.key] = corpus.caches.store(planned.key, planned.stamp, arrays)
    sets = [_set_result(asked, [one for one in plan if one.given.name == name], made) for name in asked.names]
    return Bench(asked, sets, provenance(corpus, asked, processes), resumed)


def _completed(asked: Asked) -> Asked:
    """Each name once, and what is taken for what was not said."""
    spaces = ("+".join(dict.fromkeys(space.split("+"))) for space in asked.spaces or ("mfcc",))
    return replace(
        asked,
        names=tuple(dict.fromkeys(asked.names)),
        classifiers=tuple(dict.fromkeys(named(one) for one in asked.classifiers or CLASSIFIERS)),
        spaces=tuple(dict.fromkeys(spaces)),
    )


def _known(corpus: Corpus, asked: Asked) -> Ids:
    """The sounds known to every space, ascending."""
    from corpus.analysis import spaces as registry

    parts = _parts(asked)
    for space in parts:
        if corpus.origin(space) == "computed":
            registry.extractor(space)
    known = reduce(np.intersect1d, (load(corpus, space).ids for space in parts))
    if not len(known):
        raise NoVectors(f"no sound has vectors in all of {', '.join(parts)}; `mirla status` counts them")
    return known


def _parts(asked: Asked) -> list[str]:
    return list(dict.fromkeys(part for space in asked.spaces for part in space.split("+")))


def _bytes(corpus: Corpus, asked: Asked) -> int:
    """Of the vectors that a worker maps into its memory."""
    return sum(load(corpus, space).X.nbytes for space in _parts(asked))


def _planned(corpus: Corpus, asked: Asked, name: str, known: Ids) -> Iterator[_Planned]:
    """The cells of a set: spaces, and in each its classifiers."""
    given = labelled(corpus, name, known, asked.seed, asked.most)
    folds = folds_of(given.y, given.groups, asked.seed, asked.repeats)
    assert folds is not None  # there are two of each class
    for space in asked.spaces:
        spaces = tuple(space.split("+"))
        X = rows_of([load(corpus, part) for part in spaces], given.ids)
        if alike(X):
            raise TrainingError(
                f"the {len(given.y)} sounds of {name!r} are all alike in {space}: nothing tells good from bad there; "
                "leave it out of --spaces"
            )
        for learner in asked.classifiers:
            cell = work.Cell(learner, spaces, X, given.y, given.groups, asked.seed)
            key = f"bench {name} {learner} {space}"
            yield _Planned(given, folds, cell, key, _stamp(corpus, asked, given, cell))


def _stamp(corpus: Corpus, asked: Asked, given: LabelledSet, cell: work.Cell) -> str:
    """A digest of all that a cell is made of."""
    learners = CLASSIFIERS if cell.classifier == AUTO else [cell.classifier]
    made_of = {
        "format": _FORMAT,
        "estimators": [_described(name, asked.seed) for name in learners],
        "labels": given.hash,
        "groups": given.groups,
        "X": hashlib.sha256(np.ascontiguousarray(cell.X).tobytes()).hexdigest(),
        "corpus": [corpus.vectors.state(space) for space in cell.spaces],
        "fingerprints": fingerprints(corpus, cell.spaces),
        "asked": [asked.seed, asked.repeats, asked.curves],
        "versions": versions(),
    }
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()


def _described(name: str, seed: int) -> str:
    """A classifier with its parameters."""
    try:
        return repr(classifier(name).build(seed))
    except Exception as error:  # whatever another package's may throw
        raise _failed(name, "", error) from error


def _failed(name: str, where: str, error: Exception) -> TrainingError:
    why = f"{type(error).__name__}: {error}".splitlines()[0]
    return TrainingError(
        f"classifier {name} failed{where}: {why}; leave {shlex.quote(name)} out of --classifiers; --resume goes on"
    )


def _steps(corpus: Corpus, asked: Asked, planned: _Planned) -> Iterator[_Step]:
    """The parts of a cell, the longest first."""
    cell = planned.cell
    if asked.curves:
        yield _Step(planned, _CURVE, work.curve, (cell,))
    yield _Step(planned, _JUDGING, work.judging, (cell, corpus.home))
    for number, splits in enumerate(planned.folds.repeats):
        yield _Step(planned, number, work.repeat, (cell, splits, number))


def _made(workers: Workers, steps: Sequence[_Step], progress: Progress | None) -> Iterator[tuple[_Planned, Arrays]]:
    """Cells as they are finished."""
    parts: dict[str, dict[int | str, Floats]] = {}
    lacking: dict[str, int] = {}
    for step in steps:
        lacking[step.planned.key] = lacking.get(step.planned.key, 0) + 1
    for done, (step, result) in enumerate(_results(workers, steps), 1):
        key = step.planned.key
        parts.setdefault(key, {})[step.part] = result
        if progress:
            progress(done, len(steps))
        if len(parts[key]) == lacking[key]:
            found = parts.pop(key)
            yield (
                step.planned,
                {
                    _CURVE: found.pop(_CURVE, np.empty((0, 7))),
                    _JUDGING: found.pop(_JUDGING),
                    "held_out": np.array([found[number] for number in range(len(found))]),
                },
            )


def _results(workers: Workers, steps: Sequence[_Step]) -> Iterator[tuple[_Step, Floats]]:
    """Results of steps, as they come."""
    waiting: dict[Future[Floats], _Step] = {}
    remaining = iter(steps)
    while True:
        for step in remaining:
            waiting[workers.submit(step.function, *step.arguments, deadline=_DEADLINE)] = step
            if len(waiting) >= workers.jobs * _AHEAD:
                break
        if not waiting:
            return
        done, _ = wait(waiting, return_when=FIRST_COMPLETED)
        for future in done:
            step = waiting.pop(future)
            yield step, _result(future, step)


def _result(future: Future[Floats], step: _Step) -> Floats:
    try:
        return future.result()
    except EngineError:
        raise
    except Exception as error:  # whatever a classifier, perhaps another package's, may throw
        cell = step.planned.cell
        raise _failed(cell.classifier, f" on {cell.space} of {step.planned.given.name!r}", error) from error


def _set_result(asked: Asked, plan: Sequence[_Planned], made: dict[str, Arrays]) -> SetResult:
    given, folds = plan[0].given, plan[0].folds
    cells = [_cell(asked, one, made[one.key]) for one in plan]
    held_out = [cell.evaluation.held_out for cell in cells]
    return SetResult(given, folds, cells, differences(held_out, given.y, folds, asked.seed))


def _cell(asked: Asked, planned: _Planned, arrays: Arrays) -> Cell:
    given, folds = planned.given, planned.folds
    held_out = np.asarray(arrays["held_out"])
    fit_seconds, sounds, good, judged, seconds = arrays[_JUDGING].tolist()
    return Cell(
        planned.cell.classifier,
        planned.cell.space,
        scored(held_out, given.y, folds.members, folds.protocol, asked.seed, one_scale=planned.cell.classifier != AUTO),
        [_point(row, len(given.y)) for row in arrays[_CURVE].tolist()],
        Judging(fit_seconds, int(sounds), int(good), int(judged), seconds),
    )


def _point(row: list[float], n: int) -> Point:
    labels, *rest = row
    accuracy, balanced = (Estimate(one[0], (one[1], one[2]), n) for one in (rest[:3], rest[3:]))
    return Point(int(labels), accuracy, balanced)
