"""Refits in the background: a process of its own, so that no key waits for one.

In a thread, the classifier's Python would hold the interpreter for up to 5 ms each time the key's own work lets go of
it, and that asks the disk several times (figures: `benchmarks/teaching.py`).

The parent writes requests, the process answers, each one line of JSON:

    {"ids": [..]}                                       fit to the labels of now, if they changed; judge these sounds
    {"fit": n, "learnt": [..], "ids": [..], "p": [..]}  the probability of good by the n-th fit, and what it learnt from
    {"accuracy": {..}, "baseline": b, "labels": n}      the accuracy, measured over so many labels
    {"problem": "text"}                                 why there is no fit

Only the newest request counts. Measuring the accuracy takes longest: a request that comes meanwhile is answered in
between, and the labels that came are measured afterwards. p is calibrated by the newest accuracy there is.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from corpus.errors import CorpusError
from corpus.library import Corpus
from corpus.model import Agent
from engine.agent.calibration import modest, probability
from engine.agent.classifiers import AUTO
from engine.agent.examples import Examples
from engine.agent.fitting import Fitted
from engine.errors import EngineError

_NICE = 10
"""How much it yields to what plays and answers."""
_MAIN = "import sys; from engine.agent.refitting import serve; serve(*sys.argv[1:])"


class Refitter:
    """The parent's end.

    Parameters
    ----------
    home : Path
    agent : int
        Its own number, which stays when it is renamed.
    seed : int
    heard : callable
        Called with each answer, in a thread of its own; with a problem when the process died.
    """

    def __init__(self, home: Path, agent: int, seed: int, heard: Callable[[dict[str, Any]], None]) -> None:
        self._heard = heard
        self._closed = False
        safe = {"PYTHONSAFEPATH": "1"}  # where it starts may lie a `random.py`
        one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        self._process = subprocess.Popen(
            [sys.executable, "-c", _MAIN, str(home), str(agent), str(seed)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **safe, **one_thread},
            start_new_session=True,  # so that Ctrl-C and Ctrl-Z are the parent's alone
        )
        self._listener = threading.Thread(target=self._listen, daemon=True, name="refits")
        self._listener.start()

    def ask(self, ids: Iterable[int]) -> None:
        """Have it fit what labels there are by now, and judge some sounds. Returns at once."""
        line = json.dumps({"ids": [int(sound_id) for sound_id in ids]})
        with contextlib.suppress(OSError, ValueError):  # it died, which `heard` is told, or was closed
            assert self._process.stdin is not None
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()

    def close(self) -> None:
        """End the process. A second time does nothing."""
        self._closed = True
        self._process.kill()  # it keeps nothing
        self._listener.join()
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # what it never read
            self._process.stdin.close()
        self._process.wait()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as answers:
            for line in answers:
                if line.endswith(b"\n"):  # else the process was killed in the middle of it
                    self._heard(json.loads(line))
        if not self._closed:
            code = self._process.wait()
            self._heard({"problem": f"no refits any more: their process ended (exit code {code})"})


def serve(home: str, agent: str, seed: str) -> None:
    """Be the process: answer until the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(_NICE)
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what a library prints is no answer
    requests: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(sys.stdin.buffer, requests), daemon=True).start()
    with Corpus(home) as corpus:
        _Fitting(corpus, corpus.agents.by_id(int(agent)), int(seed), requests, out).run()


def _read(stream: IO[bytes], requests: queue.SimpleQueue[dict[str, Any] | None]) -> None:
    for line in stream:
        requests.put(json.loads(line))
    requests.put(None)


@dataclass
class _Labels:
    """The labels that a fit learnt from, and how many fits there were before."""

    fit: int
    examples: Examples
    fitted: Fitted


class _Gone(Exception):
    """The parent is."""


class _Fitting:
    def __init__(
        self,
        corpus: Corpus,
        agent: Agent,
        seed: int,
        requests: queue.SimpleQueue[dict[str, Any] | None],
        out: IO[bytes],
    ) -> None:
        self._corpus, self._agent, self._seed = corpus, agent, seed
        self._requests, self._out = requests, out
        self._newest: _Labels | None = None
        self._asked: list[int] = []
        self._steepness: float | None = None  # of p over scores, once it was measured: the inverse temperature

    def run(self) -> None:
        measured: _Labels | None = None
        with contextlib.suppress(_Gone, BrokenPipeError):
            while True:
                waiting = self._newest is None or self._newest is measured
                self._answer(self._next(wait=waiting))
                if self._newest is not None and self._newest is not measured:
                    measured = self._newest
                    with self._problems():
                        self._measure(measured)

    def _next(self, wait: bool) -> dict[str, Any] | None:
        """The newest request, if there is one; the parent's end raises."""
        request: dict[str, Any] | None = None
        with contextlib.suppress(queue.Empty):
            while True:
                request = self._requests.get(block=wait)
                wait = False
                if request is None:
                    raise _Gone
        return request

    def _answer(self, request: dict[str, Any] | None) -> None:
        if request is None:
            return
        self._asked = request["ids"]
        with self._problems():
            self._refit()
            self._judge()

    def _refit(self) -> None:
        from engine.agent.training import fit, lesson

        given = lesson(self._corpus, self._agent)
        before = self._newest
        if before and before.examples.hash == given.hash:
            return
        fitted = fit(self._agent.classifier, given.X, given.y, self._seed, given.groups)
        self._newest = _Labels(before.fit + 1 if before else 1, given, fitted)

    def _judge(self) -> None:
        from engine.features import side_by_side

        if self._newest is None:
            return
        matrix = side_by_side(self._corpus, self._agent.spaces)
        ids = np.unique(np.array(self._asked, np.int64))
        ids = ids[np.isin(ids, matrix.ids[matrix.among(ids)])]
        p = np.empty(0)
        if len(ids):
            scores = self._newest.fitted.scores(matrix.X[matrix.rows(ids)])
            p = probability(self._steepness or self._modest(), scores)
        learnt = self._newest.examples.ids
        self._say({"fit": self._newest.fit, "learnt": learnt.tolist(), "ids": ids.tolist(), "p": p.tolist()})

    def _modest(self) -> float:
        assert self._newest is not None
        given = self._newest.examples
        return modest(self._newest.fitted.scores(given.X), given.y)

    def _measure(self, labels: _Labels) -> None:
        from engine.agent.evaluate import cross_validate
        from engine.agent.training import temperature_of

        def between(_done: int, _total: int) -> None:
            self._answer(self._next(wait=False))

        given, name = labels.examples, self._agent.classifier
        found = cross_validate(given.X, given.y, given.groups, self._seed, between, name)
        if found is None:
            return
        if name != AUTO:  # which holds out scores of several kinds
            self._steepness = temperature_of(labels.fitted, found, given)
        self._judge()
        self._say({"accuracy": found.accuracy.as_json(), "baseline": found.baseline, "labels": len(given.y)})

    @contextlib.contextmanager
    def _problems(self) -> Iterator[None]:
        """Tell the parent what went wrong, and go on."""
        try:
            yield
        except (_Gone, BrokenPipeError):
            raise
        except (CorpusError, EngineError) as error:
            self._say({"problem": str(error)})
        except Exception as error:  # a classifier of one's own may throw anything
            self._say({"problem": f"no refit: {type(error).__name__}: {error}"})

    def _say(self, answer: dict[str, Any]) -> None:
        self._out.write(json.dumps(answer).encode() + b"\n")
