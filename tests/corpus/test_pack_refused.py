"""Archives that are damaged, cut short or meant to hurt: a line says what is wrong, and nothing is touched."""

import io
import os
import shutil
import sqlite3
import tarfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpus import Corpus, unpacking
from corpus.errors import PackError
from tests.corpus.packed import dump, furnish, made_home, wrapped

FIRST = 1_000_000_000


@pytest.fixture(scope="module")
def archive(tmp_path_factory, samples):
    """A small corpus, packed."""
    folder = tmp_path_factory.mktemp("packed")
    made_home(folder / "home", samples[:2])
    with Corpus(folder / "home") as corpus:
        furnish(corpus)
        corpus.pack(folder / "corpus.tar")
    return folder / "corpus.tar"


@pytest.fixture(scope="module")
def members(archive):
    with tarfile.open(archive) as tar:
        return {one.name.removeprefix("mirla/"): tar.extractfile(one).read() for one in tar}


@pytest.fixture(scope="module")
def target(tmp_path_factory, samples):
    """A corpus that must stay as it is."""
    home = made_home(tmp_path_factory.mktemp("target") / "home", samples[2:4])
    with Corpus(home) as corpus:
        yield corpus


@pytest.fixture
def refused(target, tmp_path):
    """Unpack what must be refused; what was said."""
    before, lying = dump(target, everything=True), listing(target.home.parent)

    def refuse(file):
        with pytest.raises(PackError, match="nothing was changed") as error:
            target.unpack(file)
        assert dump(target, everything=True) == before
        assert listing(target.home.parent) == lying
        assert "\n" not in str(error.value)
        return str(error.value)

    return refuse


def listing(folder):
    """All that lies in a folder, but for locks and SQLite's own."""
    passing = (".lock", "corpus.sqlite-wal", "corpus.sqlite-shm")
    return sorted(path for path in folder.rglob("*") if path.name not in passing and path.name != "palettes")


def test_a_file_that_is_cut_short(archive, refused, tmp_path):
    content = archive.read_bytes()
    for length in (0, 10, 511, 512, 700, len(content) // 2, len(content) - 1500, len(content) - 512, len(content) - 1):
        file = tmp_path / f"{length}.tar"
        file.write_bytes(content[:length])
        assert "cut short" in refused(file)
        with pytest.raises(PackError, match="cut short"):
            unpacking.check(file)


def test_a_byte_that_fell_over_anywhere_in_the_content(archive, refused, tmp_path, members):
    content = bytearray(archive.read_bytes())
    for data in members.values():
        if data:
            place = content.find(data) + len(data) // 2
            content[place] ^= 4
            file = tmp_path / "x.tar"
            file.write_bytes(content)
            assert refused(file)
            content[place] ^= 4


def test_what_lies_behind_the_end(archive, refused, tmp_path):
    file = tmp_path / "x.tar"
    file.write_bytes(archive.read_bytes() + bytes(512) + b"x" * 512)
    assert "behind its end" in refused(file)


def test_no_archive_at_all(refused, tmp_path, target):
    for name, content in {"text": b"hello " * 400, "zip": b"PK\x03\x04" * 400, "gzip": b"\x1f\x8b\x08" * 400}.items():
        (tmp_path / name).write_bytes(content)
        assert "is no tar" in refused(tmp_path / name)
    with pytest.raises(PackError, match="cannot be read"):
        target.unpack(tmp_path / "nowhere.tar")
    os.mkfifo(tmp_path / "pipe")
    for other in (tmp_path, tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(PackError, match="no ordinary file"):
            target.unpack(other)


def entry(name, kind=tarfile.REGTYPE, link="", size=0, **more):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size, info.mtime = kind, link, size, 0
    for key, value in more.items():
        setattr(info, key, value)
    return info


HOSTILE = {
    "a path upwards": entry("mirla/../../x.sh"),
    "a path upwards within sounds": entry("mirla/sounds/1/../../../x"),
    "an absolute path": entry("/etc/cron.d/x"),
    "an absolute path behind the folder": entry("mirla//etc/passwd"),
    "another folder": entry("home/.bashrc"),
    "settings": entry("mirla/mirla.toml"),
    "a cache": entry("mirla/cache/x.npy"),
    "a symbolic link": entry("mirla/sounds/1/1-1__a__b.wav", tarfile.SYMTYPE, "/etc/passwd"),
    "a hard link": entry("mirla/sounds/1/1-1__a__b.wav", tarfile.LNKTYPE, "mirla/corpus.sqlite"),
    "a device": entry("mirla/sounds/1/1-1__a__b.wav", tarfile.CHRTYPE),
    "a pipe": entry("mirla/sounds/1/1-1__a__b.wav", tarfile.FIFOTYPE),
    "a folder": entry("mirla/sounds/1/1-1__a__b.wav", tarfile.DIRTYPE),
    "a sparse file": entry("mirla/sounds/1/1-1__a__b.wav", tarfile.GNUTYPE_SPARSE),
    "a program": entry("mirla/sounds/1/1-1__a__b.wav", mode=0o4755),
    "someone's file": entry("mirla/sounds/1/1-1__a__b.wav", uid=1000),
    "a long name": entry("mirla/sounds/1/" + "a" * 200),
    "a hidden file": entry("mirla/sounds/1/.x"),
    "a name with a line break": entry("mirla/sounds/1/1-1__a\n__b.wav"),
    "a name with a terminal's escape": entry("mirla/sounds/1/1-1__\x1b[2J__b.wav"),
    "a name in capitals": entry("mirla/CORPUS.SQLITE"),
    "a huge file": entry("mirla/sounds/1/1-1__a__b.wav", size=10**15),
    "a negative size": entry("mirla/sounds/1/1-1__a__b.wav", size=-512),
}


@pytest.mark.parametrize("what", HOSTILE)
@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT], ids=["gnu", "pax"])
def test_members_that_are_not_as_mirla_packs_them(archive, refused, tmp_path, what, form):
    file = tmp_path / "x.tar"
    file.write_bytes(HOSTILE[what].tobuf(form) + archive.read_bytes())
    words = refused(file)
    assert any(one in words for one in ("no ordinary file", "no name of a file", "no tar", "cut short")), words


