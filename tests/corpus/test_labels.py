"""Labels on their way between corpora: matched by Freesound id, then by content; nothing twice, nothing half."""

import codecs
import csv
import io
import shutil
from datetime import UTC, datetime, timedelta, timezone

import pytest

from corpus import Corpus, said
from corpus.catalogue import Entry
from corpus.errors import LabelsError
from corpus.files import write_whole
from corpus.folder import Adoption
from corpus.labels import COLUMNS, Labels, read
from tests.audio_files import write_tone
from tests.bad_input import one_line

LOCAL = 1_000_000_000
FREESOUND = (31362, 4832)
HASH = "0" * 64
AT, LATER = "2026-01-31T20:00:00Z", "2026-02-01T20:00:00Z"


def built(folder, pitches):
    """A home of two of Freesound's sounds and two of one's own, of these pitches."""
    folder.mkdir()
    files = [write_tone(folder / f"{place}.wav", pitch, seconds=0.05) for place, pitch in enumerate(pitches)]
    catalogue = {file.resolve(): Entry(id=number) for file, number in zip(files, FREESOUND, strict=False)}
    with Corpus(folder / "home") as corpus:
        assert corpus.adopt(files, Adoption(catalogue=catalogue)).ids == [*FREESOUND, LOCAL, LOCAL + 1]
        corpus.agents.create("water", "", ["mfcc"], "mlp")
    return folder / "home"


@pytest.fixture(scope="module")
def homes(tmp_path_factory):
    """Theirs has another file of one of Freesound's sounds, and one's own have the other numbers."""
    folder = tmp_path_factory.mktemp("homes")
    return built(folder / "ours", [300, 400, 500, 600]), built(folder / "theirs", [301, 400, 600, 500])


@pytest.fixture
def ours(homes, home):
    shutil.copytree(homes[0], home)
    with Corpus(home) as corpus:
        yield corpus


@pytest.fixture
def theirs(homes, tmp_path):
    shutil.copytree(homes[1], tmp_path / "theirs")
    with Corpus(tmp_path / "theirs") as corpus:
        yield corpus


def label(corpus, ids, word, who="anna", **more):
    corpus.agents.annotate(corpus.agents.get("water"), ids, word, who=who, session="s", **more)


def export(corpus, file):
    return Labels(corpus.sounds, corpus.agents, corpus.identities).write(corpus.agents.get("water"), file)


def take_in(corpus, file, who="me", test=False):
    agent = corpus.agents.get("water")
    return Labels(corpus.sounds, corpus.agents, corpus.identities).take_in(agent, read(file, who=who, test=test), "i")


def table(file):
    return list(csv.DictReader(io.StringIO(file.read_text())))


def counting(corpus):
    return {one.sound_id: one.label for one in corpus.agents.annotations(corpus.agents.get("water"))}


def facts(corpus):
    return corpus.agents.history(corpus.agents.get("water"))


def test_two_corpora_share_by_freesound_id_and_by_content(ours, theirs, tmp_path):
    label(ours, [FREESOUND[0], LOCAL], "good")
    label(ours, [FREESOUND[1]], "bad", who="ben", test=True)
    label(ours, [LOCAL + 1], "bad")
    assert export(ours, tmp_path / "l.csv") == []
    done = take_in(theirs, tmp_path / "l.csv")
    assert (done.added, done.skipped, done.both_ways) == (4, [], [])
    assert counting(theirs) == {FREESOUND[0]: "good", FREESOUND[1]: "bad", LOCAL + 1: "good", LOCAL: "bad"}
    here = {(one.sound_id, one.who, one.at, one.test) for one in facts(theirs)}
    there = {({LOCAL: LOCAL + 1, LOCAL + 1: LOCAL}.get(n, n), *rest) for n, *rest in map(_told, facts(ours))}
    assert here == there


def _told(one):
    return one.sound_id, one.who, one.at, one.test


def test_the_same_file_twice_adds_nothing(ours, theirs, tmp_path):
    label(ours, [FREESOUND[0], LOCAL], "good")
    label(ours, [FREESOUND[0]], "bad", who="ben")
    export(ours, tmp_path / "l.csv")
    (tmp_path / "bare.txt").write_text(f"{FREESOUND[1]},good\n{FREESOUND[1]},bad\n")
    for name, added in ("l.csv", 3), ("bare.txt", 1):
        assert take_in(theirs, tmp_path / name).added == added
        before = facts(theirs)
        assert take_in(theirs, tmp_path / name).added == 0
        assert facts(theirs) == before
    assert take_in(ours, tmp_path / "l.csv").added == 0
    assert counting(theirs) == {FREESOUND[0]: "bad", FREESOUND[1]: "bad", LOCAL + 1: "good"}


