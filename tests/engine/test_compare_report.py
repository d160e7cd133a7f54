"""The report of `compare`: what it says, and that it can be heard, in a real browser without a network."""

import shutil

import numpy as np
import pytest

from corpus import Corpus
from corpus.store.tables import sounds
from corpus.text import for_terminal
from engine.agent.training import train
from engine.compare.listening import LISTED, listened
from engine.compare.plots import first_good
from engine.compare.report import report
from engine.compare.run import compare
from engine.errors import EngineError, NoVectors
from engine.query.run import Choice, similar
from engine.similarity.measures import measure
from tests.engine.test_page import HOSTILE

AGENT = "<b>drums<b>"
MEASURES = ["mfcc", "mfcc_gauss", "0.7*mfcc+0.3*traits"]


@pytest.fixture(scope="module")
def tasted(measured_home, tmp_path_factory):
    """The samples with an agent, names, makers and a tag from a stranger, and categories; one has no audio."""
    home = tmp_path_factory.mktemp("report") / "home"
    shutil.copytree(measured_home, home)
    with Corpus(home) as corpus:
        ids = corpus.sounds.ids().tolist()
        agent = corpus.agents.create(AGENT, "", ["mfcc"], "mlp")
        corpus.agents.annotate(agent, ids[:10], "good", who="test", session="test")
        corpus.agents.annotate(agent, ids[-10:], "bad", who="test", session="test")
        train(corpus, AGENT)
        with corpus.database.write() as connection:
            for place, number in enumerate(ids):
                record = {"category": f"c{place % 3}", "category_is_user_provided": True}
                strange = {"name": f"{place} {HOSTILE}", "username": f"{place} {HOSTILE}"} if place < 40 else {}
                connection.execute(sounds.update().where(sounds.c.id == number).values(record=record, **strange))
            connection.exec_driver_sql(f"update files set preferred = 0 where sound_id = {ids[0]}")
        yield corpus


def test_a_report_is_opened_and_heard(tasted, mirla, tmp_path, browse):
    ids = tasted.sounds.ids().tolist()
    listen = ids[:4]
    html = tmp_path / "report.html"
    options = ["-k", "7", "--agent", AGENT, "--html", html, *(f"--listen={one}" for one in listen)]
    answer = mirla("--json", "compare", *MEASURES, *options, home=tasted.home).json
    assert answer["html"] == str(html)
    with browse(html) as opened:
        text = opened.find("main").inner_text()
        assert opened.find("img, a, b, i").count() == 0
        assert opened.find(".figure").count() == 3 + 2 + 2 + 1
        lists = opened.find("section:has(h2:text('Listen')) table")
        assert lists.count() == len(listen)
        order = {
            name: [hit.sound.name for hit in similar(tasted, listen[1], Choice(k=LISTED), name).hits]
            for name in MEASURES
        }
        both = set(order["mfcc"]) & set(order["mfcc_gauss"])
        rows = [row.split("\t") for row in lists.nth(1).inner_text().splitlines()]
        assert rows[0] == ["", "mfcc", "#", "mfcc_gauss", "#"]
        for row, one, other in zip(rows[1:], order["mfcc"], order["mfcc_gauss"], strict=True):
            assert [row[1], row[3]] == [for_terminal(one), for_terminal(other)]
            assert row[2] == (str(order["mfcc_gauss"].index(one) + 1) if one in both else "")
            assert row[4] == (str(order["mfcc"].index(other) + 1) if other in both else "")
        for each in answer["pairs"]:
            assert in_words(each["rbo"]) in text
        for each in answer["measures"]:
            assert in_words(each["tag_precision"]) in text
            assert in_words(each["agent"]["bad_to_good"]) in text
            assert in_words(each["hubness"]) in text
            assert each["agent"]["first_good_with_agent"]["value"] == 1
        assert text.count("1.00 (1.00 to 1.00), n = 165") == len(MEASURES)
        assert "has no audio here" in lists.nth(0).locator("xpath=../preceding-sibling::ul[1]").inner_text()
        lists.nth(1).locator("button").last.click()
        opened.wait_until_it_plays()
        assert for_terminal(order["mfcc_gauss"][-1]) in opened.find("#playing").inner_text()
        assert text.count(tasted.vectors.space("mfcc").fingerprint) == 1
        assert "mirla compare mfcc mfcc_gauss '0.7*mfcc+0.3*traits' -k 7 --agent" in text


