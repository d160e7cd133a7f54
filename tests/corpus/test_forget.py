"""Forgetting: nothing of a sound is left, neither in a table nor on disk; what cannot be had again wants a yes."""

import io
import shutil
import sys

import pytest
import sqlalchemy as sa

from corpus import Corpus
from corpus.errors import NotConfirmed, UnknownSound, Unreachable
from corpus.files import AudioFolder, sha256_of
from corpus.folder import Adoption
from corpus.freesound import client as client_module
from corpus.model import FIRST_LOCAL_ID
from corpus.store import removal
from corpus.store.tables import metadata
from corpus.wanted import Query, Wanted

FETCHED, KEPT = 100055, 4832
KEEPING = {"annotations.sound_id", "plays.sound_id", "palette_sounds.sound_id"}
OWN, LINKED = FIRST_LOCAL_ID, FIRST_LOCAL_ID + 1


@pytest.fixture
def account(freesound, monkeypatch):
    """The environment of a performer with a key, and a client that waits no longer than it must."""
    monkeypatch.setenv("MIRLA_FREESOUND_URL", freesound.url)
    monkeypatch.setenv("FREESOUND_TOKEN", freesound.token)
    monkeypatch.setenv("MIRLA_FREESOUND_PER_MINUTE", "100000")
    monkeypatch.setenv("MIRLA_FREESOUND_PER_DAY", "100000")
    monkeypatch.setattr(client_module, "_FIRST_PAUSE", 0.01)
    return freesound


@pytest.fixture(scope="module")
def made(tmp_path_factory, freesound_server, samples):
    """A home with two sounds from Freesound, two of one's own, one of them linked; analysed, labelled, with lists."""
    freesound_server.reset()
    home = tmp_path_factory.mktemp("made") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIRLA_FREESOUND_URL", freesound_server.url)
        patch.setenv("FREESOUND_TOKEN", freesound_server.token)
        with Corpus(home) as corpus:
            assert corpus.harvest(Wanted((Query(ids=(FETCHED, KEPT)),))).audio == 2
            assert corpus.adopt([samples[0]], Adoption(tags=("mine",))).ids == [OWN]
            assert corpus.adopt([samples[1]], Adoption(link=True)).ids == [LINKED]
            assert not corpus.analyse(jobs=1).failed
            with corpus.database.write() as connection:
                for sound_id in corpus.sounds.ids().tolist():
                    corpus.similar_lists.put(connection, sound_id, [FETCHED, KEPT], 2)
                    corpus.descriptors.put(connection, sound_id, "computed", {"pitch": 440.0})
                performed(connection, corpus.sounds.ids().tolist())
            corpus.returned.remember(corpus.sounds.ids().tolist())
            label(corpus, "water", "good", FETCHED, KEPT, OWN)
            label(corpus, "water", "bad", FETCHED)
            label(corpus, "metal", "good", FETCHED, OWN)
            label(corpus, "metal", None, FETCHED)
            label(corpus, "still", "bad", KEPT)
    return home


@pytest.fixture
def corpus(account, made, home):
    """A copy of that home, open."""
    shutil.copytree(made, home)
    with Corpus(home) as corpus:
        yield corpus


def label(corpus, name, word, *ids):
    known = [agent.name for agent in corpus.agents.all()]
    agent = corpus.agents.get(name) if name in known else corpus.agents.create(name, "", ["mfcc"], "mlp")
    corpus.agents.annotate(agent, ids, word, who="me", session="s")


def performed(connection, ids):
    """Rows of what a performance leaves of each sound."""
    connection.execute(sa.text("insert into performances (id, begun) values (1, '2026-01-01T00:00:00Z')"))
    connection.execute(sa.text("insert into palettes values (1, 'p', 1, '2026-01-01T00:00:00Z', null)"))
    for sound_id in ids:
        for row in (
            f"onsets select {sound_id}, id, '', x'' from files where sound_id = {sound_id}",
            f"plays values (null, 1, {sound_id}, 'a', 0, '2026-01-01T00:00:00Z', 1, '{{}}', 1)",
            f"palette_sounds values (1, {sound_id}, {sound_id}, '', '', '{{}}')",
        ):
            connection.execute(sa.text(f"insert into {row}"))


