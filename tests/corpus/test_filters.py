"""Filters: SQL, Python and plain reading say the same of each; any text is a filter or one clear error."""

import json
import math
import re
import sqlite3
import time
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from corpus import Corpus
from corpus.descriptors import SCALARS
from corpus.errors import CorpusError, FilterError
from corpus.filters import FIELDS, All, Between, Either, Match, Not, all_of, either_of, negated, parse
from corpus.folder import Adoption
from corpus.licences import Licence
from corpus.moments import Moment
from corpus.stems import stems
from corpus.store.filters import clause, values
from corpus.store.tables import sounds
from corpus.wanted import Query, Wanted
from engine.errors import EngineError
from tests.fuzzing import examples

NOW = datetime(2026, 7, 1, 12, 30, 15, tzinfo=UTC)
PREVIEWED = 75338
"""Harvested with its preview, an Ogg file; the record is of the original."""
COMPUTED = {4832: {"pitch": 441.5, "loopable": True, "note_name": "Ñ♯4"}, 100055: {"pitch": -0.0}}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory, freesound_server, samples):
    """All that the local Freesound has; sounds of one's own; odd records, nulls, and some computed traits."""
    freesound_server.reset()
    home = tmp_path_factory.mktemp("filters") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIRLA_FREESOUND_URL", freesound_server.url)
        patch.setenv("FREESOUND_TOKEN", freesound_server.token)
        with Corpus(home) as corpus:
            corpus.harvest(Wanted((Query(filter="duration:[0 TO *]"),), audio="none"))
            assert corpus.harvest(Wanted((Query(ids=(PREVIEWED,)),))).audio == 1
            how = Adoption(tags=("Field Recording", "日本"), licence=Licence("Attribution"))
            assert len(corpus.adopt(samples[:6], how).ids) == 6
            with corpus.database.write() as connection:
                odd = sa.text(
                    "insert into sounds (id, name, username, description, pack, licence, licence_version,"
                    " licence_url, added, record) values (:id, :name, :user, :about, :pack, '', '', '',"
                    " '2026-01-01T00:00:00Z', :record)"
                )
                named = ["ÑANDÚ K\u0130 \u017ftraße", "x\x00y running", "100% _under_ \"q\" 'it''s' \\", "..."]
                for number, name in enumerate(named, 1):
                    row = {"id": number, "name": name, "user": name, "about": name, "pack": "", "record": "{}"}
                    connection.execute(odd, row)
                    connection.execute(
                        sa.text("insert into tags values (:id, :tag, 0)"), {"id": number, "tag": name.lower()}
                    )
                    text = "insert into sound_text(rowid, name, description) values (:id, :name, :about)"
                    connection.execute(sa.text(text), row)
                corpus.descriptors.serve(connection, {1: {"pitch": 440.0}}, {1: {"avg_rating": 0.0}}, [1])
                for sound_id, own in {**COMPUTED, 2: {"bpm": 120.0}}.items():
                    corpus.descriptors.put(connection, sound_id, "computed", own)
            yield corpus


@pytest.fixture(scope="module")
def own(corpus):
    """What filters ask for, by sound and field."""
    return values(corpus.database, corpus.sounds.ids().tolist())


def found(corpus, node):
    return sorted(corpus.sounds.ids(fitting=parse(node) if isinstance(node, str) else node).tolist())


def found_at(corpus, node, now=NOW):
    with corpus.database.read() as connection:
        query = sa.select(sounds.c.id).where(clause(node, now)).order_by(sounds.c.id)
        return list(connection.execute(query).scalars())


def fitting(own, node):
    return sorted(sound_id for sound_id, its in own.items() if node.fits(its, NOW))


# --- plain reading: from the records and files themselves, without any code of the filters -----------------------