def in_words(estimate):
    low, high = estimate["interval"]
    return f"{estimate['value']:.2f} ({low:.2f} to {high:.2f})"


def test_what_is_listened_to_unless_told(tasted):
    found = compare(tasted, MEASURES[:2], 2, sample=80)
    some = listened(tasted, found)
    assert len(some) == 12
    least = [one.sound.sound.id for one in some if "least" in one.why]
    alike = dict(zip(found.targets.tolist(), found.alike, strict=True))
    bound = max(alike[one] for one in least)
    silent = int(tasted.sounds.ids()[0])
    assert len(least) == 6
    assert sum(value < bound for number, value in alike.items() if number != silent) < 6
    alone = listened(tasted, compare(tasted, ["mfcc"], 2, sample=3))
    assert [(one.why, list(one.lists), len(one.lists["mfcc"])) for one in alone] == [
        ("drawn at random", ["mfcc"], 2)
    ] * 3


def test_the_plot_of_ranks_is_their_distribution(tasted):
    found = compare(tasted, ["mfcc"], 3, agent=AGENT)
    (trace,) = first_good(found.measures)["data"]
    ranks = np.array(found.measures[0].taste.ranks)
    assert trace["y"] == [pytest.approx(np.mean(ranks <= rank)) for rank in trace["x"]]
    assert trace["y"][-1] == 1


def test_little_to_compare_still_makes_a_page(tasted, tmp_path):
    found = compare(tasted, ["mfcc"], 3, sample=1)
    page = report(tasted, found)
    page.write(tmp_path / "one.html")
    text = (tmp_path / "one.html").read_text()
    assert "1 of them were asked about" in text
    assert "of the same 1 sound." in text
    assert "Hubness is asked of all sounds only; here 1 of 165 were asked about." in text
    assert found.alike is None
    assert measure("mfcc").name in page.title


def test_the_examples_are_those_of_the_version_in_use(tasted, tmp_path):
    with Corpus(shutil.copytree(tasted.home, tmp_path / "home")) as corpus:
        agent = corpus.agents.get(AGENT)
        corpus.agents.annotate(agent, corpus.sounds.ids().tolist()[10:20], "good", who="test", session="later")
        found = compare(corpus, ["mfcc"], 3, agent=AGENT, sample=5)
        assert "learnt from 10 good and 10 bad examples" in report(corpus, found)._whole()
        train(corpus, AGENT)
        assert "learnt from 20 good and 10 bad examples" in report(corpus, found)._whole()
        corpus.agents.use(corpus.agents.get(AGENT), 1)
        text = report(corpus, found)._whole()
        assert "Version 1 looks at mfcc, learnt from 10 good and 10 bad examples" in text


@pytest.mark.parametrize("command", [["compare", "x"], ["map"], ["bench", "x"], ["agent", "curve", "x"]], ids=" ".join)
def test_where_a_page_goes_is_checked_before_the_work(home, mirla, tmp_path, command):
    done = mirla(*command, "--html", "-", check=EngineError.exit_code)
    assert "cannot write a page to standard output; name a file with --html" in done.err
    assert done.err.count("\n") == 1
    done = mirla(*command, "--html", tmp_path / "nowhere" / "x.html", check=EngineError.exit_code)
    assert "No such file or directory; make room or choose another place with --html" in done.err
    mirla(*command, "--html", tmp_path / "x.html", check=None)
    assert not list(tmp_path.glob("*.html")) + list(tmp_path.glob(".*.part"))


def test_what_cannot_be_listened_to_is_said(tasted, mirla, tmp_path):
    html = ["--html", tmp_path / "report.html"]
    assert "give its place with --html" in mirla("compare", "mfcc", "--listen", 1, check=2).err
    many = [f"--listen={one}" for one in range(51)]
    assert "51 sounds to listen to; 50 at most" in mirla("compare", "mfcc", *html, *many, check=2).err
    done = mirla("compare", "mfcc", *html, "--listen", 1, home=tasted.home, check=NoVectors.exit_code)
    assert "sound 1 is not known to all of mfcc; leave it out of --listen" in done.err
    assert not (tmp_path / "report.html").exists()