def rows(corpus):
    """All rows of all tables that refer to sounds, by table; as the database itself knows them."""
    found = {}
    with corpus.database.read() as connection:
        inspector = sa.inspect(connection)
        for table in inspector.get_table_names():
            referring = [
                key["constrained_columns"][0]
                for key in inspector.get_foreign_keys(table)
                if key["referred_table"] == "sounds"
            ]
            named = [column["name"] for column in inspector.get_columns(table) if column["name"] == "sound_id"]
            if table == "sounds":
                named = ["id"]
            for column in {*referring, *named}:
                query = f"select {column} as sound, * from {table}"
                found[f"{table}.{column}"] = connection.execute(sa.text(query)).all()
        found["sound_text"] = connection.execute(sa.text("select rowid as sound, * from sound_text")).all()
        assert connection.execute(sa.text("pragma integrity_check")).scalar() == "ok"
        assert not connection.execute(sa.text("pragma foreign_key_check")).all()
    return found


def audio_files(corpus):
    return sorted(path for path in (corpus.home / "sounds").rglob("*"))


@pytest.mark.parametrize("gone", [FETCHED, OWN])
def test_no_trace_is_left_in_any_table_nor_on_disk(corpus, gone):
    if gone == OWN:
        with corpus.database.write() as connection:  # the tables that a local sound is never in by itself
            connection.execute(sa.text(f"insert into harvested values (1, {OWN}, 9, null, 'none', null)"))
            connection.execute(sa.text(f"insert into served (sound_id) values ({OWN})"))
    before, path = rows(corpus), corpus.sounds.get(gone).file.path
    corpus.audio.part(gone, "https://cdn/x.ogg").write_bytes(b"half")
    for table, those in before.items():
        assert gone in {row.sound for row in those}, f"{table} holds nothing of sound {gone}: let the fixture fill it"
    report = corpus.forget([gone], for_good=True)
    for table, those in rows(corpus).items():
        kept = table in KEEPING
        assert those == [row for row in before[table] if kept or row.sound != gone], table
    assert report.forgotten == [gone]
    assert not path.exists()
    assert not path.parent.exists(), "an empty folder is left"
    assert not [each for each in corpus.home.rglob("*") if each.is_file() and str(gone) in each.name]
    assert all(sha256_of(sound.file.path) == sound.file.sha256 for sound in corpus.sounds.many(corpus.sounds.ids()))


def test_every_table_of_the_program_is_in_the_database(corpus):
    named = {f"{table.name}.sound_id" for table in metadata.tables.values() if "sound_id" in table.c}
    assert named <= set(rows(corpus))


def test_it_says_what_went(corpus):
    size = sum(corpus.sounds.get(sound_id).file.bytes for sound_id in (FETCHED, OWN))
    report = corpus.forget([FETCHED, OWN, FETCHED], for_good=True)
    assert vars(report) == {
        "forgotten": [FETCHED, OWN],
        "files": 2,
        "bytes": size,
        "labels": {"metal": 1, "water": 2},
        "failed": [],
    }
    left = {agent.name: [one.sound_id for one in corpus.agents.annotations(agent)] for agent in corpus.agents.all()}
    assert left == {"water": [KEPT], "metal": [], "still": [KEPT]}
    assert corpus.sounds.ids("cymbal").size == 0


def counting(corpus, name="water"):
    return {one.sound_id: one.label for one in corpus.agents.annotations(corpus.agents.get(name))}


def test_labels_count_again_when_their_sounds_are_back(corpus, samples):
    agent = corpus.agents.get("water")
    facts, before = corpus.agents.history(agent), counting(corpus)
    corpus.forget([FETCHED, OWN, LINKED], for_good=True)
    assert counting(corpus) == {KEPT: "good"}
    assert corpus.agents.history(agent) == [one for one in facts if one.sound_id == KEPT]
    assert corpus.agents.history(agent, forgotten=True) == facts
    copied = corpus.agents.copy(agent, "copied")
    (other,) = corpus.adopt([samples[2]], Adoption()).ids
    assert other != OWN, "nobody said anything of this one"
    assert counting(corpus) == {KEPT: "good"}
    assert corpus.adopt([samples[0]], Adoption()).ids == [OWN]
    corpus.harvest(Wanted((Query(ids=(FETCHED,)),)))
    assert counting(corpus) == counting(corpus, copied.name) == before
    assert corpus.agents.history(agent) == facts
    corpus.forget([OWN], for_good=True)
    assert corpus.adopt([samples[0]], Adoption()).ids == [OWN], "as often as it likes"


def test_deleted_agents_are_not_named(corpus):
    for agent in corpus.agents.all():
        if agent.name != "still":
            corpus.agents.delete(agent)
    assert corpus.forget([KEPT]).labels == {"still": 1}


