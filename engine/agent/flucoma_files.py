"""FluCoMa's three JSON files in a folder, `standardizer.JSON`, `pca.JSON` and `model.JSON`, whatever the names' case.

What is read is what a stranger wrote: it is bounded, and every fault is a `ModelError` that names the file.
"""

from __future__ import annotations

import json
import math
import reprlib
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from corpus.files import write_whole
from engine.errors import ModelError

Floats = npt.NDArray[np.float64]
Parts = dict[str, Any]

PARTS: Final = ("standardizer", "pca", "model")
MOST_BYTES: Final = 10_000_000
MOST_NEURONS: Final = 1024
LARGEST: Final = 1e12
"""No number in a model is larger. Through ten layers of so many neurons, nothing overflows then."""


class Fields:
    """One object of JSON, asked for what it has to have; `name` is what to call it where that is wrong."""

    def __init__(self, name: str, content: Any) -> None:
        self.name = name
        if not isinstance(content, dict):
            raise self.wrong(f"{reprlib.repr(content)} is no object")
        self._content = content

    def wrong(self, words: str) -> ModelError:
        """What to raise of it."""
        return ModelError(f"{self.name}: {words}")

    def value(self, key: str) -> Any:
        """Whatever is there."""
        if key not in self._content:
            raise self.wrong(f"{key!r} is missing")
        return self._content[key]

    def fields(self, key: str) -> Fields:
        """An object."""
        return Fields(f"{self.name}: {key}", self.value(key))

    def items(self, key: str, most: int = MOST_NEURONS) -> list[Any]:
        """A list of anything, not empty."""
        value = self.value(key)
        if not isinstance(value, list):
            raise self.wrong(f"{key} is {reprlib.repr(value)}, no list")
        if not 0 < len(value) <= most:
            raise self.wrong(f"{key} has {len(value)} entries, not 1 to {most}")
        return value

    def numbers(self, key: str, length: int) -> Floats:
        """So many numbers."""
        return self._row(key, self.items(key), length)

    def table(self, key: str, length: int | None = None) -> Floats:
        """Rows of numbers, all of one length; so many of them, where that is known."""
        rows = self.items(key)
        if length is not None and len(rows) != length:
            raise self.wrong(f"{key} has {len(rows)} rows, not {length}")
        width = len(rows[0]) if isinstance(rows[0], list) else 0
        if not 0 < width <= MOST_NEURONS:
            raise self.wrong(f"{key}, row 1, is no list of 1 to {MOST_NEURONS} numbers")
        return np.array([self._row(f"{key}, row {place + 1},", row, width) for place, row in enumerate(rows)])

    def count(self, key: str, expected: int | None = None) -> None:
        """Check a count, which older files may lack."""
        if key not in self._content:
            return
        value = self._content[key]
        if type(value) is not int or not 0 <= value <= LARGEST:
            raise self.wrong(f"{key} is {reprlib.repr(value)}, no count")
        if expected is not None and value != expected:
            raise self.wrong(f"{key} is {value}, and there are {expected}")

    def _row(self, key: str, row: Any, length: int) -> Floats:
        if not isinstance(row, list):
            raise self.wrong(f"{key} is {reprlib.repr(row)}, no list")
        if len(row) != length:
            raise self.wrong(f"{key} has {len(row)} numbers, not {length}")
        for value in row:
            if type(value) not in (int, float):
                raise self.wrong(f"{key} has {reprlib.repr(value)}, which is no number")
            if not abs(value) <= LARGEST:  # nor is NaN
                raise self.wrong(f"{key} has {reprlib.repr(value)}, which is beyond {LARGEST:g}")
        return np.array(row, np.float64)


def find(folder: Path) -> dict[str, Path]:
    """Where each part is.

    Raises
    ------
    ModelError
        One of them is not there, or there in several cases of its name.
    """
    paths = {}
    for part in PARTS:
        found = _named(folder, part)
        if not found:
            wanted = ", ".join(f"{one}.JSON" for one in PARTS)
            raise ModelError(f"no {part}.JSON in {folder}; a FluCoMa model is {wanted}")
        if len(found) > 1:
            raise ModelError(f"{folder} has {' and '.join(path.name for path in found)}; leave one of them there")
        paths[part] = found[0]
    return paths


def parse(path: Path) -> Any:
    """What a file says.

    Raises
    ------
    ModelError
        It cannot be read, is too large, or is not plain JSON: each key once, and numbers that a float can hold.
    """
    try:
        if not path.is_file():
            raise ModelError(f"{path} is no file")
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise ModelError(f"{path} has more than {MOST_BYTES} bytes; no model of MIRLCa's has")
        text = content.decode()
        return json.loads(text, object_pairs_hook=_each_once, parse_float=_finite, parse_constant=_finite)
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ModelError(f"{path} is no JSON: byte {error.start} is not UTF-8") from error
    except RecursionError as error:
        raise ModelError(f"{path} is nested too deeply for a model") from error
    except ValueError as error:
        raise ModelError(f"{path} is no JSON to be used: {str(error)[:200]}") from error


def write(parts: Parts, folder: Path, force: bool = False) -> list[Path]:
    """Write the three files, each at once or not at all; returns where they are.

    Raises
    ------
    ModelError
        One of them is there already and `force` is not given; they cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        there = {part: _named(folder, part) for part in PARTS}
        taken = [str(path) for found in there.values() for path in found]
        if taken and not force:
            raise ModelError(f"{taken[0]} is there already; --force replaces it")
        paths = {part: found[0] if found else folder / f"{part}.JSON" for part, found in there.items()}
        for part, path in paths.items():
            write_whole(path, json.dumps(parts[part], indent=2, sort_keys=True) + "\n")
    except OSError as error:
        raise ModelError(f"cannot write FluCoMa files to {folder}: {error.strerror or error}") from error
    return list(paths.values())


def _named(folder: Path, part: str) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.name.lower() == f"{part}.json")
    except OSError as error:
        raise ModelError(f"cannot read the folder {folder}: {error.strerror or error}") from error


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for key, value in pairs:
        if key in content:
            raise ValueError(f"{reprlib.repr(key)} is there twice")
        content[key] = value
    return content


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{reprlib.repr(text)} is no finite number")
    return value
