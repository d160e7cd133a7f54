"""Maps: positions against plain NumPy, groups against a plain count, and the page in a real browser."""

import shutil
from importlib.util import find_spec

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform
from scipy.stats import spearmanr

from corpus import Corpus
from corpus.folder import Adoption
from corpus.licences import from_text
from corpus.model import Sound
from corpus.store.vectors import Vector
from corpus.text import for_terminal
from engine.agent.judging import Verdicts
from engine.map import draw, groups, positions
from engine.similarity.measures import measure
from tests.audio_files import write_tone
from tests.engine.measured import apart
from tests.engine.test_page import HOSTILE

NAMES = [HOSTILE, "kick", "snare", "<b>bold</b> & <i>so on</i>", "&lt;b&gt;", "%{x} $\\alpha$", "x" * 250, "silent"]


def laid(corpus, name, **how):
    return positions.positions(corpus, measure(name), **how)


@pytest.mark.parametrize("name", ["mfcc", "mfcc_raw", "mfcc_cosine"])
def test_pca_is_that_of_a_singular_value_decomposition(finished, name):
    found = laid(finished, name)
    ids, X = measure(name).prepared(finished)[0].ids, measure(name).prepared(finished)[1].astype(np.float64)
    if name == "mfcc_cosine":
        X /= np.linalg.norm(X, axis=1, keepdims=True)
    left, values, axes = np.linalg.svd(X - X.mean(axis=0), full_matrices=False)
    signs = np.sign([axis[np.abs(axis).argmax()] for axis in axes[:2]])
    assert found.ids.tolist() == ids.tolist()
    np.testing.assert_allclose(found.xy, left[:, :2] * values[:2] * signs, atol=1e-4 * values[0])
    assert found.explained == pytest.approx(values[:2] ** 2 / (values**2).sum())


def test_landmarks_keep_distances_that_fit():
    points = np.random.default_rng(3).normal(size=(300, 4))
    squares = squareform(pdist(points)) ** 2
    landmarks = np.arange(0, 300, 15)
    np.testing.assert_allclose(pdist(positions._laid_out(squares[landmarks], landmarks)), pdist(points), rtol=1e-3)


@pytest.mark.parametrize("name", ["mfcc_gauss", "0.7*mfcc+0.3*traits", "mfcc+mfcc_cosine"])
def test_what_has_no_vectors_to_project_is_laid_out_by_its_distances(measured, name):
    found = laid(measured, name)
    again = laid(measured, name)
    assert found.explained is None
    assert np.array_equal(found.xy, again.xy)
    if name == "mfcc_gauss":
        ids, distances = apart(measured, name)
    else:
        ids = found.ids
        distances = np.zeros((len(ids), len(ids)))
        for row, one in enumerate(ids):
            near, far = measure(name).around(measured, int(one)).nearest(len(ids), ids[ids != one])
            distances[row, np.searchsorted(ids, near)] = far
    assert found.ids.tolist() == ids.tolist()
    assert spearmanr(pdist(found.xy), squareform(distances, checks=False)).statistic > 0.6


@pytest.mark.filterwarnings("ignore:Tensorflow not installed:ImportWarning")
def test_umap_keeps_neighbours(finished):
    found, again = laid(finished, "mfcc", projection="umap", seed=4), laid(finished, "mfcc", projection="umap", seed=4)
    assert np.array_equal(found.xy, again.xy)
    near = np.argsort(squareform(pdist(found.xy)), axis=1)[:, 1:11]
    true = np.argsort(apart(finished, "mfcc")[1], axis=1)[:, 1:11]
    assert np.mean([len(set(a) & set(b)) / 10 for a, b in zip(near, true, strict=True)]) > 0.4  # 0.06 by chance


def sound(number, tags=(), licence=""):
    return Sound(number, str(number), licence=from_text(licence), tags=tags)


def by_name(found):
    assert sorted(np.concatenate([group.members for group in found])) == list(range(sum(len(g.members) for g in found)))
    assert len({(group.colour, group.symbol) for group in found}) == len(found)
    return {group.name: group.members.tolist() for group in found}


def test_tags_are_grouped_by_what_most_have_that_have_no_group_yet():
    tags = [("all", "a", "b"), ("all", "a", "c"), ("all", "b"), ("all", "b"), ("all",), ("all", "a", "b"), ("all", "c")]
    some = [sound(number, those) for number, those in enumerate([*tags, ("all", "d")])]
    assert by_name(groups.by_tag(some)) == {"b": [0, 2, 3, 5], "c": [1, 6], "d": [7], "other tags": [4]}
    assert by_name(groups.by_tag(some[:1])) == {"a": [0]}
    assert by_name(groups.by_tag([sound(1), sound(2)])) == {"other tags": [0, 1]}
    many = [sound(number, (f"t{number // 2}",)) for number in range(60)]
    assert [len(group.members) for group in groups.by_tag(many)] == [2] * 9 + [42]


