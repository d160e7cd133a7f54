"""What MIRLC and MIRLCa send and read, request by request, through a shell's curl; and what they choke on.

The instruments themselves, unmodified, were watched: `docs/freesound.md` has the table that this is.
"""

import io
import json
import logging
import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile

from engine.server.freesound import Options
from tests.engine.server.conftest import running
from tests.engine.server.old_clients import HOSTILE, NOT_MEASURED, SILENT, playable, scalars
from tests.engine.server.quark import A, D, Quark, checked


@pytest.fixture
def quark(old, tmp_path):
    return Quark(old.url, tmp_path)


@pytest.fixture(scope="module")
def sound(small):
    """A sound that has all there is."""
    traits = small.descriptors.of(small.vectors.ids("mfcc").tolist())
    ids = [sound_id for sound_id, own in traits.items() if {"pitch", "tonality"} <= own.keys()]
    return next(one for one in small.sounds.many(ids) if one.name != HOSTILE)


def mfcc_of(corpus, sound_id):
    ids, X = corpus.vectors.matrix("mfcc")
    return [float(number) for number in X[np.searchsorted(ids, sound_id)]]


def is_playable(quark, row):
    """A preview at its address, at once and whole."""
    body = quark.fetch(row["previews"]["preview-hq-ogg"])
    return soundfile.info(io.BytesIO(body)).frames > 0


# the table


def test_id(quark, old, sound):
    answer = quark.ask(f"/sounds/{sound.id}/")
    assert answer["id"] == sound.id
    assert (answer["username"], answer["url"], answer["license"]) == (sound.username, sound.url, sound.licence.url)
    assert answer["duration"] == pytest.approx(sound.file.duration)
    assert answer["similar_sounds"] == f"{old.url}/sounds/{sound.id}/similar/"
    assert isinstance(answer["analysis"], str)
    assert "detail" not in answer
    body = quark.fetch(answer["previews"]["preview-hq-ogg"])
    assert body == sound.file.path.read_bytes()


def test_tag(quark, small):
    answer = quark.ask("/search/text/", query="drum", page=1, fields=D)
    ids = [row["id"] for row in answer["results"]]
    matching = small.sounds.matching("drum", with_audio=True).first().tolist()
    assert len(ids) == 15
    assert ids[: len(matching)] == matching[:15]
    assert all(row.keys() == {"id", "name", "tags", "username", "license", "previews"} for row in answer["results"])
    assert is_playable(quark, answer["results"][0])


def test_similar_has_the_target_first_and_then_the_nearest(quark, small, sound):
    from engine.query.run import Choice, similar

    answer = quark.ask(f"/sounds/{sound.id}/similar/", fields=D)
    ids = [row["id"] for row in answer["results"]]
    assert ids[0] == sound.id
    assert ids[1:] == [hit.sound.id for hit in similar(small, sound.id, Choice(k=14)).hits]
    assert answer["results"][0]["distance_to_target"] == 0


TARGETS = {
    ".lowlevel.pitch.mean:440": ("pitch", lambda value: abs(np.log2(value / 440)) if value > 0 else np.inf),
    ".rhythm.bpm:60": ("bpm", lambda value: abs(np.log2(value / 60)) if value > 0 else np.inf),
    ".lowlevel.dissonance.mean:1.0": ("dissonance", lambda value: abs(value - 1)),
}


@pytest.mark.parametrize("target", TARGETS)
def test_content_by_a_value(quark, target, small):
    name, far = TARGETS[target]
    rows = quark.ask("/search/content/", target=target, page=1, fields=D)["results"]
    values = scalars(small, name)
    held = playable(small)
    order = sorted((far(values[one]), one) for one in values if np.isfinite(far(values[one])) and one in held)
    wanted = [one for _, one in order]
    assert [row["id"] for row in rows][: len(wanted)] == wanted[:15]
    assert len(rows) == 15


