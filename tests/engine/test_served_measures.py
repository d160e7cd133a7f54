"""Measures over what Freesound serves, against NumPy and against the server's own lists; agents that judge by it."""

import shlex
import shutil

import numpy as np
import pytest

from corpus import Corpus
from corpus.errors import BadQuery
from corpus.freesound.client import Account, Client
from corpus.model import Space
from corpus.store.quota import RequestLog
from corpus.store.vectors import Vector
from corpus.wanted import Query, Wanted
from engine.agent.judging import judge, logits, served_verdicts
from engine.agent.training import train
from engine.errors import NoVectors, TrainingError
from engine.features import side_by_side
from engine.query.run import Choice, random_sounds, search, similar
from engine.similarity import index
from engine.similarity.measures import MEASURES
from tests.audio_files import write_tone
from tests.bad_input import one_line
from tests.freesound.asking import Asking

SPACES = {"api_mfcc": 26, "freesound_classic": 100, "laion_clap": 512}
MEASURED = [*SPACES, "freesound_list"]
COSINES = ["freesound_classic", "laion_clap"]
HARVESTED = Wanted((Query(filter="duration:[0 TO 3]"),), audio="none")
WITHOUT_LIST = 100055
PERCUSSIVE = ("bd", "drum", "sn", "tabla", "perc")
LIST_SPACE = "freesound_classic"


@pytest.fixture(scope="module")
def account(freesound_server):
    """The environment of a performer with a key; the server as new."""
    freesound_server.reset()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIRLA_FREESOUND_URL", freesound_server.url)
        patch.setenv("FREESOUND_TOKEN", freesound_server.token)
        patch.setenv("MIRLA_FREESOUND_PER_MINUTE", "100000")
        patch.setenv("MIRLA_FREESOUND_PER_DAY", "100000")
        yield freesound_server


@pytest.fixture(scope="module")
def harvested_home(account, tmp_path_factory):
    """The short ones of the server's sounds, without audio, with a list each but one."""
    home = tmp_path_factory.mktemp("served") / "home"
    with Corpus(home) as corpus:
        assert corpus.harvest(HARVESTED).state == "done"
        log = RequestLog(corpus.database, 100000, 100000)
        client = Client(Account(account.url, account.token), log)
        for sound_id in corpus.sounds.ids().tolist():
            if sound_id == WITHOUT_LIST:
                continue
            try:
                page = client.similar(sound_id, similarity_space=LIST_SPACE, fields="id")
            except BadQuery:  # it was not analysed there
                continue
            with corpus.database.write() as connection:
                corpus.similar_lists.put(connection, sound_id, [found.sound.id for found in page.records], 150)
        client.close()
    return home


@pytest.fixture(scope="module")
def harvested(harvested_home):
    """That corpus, open, for tests that only read."""
    with Corpus(harvested_home) as corpus:
        yield corpus


@pytest.fixture
def served(harvested_home, home):
    """A copy of that corpus, open, that a test may change."""
    shutil.copytree(harvested_home, home)
    with Corpus(home) as corpus:
        yield corpus


def z_scores_apart(X, row):
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    return np.sqrt(((Z - Z[row]) ** 2).sum(axis=1))


def one_minus_cosine(X, row):
    return 1 - X @ X[row] / (np.linalg.norm(X, axis=1) * np.linalg.norm(X[row]))


APART = {"api_mfcc": z_scores_apart, **dict.fromkeys(COSINES, one_minus_cosine)}


def brute_force(corpus, measure, target, allowed=None):
    """All that may be answered, as (id, distance) by distance, then id: from the definition alone."""
    ids, X = corpus.vectors.matrix(measure)
    (row,) = np.flatnonzero(ids == target)
    distances = APART[measure](X.astype(float), row)
    order = np.lexsort((ids, np.round(distances, 12)))
    pairs = [(int(ids[place]), float(distances[place])) for place in order]
    return [pair for pair in pairs if pair[0] != target and (allowed is None or pair[0] in allowed)]


def found(corpus, target, measure, **choice):
    """Ids and distances of an answer."""
    hits = similar(corpus, target, Choice(**{"k": 1000} | choice), measure).hits
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    return [hit.sound.id for hit in hits], [hit.distance for hit in hits]


def assert_same(answer, expected):
    ids, distances = answer
    assert ids == [sound_id for sound_id, _ in expected]
    np.testing.assert_allclose(distances, [distance for _, distance in expected], rtol=1e-4, atol=1e-6)