def test_licences_and_verdicts_are_grouped():
    some = [sound(1, licence="cc0"), sound(2, licence="by 3.0"), sound(3, licence="by 4.0"), sound(4)]
    assert by_name(groups.by_licence(some)) == {
        "Attribution": [1, 2],
        "Creative Commons 0": [0],
        "an unknown licence": [3],
    }
    verdicts = Verdicts("taste", 1, np.array([1, 2, 4]), np.array([True, False, True]), np.array([0.9, 0.2, 0.7]))
    assert by_name(groups.by_verdict(some, verdicts)) == {"good": [0, 3], "bad": [1], "not judged": [2]}


def test_those_to_be_heard_are_spread_over_the_map(monkeypatch):
    monkeypatch.setattr(draw, "EXCERPTS", 20)
    xy = np.random.default_rng(1).normal(size=(2000, 2)).astype(np.float32)
    places = np.arange(0, 2000, 2)
    chosen = draw._spread(xy, places)
    assert len(set(chosen.tolist())) == 20
    assert set(chosen) <= set(places)

    def farthest(some):
        return np.linalg.norm(xy[places][:, None] - xy[some][None], axis=2).min(axis=1).max()

    assert farthest(chosen) < 0.7 * min(farthest(places[first:][:20]) for first in range(0, 900, 20))
    assert len(set(draw._spread(np.zeros_like(xy), places).tolist())) == 20
    assert draw._spread(xy, places[:20]).tolist() == places[:20].tolist()


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A home with a few sounds of hostile names and makers, one silent, one without audio; ids by name."""
    folder, home = tmp_path_factory.mktemp("some"), tmp_path_factory.mktemp("drawn") / "home"
    for number, _ in enumerate(NAMES):
        write_tone(folder / f"{number}.wav", 300 + 90 * number, seconds=2.5)
    with Corpus(home) as corpus:
        ids = corpus.adopt([folder], Adoption(tags=("tone",))).ids
        assert not corpus.analyse().failed
        space = corpus.vectors.space("mfcc")
        values = corpus.vectors.matrix("mfcc")[1].mean(axis=0)
        made = corpus.sounds.many(ids)
        with corpus.database.write() as connection:
            named = [
                Sound(**{**vars(one), "name": name, "username": HOSTILE}) for one, name in zip(made, NAMES, strict=True)
            ]
            corpus.sounds.update(connection, named, {})
            corpus.sounds.insert(connection, [Sound(7, "a record alone")])
            corpus.vectors.put(connection, [Vector("mfcc", space.fingerprint, 7, None, values, {})])
        write_tone(made[-1].file.path, 440, seconds=0.0)
    return home, dict(zip(NAMES, ids, strict=True))


def test_a_dot_says_its_name_and_plays(drawn, mirla, tmp_path, browse):
    home, ids = drawn
    answer = mirla("--json", "map", "--html", tmp_path / "map.html", home=home).json
    assert answer["html"] == str(tmp_path / "map.html")
    assert (answer["sounds"], answer["excerpts"], answer["projection"]) == (9, 7, "pca")
    with browse(tmp_path / "map.html") as opened:
        assert opened.find("img, main a, b, i").count() == 0
        for name, number in ids.items():
            shown = "".join(for_terminal(name).split())
            assert opened.hover(number).startswith(shown[:100])
        opened.click(ids["kick"])
        opened.wait_until_it_plays()
        sound = opened.sound()
        pressed = opened.find(".playing[aria-pressed=true]")
        assert pressed.inner_text() == "kick"
        assert opened.find(".annotation").count() == 1
        opened.click(ids[HOSTILE])
        opened.page.wait_for_function("(was) => document.querySelector('audio').src !== was", arg=sound)
        opened.wait_until_it_plays()
        assert pressed.count() == 1
        credits = opened.find(".players").inner_text()
        assert credits.count("levelled and compressed to MP3") == 7
        assert "an unknown licence, changed: levelled" in credits
        assert opened.find(".unheard").all_inner_texts() == ["silent is silent"]
        assert "Click a larger one to hear it; another says how to hear it, or why it cannot be heard." in (
            opened.find("main").inner_text()
        )
        opened.click(ids["silent"])
        assert opened.find("#playing").inner_text() == "silent is silent"
        assert opened.sound() is None


def test_of_many_sounds_some_can_be_heard(drawn, tmp_path, browse, monkeypatch):
    monkeypatch.setattr(draw, "EXCERPTS", 3)
    monkeypatch.setattr(draw, "_MANY", 5)  # by WebGL
    home, ids = drawn
    with Corpus(home) as corpus:
        made = draw.draw(corpus, "mfcc", colour="licence")
    made.page.write(tmp_path / "map.html")
    assert made.excerpts <= 3 < made.sounds
    with browse(tmp_path / "map.html") as opened:
        heard = {int(one.get_attribute("data-sound")) for one in opened.find("[data-sound]").all()}
        silent = next(number for name, number in ids.items() if number not in heard and name != "silent")
        assert len(heard) == made.excerpts
        for number in heard:
            opened.click(number)
            opened.wait_until_it_plays()
            assert opened.find(f"[data-sound='{number}'].playing").count() == 1
        opened.click(silent)
        assert f"`mirla play {silent}` plays it" in opened.find("#playing").inner_text()
        assert opened.sound() is None


def test_verdicts_colour_a_map_of_an_agent(drawn, tmp_path, mirla):
    home = tmp_path / "home"
    shutil.copytree(drawn[0], home)
    ids = [str(number) for number in drawn[1].values()]
    mirla("agent", "new", "low", home=home)
    mirla("map", "--agent", "low", "--html", tmp_path / "map.html", home=home, check=23)
    mirla("agent", "label", "low", "--good", *ids[:4], home=home)
    mirla("agent", "label", "low", "--bad", *ids[4:], home=home)
    mirla("agent", "train", "low", home=home)
    with Corpus(home) as corpus:
        made = draw.draw(corpus, "mfcc", agent="low")
    source = made.page._whole()
    assert '"name": "good (' in source
    assert "low: good, p 0." in source


ERRORS = {
    "unknown measure": (["--measure", "mfc"], 21, "no measure 'mfc'; known are mfcc"),
    "a list": (["--measure", "freesound_list"], 26, "an order without distances"),
    "an empty space": (["--measure", "laion_clap"], 22, "`mirla harvest TEXT` brings sounds with theirs"),
    "an empty space of a mix": (["--measure", "mfcc+traits"], 22, "`mirla analyse --space traits9`"),
    "unknown agent": (["--agent", "nobody"], 9, "nobody"),
    "verdicts of nobody": (["--colour", "verdict"], 26, "name one with --agent"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_what_cannot_be_drawn_says_why(drawn, mirla, tmp_path, case):
    options, code, words = ERRORS[case]
    done = mirla("map", *options, "--html", tmp_path / "map.html", home=drawn[0], check=code)
    assert words in done.err
    assert done.err.count("\n") == 1
    assert not (tmp_path / "map.html").exists()


def test_a_page_that_cannot_be_written_says_why(drawn, mirla, tmp_path):
    done = mirla("map", "--html", tmp_path / "nowhere" / "map.html", home=drawn[0], check=20)
    assert "No such file or directory; make room or choose another place with --html" in done.err


def test_umap_that_is_not_there_or_has_too_little_says_so(drawn, mirla, tmp_path, monkeypatch):
    options = ["map", "--projection", "umap", "--html", tmp_path / "map.html"]
    monkeypatch.setattr(positions, "find_spec", lambda name: None if name == "umap" else find_spec(name))
    assert "`pip install 'mirla[map]'` brings it" in mirla(*options, home=drawn[0], check=20).err


def test_few_and_equal_sounds(home, mirla, tmp_path):
    page = tmp_path / "map.html"
    assert "`mirla adopt DIR`" in mirla("map", "--html", page, check=22).err
    (tmp_path / "some").mkdir()
    write_tone(tmp_path / "some" / "0.wav", 400)
    mirla("adopt", tmp_path / "some")
    assert "`mirla analyse --space mfcc`" in mirla("map", "--html", page, check=22).err
    mirla("analyse")
    assert "only one sound" in mirla("map", "--html", page).out
    assert "at least 5 sounds and there are 1" in mirla("map", "--projection", "umap", "--html", page, check=26).err
    for number in range(1, 3):
        write_tone(tmp_path / "some" / f"{number}.wav", 400 + number)
    ids = mirla("--json", "adopt", tmp_path / "some").json["ids"]
    lacking = mirla("map", "--html", page).out
    assert "2 other sounds are unknown to the measure mfcc" in lacking
    with Corpus(home) as corpus:
        space, vector = corpus.vectors.space("mfcc"), corpus.vectors.matrix("mfcc")[1][0]
        with corpus.database.write() as connection:
            corpus.vectors.put(connection, [Vector("mfcc", space.fingerprint, one, None, vector, {}) for one in ids])
    for name in ("mfcc", "mfcc_cosine", "2*mfcc"):
        assert "all sounds are alike: they lie on one spot" in mirla("map", "--measure", name, "--html", page).out
