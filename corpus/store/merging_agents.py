"""Agents of another corpus become part of this one: no label is lost, none is said twice.

An agent of a new name comes with all that was said, undone or not, and all its versions. Where there is one of that
name, it stays as it is described here, and takes in what stands there as `agent import --labels` does
(`corpus.said.news`): in order of time, each fact once, and what was said here later goes on counting. Versions that are
not here yet become further versions; the one that judges goes on judging. Trials are the same where they were drawn of
the same agent at the same time.

All functions work within the caller's transaction over this database (`here`) and read from the other (`there`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from corpus import said
from corpus.model import Agent, Annotation
from corpus.store import facts as stored
from corpus.store.database import now
from corpus.store.merging import Merged
from corpus.store.naming import as_name
from corpus.store.rows import Fields, rows
from corpus.store.tables import agents, models, trial_answers, trials


@dataclass
class MergedAgents:
    """What was new: agents, labels by agent, versions by agent."""

    added: list[str] = field(default_factory=list)
    labels: dict[str, int] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)


def merge_agents(here: Connection, there: Connection, sounds: Merged) -> MergedAgents:
    """Take in agents with their labels, versions and trials."""
    merged = MergedAgents()
    for row in rows(there, agents):
        theirs = _agent(row)
        name = as_name(theirs.name)
        found = here.execute(sa.select(agents).where(agents.c.name == name)).mappings().first()
        if found is None:
            values = {key: value for key, value in row.items() if key != "id"} | {"name": name}
            number = here.execute(sa.insert(agents).values(values).returning(agents.c.id)).scalar_one()
            facts = _copied(here, there, theirs, number, sounds)
            merged.added.append(name)
        else:
            number = found["id"]
            facts = _taken_in(here, there, theirs, _agent(found), sounds)
        if new := len(facts.added):
            merged.labels[name] = new
        versions = _merge_models(here, there, theirs, number, sounds, facts)
        if found is not None and versions.added:
            merged.versions[name] = versions.added
        _merge_trials(here, there, theirs, number, sounds, versions)
    return merged


@dataclass
class _Facts:
    """Which fact here each of theirs is, and which were added."""

    here: dict[int | None, int]
    added: list[int]

    def until(self, last: int | None) -> int | None:
        """The last fact here of those that a version of theirs knew."""
        return max((own for its, own in self.here.items() if its and last and its <= last), default=None)


@dataclass
class _Versions:
    """Which version here each of theirs is, and how many were added."""

    here: dict[int, int]
    added: int


def _copied(here: Connection, there: Connection, theirs: Agent, number: int, sounds: Merged) -> _Facts:
    moved: dict[int | None, int] = {}
    for one in stored.history(there, theirs, forgotten=True):
        fact = replace(
            one, sound_id=sounds.ids[one.sound_id], undoes=moved.get(one.undoes), repeats=moved.get(one.repeats)
        )
        (moved[one.id],) = stored.append(here, number, [fact])
    return _Facts(moved, list(moved.values()))


def _taken_in(here: Connection, there: Connection, theirs: Agent, own: Agent, sounds: Merged) -> _Facts:
    its = [replace(one, sound_id=sounds.ids[one.sound_id]) for one in stored.history(there, theirs, forgotten=True)]
    first = [one for one in said.standing(its) if one.repeats is None]
    new, again = said.news(first, stored.history(here, own, forgotten=True), now())
    plain = [replace(one, undoes=None) for one in new]
    added = stored.append(here, own.id, [*plain, *again])[: len(new)]
    known = {_key(one): one.id for one in stored.history(here, own, forgotten=True) if one.id}
    return _Facts({one.id: known[_key(one)] for one in its if _key(one) in known}, added)


def _key(one: Annotation) -> tuple[Any, ...]:
    return one.sound_id, one.label, one.who, one.at


def _merge_models(
    here: Connection, there: Connection, theirs: Agent, number: int, sounds: Merged, facts: _Facts
) -> _Versions:
    mine = sa.select(models).where(models.c.agent_id == number).order_by(models.c.version)
    known = {_made(row): row["version"] for row in here.execute(mine).mappings()}
    judging = here.execute(sa.select(agents.c.in_use).where(agents.c.id == number)).scalar()
    newest = max(known.values(), default=0)
    versions, next_one = _Versions({}, 0), newest + 1
    was = stored.history(there, theirs, forgotten=True)
    query = sa.select(models).where(models.c.agent_id == theirs.id).order_by(models.c.version)
    for row in there.execute(query).mappings():
        values = _moved(row, was, sounds) | {"agent_id": number, "until": facts.until(row["until"])}
        made = _made(values)
        if made not in known:
            known[made] = row["version"] if not newest else next_one
            here.execute(sa.insert(models).values(values | {"version": known[made]}))
            versions.added, next_one = versions.added + 1, next_one + 1
        versions.here[row["version"]] = known[made]
    if newest and versions.added and judging is None:
        here.execute(sa.update(agents).where(agents.c.id == number).values(in_use=newest))
    return versions


def _made(row: Fields) -> tuple[str, int, str, bytes]:
    """By what two versions are one."""
    return row["labels_hash"], row["seed"], row["at"], orjson.dumps(row["recipe"], option=orjson.OPT_SORT_KEYS)


def _moved(row: Fields, was: Sequence[Annotation], sounds: Merged) -> dict[str, Any]:
    """A version under the numbers of this home; the digest of what it learnt from goes along where that is known."""
    values = {name: value for name, value in row.items() if name != "id"}
    if not any(sounds.ids.get(number, number) != number for number in _numbers(row["verdicts"])):
        return values
    told = said.last(one for one in was if one.id is not None and one.id <= (row["until"] or 0))
    learnt = [(number, told[number].label) for number in sorted(_numbers(row["verdicts"])) if number in told]
    if said.labels_hash(learnt) == row["labels_hash"]:
        values["labels_hash"] = said.labels_hash(sorted((sounds.ids[number], label) for number, label in learnt))
    values["verdicts"] = {
        str(sounds.ids.get(int(number), int(number))) if number.isdecimal() else number: p
        for number, p in row["verdicts"].items()
    }
    return values


def _numbers(verdicts: Fields) -> list[int]:
    return [int(number) for number in verdicts if number.isdecimal()]


def _merge_trials(
    here: Connection, there: Connection, theirs: Agent, number: int, sounds: Merged, versions: _Versions
) -> None:
    known = {row.at: row.id for row in here.execute(sa.select(trials).where(trials.c.agent_id == number))}
    for row in there.execute(sa.select(trials).where(trials.c.agent_id == theirs.id).order_by(trials.c.id)).mappings():
        if row["at"] not in known:
            version = row["plan"].get("version")
            plan = sounds.moved(row["plan"]) | {"version": versions.here.get(version, version)}
            values = {"agent_id": number, "plan": plan, "at": row["at"]}
            known[row["at"]] = here.execute(sa.insert(trials).values(values).returning(trials.c.id)).scalar_one()
        own = known[row["at"]]
        asked = sa.select(trial_answers.c.number, trial_answers.c.part).where(trial_answers.c.trial_id == own)
        answered = {tuple(one) for one in here.execute(asked)}
        for answer in there.execute(sa.select(trial_answers).where(trial_answers.c.trial_id == row["id"])).mappings():
            if (answer["number"], answer["part"]) not in answered:
                here.execute(sa.insert(trial_answers).values(dict(answer) | {"trial_id": own}))


def _agent(row: Fields) -> Agent:
    return Agent(row["id"], row["name"], row["about"], tuple(row["spaces"]), row["classifier"], row["in_use"])