def test_what_was_undone_and_taken_back_is_not_exported(ours, tmp_path):
    label(ours, [FREESOUND[0]], "good")
    label(ours, [FREESOUND[0]], "bad", who="ben")
    ours.agents.undo(ours.agents.get("water"), who="ben")
    label(ours, [LOCAL], "good")
    label(ours, [LOCAL], None)
    export(ours, tmp_path / "l.csv")
    rows = table(tmp_path / "l.csv")
    assert tuple(rows[0]) == COLUMNS
    assert [(row["id"], row["label"], row["who"]) for row in rows] == [(str(FREESOUND[0]), "good", "anna")]


def test_what_was_said_here_later_goes_on_counting(ours, tmp_path):
    label(ours, FREESOUND, "good")
    file = tmp_path / "l.csv"
    later = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=20)
    when = [AT, later.astimezone(timezone(timedelta(hours=1))).isoformat()]
    file.write_text(
        "id,label,who,when\n" + "".join(f"{n},bad,ben,{at}\n" for n, at in zip(FREESOUND, when, strict=True))
    )
    assert take_in(ours, file).added == 2
    assert counting(ours) == {FREESOUND[0]: "good", FREESOUND[1]: "bad"}
    assert facts(ours)[3].at == later.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert take_in(ours, file).added == 0


def test_what_is_kept_for_testing_stays_so_whoever_imports(ours, mirla, tmp_path):
    file = tmp_path / "l.csv"
    label(ours, [FREESOUND[0]], "good", test=True)
    file.write_text(f"id,label,who,when\n{FREESOUND[0]},bad,ben,{AT}\n{FREESOUND[0]},good,cara,{LATER}\n")
    done = mirla("--json", "agent", "import", "water", "--labels", file)
    assert (done.json["added"], done.json["test"], done.json["for_testing"]) == (2, 1, [FREESOUND[0]])
    one_line(done, f"kept for testing: {FREESOUND[0]}")
    assert [one.test for one in facts(ours)] == [True] * len(facts(ours))
    assert mirla("--json", "agent", "import", "water", "--labels", file).json["added"] == 0
    mixed = f"id,label,who,when,test\n{FREESOUND[1]},bad,ben,{AT},yes\n{FREESOUND[1]},good,cara,{LATER},no\n"
    file.write_text(mixed)
    assert take_in(ours, file).added == 2
    assert [one.test for one in facts(ours) if one.sound_id == FREESOUND[1]] == [True, True]
    assert take_in(ours, file).added == 0


def test_undoing_an_import_leaves_ones_own_later_label(ours, tmp_path):
    """Which is said again behind the import's, so that it goes on counting, and goes when it is itself undone."""
    file, (first, second) = tmp_path / "l.csv", FREESOUND
    agent = ours.agents.get("water")
    file.write_text("id,label,who,when\n" + "".join(f"{n},bad,ben,{AT}\n" for n in FREESOUND))
    label(ours, [first], "good")
    take_in(ours, file)
    assert counting(ours) == {first: "good", second: "bad"}
    own, *_, again = facts(ours)
    assert (again.repeats, again.session, again.label, again.who) == (own.id, "i", "good", "anna")
    assert ours.agents.undo(agent, who="me").sound_id == second
    done = ours.agents.undo(agent, who="me")
    assert (done.sound_id, done.label) == (first, "good")
    assert [one.label for one in said.standing(facts(ours)) if one.sound_id == first] == ["good", "good"]
    assert ours.agents.undo(agent, "i", who="me") is None
    assert counting(ours) == {first: "good"}
    assert ours.agents.undo(agent, who="me").undoes == own.id
    assert counting(ours) == {}
    assert said.standing(facts(ours)) == []
    assert ours.agents.undo(agent, who="me") is None


def test_undoing_ones_own_label_lets_the_import_count(ours, tmp_path):
    file = tmp_path / "l.csv"
    file.write_text(f"id,label,who,when\n{FREESOUND[0]},bad,ben,{AT}\n")
    label(ours, [FREESOUND[0]], "good")
    take_in(ours, file)
    ours.agents.undo(ours.agents.copy(ours.agents.get("water"), "copied"), "s", who="me")
    assert counting(ours) == {FREESOUND[0]: "good"}
    ours.agents.undo(ours.agents.get("water"), "s", who="me")
    for name in "water", "copied":
        (one,) = ours.agents.annotations(ours.agents.get(name))
        assert (one.sound_id, one.label) == (FREESOUND[0], "bad")


@pytest.mark.parametrize("who", ["=1+1", "@SUM(A1)", "-x", "+x", "a,b", 'say "ah"', "日本語", "x;y"])
def test_no_name_is_a_formula_and_every_name_comes_back(ours, theirs, tmp_path, who):
    label(ours, [FREESOUND[0]], "good", who=who)
    export(ours, tmp_path / "l.csv")
    (row,) = table(tmp_path / "l.csv")
    assert not row["who"].startswith(("=", "+", "-", "@"))
    take_in(theirs, tmp_path / "l.csv")
    assert [one.who for one in facts(theirs)] == [who]