def test_a_linked_file_stays_where_it_is(corpus):
    file = corpus.sounds.get(LINKED).file
    report = corpus.forget([LINKED], for_good=True)
    assert (report.forgotten, report.files, report.bytes, report.failed) == ([LINKED], 0, 0, [])
    assert sha256_of(file.path) == file.sha256


def test_several_files_of_one_sound_all_go(corpus):
    file = corpus.sounds.get(FETCHED).file
    second = file.path.with_name("another.ogg")
    second.write_bytes(b"12345")
    with corpus.database.write() as connection:
        connection.execute(
            sa.text(
                "insert into files (sound_id, path, linked, preferred, source, sha256, bytes, format, samplerate,"
                " channels, frames, added) values (:id, :path, 0, 0, 'lq-ogg', 'x', 5, 'ogg', 44100, 1, 1, '')"
            ),
            {"id": FETCHED, "path": str(second.relative_to(corpus.home))},
        )
    report = corpus.forget([FETCHED])
    assert (report.files, report.bytes) == (2, file.bytes + 5)
    assert not file.path.exists()
    assert not second.exists()


def test_one_unknown_id_and_nothing_is_deleted(corpus):
    before, files = rows(corpus), audio_files(corpus)
    for unknown in (77, -1, 2**40):
        with pytest.raises(UnknownSound, match=f"no sound {unknown} "):
            corpus.forget([FETCHED, unknown], for_good=True)
    assert rows(corpus) == before
    assert audio_files(corpus) == files


def test_what_cannot_be_fetched_again_wants_a_yes(corpus, account):
    account.delete(KEPT)
    assert corpus.refresh().gone == [KEPT]
    before, files = rows(corpus), audio_files(corpus)
    with pytest.raises(NotConfirmed, match=f"1 of 2 sounds cannot be fetched again: {OWN}; labels that wait"):
        corpus.forget([FETCHED, OWN])
    with pytest.raises(NotConfirmed, match=f"1 of 1 sounds cannot be fetched again: {KEPT}"):
        corpus.forget([KEPT])
    assert rows(corpus) == before
    assert audio_files(corpus) == files
    corpus.forget([FETCHED])
    corpus.forget([KEPT, OWN], for_good=True)
    assert corpus.sounds.ids().tolist() == [LINKED]


def test_many_at_once(home, account):
    with Corpus(home) as corpus:
        corpus.harvest(Wanted((Query(filter="duration:[0 TO *]"),), audio="none"))
        ids = corpus.sounds.ids().tolist()
        label(corpus, "water", "good", *ids)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(removal, "_PER_QUERY", 7)
            assert corpus.forget(ids[:100]).labels == {"water": 100}
        assert corpus.sounds.ids().tolist() == ids[100:]
        assert {row.sound for row in rows(corpus)["sound_text"]} == set(ids[100:])


def test_stopped_within_the_transaction_nothing_is_deleted(corpus, monkeypatch):
    before, files = rows(corpus), audio_files(corpus)
    remove = removal.remove

    def stopped(connection, ids):
        remove(connection, ids)
        raise KeyboardInterrupt

    monkeypatch.setattr(removal, "remove", stopped)
    with pytest.raises(KeyboardInterrupt):
        corpus.forget([FETCHED])
    assert rows(corpus) == before
    assert audio_files(corpus) == files


def test_stopped_behind_the_transaction_a_file_is_left_but_no_row_without_one(corpus, monkeypatch):
    path = corpus.sounds.get(FETCHED).file.path

    def stopped(self, path):
        raise KeyboardInterrupt

    monkeypatch.setattr(AudioFolder, "remove", stopped)
    with pytest.raises(KeyboardInterrupt):
        corpus.forget([FETCHED])
    assert path.exists()
    assert FETCHED not in corpus.sounds.ids()
    assert all(sound.file.path.exists() for sound in corpus.sounds.many(corpus.sounds.ids()))


@pytest.mark.parametrize("relative", ["../precious.ogg", "sounds/../../precious.ogg", "sounds/link/precious.ogg"])
def test_a_file_outside_the_home_is_never_deleted(corpus, tmp_path, relative):
    precious = tmp_path / "precious.ogg"
    precious.write_bytes(b"mine")
    (corpus.home / "sounds" / "link").symlink_to(tmp_path)
    with corpus.database.write() as connection:
        which = {"path": relative, "id": FETCHED}
        connection.execute(sa.text("update files set path = :path where sound_id = :id"), which)
    report = corpus.forget([FETCHED])
    assert (report.forgotten, report.files) == ([FETCHED], 0)
    ((path, words),) = report.failed
    assert (path, "left where it is" in words) == (relative, True)
    assert precious.read_bytes() == b"mine"