@pytest.fixture(scope="module")
def plain(corpus):
    """By sound and field the values, from the records as they came and the files as they lie there."""
    database = sqlite3.connect(corpus.home / "corpus.sqlite")
    tagged = {}
    for sound_id, tag in database.execute("select sound_id, tag from tags"):
        tagged.setdefault(sound_id, []).append(tag)
    rows = database.execute(
        "select id, name, username, description, pack, licence, added, record from sounds"
    ).fetchall()
    database.close()
    read = {}
    for sound_id, name, user, about, pack, licence, added, record in rows:
        record = json.loads(record) if record else None
        file = corpus.sounds.get(sound_id).file
        if record is None and file:
            facts = {
                "created": added, "type": file.path.suffix[1:], "channels": file.channels,
                "samplerate": file.samplerate, "filesize": file.path.stat().st_size, "duration": file.duration,
            }  # fmt: skip
        else:
            facts = {**(record or {})}
            when = facts.get("created")
            facts["created"] = f"{when[:19]}Z" if when else added
            if facts.get("avg_rating") is not None:
                facts["avg_rating"] = facts["avg_rating"] * 2 if facts["num_ratings"] > 2 else 0
        if sound_id == 1:
            facts |= {"avg_rating": 0.0, "pitch": 440.0}
        facts |= {2: {"bpm": 120.0}, **COMPUTED}.get(sound_id, {})
        facts |= {"id": sound_id, "name": name, "username": user, "description": about, "pack": pack}
        facts |= {"license": licence, "tag": tagged.get(sound_id, [])}
        read[sound_id] = facts
    return read


def reads(node, facts):
    """The meaning of a filter, spelt out; not for the words of a text."""
    if isinstance(node, All | Either):
        results = [reads(part, facts) for part in node.parts]
        return False not in results if isinstance(node, All) else True in results
    if isinstance(node, Not):
        return not reads(node.part, facts)
    its = facts.get(node.field)
    its = [one for one in (its if isinstance(its, list) else [its]) if one not in (None, "")]
    its = [one.lower() if isinstance(one, str) and node.field != "created" else one for one in its]
    if isinstance(node, Match):
        if node.field == "created":
            return any(date(value)[0] <= one <= date(value)[1] for one in its for value in node.values)
        return any(one == (value.lower() if isinstance(value, str) else value) for one in its for value in node.values)
    low, high = node.low, node.high
    if node.field == "created":
        low, high = low and date(low)[0], high and date(high)[1]
    low, high = (end.lower() if isinstance(end, str) and node.field != "created" else end for end in (low, high))
    return any((low is None or one >= low) and (high is None or one <= high) for one in its)


def date(moment):
    """First and last second of the few forms of dates that are drawn here."""
    text = moment.text
    if text.startswith("NOW-"):
        then = (NOW - timedelta(days=int(text[4:-3]))).strftime("%Y-%m-%dT%H:%M:%SZ")
        return then, then
    if len(text) == 4:
        return f"{text}-01-01T00:00:00Z", f"{text}-12-31T23:59:59Z"
    if len(text) == 10:
        return f"{text}T00:00:00Z", f"{text}T23:59:59Z"
    return text, text


# --- filters by chance -------------------------------------------------------------------------------------------