def test_content_by_duration_and_by_a_coefficient(quark, small):
    rows = quark.ask("/search/content/", target=".sfx.duration:0.5", page=1, fields=D)["results"]
    order = sorted(small.sounds.many(playable(small)), key=lambda one: (abs(one.duration - 0.5), one.id))
    assert [row["id"] for row in rows] == [one.id for one in order[:15]]

    rows = quark.ask("/search/content/", target="lowlevel.mfcc.mean[0]:-700", page=1, fields=D)["results"]
    ids, X = small.vectors.matrix("mfcc")
    assert [row["id"] for row in rows] == ids[np.lexsort((ids, abs(X[:, 0] + 700)))][:15].tolist()


FILTERS = {
    ".lowlevel.pitch_instantaneous_confidence.mean:[0 TO 1]": lambda own: 0 <= own.get("pitch_confidence", -1) <= 1,
    ".lowlevel.pitch_instantaneous_confidence.mean:[0 TO 0.2]": lambda own: 0 <= own.get("pitch_confidence", -1) <= 0.2,
    ".lowlevel.pitch_instantaneous_confidence.mean:[0.8 TO 1]": lambda own: own.get("pitch_confidence", -1) >= 0.8,
    'tonal.key_key:"A"': lambda own: own.get("tonality", "").startswith("A "),
    'tonal.key_key:"ASharp"': lambda own: own.get("tonality", "").split(" ")[0] in ("A#", "Bb"),
    'tonal.key_scale:"minor"': lambda own: own.get("tonality", "").endswith("minor"),
    ".rhythm.bpm:70": lambda own: 69.5 <= own.get("bpm", 0) <= 70.5,
}


@pytest.mark.parametrize("narrow", FILTERS)
def test_what_a_filter_wishes_comes_first_and_the_page_is_full(quark, small, narrow):
    traits = small.descriptors.of(playable(small))
    fits = {
        one
        for one in playable(small)
        if FILTERS[narrow]({name: value for name, (value, _) in traits.get(one, {}).items()})
    }
    rows = quark.ask("/search/content/", target=".lowlevel.pitch.mean:440", filter=narrow, page=1, fields=D)["results"]
    ids = [row["id"] for row in rows]
    assert len(set(ids)) == 15
    first = min(15, len(fits))
    assert set(ids[:first]) <= fits
    assert not set(ids[first:]) & fits


def test_a_range_of_a_coefficient_comes_first(quark, small):
    ids, X = small.vectors.matrix("mfcc")
    middle = int(np.median(X[:, 0]))
    narrow = f"lowlevel.mfcc.mean[0]:[{middle} TO {middle + 60}]"
    fits = set(ids[(X[:, 0] >= middle) & (X[:, 0] <= middle + 60)].tolist())
    ask = {"target": "lowlevel.mfcc.mean[0]:-700", "page": 1, "fields": D}
    rows = quark.ask("/search/content/", filter=narrow, **ask)["results"]
    assert 0 < len(fits) < 15
    assert {row["id"] for row in rows[: len(fits)]} == fits
    rows = quark.ask("/search/content/", filter=f"-{narrow}", **ask)["results"]
    assert not {row["id"] for row in rows} & fits


def test_filter_and_content_by_a_sound(quark, small, sound):
    rows = quark.ask("/search/content/", target=sound.id, filter=".rhythm.bpm:1", page=1, fields=D)["results"]
    similar = quark.ask(f"/sounds/{sound.id}/similar/", fields=D)["results"]
    assert [row["id"] for row in rows] == [row["id"] for row in similar], "nothing has this tempo: the nearest follow"


def test_analyse_and_what(quark, small, sound):
    own = {name: value for name, (value, _) in small.descriptors.of([sound.id])[sound.id].items()}
    ask = f"/sounds/{sound.id}/analysis/"
    pitch = quark.ask(ask, descriptors="lowlevel.pitch.mean")["lowlevel"]["pitch"]["mean"]
    assert pitch == pytest.approx(own.get("pitch", 0))
    key = quark.ask(ask, descriptors="tonal.key_key")["tonal"]["key_key"]
    assert key.replace("Sharp", "#") == own["tonality"].split()[0].replace("Bb", "A#").replace("Eb", "D#")
    assert quark.ask(ask, descriptors="rhythm.bpm")["rhythm"]["bpm"] == pytest.approx(own.get("bpm", 0))
    assert quark.ask(ask, descriptors="sfx.duration")["sfx"]["duration"] == pytest.approx(sound.duration)