def taught(corpus, name, spaces):
    """An agent labelled by the samples' tags, trained."""
    ids = corpus.sounds.many(side_by_side(corpus, spaces).ids)
    prefix = {sound.id: sound.name.replace("_", " ").split()[0] for sound in ids}
    good = [sound_id for sound_id, word in prefix.items() if word in PERCUSSIVE][::3][:15]
    bad = [sound_id for sound_id, word in prefix.items() if word not in PERCUSSIVE][::2][:15]
    agent = corpus.agents.create(name, "", list(spaces), "mlp")
    corpus.agents.annotate(agent, good, "good", who="test", session="t")
    corpus.agents.annotate(agent, bad, "bad", who="test", session="t")
    return train(corpus, name)[0]


@pytest.mark.parametrize("measure", SPACES)
def test_whole_ranking_of_every_sound(harvested, measure):
    ids, X = harvested.vectors.matrix(measure)
    assert X.shape[1] == SPACES[measure]
    assert 100 < len(ids) < 165
    for target in ids[::3].tolist():
        assert_same(found(harvested, target, measure), brute_force(harvested, measure, target))
        assert_same(found(harvested, target, measure, k=3), brute_force(harvested, measure, target)[:3])


@pytest.mark.parametrize("measure", COSINES)
def test_what_is_served_is_rounded_and_still_the_cosine_is_one(harvested, measure):
    ids, X = harvested.vectors.matrix(measure)
    lengths = np.linalg.norm(X.astype(float), axis=1)
    assert np.abs(lengths - 1).max() > 1e-5, "nothing to hold the measure against"
    target = int(ids[np.argmax(np.abs(lengths - 1))])
    _, distances = found(harvested, target, measure)
    expected = [distance for _, distance in brute_force(harvested, measure, target)]
    np.testing.assert_allclose(distances, expected, rtol=0, atol=1e-13)


def test_the_list_is_the_servers_own(harvested, account):
    held = set(harvested.sounds.ids().tolist())
    asking = Asking(account)
    shorter = 0
    for target in harvested.vectors.matrix(LIST_SPACE)[0][::7].tolist():
        if target == WITHOUT_LIST:
            continue
        page = asking.get(f"/sounds/{target}/similar/", similarity_space=LIST_SPACE, page_size=150, fields="id")
        listed = [row["id"] for row in page["results"]]
        expected = [sound_id for sound_id in listed if sound_id in held and sound_id != target]
        shorter += len(expected) < len(listed)
        ids, distances = found(harvested, target, "freesound_list")
        assert ids == expected
        assert set(distances) <= {None}
        assert similar(harvested, target, Choice(k=2), "freesound_list").allowed == len(expected)
        assert found(harvested, target, "freesound_list", k=2)[0] == expected[:2]
    asking.session.close()
    assert shorter, "no list had sounds that are not held"


def test_a_list_may_name_the_sound_itself_and_others_twice(served):
    """As it came, so it is kept: what to make of it is for the measure."""
    first, second, third, target = served.sounds.ids()[:4].tolist()
    with served.database.write() as connection:
        served.similar_lists.put(connection, target, [third, target, 1, second, third, first, first], 150)
    assert found(served, target, "freesound_list")[0] == [third, second, first]
    with served.database.write() as connection:
        served.similar_lists.put(connection, target, [], 150)
    assert found(served, target, "freesound_list") == ([], [])


@pytest.mark.parametrize("measure", MEASURED)
def test_tags_and_licences_leave_the_order_as_it_is(harvested, measure):
    target = 13147 if measure == "freesound_list" else int(harvested.vectors.matrix(measure)[0][30])
    every = found(harvested, target, measure)
    for choice in {"tags": ("drum",)}, {"licences": ("by",)}, {"tags": ("drum",), "licences": ("CC0",)}:
        fits = {hit.sound.id for hit in search(harvested, Choice(k=1000, **choice)).hits}
        expected = [pair for pair in zip(*every, strict=True) if pair[0] in fits]
        assert 0 < len(expected) < len(every[0])
        assert list(zip(*found(harvested, target, measure, **choice), strict=True)) == expected
        assert similar(harvested, target, Choice(k=1, **choice), measure).allowed == len(expected)