def drawn(data, own, fields, deep=True):
    """A filter about values that occur, and some that do not."""

    def value(field):
        there = [its[field] for its in own.values() if its.get(field) not in (None, "", [])]
        held = data.draw(st.sampled_from(there)) if there else None
        kind = FIELDS[field]
        if kind == "truth":
            return data.draw(st.booleans())
        if kind == "number":
            odd = st.sampled_from([0.0, -1.0, 1e300, 0.5, 2.0**53])
            return data.draw(st.just(float(held)) | odd) if held is not None else data.draw(odd)
        if kind == "date":
            cut = data.draw(st.sampled_from([4, 10, 20]))
            days = st.integers(0, 4000).map("NOW-{}DAY".format)
            return Moment(data.draw(st.just(held[:cut] if held else "2020") | days))
        if held is None:
            return "nothing"
        if kind == "words":
            words = held.replace("\0", " ").split()
            first = data.draw(st.integers(0, max(0, len(words) - 1)))
            count = data.draw(st.integers(1, 3))
            return data.draw(
                st.sampled_from([" ".join(words[first : first + count]) or held, held, "no such words", '"', "-"])
            )
        held = data.draw(st.sampled_from(held)) if isinstance(held, list) else held
        return data.draw(st.sampled_from([held, held.upper(), held.swapcase(), held + "x", held[:-1] or "y"]))

    def leaf():
        field = data.draw(st.sampled_from(fields))
        if data.draw(st.booleans()):
            return Match(field, tuple(dict.fromkeys(value(field) for _ in range(data.draw(st.integers(1, 3))))))
        ends = [None if FIELDS[field] in ("truth", "words") or data.draw(st.booleans()) else value(field) for _ in "ab"]
        return Between(field, *ends)

    def node(depth):
        kind = data.draw(st.sampled_from(["leaf", "leaf", "not", "all", "either"])) if depth else "leaf"
        if kind == "leaf":
            return leaf()
        if kind == "not":
            return negated(node(depth - 1))
        parts = [node(depth - 1) for _ in range(data.draw(st.integers(2, 3)))]
        return all_of(parts) if kind == "all" else either_of(parts)

    return node(3 if deep else 0)


BY_KIND = {kind: [name for name, its in FIELDS.items() if its == kind] for kind in set(FIELDS.values())}


@pytest.mark.parametrize("kind", sorted(BY_KIND))
@settings(max_examples=examples(150), deadline=None)
@given(data=st.data())
def test_sql_python_and_plain_reading_agree_on_each_kind(corpus, own, plain, kind, data):
    node = drawn(data, own, BY_KIND[kind], deep=False)
    ids = found_at(corpus, node)
    assert ids == fitting(own, node), str(node)
    if kind != "words":
        assert ids == sorted(sound_id for sound_id, facts in plain.items() if reads(node, facts)), str(node)


@settings(max_examples=examples(150), deadline=None)
@given(data=st.data())
def test_they_agree_on_any_filter(corpus, own, plain, data):
    node = drawn(data, own, [name for name, kind in FIELDS.items() if kind != "words"])
    ids = found_at(corpus, node)
    assert ids == fitting(own, node) == sorted(one for one, facts in plain.items() if reads(node, facts)), str(node)


@pytest.mark.parametrize("field", FIELDS)
def test_each_field_is_filtered_by_in_all_three_ways(corpus, own, plain, field):
    there = [its[field] for its in own.values() if its[field] not in (None, "", [])]
    present = found_at(corpus, Between(field))
    assert present == sorted(one for one, its in own.items() if its[field] not in (None, "", []))
    assert present == sorted(one for one, facts in plain.items() if reads(Between(field), facts))
    assert found_at(corpus, Not(Between(field))) == sorted(set(own) - set(present))
    assert there, f"no sound has {field}: let the fixture have one"
    value = there[0][0] if field == "tag" else there[0]
    value = float(value) if FIELDS[field] == "number" else Moment(value) if FIELDS[field] == "date" else value
    ids = found_at(corpus, Match(field, (value,)))
    assert ids == fitting(own, Match(field, (value,)))
    assert len(ids) > 0


# --- against the records themselves -------------------------------------------------------------------------------


LICENCE_OF = {"zero": "Creative Commons 0", "by": "Attribution", "by-nc": "Attribution NonCommercial"}


def licence(row):
    return LICENCE_OF.get(row["license"].split("/")[-3])


def tagged(row, *tags):
    return any(tag in row["tags"] for tag in tags)


def between(low, value, high):
    return value is not None and low <= value <= high


def rating(row):
    """From 0 to 10, and 0 with fewer than 3 ratings."""
    return 2 * row["avg_rating"] if row["num_ratings"] >= 3 else 0


def named(row, word):
    return word in re.split(r"\W+|_", row["name"].lower())


