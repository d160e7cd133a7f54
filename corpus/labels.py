"""Labels as CSV, to share between corpora and people.

Columns `id,hash,label,who,when,test,gen_ai_preference`, in any order; only `label` and one of `id` and `hash` are
needed, and others are passed over. `hash` is the SHA-256 of the sound's preferred audio file, without which the id of a
sound of one's own says nothing. `label` is good or bad, `when` ISO 8601 (UTC unless it says otherwise, and not to
come), `test` yes where the label is for testing alone. Lines of `id,label` without a heading, as the original has them,
are read too. Fields are separated by commas, or by semicolons or tabs, as some spreadsheets save them.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

from corpus import said
from corpus.errors import LabelsError
from corpus.files import write_whole
from corpus.model import FIRST_LOCAL_ID, Agent, Annotation, Label
from corpus.store.agents import Agents
from corpus.store.identities import Identities
from corpus.store.naming import check_person
from corpus.store.sounds import Sounds
from corpus.text import for_csv, from_csv

COLUMNS = ("id", "hash", "label", "who", "when", "test", "gen_ai_preference")
NO_GEN_AI = "no-gen-ai"
"""What a maker says on Freesound who wants no generative models trained on a sound."""

_TEST = ("yes", "no", "")
_SHA256 = re.compile("[0-9a-f]{64}")
_NUMBER = re.compile("[0-9]{1,18}")
_MOMENT = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}($|[T ][0-9]{2}:[0-9]{2})")
_UNTITLED = ["id", "label"]
_AHEAD = timedelta(days=1)  # by so much clocks may differ


@dataclass(frozen=True)
class Row:
    """One line of a file: which sound, and what was said of it; `at` is empty where the file does not say when."""

    id: int | None
    sha256: str | None
    label: Label
    who: str
    at: str
    test: bool


@dataclass(frozen=True)
class Imported:
    """What became of a file of labels.

    Attributes
    ----------
    added : int
        Facts that were not held yet.
    both_ways : list of int
        Sounds that one person called good and bad, in one file.
    for_testing : list of int
        Sounds that the file has to learn from, and that are kept for testing all the same.
    skipped : list of dict
        `id`, `hash`, `error` of each sound that is not held, and whether it is `fetchable` from Freesound.
    """

    added: int
    both_ways: list[int]
    for_testing: list[int]
    skipped: list[dict[str, Any]]


class Labels:
    """Labels of agents on their way out and in."""

    def __init__(self, sounds: Sounds, agents: Agents, identities: Identities) -> None:
        self._sounds, self._agents, self._identities = sounds, agents, identities

    def write(self, agent: Agent, file: Path) -> list[int]:
        """Write each person's last word on each sound, in order of time; the file is whole or as it was before.

        Returns
        -------
        list of int
            Those of the sounds whose makers want no generative models trained on them.

        Raises
        ------
        LabelsError
            The file cannot be written.
        """
        words = said.words(self._agents.history(agent))
        ids = list(dict.fromkeys(one.sound_id for one in words))
        files = {sound.id: sound.file for sound in self._sounds.many(ids)}
        records = zip(ids, self._sounds.records_of(ids), strict=True)
        wishes = {number: record.get("gen_ai_preference") or "" for number, record in records}
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(COLUMNS)
        for one in words:
            held = files[one.sound_id]
            test = "yes" if one.test else "no"
            values = (one.sound_id, held.sha256 if held else "", one.label, one.who, one.at, test, wishes[one.sound_id])
            writer.writerow(map(for_csv, values))
        try:
            write_whole(file, out.getvalue())
        except OSError as error:
            raise LabelsError(f"cannot write {file}: {error.strerror or error}; name another place") from error
        return [number for number in ids if wishes[number] == NO_GEN_AI]

    def take_in(self, agent: Agent, rows: Sequence[Row], session: str) -> Imported:
        """Add what a file says to an agent (see `Agents.take_in`); sounds that are not held are skipped."""
        here = self._identities.here([(row.id, row.sha256) for row in rows])
        facts, skipped = [], {}
        for row, number in zip(rows, here, strict=True):
            if number is None:
                skipped[row.id, row.sha256] = _not_held(row)
            else:
                facts.append(Annotation(number, row.label, row.test, row.who, session, row.at))
        added = self._agents.take_in(agent, _last_of_undated(facts))
        return Imported(added, _both_ways(facts), self._for_testing(agent, facts), list(skipped.values()))

    def _for_testing(self, agent: Agent, facts: Iterable[Annotation]) -> list[int]:
        testing = {one.sound_id for one in self._agents.annotations(agent) if one.test}
        return sorted(testing.intersection(one.sound_id for one in facts if not one.test))


def read(file: Path, *, who: str, test: bool = False) -> list[Row]:
    """The rows of a file of labels.

    Parameters
    ----------
    who : str
        Whose labels they are where the file does not say.
    test : bool
        All of them are for testing, whatever the file says.

    Raises
    ------
    LabelsError
        It cannot be read, or a line is not understood; which one is said, and nothing of it is taken then.
    """
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise LabelsError(f"{file} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise LabelsError(f"{file} is not a text in UTF-8; save it as CSV in UTF-8") from error
    try:
        return list(_rows(file, text, who, test))
    except csv.Error as error:
        raise LabelsError(f"{file} is not CSV: {error}; is it whole?") from error


def _rows(file: Path, text: str, who: str, test: bool) -> Iterator[Row]:
    first = text.lstrip().partition("\n")[0]
    delimiter = next((one for one in ",;\t" if one in first), ",")
    lines = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
    columns: list[str] | None = None
    for values in lines:
        values = [from_csv(value).strip() for value in values]
        if not any(values):
            continue
        if columns is None:
            columns = _columns(file, values)
            if columns != _UNTITLED or [value.lower() for value in values] == _UNTITLED:
                continue
        where = f"{file}, line {lines.line_num}"
        if len(values) != len(columns):
            raise LabelsError(f"{where}: {len(values)} values for {len(columns)} columns; is the file whole?")
        yield _row(where, dict(zip(columns, values, strict=True)), who, test)
    if columns is None:
        raise LabelsError(f"{file} is empty; its first line should be {','.join(COLUMNS)}")


def _columns(file: Path, values: list[str]) -> list[str]:
    """What the columns are, by the first line."""
    names = [value.lower() for value in values]
    if "label" in names and {"id", "hash"} & set(names):
        if doubled := [name for name in COLUMNS if names.count(name) > 1]:
            raise LabelsError(f"{file} has several columns {doubled[0]!r}; leave one")
        return names
    if len(names) == 2 and names[1] in get_args(Label):
        return _UNTITLED
    shown, wanted = ",".join(values)[:60], ",".join(COLUMNS)
    raise LabelsError(f"{file} begins with {shown!r}; its first line should be {wanted} (at least id,label)")


def _row(where: str, values: dict[str, str], who: str, test: bool) -> Row:
    number, sha256 = values.get("id", ""), values.get("hash", "").lower()
    label, for_testing = values["label"].lower(), values.get("test", "").lower()
    if number and not _NUMBER.fullmatch(number):
        raise LabelsError(f"{where}: {number[:60]!r} is not the id of a sound")
    if sha256 and not _SHA256.fullmatch(sha256):
        raise LabelsError(f"{where}: {sha256[:70]!r} is not a SHA-256")
    if not number and not sha256:
        raise LabelsError(f"{where}: neither an id nor a hash says which sound is meant")
    if label not in get_args(Label):
        raise LabelsError(f"{where}: {values['label'][:60]!r} is neither good nor bad")
    if for_testing not in _TEST:
        raise LabelsError(f"{where}: test is {values['test'][:60]!r}; say yes or no")
    person = values.get("who") or who
    try:
        check_person(person)
        at = _moment(values.get("when", ""))
    except (LabelsError, ValueError, OverflowError) as error:
        raise LabelsError(f"{where}: {error}") from error
    return Row(int(number) if number else None, sha256 or None, _label(label), person, at, test or for_testing == "yes")


def _label(word: str) -> Label:
    return "good" if word == "good" else "bad"


def _moment(text: str) -> str:
    """A time as the store keeps it; raises ValueError or OverflowError."""
    if not text:
        return ""
    try:
        if not _MOMENT.match(text):
            raise ValueError("not a date, or cut short")
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"when is {text[:60]!r}; write it as 2026-01-31T20:00:00Z") from None
    moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    if moment > datetime.now(UTC) + _AHEAD:
        raise ValueError(f"when is {text[:60]!r}, which is still to come; correct it, or leave it empty")
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _not_held(row: Row) -> dict[str, Any]:
    fetchable = row.id is not None and 0 < row.id < FIRST_LOCAL_ID
    if fetchable:
        error = "not held here"
    elif row.sha256:
        error = "not held here; adopt the file that whoever made the labels has"
    else:
        error = "a sound of someone's own has another id elsewhere; only its hash says which it is"
    return {"id": row.id, "hash": row.sha256, "error": error, "fetchable": fetchable}


def _last_of_undated(facts: Sequence[Annotation]) -> list[Annotation]:
    """Of what a person said of one sound without saying when, the last line; the others would come back each time."""
    last = {(one.sound_id, one.who): one for one in facts if not one.at}
    return [one for one in facts if one.at] + list(last.values())


def _both_ways(facts: Iterable[Annotation]) -> list[int]:
    """Sounds that one person calls good and bad."""
    found: dict[tuple[int, str], set[str | None]] = {}
    for one in facts:
        found.setdefault((one.sound_id, one.who), set()).add(one.label)
    return list(dict.fromkeys(number for (number, _), labels in found.items() if len(labels) > 1))
