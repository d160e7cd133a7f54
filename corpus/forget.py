"""`forget`: sounds are deleted, with all that the corpus knows of them and the copies it made of their files.

One durable transaction takes all rows, and only then files are unlinked: killed in between, a file may be left that no
row names, never a row without its file. Linked files are the user's own and stay where they are. What an agent learnt
from a forgotten sound stays in its versions. Labels stay too, and count again when the sound is back. Copies of the
database in `backups/` stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from corpus.errors import HomeError, NotConfirmed
from corpus.files import AudioFolder
from corpus.model import Sound
from corpus.store import removal
from corpus.store.database import Database
from corpus.store.harvests import Harvests
from corpus.store.sounds import Sounds

_NAMED = 5


@dataclass
class Forgotten:
    """What was deleted: ids, how many copied files of how many bytes; files that would not go.

    `labels` is how many labels of each agent wait until the sounds are back.
    """

    forgotten: list[int]
    files: int = 0
    bytes: int = 0
    labels: dict[str, int] = field(default_factory=dict)
    failed: list[tuple[str, str]] = field(default_factory=list)


def forget(
    database: Database,
    sounds: Sounds,
    harvests: Harvests,
    audio: AudioFolder,
    ids: Iterable[int],
    for_good: bool = False,
) -> Forgotten:
    """Delete sounds.

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
    wanted = list(dict.fromkeys(ids))
    report = Forgotten(wanted)
    with database.write(durable=True) as connection:  # a power cut must not bring back a row without its file
        held = sounds.many(wanted)
        report.labels = removal.labelled(connection, wanted)
        lasting = [sound for sound in held if sound.local or sound.gone]
        if lasting and not for_good:
            raise NotConfirmed(_loss(held, lasting, report.labels))
        copies = removal.copies(connection, wanted)
        harvests.forget(connection, wanted)
        removal.remove(connection, wanted)
    for copy in copies:
        try:
            audio.remove(copy.path)
            report.files += 1
            report.bytes += copy.bytes
        except HomeError as error:
            report.failed.append((str(copy.path), str(error)))
    for sound_id in wanted:
        audio.clear_parts(sound_id)
    with database.write():  # files come to their folders within such a transaction: none comes while this looks
        audio.prune({copy.path.parent for copy in copies})
    return report


def _loss(held: Sequence[Sound], lasting: Sequence[Sound], labels: dict[str, int]) -> str:
    named = ", ".join(str(sound.id) for sound in lasting[:_NAMED])
    more = ", …" if len(lasting) > _NAMED else ""
    waiting = ", ".join(f"{count} of agent {name!r}" for name, count in labels.items())
    kept = f"; labels that wait until the sounds are back: {waiting}" if labels else ""
    return f"{len(lasting)} of {len(held)} sounds cannot be fetched again: {named}{more}{kept}"
