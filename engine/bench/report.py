"""The report of a bench: one page that says what was compared, what was found, and how sure that is."""

from __future__ import annotations

from collections.abc import Sized

from engine.agent.classifiers import AUTO, classifier
from engine.bench import plots
from engine.bench.results import Bench, SetResult
from engine.bench.words import apart, chance, figure
from engine.page.page import Block, Page

_LEVEL = 0.05
_ALL_PAIRS = 28
"""As many pairs are listed; of more, only those with the best."""


def report(found: Bench) -> Page:
    """Make the page."""
    asked = found.asked
    page = Page(
        f"Bench of {', '.join(asked.names)}" if len(asked.names) < 4 else f"Bench of {len(asked.names)} labelled sets",
        f"How well {_many(asked.classifiers, 'classifier')} tell good from bad, by {_many(asked.spaces, 'space')}, "
        f"on {_many(asked.names, 'labelled set')}.",
    )
    _what(page, found)
    for one in found.sets:
        _set(page, found, one)
    _how(page)
    _citation(page, found)
    return page


def _what(page: Page, found: Bench) -> None:
    rows = [
        [
            one.given.name,
            _labels_from(one),
            one.given.good,
            one.given.bad,
            one.given.left_out,
            len(set(one.given.groups)),
            f"{one.baseline:.2f}",
            one.folds.protocol,
        ]
        for one in found.sets
    ]
    headings = ["set", "labels", "good", "bad", "left out", "uploaders", "baseline", "evaluated by"]
    learners = [
        [name, "chosen by cross-validation within each fold" if name == AUTO else classifier(name).about]
        for name in found.asked.classifiers
    ]
    page.section(
        "What was compared",
        "Only sounds that are known to every space took part; the others are left out. The baseline is the accuracy of "
        "always saying the commoner label. All classifiers were held against the same folds.",
        page.table(headings, rows),
        page.table(["classifier", "what it is"], learners),
    )


def _set(page: Page, found: Bench, one: SetResult) -> None:
    asked = found.asked
    judging = one.cells[0].judging
    again = ", the corpus several times over" if judging.judged > judging.sounds else ""
    blocks: list[Block] = [
        page.figure(plots.accuracies(one, asked), f"Accuracy of each classifier on {one.given.name}."),
        f"Dashed: the baseline, {one.baseline:.2f}. {_beyond_baseline(one)}",
        page.table(
            ["classifier", "space", "accuracy", "balanced", "AUC", "to fit", "to judge 10^6 sounds", "calls good"],
            [
                [
                    cell.classifier,
                    cell.space,
                    *(
                        page.unbroken(figure(each))
                        for each in (cell.evaluation.accuracy, cell.evaluation.balanced, cell.evaluation.auc)
                    ),
                    page.unbroken(f"{1e3 * cell.judging.fit_seconds:.1f} ms"),
                    page.unbroken(f"{cell.judging.per_million:.2f} s"),
                    f"{cell.judging.good / cell.judging.sounds:.0%}",
                ]
                for cell in (one.cells[number] for number in one.order)
            ],
        ),
        f"Times are of one thread, {_many(found.provenance['processes'], 'process', 'es')} at work: to fit is to learn "
        f"from all {len(one.given.y)} labels; to judge was measured on {judging.judged} sounds{again}. Of the "
        f"{judging.sounds} sounds of the corpus, each calls good so many.",
    ]
    if all(cell.curve for cell in one.cells):
        blocks += [
            page.figure(plots.curves(one, asked), f"Accuracy by number of labels on {one.given.name}."),
            "Accuracy by the number of labels that there were to learn from; the band is the interval of the best.",
        ]
    page.section(one.given.name, *blocks, *_differences(page, one))