def test_a_value_is_there_of_every_sound_whatever_it_is(quark, small):
    paths = "lowlevel.pitch.mean", "tonal.key_key", "rhythm.bpm", "sfx.duration"
    requests = [(sound_id, path) for sound_id in playable(small)[::5] for path in paths]

    def read(request):
        answer = checked(_get(quark.url, *request))
        for name in request[1].split("."):
            answer = answer[name]
        return answer

    with ThreadPoolExecutor(4) as together:
        assert all(isinstance(value, int | float | str) for value in together.map(read, requests))


def _get(url, sound_id, descriptors):
    import requests

    return requests.get(f"{url}/sounds/{sound_id}/analysis/?descriptors={descriptors}", timeout=20).content


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/sounds/{}/similar/", {}),
        ("/search/text/", {"query": "drum"}),
        ("/search/content/", {"target": ".rhythm.bpm:60", "filter": ".rhythm.bpm:[50 TO 70]"}),
    ],
)
def test_an_agent_reads_means_and_variances_of_candidates(quark, small, sound, path, params):
    rows = quark.ask(path.format(sound.id), fields=A, descriptors="lowlevel.mfcc", **params)["results"]
    assert len(rows) == 15
    for row in rows:
        assert row.keys() - {"distance_to_target"} == {"id", "name", "analysis"}
        statistics = row["analysis"]["lowlevel"]["mfcc"]
        assert [*statistics["mean"], *statistics["var"]] == pytest.approx(mfcc_of(small, row["id"]), rel=1e-6)


def test_an_agent_may_want_as_many_as_a_page_has(quark, sound):
    ask = {"fields": A, "descriptors": "lowlevel.mfcc"}
    assert len(quark.ask(f"/sounds/{sound.id}/similar/", page_size=30, **ask)["results"]) == 30
    assert len(quark.ask(f"/sounds/{sound.id}/similar/", page_size=150, **ask)["results"]) == 30


def test_training_reads_the_same_numbers(quark, small, sound):
    answer = quark.ask(f"/sounds/{sound.id}/analysis/", descriptors="lowlevel.mfcc")
    assert answer.keys() == {"lowlevel"}
    statistics = answer["lowlevel"]["mfcc"]
    assert statistics.keys() == {"mean", "var"}
    assert [*statistics["mean"], *statistics["var"]] == pytest.approx(mfcc_of(small, sound.id), rel=1e-6)


def test_the_proxy_stores_a_whole_analysis(quark, sound):
    answer = quark.ask(f"/sounds/{sound.id}/analysis/")
    assert len(answer["mfcc"]) == 13


# what breaks


def test_what_credits_are_made_of_is_there_of_a_sound_of_which_nothing_is_known(quark, old):
    answer = quark.ask(f"/sounds/{NOT_MEASURED}/")
    assert (answer["username"], answer["url"]) == ("local", f"{old.url}/sounds/{NOT_MEASURED}/")
    assert answer["duration"] > 0
    assert isinstance(answer["license"], str)


@pytest.mark.parametrize("bad", ["999999999", "3.0", "abc", "-5", "0", "99999999999999999999", "1e3", "%20", SILENT])
@pytest.mark.parametrize("rest", ["", "similar/", "analysis/"])
def test_every_bad_id_is_not_found_with_a_period(quark, bad, rest):
    assert quark.body(f"/sounds/{bad}/{rest}") == b'{"detail":"Not found."}'