@pytest.mark.parametrize("measure", COSINES)
@pytest.mark.parametrize(("gather", "select"), [(1.0, 0.25), (0.0, 0.0), (0.0, 1.0)])
def test_each_branch_of_the_search_answers_the_same(harvested, monkeypatch, measure, gather, select):
    """Only gathering, only the selector, only over-fetching."""
    monkeypatch.setattr(index, "GATHER", gather)
    monkeypatch.setattr(index, "SELECT", select)
    monkeypatch.setattr(index, "_SPARE", 2)
    fits = {hit.sound.id for hit in search(harvested, Choice(k=1000, tags=("drum",))).hits}
    for target in harvested.vectors.matrix(measure)[0][::10].tolist():
        expected = brute_force(harvested, measure, target, fits)[:4]
        assert_same(found(harvested, target, measure, k=4, tags=("drum",)), expected)


@pytest.mark.parametrize("measure", SPACES)
def test_equal_sounds_come_in_order_of_id(served, measure):
    """Thirty sounds with one and the same vector: a tie that is longer than k and than what is fetched for it."""
    ids, X = served.vectors.matrix(measure)
    same = ids[20:50].tolist()
    put(served, measure, dict.fromkeys(same, X[20]))
    found_ids, distances = found(served, same[12], measure, k=9)
    assert found_ids == [sound_id for sound_id in same if sound_id != same[12]][:9]
    assert set(distances) == {0.0}


@pytest.mark.parametrize("measure", COSINES)
def test_a_zero_vector_is_as_far_as_a_right_angle(served, measure):
    ids, X = served.vectors.matrix(measure)
    put(served, measure, {int(ids[3]): 0 * X[3]})
    found_ids, distances = found(served, int(ids[3]), measure)
    assert found_ids == [sound_id for sound_id in ids.tolist() if sound_id != ids[3]]
    assert set(distances) == {1.0}
    others = dict(zip(*found(served, int(ids[0]), measure), strict=True))
    assert others[int(ids[3])] == 1.0
    assert np.isfinite(list(others.values())).all()


def put(corpus, space, values):
    known = corpus.vectors.space(space)
    with corpus.database.write() as connection:
        made = [Vector(space, known.fingerprint, i, None, each, {"made": "up"}) for i, each in values.items()]
        corpus.vectors.put(connection, made)


@pytest.mark.parametrize("spaces", [("api_mfcc",), ("laion_clap",), ("freesound_classic", "api_mfcc")], ids="+".join)
def test_an_agent_with_each_measure_lets_only_good_ones_through_in_the_measures_order(served, spaces):
    taught(served, "taste", spaces)
    good = set(judge(served, "taste").good.tolist())
    every = set(served.sounds.ids().tolist())
    assert 10 < len(good) < len(every) - 10
    for measure in MEASURED:
        for target in served.vectors.matrix("laion_clap")[0][::25].tolist():
            plain = found(served, target, measure)
            answer = similar(served, target, Choice(k=1000, agents=("taste",)), measure)
            expected = [pair for pair in zip(*plain, strict=True) if pair[0] in good]
            assert [(hit.sound.id, hit.distance) for hit in answer.hits] == expected
            assert all(hit.agents["taste"]["label"] == "good" for hit in answer.hits)
            assert (answer.allowed, answer.refused) == (len(expected), {"taste": len(plain[0]) - len(expected)})


def test_measures_say_what_they_cover(served, mirla):
    first = int(served.sounds.ids()[0])
    with served.database.write() as connection:
        served.similar_lists.put(connection, 7, [first], 150)  # of a sound that is not held
    rows = {row.pop("name"): row for row in mirla("--json", "measures").json["measures"]}
    counts = served.vectors.counts()
    for name, dims in SPACES.items():
        metric = "cosine" if name in COSINES else "euclidean"
        assert rows[name].pop("about")
        assert rows[name] == {"space": name, "dims": dims, "metric": metric, "sounds": counts[name]}
    assert rows["freesound_list"].pop("about")
    listed = served.similar_lists.count() - 1
    assert rows["freesound_list"] == {"space": None, "dims": None, "metric": "rank", "sounds": listed}
    assert rows["mfcc"] | {"about": ""} == {
        "space": "mfcc", "dims": None, "metric": "euclidean", "sounds": 0, "about": "",
    }  # fmt: skip
    assert list(rows) == list(MEASURES)
    assert "freesound_list" in mirla("measures").out