FILTERS = {
    "duration:[0.5 TO 4] channels:2": lambda row: 0.5 <= row["duration"] <= 4 and row["channels"] == 2,
    "-channels:2": lambda row: row["channels"] != 2,
    "tag:(drum OR bass)": lambda row: tagged(row, "drum", "bass"),
    'license:"Creative Commons 0"': lambda row: licence(row) == "Creative Commons 0",
    'license:"Attribution NonCommercial" duration:[0 TO 2]': lambda row: (
        licence(row) == "Attribution NonCommercial" and row["duration"] <= 2
    ),
    "avg_rating:[7 TO *]": lambda row: rating(row) >= 7,
    "avg_rating:0": lambda row: rating(row) == 0,
    "avg_rating:[0.001 TO 10] -num_ratings:[3 TO 8]": lambda row: rating(row) > 0 and not 3 <= row["num_ratings"] <= 8,
    "created:[2010-01-01T00:00:00Z TO 2015-12-31T23:59:59Z]": lambda row: "2010" <= row["created"] < "2016",
    "created:[NOW-3000DAY TO NOW]": lambda row: row["created"].rstrip("Z") >= "2018-05-15T00:00:00",
    "type:(wav OR flac)": lambda row: row["type"] in ("wav", "flac"),
    "username:menegass": lambda row: row["username"] == "menegass",
    "id:(100055 OR 4832 OR 7)": lambda row: row["id"] in (100055, 4832, 7),
    "is_explicit:true": lambda row: row["is_explicit"],
    "pitch:[100 TO 900] tonality:[* TO *]": lambda row: between(100, row["pitch"], 900) and row["tonality"],
    "bpm:[60 TO 90] loopable:true": lambda row: between(60, row["bpm"], 90) and row["loopable"],
    "note_midi:[* TO 30]": lambda row: between(-1, row["note_midi"], 30),
    'category:"Instrument samples" subcategory:Percussion': lambda row: row["category_code"] == "is-p",
    "gen_ai_preference:no-gen-ai num_downloads:[1000 TO *]": lambda row: (
        row["gen_ai_preference"] == "no-gen-ai" and row["num_downloads"] >= 1000
    ),
    "samplerate:44100 filesize:[100000 TO *]": lambda row: row["samplerate"] == 44100 and row["filesize"] >= 100_000,
    'username:menegass AND (tag:drum OR tag:bass) AND -name:"heavy"': lambda row: (
        row["username"] == "menegass" and tagged(row, "drum", "bass") and not named(row, "heavy")
    ),
    "name:cymbal": lambda row: named(row, "cymbal"),
    "fsdsinet_detections_count:[30 TO *]": lambda row: between(30, row["fsdsinet_detections_count"], 60),
}
"""Filters, each with what it says of a record of Freesound's."""


@pytest.mark.parametrize(("text", "holds"), FILTERS.items())
def test_a_filter_finds_the_records_that_it_describes(corpus, freesound_server, text, holds):
    records = freesound_server.catalogue.records
    there = {record["id"] for record in records if holds(record)}
    ours = set(found_at(corpus, parse(text), datetime(2026, 8, 1, tzinfo=UTC))) & {record["id"] for record in records}
    assert ours - set(COMPUTED) == there - set(COMPUTED)
    assert there


# --- single traits -----------------------------------------------------------------------------------------------


def test_a_computed_value_hides_the_served_one(corpus, own):
    with corpus.database.read() as connection:
        query = "select pitch from traits where sound_id = 4832 and origin = 'api'"
        served = connection.execute(sa.text(query)).scalar()
    assert served not in (None, 441.5)
    assert 4832 in found(corpus, "pitch:441.5")
    assert 4832 not in found(corpus, f"pitch:{served}")
    assert own[4832]["pitch"] == 441.5


def test_words_are_stemmed_whatever_their_case_and_in_order(corpus):
    assert 2 in found(corpus, "name:RUN")
    assert 2 in found(corpus, 'name:"y runs"')
    assert 2 not in found(corpus, 'name:"running y"')
    assert 1 in found(corpus, "name:nandu")
    assert found(corpus, 'name:"!!!"') == []
    assert 4 in found(corpus, "name:*")
    assert found(corpus, 'name:"x\0y runs"') == [2]


