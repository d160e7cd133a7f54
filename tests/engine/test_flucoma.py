"""FluCoMa's files: judged as by plain loops, given back as they were, and refused in one line where they are wrong."""

import copy
import json

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpus.errors import UnknownAgent
from engine.agent.flucoma import export_agent, import_agent, of_mlp, read
from engine.agent.flucoma_files import MOST_BYTES, PARTS
from engine.agent.flucoma_network import network
from engine.agent.judging import judge
from engine.agent.training import train
from engine.errors import ModelError, TrainingError
from tests.engine.made_up_flucoma import forward, label, made_up, put, taken
from tests.fuzzing import examples

NAMES = {part: part for part in PARTS}
SHAPES = {
    "as MIRLCa writes it": {},
    "older": {"old": True},
    "bad first": {"labels": ("Bad", "GOOD")},
    "tanh and identity": {"hidden": (5, 3), "activations": (3, 0, 1)},
    "sigmoid alone": {"hidden": (), "activations": (1,)},
    "fewer components": {"components": 4, "bases": 6, "old": True, "seed": 4},
}


@pytest.fixture
def folder(tmp_path):
    """A place for files."""
    return tmp_path / "flucoma"


def vectors(corpus):
    ids, X = corpus.vectors.matrix("mfcc")
    return ids.tolist(), X


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_outputs_and_labels_are_those_of_plain_loops_on_every_sound(finished, folder, shape):
    _, X = vectors(finished)
    parts = made_up(**{"seed": 3} | shape)
    parts["standardizer"] |= {"mean": X.mean(axis=0).tolist(), "std": X.std(axis=0).tolist()}
    found = network(read(put(folder, parts)), NAMES)
    expected = np.array([forward(parts, x) for x in X])
    np.testing.assert_allclose(found.outputs(X), expected, rtol=0, atol=1e-6)
    labels = [label(parts, x) for x in X]
    assert 10 < labels.count("good") < 155  # or nothing would be told apart
    assert found.is_good(X).tolist() == [one == "good" for one in labels]


@pytest.mark.parametrize(
    ("outputs", "first"), [((0.5, 0.5), True), ((-2, -1), True), ((-1, 0.1), False), ((3, 2), True), ((2, 3), False)]
)
@pytest.mark.parametrize("labels", [("good", "bad"), ("bad", "good")])
def test_of_equal_outputs_and_of_two_below_zero_flucoma_takes_the_first(outputs, first, labels):
    parts = made_up(activations=(2, 0), labels=labels)
    last = parts["model"]["mlp"]["layers"][-1]
    last["weights"], last["biases"] = [[0, 0]] * last["rows"], list(outputs)
    said = network(parts, NAMES).is_good(np.zeros((1, 26)))[0]
    assert labels[0 if first else 1] == ("good" if said else "bad")


def test_a_deviation_of_zero_and_what_is_missing(folder):
    parts = made_up(seed=4)
    parts["standardizer"]["std"][5] = 0
    x = np.array(parts["standardizer"]["mean"])
    missing = np.where(np.arange(26) % 3 == 0, np.nan, x)
    found = network(read(put(folder, parts)), NAMES)
    parts["standardizer"]["std"][5] = 1
    np.testing.assert_allclose(found.outputs(np.array([x, missing])), [forward(parts, x)] * 2, atol=1e-9)


def test_an_imported_agent_judges_without_probabilities(sonic, folder, mirla):
    parts = made_up(seed=3, old=True)
    put(folder, parts, "{}.json")
    answer = mirla("--json", "agent", "import", "theirs", "--flucoma", folder).json
    assert answer == {"agent": "theirs", "good": 0, "bad": 0, "test": 0, "skipped": [], "version": 1}
    expected = {i: label(parts, x) for i, x in zip(*vectors(sonic), strict=True)}
    verdicts = mirla("--json", "agent", "judge", "theirs").json["verdicts"]
    assert {verdict["id"]: verdict["label"] for verdict in verdicts} == expected
    assert {verdict["p"] for verdict in verdicts} == {None}
    hits = mirla("--json", "random", "--agent", "theirs", "-k", "500").json["results"]
    assert {hit["id"] for hit in hits} == {i for i, said in expected.items() if said == "good"}
    assert "theirs" in mirla("agent", "show", "theirs").out
    assert "bad" in mirla("random", "--not-agent", "theirs", "-k", "1").out


