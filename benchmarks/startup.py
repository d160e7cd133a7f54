"""How long a performer waits for a command: wall time of whole processes, imports included, on 10 000 sounds.

    python benchmarks/startup.py [--json FILE]

Every command is a process of its own, started from its console script and timed until it has ended; the commands take
turns. Their bytecode and their files are cached, as after any first use. `python -c pass` and the bare imports are the
yardsticks: no command can be faster than the interpreter, nor a query much faster than the libraries it needs.

The corpus is synthetic: vectors are those of real sounds with every number scattered by a tenth. An agent is trained on
20 good and 20 bad of them. Below the table stands which of the heavy libraries each command loaded.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from material import samples, task
from side_by_side import Figure, by_turns, ratio, run

from corpus.analysis.measuring import measure
from corpus.analysis.spaces import fingerprinted
from corpus.library import Corpus
from corpus.licences import from_text
from corpus.model import AudioFile, Sound
from corpus.store.vectors import Vector
from engine.agent.training import train

SOUNDS = 10_000
ROUNDS = 9
TARGET = 5000
AGENT = "sustained"
EXAMPLES = 20
IMPORTS = "import click, faiss, numpy, sqlalchemy"
UNWANTED = ("alembic", "sklearn")
HEAVY = {"alembic", "essentia", "faiss", "librosa", "numpy", "pebble", "rich", "scipy", "sklearn", "sqlalchemy"}
_SPY = (
    "import json, sys; from engine.cli import main\n"
    "try: main()\n"
    "finally: print(json.dumps([name for name in sys.modules if '.' not in name]), file=sys.stderr)"
)


def main(folder: Path) -> tuple[list[Figure], dict[str, str]]:
    home = folder / "home"
    build(home, real_vectors(folder))
    similar = ["--home", str(home), "similar", str(TARGET)]
    commands = {
        "mirla --help": ["--help"],
        "mirla similar": similar,
        "mirla similar --agent": [*similar, "--agent", AGENT],
    }
    python, script = sys.executable, str(Path(sys.executable).with_name("mirla"))
    processes = {
        "python -c pass": [python, "-c", "pass"],
        "bare imports": [python, "-c", IMPORTS],
        **{name: [script, *arguments] for name, arguments in commands.items()},
    }
    start = partial(subprocess.run, check=True, capture_output=True, text=True, env=environment(folder))
    contenders = {name: lambda _, process=process: start(process) for name, process in processes.items()}
    by_turns(contenders, [None], 1)  # fills the caches
    taken = by_turns(contenders, [None], ROUNDS)
    loaded = {name: set(json.loads(start([python, "-c", _SPY, *words]).stderr)) for name, words in commands.items()}
    return figures(taken, loaded), {
        "corpus": f"{SOUNDS} sounds, agent trained on {EXAMPLES} + {EXAMPLES}",
        **{f"loaded by {name}": " ".join(sorted(modules & HEAVY)) for name, modules in loaded.items()},
    }


def figures(taken: dict[str, list[float]], loaded: dict[str, set[str]]) -> list[Figure]:
    within = {"mirla --help": 0.3, "mirla similar": 1.0, "mirla similar --agent": 1.0}
    return [
        *(Figure(name, seconds, "s", at_most=within.get(name)) for name, seconds in taken.items()),
        *(Figure(f"{name} / bare imports", ratio(taken[name], taken["bare imports"]), "x") for name in within),
        *(
            Figure(f"{name}: {' and '.join(UNWANTED)} loaded", [len(modules & set(UNWANTED))], "", at_most=0)
            for name, modules in loaded.items()
        ),
    ]


def real_vectors(folder: Path) -> npt.NDArray[np.float32]:
    """Space `mfcc` of the samples, shape (n, 26)."""
    return np.array([measure(task(path)).vectors["mfcc"] for path in samples(folder)])


def build(home: Path, real: npt.NDArray[np.float32]) -> None:
    """A corpus of sounds 1 to SOUNDS with vectors like the real ones, and a trained agent."""
    generator = np.random.default_rng(0)
    scatter = generator.lognormal(sigma=0.1, size=(SOUNDS, real.shape[1]))
    X = (real[generator.integers(len(real), size=SOUNDS)] * scatter).astype(np.float32)
    with Corpus(home) as corpus:
        for sound_id in range(1, SOUNDS + 1):
            corpus.sounds.add(f"{sound_id:064x}", sound_id, partial(sound, home))
        space = fingerprinted("mfcc")
        corpus.vectors.register(space)
        with corpus.database.write() as connection:
            facts = {"source": "synthetic"}
            corpus.vectors.put(
                connection, (Vector("mfcc", space.fingerprint, row + 1, row + 1, x, facts) for row, x in enumerate(X))
            )
        agent = corpus.agents.create(AGENT, "what changes little in loudness", ["mfcc"], "mlp")
        steadiest_first = 1 + np.argsort(X[:, 13])
        for label, half in zip(("good", "bad"), np.array_split(steadiest_first, 2), strict=True):
            ids = generator.choice(half, EXAMPLES, replace=False).tolist()
            corpus.agents.annotate(agent, ids, label, who="benchmark", session="benchmark")
        train(corpus, AGENT)


def sound(home: Path, sound_id: int) -> Sound:
    path = home / "sounds" / str(sound_id // 1000) / f"{sound_id}.flac"
    file = AudioFile(path, f"{sound_id:064x}", 100_000, "flac", 44100, 1, 88200)
    tags = tuple(f"tag{sound_id % modulus}" for modulus in (3, 20, 500))
    maker, licence = f"user{sound_id % 300}", from_text("CC0")
    return Sound(sound_id, f"sound {sound_id}", maker, licence, tags=tags, duration=2.0, file=file)


def environment(folder: Path) -> dict[str, str]:
    """Ours, with bytecode kept in the scratch folder whatever this shell says about it."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPYCACHEPREFIX": str(folder / "bytecode")}


if __name__ == "__main__":
    run(__doc__ or "", main)
