"""Text files from others: labels, catalogues, recipes and their locks, settings, logs of sets, lists of ids.

Each is read, or there is one error of its own class.
"""

import json
import tomllib

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from corpus import catalogue, labels, recipe
from corpus.errors import CatalogueError, HarvestError, LabelsError, SettingsError
from corpus.settings import FILE_NAME, Settings
from corpus.text import for_terminal
from engine.errors import EngineError
from engine.performing.replay import Log
from tests.bad_input import assert_safe
from tests.fuzzing import examples

FUZZED = settings(max_examples=examples(150), suppress_health_check=[HealthCheck.function_scoped_fixture])
KINDS = {
    "labels": (
        "id,hash,label,who,when,test\n4832,,good,anna,2026-01-31T20:00:00Z,no\n12," + "a" * 64 + ",bad,ben,,yes\n",
        'good bad id label hash who when test , ; " \n \t 99999999999999999999 2026-01-31 0000-00-00 =1+1 ' + "b" * 64,
    ),
    "catalogue": (
        "path,id,name,username,licence,url,tags\na.wav,4832,Rain,dio,CC0,https://x,rain water\n",
        '../../etc/passwd /etc/passwd 1000000000 -1 path , " \n \x00 CC0 ~root',
    ),
    "recipe": (
        'about = "Hits"\nmax_sounds = 100\naudio = "none"\n[[query]]\ntags = ["metal"]\ntake = 20\n',
        "[[query]] [query] = ids = [1] take -1 99999999999999999999 like random text filter true nan \n #",
    ),
    "lock": (
        json.dumps({"recipe_sha256": "x", "sounds": [{"id": 1, "checked": None, "source": None, "sha256": None}]}),
        '{ } [ ] null true "sounds" "id" : , -1 1e999 ' + "[" * 20,
    ),
    "settings": (
        'device = "USB"\nfreesound_per_day = 7\nfreesound_url = "http://localhost"\n',
        'freesound_token = "x" database device = [ ] {} true 1.5 -1 \n # freesound_per_minute',
    ),
    "log": (
        json.dumps({"at": 0.0, "group": "a", "verb": "id", "given": [4832], "named": {}, "answer": [4832]}) + "\n",
        '{ } [ ] null true "at" "verb" "given" "named" : , -1 NaN 1e999 "\\ud800" \n "group" __class__ eval',
    ),
}


@st.composite
def mutated(draw, kind):
    """A file of a kind with pieces of it, or any bytes, in place of others."""
    whole, words = KINDS[kind]
    content = whole.encode()
    pieces = st.sampled_from([word.encode() for word in words.split(" ")]) | st.binary(max_size=6)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(content)))
        content = content[:at] + draw(pieces) + content[at + draw(st.integers(0, 12)) :]
    return content


def read_or(error_class, read):
    try:
        return read()
    except error_class as error:
        assert_safe(for_terminal(error))
        assert len(str(error)) < 2000
        return None


@FUZZED
@given(content=mutated("labels"))
@example(content=b"id,label\n4832,good\n\x00,bad\n")
@example(content=b'id,label\n"4832,good\n')
@example(content="id,label\n\uff14\uff18,good\n".encode())
def test_labels(tmp_path, content):
    file = tmp_path / "labels.csv"
    file.write_bytes(content)
    for row in read_or(LabelsError, lambda: labels.read(file, who="me")) or []:
        assert row.label in ("good", "bad")
        assert row.id is None or 0 <= row.id < 10**18


@FUZZED
@given(content=mutated("catalogue"))
@example(content=b"path\n\x00\n")
def test_catalogues(tmp_path, content):
    file = tmp_path / "catalogue.csv"
    file.write_bytes(content)
    read_or(CatalogueError, lambda: catalogue.read(file))


@FUZZED
@given(content=mutated("recipe"), lock=st.none() | mutated("lock"))
@example(content=b"[[query]]\nids=[1]\n", lock=b"[" * 100_000)
def test_recipes_and_their_locks(tmp_path, content, lock):
    file = tmp_path / "recipe.toml"
    file.write_bytes(content)
    recipe.lock_beside(file).unlink(missing_ok=True)
    if lock is not None:
        recipe.lock_beside(file).write_bytes(lock)
    read_or(HarvestError, lambda: recipe.load(file))


@FUZZED
@given(content=mutated("settings"))
@example(content=b"a = " + b"[" * 5000)
def test_settings(tmp_path, content):
    (tmp_path / FILE_NAME).write_bytes(content)
    found = read_or(SettingsError, lambda: Settings.load(tmp_path, {}))
    assert found is None or found.freesound_per_day >= 1


@FUZZED
@given(content=mutated("log"))
@example(content=b"[" * 100_000)
@example(content=b'{"at": 1e999}')
def test_logs_of_sets(tmp_path, content):
    file = tmp_path / "set.jsonl"
    file.write_bytes(content)
    read_or(EngineError, lambda: Log.read(file))


def test_what_is_mutated_is_read_as_it_is(tmp_path):
    """Or the tests above would try nothing but the first check."""
    for kind, (whole, _) in KINDS.items():
        (tmp_path / kind).write_text(whole)
    assert len(labels.read(tmp_path / "labels", who="me")) == 2
    assert catalogue.read(tmp_path / "catalogue")
    assert recipe.load(tmp_path / "recipe").queries
    assert Log.read(tmp_path / "log")
    assert tomllib.loads(KINDS["settings"][0])
    (tmp_path / FILE_NAME).write_text(KINDS["settings"][0])
    assert Settings.load(tmp_path, {}).freesound_per_day == 7
    with pytest.raises(LabelsError):
        labels.read(tmp_path / "recipe", who="me")