def test_imported_before_anything_is_analysed_it_judges_later(home, samples, folder, mirla):
    mirla("agent", "import", "theirs", "--flucoma", put(folder, made_up()))
    mirla("adopt", samples[0])
    mirla("analyse")
    assert len(mirla("--json", "agent", "judge", "theirs").json["verdicts"]) == 1


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_export_then_import_gives_the_same(sonic, folder, shape):
    parts = made_up(**{"seed": 5} | shape)
    import_agent(sonic, "theirs", put(folder / "in", parts))
    files = export_agent(sonic, "theirs", folder / "out")
    assert [path.name for path in files] == ["standardizer.JSON", "pca.JSON", "model.JSON"]
    assert taken(folder / "out") == parts
    for path in files:
        assert path.read_text() == (folder / "in" / path.name).read_text()


def test_what_nobody_asks_for_is_not_kept(sonic, folder):
    parts = made_up()
    more = copy.deepcopy(parts)
    more["pca"]["name"] = more["model"]["mlp"]["layers"][0]["name"] = [[["\ud800"]]]
    import_agent(sonic, "theirs", put(folder / "in", more))
    export_agent(sonic, "theirs", folder / "out")
    assert taken(folder / "out") == parts


def taught(corpus, name="ours", classifier="mlp"):
    agent = corpus.agents.create(name, "", ["mfcc"], classifier)
    ids = corpus.sounds.ids().tolist()
    for said, some in (("good", ids[:20]), ("bad", ids[80:100])):
        corpus.agents.annotate(agent, some, said, who="test", session="t")
    train(corpus, name)


def test_an_agent_of_ours_says_the_same_in_flucoma(sonic, folder, mirla):
    taught(sonic)
    mirla("agent", "export", "ours", "--flucoma", folder)
    parts = taken(folder)
    assert parts["model"]["labels"] == {"labels": ["bad", "good"], "rows": 2}
    assert [layer["activation"] for layer in parts["model"]["mlp"]["layers"]] == [2, 1]
    ours = judge(sonic, "ours")
    ids, X = vectors(sonic)
    assert 10 < ours.is_good.sum() < 155
    assert [label(parts, x) for x in X] == [ours.of(i)["label"] for i in ids]
    import_agent(sonic, "again", folder)
    assert judge(sonic, "again").is_good.tolist() == ours.is_good.tolist()


def test_the_two_outputs_are_the_logit_and_its_opposite():
    generator = np.random.default_rng(0)
    shapes = {"mean": 26, "scale": 26, "pca_mean": 26, "components": (9, 26)}
    shapes |= {"hidden_weights": (9, 14), "hidden_bias": 14, "output_weights": (14, 1), "output_bias": 1}
    arrays = {name: generator.normal(0, 0.5, shape) for name, shape in shapes.items()} | {"scale": np.full(26, 2.0)}
    parts = of_mlp(arrays, 40)
    found = network(json.loads(json.dumps(parts)), NAMES)
    X = generator.normal(size=(200, 26))
    projected = ((X - arrays["mean"]) / 2 - arrays["pca_mean"]) @ arrays["components"].T
    hidden = np.maximum(projected @ arrays["hidden_weights"] + arrays["hidden_bias"], 0)
    z = (hidden @ arrays["output_weights"] + arrays["output_bias"])[:, 0]
    np.testing.assert_allclose(np.log(found.outputs(X) / (1 - found.outputs(X))), np.stack([-z, z], 1), atol=1e-6)
    assert found.is_good(X).tolist() == (z > 0).tolist()


def test_a_damaged_model_of_ours_is_not_written(sonic, folder, mirla):
    taught(sonic)
    with sonic.database.write() as connection:
        connection.execute(sa.text("update models set arrays = json_set(arrays, '$.hidden_bias[1]', 'x')"))
    done = mirla("agent", "export", "ours", "--flucoma", folder, check=27)
    assert "its 'hidden_bias' is not an array of numbers" in done.err
    assert not folder.exists()