def test_labels_of_sounds_that_no_model_may_learn_from_say_so(ours, mirla, tmp_path):
    (sound,) = ours.sounds.many([FREESOUND[0]])
    with ours.database.write() as connection:
        ours.sounds.update(connection, [sound], {sound.id: {"gen_ai_preference": "no-gen-ai"}})
    label(ours, FREESOUND, "good")
    done = mirla("agent", "export", "water", "--labels", tmp_path / "l.csv")
    assert "1 of these sounds are no-gen-ai" in done.err
    rows = table(tmp_path / "l.csv")
    assert [row["gen_ai_preference"] for row in rows] == ["no-gen-ai", ""]


FORMS = {
    "heading": f"id,label\n{FREESOUND[0]},good\n{FREESOUND[1]},bad\n",
    "capitals": f"ID,Label\n{FREESOUND[0]},GOOD\n{FREESOUND[1]},bad\n",
    "no heading": f"{FREESOUND[0]},good\n{FREESOUND[1]},bad",
    "line feeds of Windows": f"{FREESOUND[0]},good\r\n{FREESOUND[1]},bad\r\n",
    "semicolons": f"LABEL;ID\nGood;{FREESOUND[0]}\nBAD;{FREESOUND[1]}\n",
    "tabs and other columns": f"id\tnote\tlabel\n{FREESOUND[0]}\ta, b\tgood\n{FREESOUND[1]}\t\tbad\n",
    "blanks": f"\n id , label \n\n {FREESOUND[0]} , good \n,\n{FREESOUND[1]},bad\n\n",
    "byte order mark": f"\ufeffid,label\n{FREESOUND[0]},good\n{FREESOUND[1]},bad\n",
}


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_a_file(ours, mirla, tmp_path, form):
    file = tmp_path / "l.csv"
    file.write_bytes(FORMS[form].encode())
    done = mirla("--json", "agent", "import", "new", "--labels", file, "--test", "--by", "cara").json
    assert (done["agent"], done["good"], done["bad"], done["test"], done["skipped"]) == ("new", 0, 0, 2, [])
    said = ours.agents.history(ours.agents.get("new"))
    assert [(one.sound_id, one.label, one.who) for one in said] == [
        (FREESOUND[0], "good", "cara"),
        (FREESOUND[1], "bad", "cara"),
    ]


def test_sounds_that_are_not_held_are_listed_with_a_way_to_get_them(ours, mirla, tmp_path):
    file = tmp_path / "l.csv"
    lines = [f"{FREESOUND[0]},,good", "77,,good", f"{LOCAL},{HASH},bad", f"{10**17},,bad", "0,,bad", "77,,bad"]
    file.write_text("\n".join(["id,hash,label", *lines]))
    done = mirla("--json", "agent", "import", "water", "--labels", file, check=1)
    assert [(one["id"], one["hash"]) for one in done.json["skipped"]] == [
        (77, None),
        (LOCAL, HASH),
        (10**17, None),
        (0, None),
    ]
    assert (done.json["good"], done.json["bad"]) == (1, 0)
    assert "mirla harvest --ids" in done.err
    assert "failed: 77: not held here" in done.err


def test_an_id_of_someones_own_sound_says_nothing_without_its_hash(ours, mirla, tmp_path):
    file = tmp_path / "l.csv"
    file.write_text(f"{LOCAL},good\n{FREESOUND[0]},good\n")
    done = mirla("--json", "agent", "import", "water", "--labels", file, check=1)
    assert [(one["id"], one["error"]) for one in done.json["skipped"]] == [
        (LOCAL, "a sound of someone's own has another id elsewhere; only its hash says which it is")
    ]
    assert counting(ours) == {FREESOUND[0]: "good"}


def test_one_person_saying_both_is_told(ours, mirla, tmp_path):
    file = tmp_path / "l.csv"
    file.write_text(f"{FREESOUND[0]},good\n{FREESOUND[0]},bad\n{FREESOUND[1]},good\n{FREESOUND[1]},good\n")
    done = mirla("--json", "agent", "import", "water", "--labels", file)
    assert done.json["both_ways"] == [FREESOUND[0]]
    one_line(done, f"the last counts: {FREESOUND[0]}")
    assert counting(ours) == {FREESOUND[0]: "bad", FREESOUND[1]: "good"}


