"""The classifiers on the labels that were published with MIRLCa, beside the figures that are known of them.

    python benchmarks/mirlca.py mirlca_130_mfcc_means.csv [--repeats 20] [--json FILE]

The file has a line for each of the 130 sounds: `split,id,label` and 13 means of MFCCs (the variances were not
published). Each classifier is evaluated by repeated stratified 5-fold cross-validation on the same folds. Behind +- is the
standard deviation over repeats, which tells only how the figure depends on the folds; the interval in brackets is the
bootstrap's over sounds. The baseline is the majority's share.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from pathlib import Path

import numpy as np

from engine.agent.classifiers import CLASSIFIERS
from engine.agent.evaluate import cross_validate

REPEATS = 20
KNOWN = {
    "mlp": (58.0, 61.0),
    "logistic": (63.6, 67.0),
    "lda": (63.9, 66.7),
    "bayes": (64.0, 64.0),
    "forest": (62.0, 62.0),
    "svm": (62.0, 62.0),
    "knn": (59.3, 59.3),
}
"""Accuracies in percent, from and to."""


def main() -> None:
    parser = argparse.ArgumentParser(description="The classifiers on MIRLCa's labels.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything there")
    options = parser.parse_args()
    X, y, ids = read(options.file)
    print(f"{len(y)} sounds, {int(y.sum())} good; majority {100 * max(y.mean(), 1 - y.mean()):.1f} (known: 58.5)")
    rows = []
    for name in CLASSIFIERS:
        start = time.perf_counter()
        found = cross_validate(X, y, ids, 0, None, name, options.repeats)
        assert found is not None
        by_repeat = ((found.held_out > 0) == (y == 1)).mean(axis=1)
        rows.append(
            {
                "classifier": name,
                **found.as_json(),
                "spread": round(float(by_repeat.std(ddof=1)), 4),
                "known": KNOWN.get(name),
                "seconds": round(time.perf_counter() - start, 1),
            }
        )
        print(in_words(rows[-1]), flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")


def read(file: Path) -> tuple[np.ndarray, np.ndarray, list[str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    X = np.array([[float(row[f"mfcc_mean_{number}"]) for number in range(13)] for row in rows], np.float32)
    return X, np.array([row["label"] == "good" for row in rows], np.int64), [row["id"] for row in rows]


def in_words(row: dict) -> str:
    value, (low, high), spread = row["accuracy"]["value"], row["accuracy"]["interval"], row["spread"]
    words = f"{row['classifier']:>8}  {100 * value:.1f} +- {100 * spread:.1f}  ({100 * low:.1f} to {100 * high:.1f})"
    if row["known"]:
        least, most = row["known"]
        within = least - 200 * spread <= 100 * value <= most + 200 * spread
        words += f"  known {least:g}{f' to {most:g}' if most > least else ''}: {'as known' if within else 'OTHERWISE'}"
    return f"{words}  {row['seconds']} s"


if __name__ == "__main__":
    main()