def test_files_are_replaced_only_when_told(sonic, folder, mirla):
    parts = made_up(seed=1)
    import_agent(sonic, "theirs", put(folder / "in", parts))
    put(folder / "out", {"pca": {}}, "{}.json")
    refused = mirla("agent", "export", "theirs", "--flucoma", folder / "out", check=27)
    assert refused.err == f"mirla: {folder / 'out' / 'pca.json'} is there already; --force replaces it\n"
    assert taken(folder / "out") == {"pca": {}}
    mirla("agent", "export", "theirs", "--flucoma", folder / "out", "--force")
    assert taken(folder / "out") == parts
    assert sorted(path.name for path in (folder / "out").iterdir()) == ["model.JSON", "pca.json", "standardizer.JSON"]


def test_read_again_it_is_the_next_version(sonic, folder):
    first, second = made_up(seed=3), made_up(seed=3, labels=("bad", "good"))
    assert import_agent(sonic, "theirs", put(folder, first)).version == 1
    before = judge(sonic, "theirs")
    assert import_agent(sonic, "theirs", put(folder, second)).version == 2
    assert judge(sonic, "theirs").is_good.tolist() == (~before.is_good).tolist()
    sonic.agents.use(sonic.agents.get("theirs"), 1)
    assert judge(sonic, "theirs").is_good.tolist() == before.is_good.tolist()


def test_what_cannot_be_imported_exported_or_trained(sonic, folder, mirla):
    put(folder, made_up())
    sonic.agents.create("ours", "", ["mfcc"], "mlp")
    with pytest.raises(UnknownAgent, match="there is an agent 'ours' already"):
        import_agent(sonic, "ours", folder)
    with pytest.raises(TrainingError, match="agent 'ours' was not trained yet"):
        export_agent(sonic, "ours", folder / "out")
    taught(sonic, "even", classifier="logistic")
    with pytest.raises(ModelError, match="agent 'even' is logistic over mfcc; FluCoMa's files hold mlp over mfcc or"):
        export_agent(sonic, "even", folder / "out")
    assert not (folder / "out").exists()
    import_agent(sonic, "theirs", folder)
    ids = sonic.sounds.ids()[:4].tolist()
    for said, some in (("good", ids[:2]), ("bad", ids[2:])):
        sonic.agents.annotate(sonic.agents.get("theirs"), some, said, who="test", session="t")
    with pytest.raises(TrainingError, match="agent 'theirs' was imported from FluCoMa"):
        train(sonic, "theirs")
    assert "--labels or --flucoma" in mirla("agent", "import", "x", check=2).err


def at(parts, *path):
    for key in path:
        parts = parts[key]
    return parts