def test_texts_are_compared_whole_whatever_their_case_in_any_script(corpus):
    assert found(corpus, 'username:"ñandú ki\u0307 \u017fTRASSE"') == []
    assert found(corpus, 'username:"ñandú KI\u0307 \u017ftraße"') == [1]
    assert found(corpus, 'tag:"X\0y RUNNING"') == [2]
    assert found(corpus, "tag:日本 license:attribution type:FLAC") == found(corpus, "id:[1000000000 TO *]")
    assert found(corpus, "-pack:* id:[1 TO 4]") == [1, 2, 3, 4]


def test_sounds_of_ones_own_have_the_facts_of_their_files_and_come_when_they_were_added(corpus):
    ids = found(corpus, "id:[1000000000 TO *]")
    assert len(ids) == 6
    assert found(corpus, "created:[NOW-1DAY TO NOW]") == ids
    for sound in corpus.sounds.many(ids):
        file = sound.file
        text = f"type:{file.format} channels:{file.channels} samplerate:{file.samplerate} filesize:{file.bytes}"
        assert sound.id in found(corpus, f"{text} duration:[{file.duration - 0.001} TO {file.duration + 0.001}]")
    assert not set(ids) & set(found(corpus, "md5:* OR is_explicit:* OR num_ratings:* OR pitch:*"))
    assert set(ids) <= set(found(corpus, "-is_explicit:true -is_explicit:false -avg_rating:[0 TO 10]"))


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("NOW", "2026-07-01T12:30:15Z", None),
        ("NOW-7DAY", "2026-06-24T12:30:15Z", None),
        ("NOW-7DAYS+2HOURS", "2026-06-24T14:30:15Z", None),
        ("NOW/DAY", "2026-07-01T00:00:00Z", None),
        ("NOW/MONTH-1SECOND", "2026-06-30T23:59:59Z", None),
        ("NOW/YEAR", "2026-01-01T00:00:00Z", None),
        ("2024-03-31-1MONTH", "2024-02-29T00:00:00Z", None),
        ("2024", "2024-01-01T00:00:00Z", "2024-12-31T23:59:59Z"),
        ("2024-02", "2024-02-01T00:00:00Z", "2024-02-29T23:59:59Z"),
        ("2024-02-03", "2024-02-03T00:00:00Z", "2024-02-03T23:59:59Z"),
        ("2024-02-03T04:05", "2024-02-03T04:05:00Z", "2024-02-03T04:05:59Z"),
        ("2024-02-03T04:05:06.789Z", "2024-02-03T04:05:06Z", None),
        ("NOW-999999999YEAR", "0001-01-01T00:00:00Z", None),
        ("NOW+999999999MONTH", "9999-12-31T23:59:59Z", None),
        ("9999", "9999-01-01T00:00:00Z", "9999-12-31T23:59:58Z"),
    ],
)
def test_dates(text, first, last):
    assert Moment(text).span(NOW) == (first, last or first)


# --- reading -----------------------------------------------------------------------------------------------------

PIECES = [
    *"()[]{}\"\\:*-+ ?~^!/ '%;_\0\n\ud800日", *"AND OR NOT TO NOW -7DAY kick 440 -1e3 true".split(), " TO ",
    " OR ", '"a b"', "tag:", "pitch:", "name:", "created:", "is_explicit:", "[* TO *]",
    "tag:(a OR b)", "created:[NOW-7DAY TO *]",
]  # fmt: skip


@settings(max_examples=examples(2000), deadline=None)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=12).map("".join) | st.text())
@example("tag:'; DROP TABLE sounds; --")
@example('name:"\\""')
def test_any_text_is_a_filter_or_one_error(corpus, text):
    try:
        node = parse(text)
    except FilterError as error:
        assert "at character " in str(error)
        return
    assert parse(str(node)) == node
    found(corpus, node)
    assert len(corpus.sounds.ids()) == 175


@settings(max_examples=examples(500), deadline=None)
@given(data=st.data())
def test_a_filter_that_is_printed_reads_as_the_same(own, data):
    node = drawn(data, own, list(FIELDS))
    assert parse(str(node)) == node