def test_names_that_are_there_twice(refused, tmp_path):
    twice = entry("mirla/sounds/1/1-1__a__b.wav").tobuf(tarfile.GNU_FORMAT)
    other = entry("mirla/sounds/1/1-1__A__b.wav").tobuf(tarfile.GNU_FORMAT)
    for second in (twice, other):
        (tmp_path / "x.tar").write_bytes(twice + second + bytes(1024))
        assert "twice" in refused(tmp_path / "x.tar")


def test_extended_headers_that_say_another_name(archive, refused, tmp_path):
    """A pax header, which ordinary readers obey and others skip."""
    info = entry("mirla/README.txt")
    info.pax_headers = {"path": "../../evil", "size": "99999999999"}
    (tmp_path / "x.tar").write_bytes(info.tobuf(tarfile.PAX_FORMAT) + archive.read_bytes())
    refused(tmp_path / "x.tar")


def test_sums_that_do_not_fit(refused, tmp_path, members):
    content = {name: data for name, data in members.items() if name != "SHA256SUMS"}
    line = "0" * 64 + "  corpus.sqlite\n"
    for sums in ("", "x\n", line, line * 2, line + "0" * 64 + "  ../x\n", line[:-1]):
        assert "SHA256SUMS" in refused(wrapped(tmp_path / "x.tar", content, lambda _, sums=sums: sums))


def test_files_that_lack_or_are_too_many(refused, tmp_path, members):
    content = {name: data for name, data in members.items() if name != "SHA256SUMS"}
    sound, palette = next(n for n in content if n.startswith("sounds")), "palettes/kicks/000.wav"
    for name in (sound, palette, "palettes/kicks/CREDITS.txt"):
        less = {one: data for one, data in content.items() if one != name}
        if not name.endswith("txt"):
            assert name in refused(wrapped(tmp_path / "x.tar", less))
        more = content | {name.replace("kicks", "other").replace("-1__", "-7__").replace("-2__", "-7__"): b"x"}
        refused(wrapped(tmp_path / "x.tar", more))
        if not name.endswith("txt"):
            assert "agree" in refused(wrapped(tmp_path / "x.tar", content | {name: b"another content"}))


SMUGGLED = {
    "a trigger named like SQLite's own": "create trigger sqlitexstat after insert on sounds begin select 1; end",
    "a trigger": "create trigger t after insert on sounds begin delete from annotations; end",
    "a view": "create view v as select * from sounds",
    "a table": "create table sqlitex (a)",
    "an index": "create index i on sounds (name)",
    "a column": "alter table sounds add column evil text default 'x'",
    "no table": "drop table annotations",
    "a table of another form": "drop table forgotten; create table forgotten (sha256, former_id)",
    "another trigger of a known name": (
        "drop trigger vectors_added; create trigger vectors_added after insert on vectors begin delete from sounds; end"
    ),
    "a newer schema": "update alembic_version set version_num = '9999'",
    "no schema": "delete from alembic_version",
    "a schema that is none": "update alembic_version set version_num = '../x'",
    "an older schema than it is": "update alembic_version set version_num = '0005'",
    "a text as a number": "update sounds set duration = 'long'",
    "bytes as a text": "update sounds set name = x'ff'",
    "a text that is not UTF-8": "update sounds set description = cast(x'ff41' as text)",
    "an infinite number": "update sounds set duration = 9e999",
    "JSON that is none": "update agents set spaces = '{'",
    "JSON of another form": "update agents set spaces = '5'",
    "deep JSON": f"update agents set spaces = '{'[' * 5000}{']' * 5000}'",
    "an id too large": "update annotations set sound_id = 3000000000",
    "an id of nobody": "update files set sound_id = 5",
    "a path upwards": "update files set path = '../../x' where id = 1",
    "an absolute path": "update files set path = '/etc/passwd' where id = 1",
    "a linked file": "update files set linked = 1, path = '/etc/passwd' where id = 1",
    "another sum": f"update files set sha256 = '{'0' * 64}' where id = 1",
    "another size": "update files set bytes = 5 where id = 1",
    "a version that is not there": "update agents set in_use = 99",
    "a label that takes back none": "update annotations set undoes = 4711",
    "a sound of which no file is played": "update files set preferred = 0",
    "an answer that is no JSON": "update commands set answer = '{'",
    "no samplerate": "update files set samplerate = 0",
    "a label that is none": "update annotations set label = 'superb'",
    "a name of a person that is none": "update annotations set who = 'a' || char(27) || 'b'",
    "a name of an agent that is a path": "update agents set name = '../x'",
    "a name of a palette that is a path": "update palettes set name = '../x'",
    "a file of a palette that is a path": "update palette_sounds set file = '../x.wav'",
    "vectors that are too short": "update vectors set data = x'0000', sum = null",
    "vectors with a NaN": "update vectors set data = x'0000c07f0000c07f', sum = null",
    "vectors with an infinite number": "update vectors set data = x'0000807f0000807f', sum = null",
    "vectors that are not as their sum": "update vectors set data = x'0000003f0000003f'",
    "a fingerprint that is none": "update spaces set fingerprint = 'mine'",
    "a space of another length than here": "update spaces set name = 'mfcc'",
    "a served space of another fingerprint": "update spaces set name = 'api_mfcc', dim = 26; delete from vectors",
    "a vector of another sound's file": "update vectors set file_id = 2",
    "onsets with a NaN": "update onsets set data = x'0000c07f'",
    "a credit of another form": "update plays set credit = '[]'",
    "arguments of another form": "update commands set arguments = '[]'",
    "one's own sound without a file": (
        "update files set sound_id = 77; delete from vectors; delete from traits; delete from onsets"
    ),
}