LAYER = ("model", "mlp", "layers")
WRONG = {
    "no standardizer": (("standardizer",), None, "no standardizer.JSON in"),
    "no means": (("standardizer", "mean"), None, "'mean' is missing"),
    "a mean too few": (("standardizer", "mean"), [0.5] * 25, "mean has 25 numbers, not 26"),
    "text for a list": (("standardizer", "std"), "26", "std is '26', no list"),
    "text for a number": (("standardizer", "std", 3), "0.5", "std has '0.5', which is no number"),
    "true for a number": (("standardizer", "std", 3), True, "std has True, which is no number"),
    "null for a number": (("pca", "bases", 3, 1), None, "bases, row 4, has None, which is no number"),
    "below zero": (("standardizer", "std", 3), -1.5, "std -1.5 is below 0"),
    "a list for all": (("standardizer",), [1], "is no object"),
    "other columns": (("standardizer", "cols"), 13, "cols is 13, and there are 26"),
    "columns in words": (("pca", "rows"), "26", "rows is '26', no count"),
    "bases too few": (("pca", "bases"), [[1.0]] * 25, "bases has 25 rows, not 26"),
    "bases empty": (("pca", "bases"), [[]] * 26, "bases, row 1, is no list of 1 to 1024 numbers"),
    "ragged": (("pca", "bases", 7), [0.5], "bases, row 8, has 1 numbers, not 26"),
    "too large": (("pca", "bases", 7, 2), -1e300, r"bases, row 8, has -1e\+300, which is beyond 1e\+12"),
    "huge": (("pca", "mean", 7), 10**400, "mean has 1000.*0000, which is beyond 1e"),
    "values too few": (("pca", "values"), [1.0], "values has 1 numbers, not 26"),
    "more inputs than components": (
        (*LAYER, 0),
        made_up(components=27)["model"]["mlp"]["layers"][0],
        "the first layer takes in 27 numbers, and the PCA has 26 components",
    ),
    "no network": (("model", "mlp"), None, "'mlp' is missing"),
    "no layers": (LAYER, [], "layers has 0 entries, not 1 to 10"),
    "many layers": (LAYER, [{}] * 11, "layers has 11 entries, not 1 to 10"),
    "layers that do not fit": ((*LAYER, 1, "weights"), [[0, 1]] * 13, "layer 2: weights has 13 rows, not 14"),
    "rows that lie": ((*LAYER, 1, "rows"), 13, "layer 2: rows is 13, and there are 14"),
    "biases": ((*LAYER, 0, "biases"), [0] * 13, "layer 1: biases has 13 numbers, not 14"),
    "unknown activation": ((*LAYER, 0, "activation"), 4, "activation 4 is none of 0, 1, 2, 3"),
    "activation in words": ((*LAYER, 0, "activation"), "relu", "activation 'relu' is none of"),
    "true for an activation": ((*LAYER, 0, "activation"), True, "activation True is none of"),
    "a wide layer": ((*LAYER, 0, "weights"), [[0] * 1025] * 20, "weights, row 1, is no list of 1 to 1024"),
    "three outputs": (("model",), made_up(labels=("good", "bad", "so"))["model"], "the last layer has 3 outputs"),
    "other labels": (("model", "labels", "labels"), ["yes", "no"], "they are .'yes', 'no'., not good and bad"),
    "the same label": (("model", "labels", "labels"), ["good", "Good"], "not good and bad"),
    "a label": (("model", "labels", "labels"), ["good"], "rows is 2, and there are 1"),
    "no text": (("model", "labels", "labels"), [1, {}], "not good and bad"),
}