def test_a_file_that_is_missing_already_is_no_matter(corpus):
    corpus.sounds.get(FETCHED).file.path.unlink()
    assert corpus.forget([FETCHED]).failed == []


def test_a_harvest_that_waits_for_its_audio_does_not_bring_it_again(account, home):
    account.faults.always("missing", where=str(FETCHED))
    with Corpus(home) as corpus:
        harvest = corpus.harvest(Wanted((Query(ids=(FETCHED, KEPT)),))).harvest
        corpus.forget([FETCHED])
        account.faults.clear()
        assert corpus.harvest(resume=harvest).state == "done"
        assert corpus.sounds.ids().tolist() == [KEPT]
        corpus.harvest(Wanted((Query(ids=(FETCHED,)),)))
        assert sorted(corpus.sounds.ids().tolist()) == [KEPT, FETCHED], "a new harvest may"


def test_a_harvest_that_was_stopped_between_two_pages_does_not_bring_it_again(account, home, monkeypatch):
    every = Wanted((Query(filter="duration:[0 TO *]"),), audio="none")
    search, asked = client_module.Client.search, []

    def interrupted(self, **parameters):
        asked.append(parameters)
        if len(asked) == 3:
            raise Unreachable("no network")
        return search(self, **parameters)

    monkeypatch.setattr(client_module.Client, "search", interrupted)
    with Corpus(home) as corpus:
        with pytest.raises(Unreachable):
            corpus.harvest(every)
        (harvest,) = corpus.harvests.all()
        assert harvest.state == "running"
        *_, before, last = corpus.harvests.brought(harvest)  # the next window begins with the last one
        corpus.forget([last])
        corpus.forget([before])
        assert corpus.harvest(resume=harvest.id).state == "done"
        assert set(account.catalogue.ids.tolist()) - set(corpus.sounds.ids().tolist()) == {last, before}
        assert corpus.harvest(every).added == 2, "a new harvest may"


@pytest.fixture
def typed(monkeypatch):
    """Someone at a terminal who answers."""

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    return lambda text: monkeypatch.setattr(sys, "stdin", Terminal(text))


def test_the_command(corpus, mirla, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    done = mirla("forget", FETCHED)
    assert done.out.splitlines()[0].startswith("1 sounds forgotten, 1 files deleted, 0.")
    assert done.out.splitlines()[1:] == ["agent water: 1 labels wait until the sounds are back"]
    assert "no sound 77" in mirla("forget", "77", KEPT, check=8).err
    assert "say which sounds" in mirla("forget", check=2).err
    assert "say which sounds" in mirla("forget", KEPT, "--gone", check=2).err
    answer = mirla("--json", "forget", KEPT).json
    assert (answer["forgotten"], answer["files"], answer["labels"]) == ([KEPT], 1, {"still": 1, "water": 1})
    assert set(answer) >= {"forgotten", "files", "bytes", "labels"}
    assert mirla("--json", "forget", "--gone").json["forgotten"] == []


def test_without_a_terminal_the_command_refuses_in_one_line(corpus, mirla, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    refused = mirla("forget", OWN, KEPT, check=30)
    assert refused.err.splitlines() == [
        f"mirla: 1 of 2 sounds cannot be fetched again: {OWN}; labels that wait until the sounds are back: "
        "1 of agent 'metal', 1 of agent 'still', 2 of agent 'water'; nothing was deleted (--yes deletes without asking)"
    ]
    assert refused.out == ""
    assert corpus.sounds.ids().size == 4
    assert mirla("--json", "forget", OWN, KEPT, "--yes").json["forgotten"] == [OWN, KEPT]


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("YES\n", 0), ("n\n", 30), ("\n", 30), ("", 30)])
def test_at_a_terminal_the_command_asks(corpus, mirla, account, typed, answer, code):
    account.delete(KEPT)
    corpus.refresh()
    typed(answer)
    done = mirla("--json", "forget", "--gone", check=code)
    assert f"1 of 1 sounds cannot be fetched again: {KEPT}" in done.err
    assert "Delete for good? [y/N]" in done.err
    assert (KEPT in corpus.sounds.ids()) == bool(code)
    assert done.json.get("forgotten") == (None if code else [KEPT])