@pytest.mark.parametrize("what", SMUGGLED)
def test_databases_that_are_no_sound_corpus(refused, tmp_path, members, what):
    file = tmp_path / "corpus.sqlite"
    file.write_bytes(members["corpus.sqlite"])
    database = sqlite3.connect(file)
    database.create_function("random", 0, lambda: 0)
    database.executescript(SMUGGLED[what])
    database.commit()
    database.close()
    content = {name: data for name, data in members.items() if name != "SHA256SUMS"}
    words = refused(wrapped(tmp_path / "x.tar", content | {"corpus.sqlite": file.read_bytes()}))
    assert words != "" and "unexpected" not in words
    if what == "a newer schema":
        assert "install that one" in words


def test_databases_that_are_damaged_or_none(refused, tmp_path, members):
    content = {name: data for name, data in members.items() if name != "SHA256SUMS"}
    whole = members["corpus.sqlite"]
    for data in (b"", b"x" * 5000, whole[:100], whole[: len(whole) // 2], whole[:8192] + bytes(4096) + whole[12288:]):
        refused(wrapped(tmp_path / "x.tar", content | {"corpus.sqlite": data}))


RUNS = int(os.environ.get("MIRLA_TORTURE", "20"))
FUZZED = settings(
    max_examples=RUNS, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@FUZZED
@given(data=st.data())
def test_fuzz_bytes_changed_anywhere(archive, target, tmp_path, data):
    """Whatever is changed: it is refused by a line, or all is as it was packed (a changed byte of padding)."""
    content = bytearray(archive.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1) | st.integers(0, 1500))
        content[place] = data.draw(st.integers(0, 255))
    looked_at(tmp_path, bytes(content))


@FUZZED
@given(data=st.data())
def test_fuzz_bytes_of_the_database_changed_with_fitting_sums(target, tmp_path, members, data):
    content = {name: own for name, own in members.items() if name != "SHA256SUMS"}
    database = bytearray(content["corpus.sqlite"])
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(database) - 1))
        database[place] = data.draw(st.integers(0, 255))
    file = wrapped(tmp_path / "x.tar", content | {"corpus.sqlite": bytes(database)})
    try:
        unpacking.check(file)
    except PackError as error:
        assert "\n" not in str(error)
        return
    home = tmp_path / "fuzzed"
    shutil.rmtree(home, ignore_errors=True)
    with Corpus(home) as corpus:
        corpus.unpack(file)
        assert corpus.soundness.problems() == []


NAMES = st.sampled_from(["corpus.sqlite", "SHA256SUMS", "README.txt", "../x", "/x", "sounds/1/1-1__a__b.wav", "sounds"])


@FUZZED
@given(st.lists(st.tuples(NAMES | st.text(max_size=120), st.binary(max_size=600), st.sampled_from("01256xLKgS"))))
def test_fuzz_members_made_up(tmp_path_factory, made):
    folder = tmp_path_factory.mktemp("made-up")
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data, kind in made:
            info = entry("mirla/" + name, kind.encode(), size=len(data))
            tar.addfile(info, io.BytesIO(data))
    looked_at(folder, out.getvalue())
    assert [path.name for path in folder.iterdir()] == ["fuzzed.tar"]


def looked_at(folder, content):
    """Look at an archive: a line or nothing comes of it."""
    file = folder / "fuzzed.tar"
    file.write_bytes(content)
    try:
        unpacking.check(file)
    except PackError as error:
        assert "\n" not in str(error)
