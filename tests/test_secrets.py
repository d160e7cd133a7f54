"""Secrets stay secret: the API key, the token of `serve`, a database's password are in no output, log, file or archive.

Commands run with `--debug`, so traces count too; then every file of the home is searched.
"""

import base64
import logging
import signal

import pytest
import requests

from corpus import cli as corpus_cli
from corpus.settings import FILE_NAME
from tests.audio_files import write_tone
from tests.corpus.harvested import enter
from tests.engine.server.serving import serving

COMMANDS = (
    ("harvest", "tabla", "--filter", "duration:[0 TO 1]", "--max-sounds", "3", "--audio", "lq-ogg"),
    ("harvest", "tabla", "--max-sounds", "3", "--dry-run"),
    ("harvest", "--recipe", "{recipe}"),
    ("harvest", "--list"),
    ("refresh",),
    ("adopt", "{sounds}"),
    ("analyse", "--jobs", "1"),
    ("status",),
    ("search", "tabla"),
    ("similar", "1000000000"),
    ("show", "1000000000"),
    ("credits",),
    ("agent", "new", "water"),
    ("agent", "label", "water", "--good", "1000000000"),
    ("agent", "export", "water", "--labels", "{labels}"),
    ("palette", "publish", "p", "1000000000"),
    ("render", "1000000000", "--out", "{wav}"),
    ("sets",),
    ("devices",),
    ("preflight",),
    ("backup",),
    ("check",),
    ("restore", "--latest"),
    ("pack", "{archive}"),
    ("unpack", "{archive}"),
)
FAILING = (
    (("harvest", "tabla", "--filter", "nofield:(", "--max-sounds", "3"), {}),
    (("harvest", "tabla", "--max-sounds", "3"), {"MIRLA_FREESOUND_URL": "http://127.0.0.1:9"}),
    (("harvest", "tabla", "--max-sounds", "3"), {"MIRLA_FREESOUND_URL": "http://freesound.example"}),
    (("show", "77"), {}),
    (("status",), {"MIRLA_FREESOUND_PER_DAY": "none"}),
)


def shapes(secret):
    """A secret as it may lie somewhere."""
    return (secret.encode(), base64.b64encode(secret.encode()).rstrip(b"="))


def hidden(secret, *places):
    """Assert that a secret is in no text and in no file."""
    for place in places:
        files = [file for file in place.rglob("*") if file.is_file()] if hasattr(place, "rglob") else [place]
        for file in files:
            content = file.read_bytes() if hasattr(file, "read_bytes") else str(file).encode()
            for shape in shapes(secret):
                assert shape not in content, f"{file} holds the secret"


@pytest.fixture
def key(freesound, monkeypatch, caplog):
    """The API key, in the environment; all that is logged is kept."""
    enter(monkeypatch, freesound)
    caplog.set_level(logging.DEBUG)
    return freesound.token


def test_the_key_is_nowhere_after_all_commands(mirla, key, home, tmp_path, caplog):
    work = tmp_path / "work"
    (work / "sounds").mkdir(parents=True)
    for number in range(4):
        write_tone(work / "sounds" / f"{number}.wav", 300 + 40 * number, seconds=0.2)
    (work / "recipe.toml").write_text('audio = "none"\n[[query]]\ntext = "tabla"\ntake = 2\n')
    names = {"sounds": "sounds", "recipe": "recipe.toml", "labels": "l.csv", "wav": "x.wav", "archive": "x.tar"}
    places = {name: str(work / file) for name, file in names.items()}
    said, ran = [], 0
    for words in COMMANDS:
        if words[0] in ("pack", "unpack") and words[0] not in corpus_cli.COMMANDS:
            continue
        done = mirla("--debug", *(word.format(**places) for word in words), check=None)
        assert done.code in (0, 1), (words, done.err)
        said += [done.out, done.err]
        ran += done.code == 0
    assert ran > 15
    hidden(key, home, work, caplog.text, *said)


@pytest.mark.parametrize(("words", "wrong"), FAILING)
def test_no_error_and_no_trace_tells_the_key(mirla, key, home, monkeypatch, caplog, words, wrong):
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)
    done = mirla("--debug", *words, check=None)
    assert done.code not in (0, 70), done.err
    assert "Traceback" in done.err
    hidden(key, home, caplog.text, done.out, done.err)


@pytest.mark.parametrize("token", ["open sesame, please", "0123456789abcdef" * 2 + "!", "f" * 40])
def test_a_key_that_is_none_is_not_said(mirla, freesound, home, monkeypatch, caplog, token):
    enter(monkeypatch, freesound)
    monkeypatch.setenv("FREESOUND_TOKEN", token)
    done = mirla("--debug", "harvest", "tabla", "--max-sounds", "3", check=14)
    hidden(token, home, caplog.text, done.out, done.err)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('freesound_token = "{}"\nwrong = 1', 4),
        ('freesound_token = "{}', 4),
        ('freesound_token = ["{}"]', 4),
        ('freesound_token = "{}"', 0),
    ],
)
def test_a_settings_file_with_the_key_keeps_it(mirla, home, monkeypatch, line, code):
    monkeypatch.delenv("FREESOUND_TOKEN", raising=False)
    secret = "0123456789abcdefghij"
    home.mkdir()
    (home / FILE_NAME).write_text(line.format(secret))
    (home / FILE_NAME).chmod(0o600)
    done = mirla("--debug", "status", check=code)
    hidden(secret, done.out, done.err)


@pytest.mark.parametrize("url", ["postgresql://me:{}@localhost/x", "nosuch://me:{}@h/x", "postgresql://me:{}@h:port/x"])
def test_a_password_of_a_database_is_not_said(mirla, home, monkeypatch, url):
    secret = "swordfish/and@more"
    monkeypatch.setenv("MIRLA_DATABASE", url.format(secret))
    done = mirla("--debug", "status", check=4)
    for part in ("swordfish", "and@more"):
        assert part not in done.err


def test_the_token_of_a_server_is_not_said(home):
    secret = "sesame-open-4711"
    with serving(home, "--freesound", 0, "--token", secret) as process:
        base = process.where["freesound"]
        answers = [
            requests.get(f"{base.rstrip('/')}/{path}", params=params, headers=headers, timeout=20).text
            for path in ("search/", "me/", "sounds/77/", "%ff/")
            for params, headers in (
                ({"token": secret}, {}),
                ({"token": "wrong"}, {}),
                ({}, {"Authorization": f"Token {secret}"}),
            )
        ]
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    hidden(secret, home, out, err, str(process.where), *answers)