def test_so_is_a_bad_target(quark):
    assert quark.body("/search/content/", target="999999999", page=1, fields=D) == b'{"detail":"Not found."}'


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/search/content/", {"target": "lowlevel.nosuch.mean:1"}),
        ("/search/content/", {"target": ".rhythm.bpm:60", "filter": "lowlevel.nosuch:1"}),
        ("/search/text/", {"query": "drum", "filter": "nosuch:1"}),
        ("/search/text/", {"query": "drum", "page": 999}),
        ("/search/nosuch/", {}),
        ("/users/nobody_at_all/", {}),
        (f"/sounds/{NOT_MEASURED}/analysis/", {"descriptors": "lowlevel.mfcc"}),
    ],
)
def test_a_fault_has_no_body(quark, path, params):
    assert quark.body(path, **params) == b""


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/search/text/", {"query": "nosuchwordanywhere"}),
        ("/search/content/", {"target": ".lowlevel.pitch.mean:440", "filter": ".rhythm.bpm:70.123"}),
        ("/search/combined/", {"query": "nosuchwordanywhere", "target": ".rhythm.bpm:60"}),
    ],
)
def test_no_page_is_empty(quark, path, params):
    assert len(quark.ask(path, fields=D, **params)["results"]) == 15


def test_exhausted_matches_are_followed_by_the_nearest_others(quark, small):
    matching = small.sounds.matching("kick", with_audio=True).first().tolist()
    ids = [row["id"] for row in quark.ask("/search/text/", query="kick", fields=D)["results"]]
    assert 0 < len(matching) < 15
    assert ids[: len(matching)] == matching
    similar = [row["id"] for row in quark.ask(f"/sounds/{matching[0]}/similar/", page_size=30)["results"]]
    others = [one for one in similar if one not in matching]
    assert ids[len(matching) :] == others[: 15 - len(matching)]


def test_names_are_safe_and_none_are_the_same(quark, small):
    rows = [quark.ask(f"/sounds/{sound_id}/", fields="id,name") for sound_id in playable(small)]
    names = [row["name"] for row in rows]
    assert len(set(names)) == len(names) == 41
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,80}", name) for name in names)
    assert all(str(row["id"]) in row["name"] for row in rows)
    assert sum("touch_pwned" in name for name in names) == 2


def test_texts_are_raw_utf8_without_control_characters(quark):
    from urllib.parse import quote

    rows = quark.ask("/search/text/", query="touch", fields="id,name,description,tags")["results"]
    assert rows
    body = quark.body("/search/text/", query="é😀", fields=D)
    assert body.decode()
    assert "\\u" not in body.decode()
    assert quote("é😀") in json.loads(body)["next"]


def test_links_have_no_brackets_and_lead_on(quark):
    ask = {"target": ".rhythm.bpm:60", "filter": ".lowlevel.pitch_salience.mean:[0 TO 1]", "fields": D}
    first = quark.ask("/search/content/", **ask)
    assert "prev" not in first
    assert not set(first["next"]) & set("[]{} ")
    second = json.loads(quark.fetch(first["next"] + "&"))
    ids = [row["id"] for row in first["results"]], [row["id"] for row in second["results"]]
    assert not set(ids[0]) & set(ids[1])
    back = json.loads(quark.fetch(second["prev"] + "&"))
    assert [row["id"] for row in back["results"]] == ids[0]


def test_no_sound_without_audio_is_in_a_list(quark, today):
    import requests

    def drums(url, **more):
        found = requests.get(f"{url}/search/text/", params={"query": "drum", "page_size": 150, **more}, timeout=20)
        return {row["id"] for row in found.json()["results"]}

    assert SILENT in drums(today.url)
    assert SILENT not in drums(quark.url)
    assert SILENT not in drums(today.url, descriptors="lowlevel.mfcc")


def test_a_list_with_analyses_has_no_sound_without(quark):
    def ids(**more):
        found = []
        for page in (1, 2, 3):
            body = quark.body("/search/text/", query="", page_size=30, page=page, **more)
            found += [row["id"] for row in json.loads(body or b'{"results":[]}')["results"]]
        return found

    assert NOT_MEASURED in ids(fields="id")
    assert NOT_MEASURED not in ids(fields=A, descriptors="lowlevel.mfcc")


def test_a_preview_is_answered_directly(quark, sound):
    import requests

    address = quark.ask(f"/sounds/{sound.id}/")["previews"]["preview-hq-ogg"]
    answer = requests.get(address, allow_redirects=False, timeout=20)
    assert (answer.status_code, answer.content) == (200, sound.file.path.read_bytes())


# unknown ids


