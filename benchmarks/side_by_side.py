"""Side by side: contenders take turns in one run, and what they took is printed as a table and kept as JSON.

A figure is the median over rounds with the least and the greatest; a ratio is taken within each round before its
median, so that a neighbour's load, which falls on all contenders of a round alike, cancels out. Times are in seconds,
memory in MB (10^6 bytes), speed in seconds of audio per second ("x real time"). A target stands beside its figure as
reached or missed; a missed one changes no exit code, since a benchmark is no test.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

Item = TypeVar("Item")

_LIBRARIES = ("mirla", "essentia", "faiss-cpu", "numpy", "pebble", "scikit-learn", "scipy", "soundfile", "sqlalchemy")


@dataclass(frozen=True)
class Figure:
    """What was measured: a value for each round, and the target its median should reach, if any."""

    what: str
    values: Sequence[float]
    unit: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def median(self) -> float:
        """The figure itself."""
        return statistics.median(self.values)

    @property
    def target(self) -> str:
        """The target in words, empty if there is none."""
        if self.at_least is not None:
            return f">= {self.at_least:g}"
        return "" if self.at_most is None else f"<= {self.at_most:g}"

    @property
    def reached(self) -> bool | None:
        """Whether the median reaches the target; None without one."""
        if self.at_least is not None:
            return self.median >= self.at_least
        return None if self.at_most is None else self.median <= self.at_most

    def as_json(self) -> dict[str, Any]:
        """The figure in full."""
        spread = {"median": self.median, "min": min(self.values), "max": max(self.values), "n": len(self.values)}
        return {"what": self.what, **spread, "unit": self.unit, "target": self.target, "reached": self.reached}

    def as_row(self) -> tuple[str, ...]:
        """The figure for the table."""
        low, median, high = (f"{value:.3g}" for value in (min(self.values), self.median, max(self.values)))
        verdict = {None: "", True: "reached", False: "MISSED"}[self.reached]
        return self.what, median, f"{low}-{high}" if low != high else "", self.unit, self.target, verdict


def by_turns(
    contenders: Mapping[str, Callable[[Item], object]],
    items: Sequence[Item],
    rounds: int,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Seconds that each contender took over all items, one sum a round.

    Every contender handles an item before the next item comes, in an order drawn anew from one seed.
    """
    seconds = {name: [0.0] * rounds for name in contenders}
    order = random.Random(0)
    for turn in range(rounds):
        for item in items:
            for name in order.sample(list(contenders), len(contenders)):
                start = clock()
                contenders[name](item)
                seconds[name][turn] += clock() - start
    return seconds


def ratio(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """The quotient within each round."""
    return [a / b for a, b in zip(above, below, strict=True)]


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder that is removed at the end; settings of a real corpus are out of sight meanwhile."""
    for name in [name for name in os.environ if name.startswith("MIRLA_")]:
        del os.environ[name]
    with tempfile.TemporaryDirectory(prefix="mirla-benchmark-") as folder:
        yield Path(folder)


def run(about: str, measure: Callable[[Path], tuple[list[Figure], dict[str, str]]]) -> None:
    """Parse the command line, measure in a scratch folder, print the table, write the JSON.

    `measure` returns the figures, and further facts by name.
    """
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything there")
    file = parser.parse_args().json
    facts, start = _machine(), time.perf_counter()
    with scratch() as folder:
        figures, more = measure(folder)
    facts |= {"load after": _load(), "took": f"{time.perf_counter() - start:.0f} s", **more}
    _print_table([figure.as_row() for figure in figures])
    print(*(f"{name}: {value}" for name, value in facts.items()), sep="\n")
    if file:
        data = {"benchmark": parser.prog, "facts": facts, "figures": [figure.as_json() for figure in figures]}
        file.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")


def _print_table(rows: Sequence[tuple[str, ...]]) -> None:
    rows = [("", "median", "min-max", "unit", "target", ""), *rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for what, median, spread, *rest in rows:
        numbers = [median.rjust(widths[1]), spread.rjust(widths[2])]
        words = [word.ljust(width) for word, width in zip(rest, widths[3:], strict=True)]
        print("  ".join([what.ljust(widths[0]), *numbers, *words]).rstrip())
    print()


def _machine() -> dict[str, str]:
    """What a reader must know to compare figures."""
    return {
        "cpu": f"{_cpu()}, {os.cpu_count()} cores",
        "system": platform.platform(),
        "python": platform.python_version(),
        "libraries": ", ".join(f"{name} {metadata.version(name)}" for name in _LIBRARIES),
        "load before": _load(),
    }


def _cpu() -> str:
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text(encoding="utf-8").splitlines() if facts.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f} processes wanting a core, over the last minute"