@pytest.mark.parametrize(("path", "value", "words"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_in_a_file_is_told_in_one_line(folder, path, value, words):
    parts = made_up()
    if value is None and isinstance(at(parts, *path[:-1]), dict):
        del at(parts, *path[:-1])[path[-1]]
    else:
        at(parts, *path[:-1])[path[-1]] = value
    with pytest.raises(ModelError, match=words) as error:
        read(put(folder, parts))
    assert f"{path[0]}.JSON" in str(error.value)
    assert "\n" not in str(error.value)


SPOILT = {
    "cut off": (lambda text: text[: len(text) // 2], "is no JSON to be used"),
    "empty": (lambda text: b"", "is no JSON to be used"),
    "not UTF-8": (lambda text: text[:40] + b"\xff" + text[40:], "byte 40 is not UTF-8"),
    "NaN": (lambda text: b'{"mean": [NaN]}', "'NaN' is no finite number"),
    "infinite": (lambda text: b'{"mean": [-Infinity]}', "'-Infinity' is no finite number"),
    "1e400": (lambda text: b'{"mean": [1e400]}', "'1e400' is no finite number"),
    "twice": (lambda text: b'{"mean": [], "mean": []}', "'mean' is there twice"),
    "deep": (lambda text: b"[" * 100_000, "is nested too deeply"),
    "deep and closed": (lambda text: b'{"a":' * 5000 + b"1" + b"}" * 5000, "is nested too deeply"),
    "many digits": (lambda text: b"[" + b"9" * 10_000 + b"]", "is no JSON to be used"),
    "large": (lambda text: text + b" " * MOST_BYTES, f"has more than {MOST_BYTES} bytes"),
    "null": (lambda text: b"null", "None is no object"),
}


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(("spoil", "words"), SPOILT.values(), ids=SPOILT)
def test_a_file_that_is_no_model_at_all(folder, spoil, words, part):
    path = put(folder, made_up()) / f"{part}.JSON"
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(ModelError, match=words) as error:
        read(folder)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_folders_that_hold_no_model(folder, home, mirla):
    def refused(words):
        done = mirla("agent", "import", "theirs", "--flucoma", folder, check=27)
        assert len(done.err.splitlines()) == 1
        assert words in done.err

    refused(f"cannot read the folder {folder}: No such file or directory")
    put(folder, made_up())
    (folder / "PCA.json").write_text("{}")
    refused(f"{folder} has PCA.json and pca.JSON; leave one of them there")
    (folder / "PCA.json").unlink()
    (folder / "pca.JSON").unlink()
    (folder / "pca.JSON").mkdir()
    refused(f"{folder / 'pca.JSON'} is no file")
    (folder / "pca.JSON").rmdir()
    refused(f"no pca.JSON in {folder}; a FluCoMa model is standardizer.JSON, pca.JSON, model.JSON")
    assert mirla("--json", "agent", "list").json["agents"] == []


def test_a_folder_that_cannot_be_written(sonic, folder, mirla):
    import_agent(sonic, "theirs", put(folder, made_up()))
    blocked = folder / "a-file"
    blocked.write_text("")
    done = mirla("agent", "export", "theirs", "--flucoma", blocked / "in", check=27)
    assert done.err == f"mirla: cannot write FluCoMa files to {blocked / 'in'}: Not a directory\n"


def test_a_model_is_checked_when_it_is_loaded(sonic, folder, mirla):
    import_agent(sonic, "theirs", put(folder, made_up()))
    spoilt = made_up()
    spoilt["pca"]["bases"][2][2] = "0.5"
    with sonic.database.write() as connection:
        connection.execute(sa.text("update models set arrays = :parts"), {"parts": json.dumps(spoilt)})
    done = mirla("similar", "100055", "--agent", "theirs", check=27)
    assert "agent 'theirs', version 1, pca: bases, row 3, has '0.5', which is no number" in done.err
    done = mirla("agent", "export", "theirs", "--flucoma", folder / "out", check=27)
    assert "bases, row 3, has '0.5'" in done.err
    assert not (folder / "out").exists()


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from([1e13, -1e300, 1e-320, 10**400, "good", "\ud800"])
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
SMALL = made_up(components=2, hidden=(2,), bases=3)


def places(node, path=()):
    """Every place in an object of JSON."""
    yield path
    entries = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in entries:
        yield from places(value, (*path, key))


PLACES = [path for path in places(SMALL) if path]


@settings(max_examples=examples(300), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.sampled_from(PLACES), ANYTHING), min_size=1, max_size=3))
def test_whatever_lies_in_the_files_is_a_model_or_a_model_error(tmp_path, changes):
    parts = copy.deepcopy(SMALL)
    for path, value in changes:
        try:
            inside = at(parts, *path[:-1])
        except (LookupError, TypeError):  # an earlier change took that place away
            continue
        if path[-1] in (range(len(inside)) if isinstance(inside, list) else inside if isinstance(inside, dict) else ()):
            inside[path[-1]] = value
    try:
        found = network(read(put(tmp_path, parts)), NAMES)
    except ModelError as error:
        assert "\n" not in str(error)
    else:
        with np.errstate(all="raise", under="ignore", over="ignore"):
            outputs = found.outputs(np.array([[3e38] * 26, [0.0] * 26], np.float32))
        assert np.isfinite(outputs).all()


@settings(max_examples=examples(200), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(part=st.sampled_from(PARTS), place=st.floats(0, 1), content=st.binary(max_size=30), keep=st.booleans())
def test_whatever_bytes_are_in_a_file(tmp_path, part, place, content, keep):
    put(tmp_path, SMALL)
    text = (tmp_path / f"{part}.JSON").read_bytes()
    cut = int(place * len(text))
    (tmp_path / f"{part}.JSON").write_bytes(text[:cut] + content + (text[cut:] if keep else b""))
    try:
        read(tmp_path)
    except ModelError as error:
        assert "\n" not in str(error)