def test_unknown_ids_stand_for_sounds_always_the_same_and_this_is_logged(mapped, tmp_path, caplog, small):
    quark = Quark(mapped.url, tmp_path)
    with caplog.at_level(logging.WARNING):
        first = quark.ask("/sounds/123456/")
    assert first["id"] in playable(small)
    assert f"sound 123456 is not held: {first['id']} takes its place" in caplog.text
    caplog.clear()
    assert quark.ask("/sounds/123456/") == first
    assert "takes its place" not in caplog.text, "each is logged once"
    assert quark.ask("/sounds/123456/analysis/", descriptors="lowlevel.mfcc") == quark.ask(
        f"/sounds/{first['id']}/analysis/", descriptors="lowlevel.mfcc"
    )
    near = quark.ask("/search/content/", target="123456", page=1, fields=D)["results"]
    assert near[0]["id"] == first["id"]


def test_many_unknown_ids_reach_many_sounds_and_all_have_mfccs(mapped):
    import requests

    with requests.Session() as session:
        ids = [
            session.get(f"{mapped.url}/sounds/{one}/?fields=id", timeout=20).json()["id"]
            for one in range(1, 571_613, 571_613 // 200)
        ]
    held = set(mapped.corpus.vectors.ids("mfcc").tolist())
    assert set(ids) <= held
    assert len(set(ids)) > 0.9 * len(held)


@pytest.mark.parametrize("bad", [571_614, 999_999_999, 0, "abc", SILENT])
def test_others_stay_unknown(mapped, tmp_path, bad):
    assert Quark(mapped.url, tmp_path).body(f"/sounds/{bad}/") == b'{"detail":"Not found."}'


def test_without_the_option_no_id_stands_for_another(quark):
    assert quark.body("/sounds/123456/") == b'{"detail":"Not found."}'


# recognition


def test_what_today_has_too_is_answered_as_today_unless_told(today, tmp_path, sound):
    quark = Quark(today.url, tmp_path)
    rows = json.loads(quark.body(f"/sounds/{sound.id}/similar/", fields="id"))["results"]
    assert sound.id not in [row["id"] for row in rows]
    assert json.loads(quark.body("/sounds/999999999/")) == {"detail": "No Sound matches the given query."}
    assert json.loads(quark.body(f"/sounds/{sound.id}/", fields="name"))["name"] == sound.name
    assert "mfcc" in json.loads(quark.body(f"/sounds/{sound.id}/analysis/"))


def test_how_a_client_asks_tells_the_old_ones(today, tmp_path, sound):
    quark = Quark(today.url, tmp_path)
    assert len(quark.ask("/search/content/", target=".rhythm.bpm:60", fields=D)["results"]) == 15
    assert quark.ask("/search/combined/", target=str(sound.id))["results"][0]["id"] == sound.id
    nested = quark.ask(f"/sounds/{sound.id}/analysis/", descriptors="lowlevel.mfcc.var")
    assert len(nested["lowlevel"]["mfcc"]["var"]) == 13
    rows = quark.ask(f"/sounds/{sound.id}/similar/", fields=A, descriptors="lowlevel.mfcc")["results"]
    assert rows[0]["id"] == sound.id


# agents


def test_an_agent_has_the_last_word_in_every_list(own_home, tmp_path):
    from engine.agent.judging import judge

    with running(own_home, Options(legacy=True)) as local:
        verdicts = judge(local.corpus, "drums")
        good = set(verdicts.ids[verdicts.is_good].tolist())
        bad = int(verdicts.ids[~verdicts.is_good][0])
        quark = Quark(local.url, tmp_path)
        for path, params in (
            ("/search/text/", {"query": "loop"}),
            ("/search/content/", {"target": ".sfx.duration:1"}),
            (f"/sounds/{bad}/similar/", {}),
        ):
            ids = [row["id"] for row in quark.ask(path, agent="drums", page_size=30, **params)["results"]]
            assert len(ids) >= min(30, len(good))
            assert set(ids) - {bad} <= good
        assert ids[0] == bad, "the instrument skips the target"
        assert quark.body("/search/text/", query="loop", agent="nobody") == b""