@pytest.mark.parametrize("measure", MEASURED)
def test_the_command_answers_by_each_measure(served, mirla, measure):
    taught(served, "taste", ["api_mfcc"])
    good = set(judge(served, "taste").good.tolist())
    target = int(served.vectors.matrix("laion_clap")[0][30])
    arguments = ("similar", target, "--measure", measure, "--agent", "taste", "-k", 4)
    answer = mirla("--json", *arguments).json
    expected = [pair for pair in zip(*found(served, target, measure), strict=True) if pair[0] in good]
    assert (answer["measure"], answer["allowed"]) == (measure, len(expected))
    assert [(hit["id"], hit["distance"]) for hit in answer["results"]] == expected[:4]
    assert all(hit["agents"]["taste"]["label"] == "good" and hit["score"] is None for hit in answer["results"])
    out = mirla(*arguments).out
    assert ("distance" in out) == (measure != "freesound_list")
    assert all(str(hit["id"]) in out for hit in answer["results"])


def test_what_cannot_be_compared_is_one_line(served, mirla, tmp_path):
    write_tone(tmp_path / "mine.wav", 440)
    mine = served.adopt([tmp_path / "mine.wav"]).ids[0]
    for space in SPACES:
        (lacking, *_) = set(served.sounds.ids().tolist()) - set(served.vectors.matrix(space)[0].tolist()) - {mine}
        ran = mirla("similar", lacking, "--measure", space, check=22)
        one_line(ran, f"sound {lacking} has no vector in space '{space}'; `mirla harvest --ids FILE` brings it")
        ran = mirla("similar", mine, "--measure", space, check=22)
        one_line(ran, f"sound {mine} has no vector in space '{space}'; Freesound serves it for its own")
    ran = mirla("similar", WITHOUT_LIST, "--measure", "freesound_list", check=22)
    one_line(ran, f"sound {WITHOUT_LIST} has no similar list; `mirla harvest --ids FILE --similar 150` fetches it")
    one_line(mirla("similar", mine, "--measure", "freesound_list", check=22), f"sound {mine} is none of Freesound's")
    one_line(mirla("similar", 7, "--measure", "freesound_list", check=8), "no sound 7")
    one_line(mirla("similar", 7, "--measure", "freesound_lists", check=21), "freesound_classic, laion_clap, freesound_")
    ran = mirla("--json", "similar", WITHOUT_LIST, "--measure", "freesound_list", check=22).json
    assert ran["code"] == 22


def test_where_nothing_was_harvested_a_harvest_is_the_way(mirla, home, tmp_path):
    write_tone(tmp_path / "mine.wav", 440)
    with Corpus(home) as corpus:
        mine = corpus.adopt([tmp_path / "mine.wav"]).ids[0]
        for space in SPACES:
            one_line(mirla("similar", mine, "--measure", space, check=22), f"'{space}' yet; `mirla harvest TEXT`")
            with pytest.raises(NoVectors, match="`mirla harvest TEXT` brings"):
                side_by_side(corpus, [space])
    one_line(mirla("similar", mine, check=22), "'mfcc' yet; `mirla analyse --space mfcc`")
    mirla("agent", "new", "a", "--space", "laion_clap")
    mirla("agent", "label", "a", "--good", mine)
    one_line(mirla("agent", "train", "a", check=23), "1 good and 0 bad")
    one_line(mirla("agent", "new", "b", "--space", "magic", check=12), "no space 'magic'")


def test_an_agent_on_several_spaces_says_which_one_a_sound_lacks(served, mirla):
    clap, classic = (set(served.vectors.matrix(space)[0].tolist()) for space in ("laion_clap", "freesound_classic"))
    (lacking,) = classic - clap
    one, two = sorted(clap & classic)[:2]
    mirla("agent", "new", "both", "--space", "freesound_classic", "--space", "laion_clap")
    mirla("agent", "label", "both", "--good", one, lacking)
    mirla("agent", "label", "both", "--bad", two)
    words = f"sound {lacking} has no vector in space 'laion_clap'; `mirla harvest --ids FILE` brings it"
    assert words in mirla("agent", "train", "both").err
    mirla("agent", "unlabel", "both", one)
    one_line(mirla("agent", "train", "both", check=23), "0 good and 1 bad", "1 more have no vectors")


