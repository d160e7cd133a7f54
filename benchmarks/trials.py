"""Does an agent help? Agents taught from 20 + 20 examples of tag rules, tried on real sounds by the same rules.

    python benchmarks/trials.py [--classifiers mlp,lda] [--draws N] [--lmms FOLDER] [--json FILE]

The rules, the draws of examples and the outcome were written beforehand, in benchmarks/trials/rules.toml. The sounds
are Sonic Pi's samples (Debian's sonic-pi-samples), and those of LMMS where they are (lmms-common). Each draw makes an
agent, trains it, and runs what `mirla trial --judge RULE` runs, on every sound that is no example.

The draws share their targets, targets may share a maker, and the targets of a draw share their agent. So a figure is
the mean over all draws and targets, and its 95 % interval resamples both: draws, and makers (a sound without one stands
for itself), 2000 times, seeded (`engine.trial.figures.over_agents`). `p` is not given: no one test fits.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
from side_by_side import scratch

from corpus.filters import parse
from corpus.folder import Adoption
from corpus.library import Corpus
from engine.agent.training import train
from engine.demo import sonic_pi
from engine.trial.figures import Floats, over_agents
from engine.trial.judged import Judged, judged

RULES = Path(__file__).parent / "trials" / "rules.toml"
LMMS = Path("/usr/share/lmms/samples")
_NOT_PLAYED = ("shapes", "waveforms")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--classifiers", default="mlp", help="names, separated by commas")
    parser.add_argument("--draws", type=int, help="fewer than the rules say, to try it out")
    parser.add_argument("--lmms", type=Path, default=LMMS, help="folder of LMMS's samples")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything there")
    asked = parser.parse_args()
    plan = tomllib.loads(RULES.read_text(encoding="utf-8"))
    plan["draws"] = asked.draws or plan["draws"]
    rows = []
    with scratch() as folder:
        for name, corpus in corpora(folder, asked.lmms):
            with corpus:
                for rule in (one for one in plan["rule"] if one["corpus"] == name):
                    for classifier in asked.classifiers.split(","):
                        trials = [tried(corpus, rule, classifier, n, plan["examples"]) for n in range(plan["draws"])]
                        rows.append({"corpus": name, "rule": rule["name"], "classifier": classifier, **figures(trials)})
                        print(as_row(rows[-1]), file=sys.stderr)
    print("| sounds | rule | agent | with | without | gain | gain after bad targets | over shuffled labels |")
    print("|---|---|---|---|---|---|---|---|", *map(as_row, rows), sep="\n")
    if asked.json:
        asked.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def corpora(folder: Path, lmms: Path) -> list[tuple[str, Corpus]]:
    """The corpora that can be made here, measured."""
    made = [("sonic-pi", Corpus(folder / "sonic-pi"))]
    made[0][1].adopt([sonic_pi.FOLDER], Adoption(catalogue=sonic_pi.catalogue()))
    if lmms.is_dir():
        made.append(("lmms", Corpus(folder / "lmms")))
        made[1][1].adopt([one for one in sorted(lmms.iterdir()) if one.is_dir() and one.name not in _NOT_PLAYED])
    else:
        print(f"no {lmms}: without LMMS's samples (apt-get install lmms-common)", file=sys.stderr)
    for name, corpus in made:
        report = corpus.analyse()
        assert not report.failed
        print(f"{name}: {len(corpus.sounds.ids())} sounds", file=sys.stderr)
    return made


def tried(corpus: Corpus, rule: dict[str, str], classifier: str, draw: int, examples: int) -> Judged:
    """Teach an agent the examples of one draw, and try it on all other sounds."""
    name = f"{rule['name']}-{classifier}-{draw}"
    agent = corpus.agents.create(name, rule["rule"], ["mfcc"], classifier)
    generator = np.random.default_rng(draw)
    fitting, every = corpus.sounds.ids(fitting=parse(rule["rule"])), corpus.sounds.ids()
    good, bad = (generator.permutation(some)[:examples] for some in (fitting, np.setdiff1d(every, fitting)))
    corpus.agents.annotate(agent, good.tolist(), "good", who="rule", session=str(draw))
    corpus.agents.annotate(agent, bad.tolist(), "bad", who="rule", session=str(draw))
    train(corpus, name)
    return judged(corpus, name, rule["rule"], len(every), seed=draw)


def figures(trials: list[Judged]) -> dict[str, Any]:
    """Each figure over all draws, with its interval."""
    group_of = {t: g for one in trials for t, g in zip(one.targets.tolist(), one.groups, strict=True)}
    targets = np.array(sorted(group_of))

    def pooled(values: list[Floats], after_bad: bool = False) -> dict[str, Any] | None:
        table = np.full((len(targets), len(trials)), np.nan)
        for draw, (one, some) in enumerate(zip(trials, values, strict=True)):
            asked = one.fits == 0 if after_bad else np.ones(len(one.targets), bool)
            table[np.searchsorted(targets, one.targets[asked]), draw] = some[asked]
        found = over_agents(table, [group_of[target] for target in targets.tolist()])
        return found.as_json() if found else None

    with_agent, without = [one.with_agent for one in trials], [one.without for one in trials]
    gains = [one.with_agent - one.without for one in trials]
    over_control = [one.with_agent - np.nanmean(one.control, axis=1) for one in trials if one.control is not None]
    return {
        "draws": len(trials),
        "draws better": sum(float(gain.mean()) > 0 for gain in gains),
        "with": pooled(with_agent),
        "without": pooled(without),
        "gain": pooled(gains),
        "with, after bad": pooled(with_agent, True),
        "without, after bad": pooled(without, True),
        "gain, after bad": pooled(gains, True),
        "over control": pooled(over_control),
    }


def as_row(row: dict[str, Any]) -> str:
    """A line of the README's table, in per cent."""
    shares = [f"{100 * row[name]['value']:.0f} %" for name in ("with", "without")]
    gains = [_points(row[name]) for name in ("gain", "gain, after bad", "over control")]
    return f"| {' | '.join([row['corpus'], row['rule'], row['classifier'], *shares, *gains])} |"


def _points(one: dict[str, Any]) -> str:
    low, high = one["interval"]
    return f"{100 * one['value']:+.0f} ({100 * low:+.0f} to {100 * high:+.0f})"


if __name__ == "__main__":
    main()
