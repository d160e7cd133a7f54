"""Faults injected by the hundred: a check finds every one of them, and nothing else.

200 faults; `make torture` injects 10 000 (`MIRLA_TORTURE`, 50 for each).
"""

import os
import random
import shutil

import pytest

from corpus import Corpus
from corpus.model import Command, Model
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
        agent = corpus.agents.create("water", "", ["mfcc"], "mlp")
        for label, ids in (("good", corpus.sounds.ids()[:4]), ("bad", corpus.sounds.ids()[4:8])):
            corpus.agents.annotate(agent, ids.tolist(), label, who="anna", session="s")
        corpus.agents.add_model(agent, Model(0, {"kind": "mlp"}, {"w": [1.0]}, {}, "h", 1, {}, {}))
        performance = corpus.performances.begin(5, "a set")
        corpus.performances.said(performance, [Command(0.5, "a", "id", [target], {}, [target])])
        corpus.performances.plays_began(performance, [(1.0, "a", corpus.sounds.get(target))])
        file = corpus.sounds.get(target).file
        with corpus.database.write() as connection:
            corpus.descriptors.measured(connection, target, file.id, "c" * 64, {"pitch": 440.0})
        assert corpus.check().wrong == []
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
        alarms += len(wrong - injuries.expected - injuries.follow)
        assert wrong == injuries.expected | injuries.follow, f"round {rounds}"
        shutil.rmtree(home)
        rounds += 1
    with capsys.disabled():
        print(f"\n{injected} faults injected, {missed} missed, {alarms} false alarms; {rounds} sound corpora checked")
