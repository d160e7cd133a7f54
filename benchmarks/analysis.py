"""How fast a file becomes 26 numbers, against FreesoundExtractor, a bare Essentia loop, and itself on two cores.

    python benchmarks/analysis.py [--json FILE]

One core: all contenders run in one process pinned to one core, file by file in turn, and are charged for their CPU
time, so that other programs on the machine weigh little. Libraries are loaded and files cached beforehand.

* `mirla` is what a worker does: `measure`, that is decoding, checking, mixing down, 26 numbers.
* `mirla, with levels` measures loudness and peak too, as `mirla analyse` does the first time.
* `bare loop` is the shortest Essentia program that gives these numbers: EasyLoader, FrameGenerator, Windowing,
  Spectrum, MFCC, mean and variance.
* `FreesoundExtractor` computes all of Freesound's descriptors; it is slow, so it gets every n-th file only.

A ratio "A / B" says how many times as fast A is. The long file is measured in a fresh process each time, once in memory
and once streamed as files above six minutes are; its memory is what the peak grew by after the libraries were loaded.

Two cores: wall time of half an hour of audio through one supervised worker and through two, each of which has done a
task before the clock starts; then `Corpus.analyse` from beginning to end: starting workers, levels, writing to the
database. Both need two cores to spare. `2 bare processes / 1` is what the machine gave in the same rounds to processes
that nobody supervises: where that is below 1.8 too, others were using the cores.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from material import in_a_row, samples, task, variations
from side_by_side import Figure, by_turns, ratio, run

from corpus.analysis import mfcc
from corpus.analysis.decode import decode, essentia
from corpus.analysis.measuring import deadline, measure
from corpus.errors import CorpusError
from corpus.folder import Adoption
from corpus.library import Corpus
from corpus.store.vectors import Pending
from corpus.workers import Workers

ROUNDS = 5
SLOW_ROUNDS = 3
SLOWEST_ROUNDS = 2
FEW = 20
LONG_SECONDS = 600.0
SCALING_SECONDS = 1800.0

Pool = Callable[[Callable[[Pending], Any], list[Pending]], list[Any]]
"""Calls a function on each task in processes of its own, and returns what came of each."""


def main(folder: Path) -> tuple[list[Figure], dict[str, str]]:
    paths = samples(folder)
    tasks = [task(path) for path in paths]
    many = [task(path) for path in variations(paths, folder / "variations", SCALING_SECONDS)]
    with one_core():
        figures = against_others(tasks) + streaming(paths[0], in_a_row(paths, folder / "long.flac", LONG_SECONDS))
    figures += two_workers(many) + whole_analysis(folder / "home", folder / "variations")
    return figures, {"files": described(tasks), "files for two cores": described(many)}


def against_others(tasks: list[Pending]) -> list[Figure]:
    contenders: dict[str, Callable[[Pending], object]] = {
        "mirla": measure,
        "mirla, with levels": lambda task: measure(replace(task, levels=True)),
        "bare loop": bare_loop(),
    }
    slow = {"mirla": measure, "FreesoundExtractor": freesound_extractor()}
    few = tasks[:: max(1, len(tasks) // FEW)][:FEW]
    for contender in (*contenders.values(), slow["FreesoundExtractor"]):
        contender(few[0])
    taken = by_turns(contenders, tasks, ROUNDS, time.process_time)
    slowly = by_turns(slow, few, SLOW_ROUNDS, time.process_time)
    return [
        *(speed(name, tasks, seconds) for name, seconds in taken.items()),
        speed(f"FreesoundExtractor, {len(few)} files", few, slowly["FreesoundExtractor"]),
        Figure("mirla / FreesoundExtractor", ratio(slowly["FreesoundExtractor"], slowly["mirla"]), "x", at_least=50),
        Figure("mirla / bare loop", ratio(taken["bare loop"], taken["mirla"]), "x", at_least=0.9),
        Figure("mirla with levels / mirla", ratio(taken["mirla"], taken["mirla, with levels"]), "x"),
    ]


def bare_loop() -> Callable[[Pending], object]:
    essentia()
    from essentia.standard import MFCC, EasyLoader, FrameGenerator, Spectrum, Windowing

    window, spectrum, coefficients = Windowing(type="blackmanharris62"), Spectrum(), MFCC(numberCoefficients=13)

    def compute(task: Pending) -> object:
        mono = EasyLoader(filename=str(task.path), sampleRate=44100, replayGain=-6)()
        cut = FrameGenerator(mono, frameSize=2048, hopSize=1024, startFromZero=False)
        frames = np.array([coefficients(spectrum(window(frame)))[1] for frame in cut])
        return frames.mean(axis=0), frames.var(axis=0)

    return compute


def freesound_extractor() -> Callable[[Pending], object]:
    essentia()
    from essentia.standard import FreesoundExtractor

    extract = FreesoundExtractor()
    return lambda task: extract(str(task.path))


def streaming(short: Path, long: Path) -> list[Figure]:
    """In memory against streamed on one long file, each time in a process of its own."""
    ways: dict[str, list[tuple[float, float]]] = {"in memory": [], "streamed": []}
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, max_tasks_per_child=1) as fresh:
        for _ in range(SLOW_ROUNDS):
            for way, costs in ways.items():
                costs.append(fresh.submit(cost, way, short, long).result())
    seconds = {way: [took for took, _ in costs] for way, costs in ways.items()}
    about = f"{LONG_SECONDS / 60:.0f} min file"
    return [
        *(speed(f"{about}, {way}", [task(long)], seconds[way]) for way in ways),
        Figure(f"{about}, streamed / in memory", ratio(seconds["in memory"], seconds["streamed"]), "x"),
        *(Figure(f"{about}, {way}: memory", [most for _, most in costs], "MB") for way, costs in ways.items()),
    ]


def cost(way: str, short: Path, long: Path) -> tuple[float, float]:
    """CPU seconds and growth of the peak memory in MB, of one file in this process."""
    ways = {"in memory": lambda path: mfcc.mfcc(decode(path).at_44100), "streamed": mfcc.mfcc_of_file}
    ways[way](short)
    before, start = peak_memory(), time.process_time()
    ways[way](long)
    return time.process_time() - start, peak_memory() - before


def peak_memory() -> float:
    """Greatest resident memory of this process so far, in MB."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    # getrusage would count what the parent held when it forked
    kibibytes = next(line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(kibibytes) * 1024 / 1e6


def two_workers(tasks: list[Pending]) -> list[Figure]:
    spawned = partial(ProcessPoolExecutor, mp_context=multiprocessing.get_context("spawn"))
    with Workers(1) as one, Workers(2) as two, spawned(1) as bare_one, spawned(2) as bare_two:
        pools = {
            "1 warm worker": supervised(one),
            "2 warm workers": supervised(two),
            "1 bare process": bare(bare_one),
            "2 bare processes": bare(bare_two),
        }
        for name, pool in pools.items():
            warm(pool, int(name[0]), tasks[0])
        taken = by_turns({name: partial(drain, pool) for name, pool in pools.items()}, [tasks], SLOW_ROUNDS)
    return [
        *(speed(name, tasks, seconds) for name, seconds in taken.items()),
        Figure("2 warm workers / 1", ratio(taken["1 warm worker"], taken["2 warm workers"]), "x", at_least=1.8),
        Figure("2 bare processes / 1", ratio(taken["1 bare process"], taken["2 bare processes"]), "x"),
    ]


def supervised(workers: Workers) -> Pool:
    return lambda function, tasks: [result for _, result in workers.over(tasks, function, deadline)]


def bare(processes: ProcessPoolExecutor) -> Pool:
    """As cheap as the standard library has it: many files at a time, nothing watched."""
    return lambda function, tasks: list(processes.map(function, tasks, chunksize=1 + len(tasks) // 64))


def warm(pool: Pool, jobs: int, task: Pending) -> None:
    """Give tasks until each process has done one."""
    seen: set[int] = set()
    while len(seen) < jobs:
        seen |= set(pool(linger, [task] * 2 * jobs))


def linger(task: Pending) -> int:
    """Measure, then stay busy so that the next task goes to another process; returns which process this is."""
    measure(task)
    time.sleep(0.5)
    return os.getpid()


def drain(pool: Pool, tasks: list[Pending]) -> None:
    if failed := [result for result in pool(measure, tasks) if isinstance(result, CorpusError)]:
        raise failed[0]


def whole_analysis(home: Path, folder: Path) -> list[Figure]:
    with Corpus(home) as corpus:
        tasks = [task(corpus.sounds.get(i).file.path) for i in corpus.adopt([folder], Adoption(link=True)).ids]
        jobs = {str(n): lambda _, n=n: corpus.analyse(jobs=n, redo=True) for n in (1, 2)}
        taken = by_turns(jobs, [None], SLOWEST_ROUNDS)
    return [
        speed("whole analysis, 1 job", tasks, taken["1"]),
        speed("whole analysis, 2 jobs", tasks, taken["2"]),
        Figure("whole analysis, 2 jobs / 1", ratio(taken["1"], taken["2"]), "x"),
    ]


@contextmanager
def one_core() -> Iterator[None]:
    """Stay on one core (where the system lets one choose), as do processes started meanwhile."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def speed(what: str, tasks: list[Pending], seconds: list[float]) -> Figure:
    audio = sum(task.duration for task in tasks)
    return Figure(what, [audio / took for took in seconds], "x real time")


def described(tasks: list[Pending]) -> str:
    lengths: Any = np.quantile([task.duration for task in tasks], [0, 0.5, 1])
    total = sum(task.duration for task in tasks) / 60
    return f"{len(tasks)} files, {total:.1f} min; shortest, median, longest {lengths.round(2).tolist()} s"


if __name__ == "__main__":
    run(__doc__ or "", main)