def test_spaces_side_by_side_keep_each_sounds_numbers_together(harvested):
    matrix = side_by_side(harvested, ["freesound_classic", "laion_clap"])
    assert len(matrix.ids) == harvested.vectors.count("laion_clap") < harvested.vectors.count("freesound_classic")
    for sound_id, row in zip(matrix.ids.tolist(), matrix.X, strict=True):
        own = harvested.vectors.of_sound(sound_id)
        np.testing.assert_array_equal(row, np.concatenate([own["freesound_classic"], own["laion_clap"]]))


def test_the_corpus_knows_where_a_space_comes_from(served, home):
    assert {space: served.origin(space) for space in (*SPACES, "mfcc", "magic")} == {
        **dict.fromkeys(SPACES, "api"),
        "mfcc": "computed",
        "magic": "computed",
    }
    served.vectors.register(Space("fsd_sinet", 3, "freesound: to come", "api"))
    assert served.origin("fsd_sinet") == "api"
    assert (served.vectors.count("fsd_sinet"), served.vectors.count("magic")) == (0, 0)
    assert {space: served.vectors.count(space) for space in SPACES} == {
        space: len(served.vectors.matrix(space)[0]) for space in SPACES
    }


def test_an_agent_judges_by_served_mfccs_as_it_will_once_there_is_audio(account, sonic):
    """The same sounds with audio measured here and as served: one model, the same verdicts but for the rounding."""
    model = taught(sonic, "taste", ["mfcc"])
    with pytest.raises(NoVectors, match="no sound has a vector in space 'api_mfcc' yet; `mirla harvest"):
        served_verdicts(sonic, "taste")
    sonic.harvest(HARVESTED)
    asking = Asking(account)
    rows = asking.all(filter="duration:[0 TO 3]", fields="id,mfcc,mfcc_var")
    asking.session.close()
    numbers = {row["id"]: row["mfcc"] + row["mfcc_var"] for row in rows if row["mfcc"]}
    verdicts = served_verdicts(sonic, "taste")
    assert (verdicts.agent, verdicts.version) == ("taste", model.version)
    assert verdicts.ids.tolist() == sorted(numbers)
    z = logits(model.arrays, np.array([numbers[sound_id] for sound_id in sorted(numbers)], np.float32))
    np.testing.assert_allclose(verdicts.p, 1 / (1 + np.exp(-model.arrays["inverse_temperature"] * z)), rtol=1e-9)
    assert set(verdicts.good.tolist()) == {i for i, logit in zip(sorted(numbers), z, strict=True) if logit > 0}
    computed = judge(sonic, "taste")
    both, early, later = np.intersect1d(verdicts.ids, computed.ids, return_indices=True)
    assert len(both) > 100
    assert 10 < (computed.p[later] > 0.5).sum() < len(both) - 10
    np.testing.assert_allclose(verdicts.p[early], computed.p[later], atol=0.001)


def test_an_agent_on_served_mfccs_judges_them_as_usual(served):
    taught(served, "taste", ["api_mfcc"])
    usual, early = judge(served, "taste"), served_verdicts(served, "taste")
    assert (early.agent, early.version) == (usual.agent, usual.version)
    np.testing.assert_array_equal(early.ids, usual.ids)
    np.testing.assert_array_equal(early.p, usual.p)
    hits = random_sounds(served, Choice(k=1000, agents=("taste",))).hits
    assert {hit.sound.id for hit in hits} == set(early.good.tolist())


@pytest.mark.parametrize("spaces", [["laion_clap"], ["api_mfcc", "laion_clap"], ["mfcc", "api_mfcc"], ["mfcc_librosa"]])
def test_other_agents_cannot_judge_before_there_is_audio(served, spaces):
    served.agents.create("wet_sand", "", spaces, "mlp")
    with pytest.raises(TrainingError, match=f"looks at {', '.join(spaces)}; only one .* mfcc or api_mfcc") as refusal:
        served_verdicts(served, "wet_sand")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("space", ["mfcc", "api_mfcc"])
def test_nor_can_one_that_was_not_trained_or_on_other_vectors(served, space):
    served.agents.create("wet_sand", "", [space], "mlp")
    with pytest.raises(TrainingError, match=f"not trained yet; .*agent train {shlex.quote('wet_sand')}"):
        served_verdicts(served, "wet_sand")


def test_nor_one_whose_extractor_has_changed(account, sonic):
    taught(sonic, "taste", ["mfcc"])
    sonic.harvest(HARVESTED)
    sonic.vectors.register(Space("mfcc", 26, "of another version"))
    with pytest.raises(TrainingError, match="vectors of another extractor"):
        served_verdicts(sonic, "taste")