WHOLE = f"id,hash,label,who,when\n{FREESOUND[0]},{HASH},good,anna,{AT}\n"
BAD = {
    "empty": (b"", "is empty"),
    "blank lines": (b"\n\n \n", "is empty"),
    "other columns": (b"sound,verdict\n1,good\n", "begins with 'sound,verdict'"),
    "no label": (b"id,who\n1,anna\n", "begins with 'id,who'"),
    "no sound": (b"label,who\ngood,anna\n", "begins with 'label,who'"),
    "two labels": (b"id,label,label\n1,good,bad\n", "several columns 'label'"),
    "a label word": (b"id,label\n4832,good\n31362,great\n", "line 3: 'great' is neither good nor bad"),
    "a label word without heading": (b"4832,good\n31362,great\n", "line 2: 'great'"),
    "no label word": (b"id,label\n4832,\n", "line 2: '' is neither"),
    "text for an id": (b"4832,good\ntabla,good\n", "line 2: 'tabla' is not the id"),
    "a negative id": (b"id,label\n-4832,good\n", "line 2: '-4832' is not the id"),
    "a number with a point": (b"id,label\n4832.0,good\n", "line 2: '4832.0' is not the id"),
    "a huge id": (b"id,label\n" + b"9" * 400 + b",good\n", "is not the id"),
    "other digits": ("id,label\n٤٨٣٢,good\n".encode(), "is not the id"),
    "a short hash": (b"hash,label\nabc,good\n", "line 2: 'abc' is not a SHA-256"),
    "neither": (b"id,hash,label\n,,good\n", "line 2: neither an id nor a hash"),
    "a time": (b"id,label,when\n4832,good,yesterday\n", "line 2: when is 'yesterday'"),
    "a time before time": (b"id,label,when\n4832,good,0001-01-01T00:00:00+12:00\n", "line 2"),
    "a time to come": (
        b"id,label,when\n4832,good,9999-01-01\n",
        "line 2: when is '9999-01-01', which is still to come",
    ),
    "a test": (b"id,label,test\n4832,good,maybe\n", "line 2: test is 'maybe'"),
    "a name": (b"id,label,who\n4832,good,\x1b[2J\n", "line 2: '\\x1b[2J' is no name"),
    "a long name": (b"id,label,who\n4832,good," + b"x" * 1000 + b"\n", "line 2: 'xxx"),
    "too many values": (b"id,label\n4832,good,bad\n", "line 2: 3 values for 2 columns"),
    "cut in a line": (WHOLE.encode()[:-30], "line 2: 3 values for 5 columns"),
    "cut in a time": (WHOLE.encode()[:-8], "line 2: when is '2026-01-31T20'"),
    "cut in quotes": (b'id,label,who\n4832,good,"an', "is not CSV: unexpected end of data"),
    "binary": (bytes(range(256)) * 20, "is not a text in UTF-8"),
    "zeros": (b"\x00" * 1000, "begins with '\\x00"),
    "UTF-16": (codecs.BOM_UTF16_LE + "id,label\n4832,good\n".encode("utf-16-le"), "save it as CSV in UTF-8"),
    "a huge field": (b"id,label\n4832," + b"g" * 10**6 + b"\n", "is not CSV: field larger"),
    "audio": (b"RIFF\x24\x00\x00\x00WAVEfmt ", "begins with 'RIFF"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_is_one_line_and_leaves_everything_as_it_was(ours, mirla, tmp_path, kind):
    content, words = BAD[kind]
    file = tmp_path / "l.csv"
    file.write_bytes(content)
    line = one_line(mirla("agent", "import", "other", "--labels", file, check=LabelsError.exit_code), words)
    assert len(line) < 400 + len(str(file))
    assert facts(ours) == []
    assert [agent.name for agent in ours.agents.all()] == ["water"], "no agent was made of it"


def test_a_file_that_is_not_there_or_cannot_be_written(ours, mirla, tmp_path):
    one_line(
        mirla("agent", "import", "water", "--labels", tmp_path / "no", check=32), "no cannot be read: No such file"
    )
    one_line(mirla("agent", "export", "water", "--labels", tmp_path / "no" / "l", check=32), "cannot write")
    assert "say --labels" in mirla("agent", "export", "water", check=2).err
    assert "say --labels" in mirla("agent", "import", "water", check=2).err


def test_a_file_that_could_not_be_written_is_as_it_was_before(tmp_path):
    (tmp_path / "l.csv").write_text("before")
    with pytest.raises(UnicodeEncodeError):
        write_whole(tmp_path / "l.csv", "x" * 100_000 + "\ud800")
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("l.csv", "before")]


def test_many_labels_are_matched_in_parts(ours, tmp_path):
    rows = [f"{number},,good" for number in range(1, 1500)] + [f"{FREESOUND[1]},,bad", f"{FREESOUND[0]},,bad"]
    (tmp_path / "l.csv").write_text("\n".join(["id,hash,label", *rows]))
    done = take_in(ours, tmp_path / "l.csv")
    assert (done.added, len(done.skipped)) == (2, 1499)
