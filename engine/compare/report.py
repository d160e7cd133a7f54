"""The report of a comparison: one page that says what was compared, what was found, and how sure that is.

Each figure stands with what it means in one plain sentence, and its source; each estimate with its interval.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain, zip_longest

from corpus.library import Corpus
from engine.agent.evaluate import Estimate
from engine.agent.judging import judge
from engine.agent.loading import model_of
from engine.compare import plots
from engine.compare.facts import COMMON_TAGS
from engine.compare.figures import PERSISTENCE
from engine.compare.listening import Listened, listened
from engine.compare.provenance import facts
from engine.compare.results import Comparison
from engine.page.excerpts import SECONDS
from engine.page.page import Block, Html, Page
from engine.similarity.measures import measure

_AGREEMENTS = (
    (
        "overlap",
        "Overlap",
        "the share of the {k} nearest that two measures have in common, in whatever order. 0: none, 1: all.",
    ),
    (
        "rbo",
        "Rank-biased overlap",
        f"the same, but the nearest count most: each rank weighs {PERSISTENCE} times the one before it. "
        "W. Webber, A. Moffat, J. Zobel: A similarity measure for indefinite rankings. ACM TOIS 28(4), 2010.",
    ),
    (
        "kendall",
        "Kendall's tau",
        "whether the neighbours that both have come in the same order. 1: the same, 0: no relation, -1: reversed. "
        "M. Kendall: A new measure of rank correlation. Biometrika 30, 1938.",
    ),
)


def report(
    corpus: Corpus,
    found: Comparison,
    listen: Sequence[int] = (),
    progress: Callable[[int, int], None] | None = None,
) -> Page:
    """Make the page.

    Parameters
    ----------
    listen : sequence of int
        Sounds whose neighbours can be heard, side by side by the first two measures; else some are chosen.
    progress : callable, optional
        Called with excerpts made and all.
    """
    names = found.asked.measures
    title = (
        f"Comparison of {', '.join(names)}" if len(names) < 4 else f"Comparison of {len(names)} measures of similarity"
    )
    page = Page(
        title,
        f"Which sounds are near a sound depends on what near means. Here {len(names)} definition"
        f"{'s were' if len(names) > 1 else ' was'} asked for the {found.k} nearest neighbours of the same "
        f"{found.sounds} sound{'s' if found.sounds > 1 else ''}.",
    )
    _what(page, corpus, found)
    _summary(page, found)
    if found.pairs:
        _agreement(page, found)
    _precision(page, found)
    _hubness(page, found)
    if found.asked.agent is not None:
        _taste(page, corpus, found, found.asked.agent)
    _listening(page, found, listened(corpus, found, listen, progress))
    page.section(
        "To repeat and to cite",
        "The same command on the same corpus gives the same figures.",
        page.table(["", ""], facts(corpus, found, listen)),
    )
    return page


def _what(page: Page, corpus: Corpus, found: Comparison) -> None:
    rows = []
    for one in found.measures:
        how = measure(one.name)
        covers = how.covers(corpus)
        rows.append([one.name, how.about, covers.space, covers.dims, covers.metric, f"{one.coverage:.1%}"])
    drawn = f", drawn at random with seed {found.asked.seed}" if found.sampled else ""
    page.section(
        "What was compared",
        f"{len(found.known)} of the {len(corpus.sounds.ids())} sounds of the corpus are known to every measure. "
        f"{found.sounds} of them were asked about{drawn}; all {len(found.known)} could be answered.",
        page.table(["measure", "what it compares", "space", "numbers", "metric", "knows"], rows),
        "After a figure stands its interval in brackets: 95 % of 1000 resamples of the sounds fall within. Where two "
        "intervals overlap widely, the difference may be chance.",
    )


def _summary(page: Page, found: Comparison) -> None:
    k = found.k
    columns: list[tuple[str, list[str | None]]] = [
        (f"same tag at {k}", [_words(one.tag_precision) for one in found.measures]),
        (f"same category at {k}", [_words(one.category_precision) for one in found.measures]),
        ("hubness", [_words(one.hubness) for one in found.measures]),
        ("first is good", [_words(one.taste.first_good if one.taste else None) for one in found.measures]),
        ("rank of first good", [_words(one.taste.rank_of_first_good if one.taste else None) for one in found.measures]),
        ("bad leads to good", [_words(one.taste.bad_to_good if one.taste else None) for one in found.measures]),
    ]
    shown = [(heading, cells) for heading, cells in columns if any(cells)]
    rows = [
        [one.name, *(cells[place] and page.unbroken(cells[place]) for _, cells in shown)]
        for place, one in enumerate(found.measures)
    ]
    page.section("In short", page.table(["measure", *(heading for heading, _ in shown)], rows))


def _agreement(page: Page, found: Comparison) -> None:
    blocks: list[Block] = []
    for figure, name, meaning in _AGREEMENTS:
        blocks.append(f"{name}: {meaning.format(k=found.k)}")
        drawn = plots.matrix(found.measures, found.pairs, figure, -1 if figure == "kendall" else 0)
        blocks.append(page.figure(drawn, f"{name} of each two measures; the table below has the same figures."))
    rows = [[one.a, one.b, *(_cell(page, getattr(one, figure)) for figure, _, _ in _AGREEMENTS)] for one in found.pairs]
    headings = ["measure", "and", *(name.lower() if name[0] != "K" else name for _, name, _ in _AGREEMENTS)]
    page.section("How far they agree", *blocks, page.table(headings, rows))


def _precision(page: Page, found: Comparison) -> None:
    kept = (
        "Sounds by the target's own maker and from its own pack count too."
        if found.asked.same_maker
        else "Sounds by the target's own maker or from its own pack are left out: they are alike for other reasons."
    )
    blocks: list[Block] = []
    for what, one, left_out in (
        ("tags", "tag", f"the most frequent {COMMON_TAGS:.0%} of tags do not count"),
        ("categories", "category", "only categories that a maker gave count, none that a classifier guessed"),
    ):
        if all(getattr(each, what)[0] is None for each in found.measures):
            blocks.append(f"No sound here has a {one} to share.")
            continue
        blocks.append(f"Of the nearest, the share that has a {one} in common with the target; {left_out}. {kept}")
        label = (
            f"Share of neighbours with a common {one}, by how many are counted; the table above has it at {found.k}."
        )
        blocks.append(page.figure(plots.precision(found.measures, what), label))
    page.section("How well they find what belongs together", *blocks)


def _hubness(page: Page, found: Comparison) -> None:
    if found.sampled:
        only = f"Hubness is asked of all sounds only; here {found.sounds} of {len(found.known)} were asked about."
        page.section("Hubness", only)
        return
    blocks: list[Block] = [
        "A hub is a sound that is near to very many. Hubness is the skewness of how often each sound is among the "
        f"{found.k} nearest of the others: 0 where all come equally often, larger the more a few come everywhere and "
        "many never. Its interval is over resampled sounds. M. Radovanović, A. Nanopoulos, M. Ivanović: Hubs in space. "
        "JMLR 11, 2010."
    ]
    if any(one.hubness is not None for one in found.measures):
        blocks.append(page.figure(plots.skewness(found.measures), "Hubness of each measure, as in the table above."))
        blocks.append("How many sounds are in how many lists:")
        blocks.append(page.figure(plots.hubness(found.measures), "Share of sounds that are in so many lists, or more."))
    rows = []
    for one in found.measures:
        total = sum(one.occurrences)
        rows.append(
            [
                one.name,
                page.unbroken(_words(one.hubness) or "none"),
                f"{one.occurrences[0] / total:.1%}",
                len(one.occurrences) - 1,
            ]
        )
    page.section(
        "Hubness",
        *blocks,
        page.table(["measure", "hubness", "in no list at all", "most lists that one sound is in"], rows),
    )


def _taste(page: Page, corpus: Corpus, found: Comparison, name: str) -> None:
    agent, verdicts = corpus.agents.get(name), judge(corpus, name)
    scores = model_of(corpus, agent).scores
    learnt = ""
    if scores.get("good") is not None:
        learnt = (
            f", learnt from {scores['good']} good and {scores['bad']} bad examples (they are among the sounds here)"
        )
    with_agent = (
        "With the agent's filter the first neighbour is good wherever there is a good one, since the agent itself says "
        "what is good: "
    )
    rows = [
        [
            one.name,
            _cell(page, one.taste.first_good),
            _cell(page, one.taste.first_good_with_agent),
            _cell(page, one.taste.rank_of_first_good),
            _cell(page, one.taste.bad_to_good),
        ]
        for one in found.measures
        if one.taste
    ]
    page.section(
        f"What the agent {name} finds",
        f"Version {verdicts.version} looks at {', '.join(agent.spaces)}{learnt}, and calls {len(verdicts.good)} of "
        f"{len(verdicts.ids)} sounds good. A neighbour that it did not judge is not good. A measure of the same space "
        "has an advantage with it.",
        f"{with_agent}the rank of the first good one says how far down it had to look.",
        page.figure(plots.first_good(found.measures), "Share of targets by the rank of their first good neighbour."),
        page.table(
            [
                "measure",
                "first is good, without the agent",
                "with the agent",
                "rank of first good",
                "a bad target leads to a good sound",
            ],
            rows,
        ),
        "The last is the figure of A. Xambó, G. Roma: A virtual agent for live coding with crowdsourced sounds. "
        "NIME 2021.",
    )


def _listening(page: Page, found: Comparison, some: Sequence[Listened]) -> None:
    if not some:
        page.section("Listen", "None of the sounds asked about has audio here.")
        return
    names = found.asked.measures[:2]
    how = (
        f"The nearest to {len(some)} sounds by {' and by '.join(names)}. Press a name to hear how the sound begins, at "
        f"most {SECONDS:g} seconds, all at one loudness."
    )
    if len(names) > 1:
        how += " “#” is the rank on the other list, of what is on both."
    for why in dict.fromkeys(one.why for one in some):
        blocks: list[Block] = []
        for one in some:
            if one.why == why:
                blocks += [page.players([one.sound]), _side_by_side(page, one)]
        page.section(f"Listen: sounds {why}", how, *blocks)
        how = f"By {' and by '.join(names)} as above."
    every = {one.sound.id: one for each in some for one in (each.sound, *chain(*each.lists.values()))}
    page.section("Who made them", page.players(every[number] for number in sorted(every)))


def _side_by_side(page: Page, one: Listened) -> Html:
    """The lists, each with a column for the rank on the other where they have anything in common."""
    ranks = {name: {each.sound.id: rank for rank, each in enumerate(near, 1)} for name, near in one.lists.items()}
    common = len(ranks) == 2 and set.intersection(*(set(each) for each in ranks.values()))
    headings = [""]
    columns: list[Sequence[Html | int | None]] = []
    for name, near in one.lists.items():
        headings.append(name)
        columns.append([page.player(each) for each in near])
        if common:
            (other,) = ranks.keys() - {name}
            headings.append("#")
            columns.append([ranks[other].get(each.sound.id) for each in near])
    return page.table(headings, [[place, *row] for place, row in enumerate(zip_longest(*columns), 1)])


def _words(one: Estimate | None) -> str | None:
    return None if one is None else one.in_words()


def _cell(page: Page, one: Estimate | None) -> Html | None:
    return None if one is None else page.unbroken(f"{_words(one)}, n = {one.n}")
