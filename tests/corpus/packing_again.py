"""What is killed in `test_pack_torture.py`; imported beforehand, with what is worked out once a process."""

import shutil

from corpus import Corpus
from corpus.store import schema, vetting

vetting._expected(schema.HEAD)


def unpack_on_and_on(template, folder, archive):
    """Unpack in one copy of a home after another."""
    number = 0
    while True:
        shutil.copytree(template, folder / f"copying-{number}")
        (folder / f"copying-{number}").rename(folder / f"home-{number}")
        with Corpus(folder / f"home-{number}") as corpus:
            corpus.unpack(archive)
        number += 1


def pack_on_and_on(home, file):
    """Pack to the same file again and again."""
    with Corpus(home) as corpus:
        while True:
            corpus.pack(file, replace=True)