def _differences(page: Page, one: SetResult) -> list[Block]:
    if not one.differences:
        return []
    best = one.order[0]
    listed = one.differences
    words = "Differences in accuracy, of all pairs."
    if len(listed) > _ALL_PAIRS:
        listed = [each for each in listed if best in (each.first, each.second)]
        words = f"Differences in accuracy to the best; all {len(one.differences)} pairs are in the JSON."
    rows = []
    for each in sorted(listed, key=lambda each: (each.p is None, each.p, -abs(each.accuracy.value))):
        better, worse = (each.first, each.second) if each.accuracy.value >= 0 else (each.second, each.first)
        rows.append(
            [
                _name(one, better),
                _name(one, worse),
                page.unbroken(apart(each, better)),
                "" if each.t is None else f"{abs(each.t):.2f}",
                chance(each.p),
                chance(each.p_holm),
            ]
        )
    return [words, page.table(["more accurate", "than", "by", "|t|", "p", "p (Holm)"], rows), _verdict(one)]


def _verdict(one: SetResult) -> str:
    sure = sum(each.p_holm is not None and each.p_holm < _LEVEL for each in one.differences)
    said = f"{sure} of {len(one.differences)} differences are" if sure else "No difference here is"
    return (
        f"{said} more than chance at {_LEVEL:.0%}, p adjusted. The most accurate of several is so by luck too: its own "
        "accuracy is a little too high."
    )


def _beyond_baseline(one: SetResult) -> str:
    short = [
        _name(one, number) for number in one.order if one.cells[number].evaluation.accuracy.interval[0] <= one.baseline
    ]
    if not short:
        return "All intervals lie above it."
    if len(short) == len(one.cells):
        return "No interval lies above it: nothing shows that anything was learnt."
    return f"Intervals that do not lie above it: {'; '.join(short)}."


def _how(page: Page) -> None:
    page.section(
        "How to read it",
        "After a figure stands its interval in brackets: 95 % of 2000 resamples of the sounds, or of their uploaders "
        "where folds keep these together, fall within; for an accuracy it is no narrower than Wilson's for as many.",
        "Differences are paired: of the same sounds, held out by the same folds. t is that of C. Nadeau, Y. Bengio: "
        "Inference for the generalization error. Machine Learning 52, 2003, whose variance allows for training sets "
        "that overlap; for repeated folds as R. Bouckaert, E. Frank: Evaluating the replicability of significance "
        "tests. PAKDD 2004. p is two-sided, then adjusted for all pairs of one set by S. Holm: A simple sequentially "
        "rejective multiple test procedure. Scand. J. Stat. 6, 1979. There is none where all folds differ alike.",
        "Tags are what makers thought of: a sound without a tag may still be what the tag says, so such labels are "
        "noisy and accuracies too low rather than too high. Of categories only those count that makers gave.",
    )


def _citation(page: Page, found: Bench) -> None:
    known = found.provenance
    rows = [
        ("date", known["date"]),
        ("command", known["command"]),
        ("corpus", f"{known['sounds']} sounds"),
        ("seed", f"{found.asked.seed}: draws sounds, deals folds, starts what learns, resamples"),
        *((f"extractor of {name}", fingerprint) for name, fingerprint in known["fingerprints"].items()),
        *((f"labels of {one.given.name}", f"SHA-256 {one.given.hash}") for one in found.sets),
        (
            "software",
            ", ".join(
                [
                    *(f"{name} {version}" for name, version in known["versions"].items()),
                    "Python " + known["python"],
                    known["platform"],
                ]
            ),
        ),
    ]
    page.section(
        "To repeat and to cite",
        "The same command on the same corpus gives the same figures, but for times.",
        page.table(["", ""], rows),
    )


def _labels_from(one: SetResult) -> str:
    given = one.given
    if given.drawn_from is None:
        return "an agent's"
    good, bad = given.drawn_from
    return f"a {given.kind} against as many without it, drawn from {good} and {bad}"


def _name(one: SetResult, number: int) -> str:
    cell = one.cells[number]
    return f"{cell.classifier}, {cell.space}" if len({each.space for each in one.cells}) > 1 else cell.classifier


def _many(some: Sized | int, name: str, plural: str = "s") -> str:
    count = some if isinstance(some, int) else len(some)
    return f"{count} {name}{'' if count == 1 else plural}"
