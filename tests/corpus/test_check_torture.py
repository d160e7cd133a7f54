"""Faults injected by the hundred: a check finds every one of them, and nothing else.

200 faults; `make torture` injects 10 000 (`MIRLA_TORTURE`, 50 for each).
"""

import os
import random
import shutil

import pytest

from corpus import Corpus
from engine.query.run import Choice, similar
from tests.corpus.injuries import Injuries, found

FAULTS = 50 * int(os.environ.get("MIRLA_TORTURE", "4"))
AT_ONCE = 100


@pytest.fixture(scope="module")
def whole_home(tmp_path_factory, samples):
    """A hundred sounds, measured, with caches; nothing is wrong with it."""
    home = tmp_path_factory.mktemp("whole") / "home"
    with Corpus(home) as corpus:
        corpus.adopt(samples[:100])
        corpus.analyse()
        target = int(corpus.sounds.ids()[0])
        for measure in ("mfcc", "mfcc_cosine", "mfcc_pca", "mfcc_means", "mfcc_raw"):
            assert similar(corpus, target, Choice(k=3), measure).hits
    return home


def test_every_fault_is_found_and_nothing_else(whole_home, tmp_path, capsys):
    injected = missed = alarms = rounds = 0
    while injected < FAULTS:
        home = tmp_path / "home"
        shutil.copytree(whole_home, home)
        with Corpus(home) as corpus:
            assert corpus.check().wrong == []
        injuries = Injuries(home, random.Random(rounds))
        injected += injuries.injure(min(AT_ONCE, FAULTS - injected))
        with Corpus(home) as corpus:
            wrong = found(corpus.check())
        missed += len(injuries.expected - wrong)
        alarms += len(wrong - injuries.expected)
        assert wrong == injuries.expected, f"round {rounds}"
        shutil.rmtree(home)
        rounds += 1
    with capsys.disabled():
        print(f"\n{injected} faults injected, {missed} missed, {alarms} false alarms; {rounds} sound corpora checked")