@settings(max_examples=examples(500), deadline=None)
@given(st.text(min_size=1))
def test_any_text_in_quotes_is_a_value(text):
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    if text.strip():
        assert (
            parse(f'tag:"{escaped}"') == Match("tag", (text.encode("utf-8", "replace").decode(),))
            or max(text) > "\ud7ff"
        )


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("", 1, "nothing is asked for"),
        ("   ", 4, "nothing is asked for"),
        ("duration:1 pich:440", 12, "no field 'pich'; known are pitch, "),
        ("kick", 1, "'kick' is no field:value"),
        ("tag:kick OR", 12, "a field:value is missing"),
        ("tag:", 5, "a value of tag is missing"),
        ("tag: kick", 5, "a value of tag is missing"),
        ("tag:AND", 5, "a value of tag is missing"),
        ("tag:(a OR )", 11, "a value of tag is missing"),
        ("tag:(a", 5, "this parenthesis is not closed"),
        ("tag:a)", 6, "a closing parenthesis without"),
        ('tag:"a', 5, "these quotes are not closed"),
        ("tag:kick*", 9, "* has no meaning here"),
        ("pitch:[1 to 2]", 10, "with TO in capitals"),
        ("pitch:[1 TO 2", 14, "ends with ]"),
        ("pitch:{1 TO 2}", 7, "with both ends in it"),
        ("pitch:high", 7, "pitch takes a number, not 'high'"),
        ("pitch:1e999", 7, "pitch takes a number"),
        ("pitch:nan", 7, "pitch takes a number"),
        ("loudness:(-20 OR -10)", 11, "a minus means not"),
        ("loopable:maybe", 10, "loopable takes true or false"),
        ("loopable:[false TO true]", 10, "no order"),
        ("name:[a TO b]", 6, "no order"),
        ("created:[NOW-7WEEK TO *]", 10, "'WEEK' is no unit of time"),
        ("created:2024-02-30", 9, "created takes a date"),
        ('md5:""', 5, "the value of md5 is empty"),
        ("tag:a OR tag:b tag:c", 16, "AND (or a space) and OR are mixed"),
        ("tag:a tag:b OR tag:c", 13, "AND (or a space) and OR are mixed"),
        ("tag:(a b OR c)", 10, "AND (or a space) and OR are mixed"),
        ("(" * 11 + "tag:a" + ")" * 11, 12, "nested too deeply"),
        ("tag:" + "a" * 100_000, 1, "too long"),
        ("id:(" + "1 OR " * 10_000 + "1)", 4 + 5 * 10_000 + 1, "at most 10000 values"),
        (" ".join(["tag:a"] * 201), 1206, "at most 200 are taken"),
    ],
)  # fmt: skip
def test_errors_name_the_position(text, position, words):
    with pytest.raises(FilterError) as error:
        parse(text)
    assert str(error.value).startswith(f"the filter, at character {position}: ")
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_an_unknown_field_lists_all_that_are_known():
    with pytest.raises(FilterError) as error:
        parse("licence:CC0")
    assert "known are license, " in str(error.value)
    assert set(FIELDS) <= set(str(error.value).replace(",", " ").split())


def test_all_promised_fields_are_there():
    promised = """id name tag description username pack license gen_ai_preference duration created type channels
        samplerate filesize num_downloads avg_rating num_ratings category subcategory is_explicit md5""".split()
    assert set(FIELDS) == {*promised, *SCALARS}


@pytest.mark.parametrize(
    "text",
    [
        "(" * 99_000, "-" * 99_000, '"' * 99_000, "\\" * 99_000, "[" * 99_000, " " * 99_000, "\ud800" * 90_000,
        "a" * 99_000, "a" * 99_000 + ":1", "NOT " * 20_000, "(tag:a OR " * 9_000,
        "tag:" * 20_000, "tag:a " * 15_000, "tag:" + "*" * 90_000, "tag:[" + "a " * 40_000, 'tag:"' + "\\" * 90_000,
        "tag:(" + "a OR " * 9_000 + "b)", "name:(" + "a OR " * 9_000 + "b)", "created:(" + "NOW OR " * 9_000 + "NOW)",
        "created:NOW" + "+1DAY" * 15_000, "created:NOW" + "-999999999MONTH" * 5_000, "created:[" + "2" * 90_000,
        "pitch:" + "9" * 90_000, "pitch:[" + "1" * 90_000, "id:(" + " OR ".join(map(str, range(9_999))) + ")",
    ],
    ids=range(25),
)  # fmt: skip
def test_no_text_takes_long(corpus, text):
    start = time.perf_counter()
    try:
        node = parse(text)
    except FilterError as error:
        assert len(str(error)) < 2000
    else:
        found(corpus, node)
    assert time.perf_counter() - start < 2


def test_the_deepest_and_the_widest_filter_that_can_be_read_can_be_asked(corpus, own):
    deep = "tag:x"
    for level in range(5):
        deep = f"-({deep} {'OR' if level % 2 else 'AND'} created:NOW OR pitch:1)".replace("AND created:NOW OR", "AND")
    assert found(corpus, deep) == fitting(own, parse(deep))
    wide = " OR ".join(f"created:[{year:04} TO *] OR -pitch:[* TO {year}]" for year in range(1, 101))
    assert found(corpus, wide) == fitting(own, parse(wide))


@pytest.mark.parametrize(
    "word", ["AND", "OR", "NOT", "TO", "-a", "+a", "*", "a*", "[", "NOW", "a:b", "\\", '"', "(", "!"]
)
def test_words_that_mean_something_are_printed_in_quotes(word):
    for node in (
        Match("tag", (word,)),
        Match("tag", ("a", word)),
        Between("tag", word, word),
        Not(Match("tag", (word,))),
    ):
        assert parse(str(node)) == node


def test_not_and_not_again_is_nothing():
    assert parse("--tag:a") == parse("NOT -(tag:a)") == parse("tag:a")
    assert str(parse("-" * 9 + "(tag:a tag:b)")) == "-(tag:a tag:b)"


def test_what_no_database_can_hold_is_looked_for_as_it_is_stored(corpus):
    assert parse("tag:\ud800") == Match("tag", ("\ufffd",))
    assert found(corpus, 'tag:"\udcff" OR name:"\udcff"') == []


def test_a_harvested_sound_is_of_the_type_of_its_original(corpus):
    original = corpus.sounds.get(PREVIEWED)
    assert original.file.format == "ogg"
    assert PREVIEWED not in found(corpus, "type:ogg")
    assert PREVIEWED not in found(corpus, f"filesize:{original.file.bytes}")


def test_a_number_is_never_printed_as_another():
    for number in (0.1, 1e15, 123456789.123, 1e300, -1e-300, 2.0**53, math.pi):
        assert parse(str(Match("pitch", (number,)))).values == (number,)
        assert parse(str(Between("pitch", number))).low == number


def test_stems_are_those_of_the_index(corpus):
    with corpus.database.write() as connection:
        connection.execute(sa.text("create virtual table temp.seen using fts5vocab(main, sound_text, instance)"))
        rows = connection.execute(
            sa.text("select doc, term from seen where col = 'name' order by doc, \"offset\"")
        ).all()
        connection.execute(sa.text("drop table temp.seen"))
    indexed = {}
    for sound_id, stem in rows:
        indexed.setdefault(sound_id, []).append(stem)
    assert len(indexed) > 100
    for sound in corpus.sounds.many(indexed):
        assert stems(sound.name) == indexed[sound.id]


def test_every_error_has_an_exit_code_of_its_own():
    def below(kind):
        return [kind, *(deeper for each in kind.__subclasses__() for deeper in below(each))]

    kinds = [*below(CorpusError), *below(EngineError)]
    codes = [kind.exit_code for kind in kinds if not kind.__name__.startswith("_")]
    assert len(set(codes)) == len(codes)
    assert FilterError.exit_code == 31
