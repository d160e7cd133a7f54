"""Offline: SuperCollider asks as the quark does, reads with its YAML parser and plays; `mirla serve` answers.

All of it runs where there is no network but loopback, if the system lets us make such a place.
"""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from engine.server.freesound.legacy import safe_name
from tests.engine.playback.conftest import Jack
from tests.engine.server.apart import namespace, serving
from tests.engine.server.old_clients import HOSTILE
from tests.engine.server.quark import D, Quark

SCRIPT = Path(__file__).with_name("offline.scd")
LONGEST = 120
"""Seconds after which SuperCollider is ended; it takes some ten."""


@pytest.fixture
def jack(tmp_path):
    """A JACK server that is ready."""
    for program, package in (("jackd", "jackd2"), ("sclang", "supercollider-language")):
        if shutil.which(program) is None:
            pytest.fail(f"this test needs {program}: apt-get install {package}")
    server = Jack(f"mirla-sc-{os.getpid()}", tmp_path / "jackd.log")
    try:
        subprocess.run(["jack_wait", "-s", server.name, "-w", "-t", "30"], capture_output=True, check=True, timeout=40)
        yield server
    finally:
        server.end()


@pytest.fixture(scope="module")
def within():
    """What goes before a command for it to have no network but loopback."""
    with namespace() as prefix:
        yield prefix or []


@pytest.fixture(scope="module")
def url(within, small_home, tmp_path_factory):
    log = tmp_path_factory.mktemp("serve") / "log"
    with serving(within, small_home, log, "--legacy", "--map-unknown-ids") as url:
        yield url


def run(script, folder, within, more):
    """The marks that a script printed, by name; it is ended with all that it started, at the latest after LONGEST."""
    environment = os.environ | {
        "HOME": str(folder),
        "XDG_RUNTIME_DIR": str(folder),
        "TMPDIR": str(folder),
        "QT_QPA_PLATFORM": "offscreen",
        "QTWEBENGINE_DISABLE_SANDBOX": "1",
        **more,
    }
    log = folder / "sclang.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*within, "sclang", script],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=environment,
            start_new_session=True,
        )
        try:
            process.wait(LONGEST)
        except subprocess.TimeoutExpired:
            pytest.fail(f"sclang did not end:\n{log.read_text(errors='replace')[-3000:]}")
        finally:
            _end(process)
    said = log.read_text(errors="replace")
    assert "ERROR" not in said, said[-3000:]
    return dict(re.findall(r"^MARK (\w+): (.*)$", said, re.MULTILINE))


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_port:
        any_port.bind(("127.0.0.1", 0))
        return any_port.getsockname()[1]


def _end(process):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


def test_there_is_no_network_but_loopback(within):
    if not within:
        pytest.skip("this system does not let us make a network namespace")
    links = subprocess.run([*within, "ip", "-o", "link"], capture_output=True, text=True, check=True, timeout=20).stdout
    assert [line.split()[1] for line in links.splitlines()] == ["lo:"]


def test_curl_gets_each_kind_of_answer(url, within, small, tmp_path):
    quark = Quark(url, tmp_path, within)
    sound_id = small.vectors.ids("mfcc").tolist()[3]
    sound = quark.ask(f"/sounds/{sound_id}/")
    assert sound["id"] == sound_id
    assert quark.fetch(sound["previews"]["preview-hq-ogg"]) == small.sounds.get(sound_id).file.path.read_bytes()
    assert len(quark.ask("/search/text/", query="drum", page=1, fields=D)["results"]) == 15
    assert quark.ask(f"/sounds/{sound_id}/similar/", fields=D)["results"][0]["id"] == sound_id
    assert len(quark.ask("/search/content/", target=".lowlevel.pitch.mean:440", fields=D)["results"]) == 15
    assert quark.ask("/sounds/5/analysis/", descriptors="lowlevel.mfcc")["lowlevel"]["mfcc"]["mean"]
    assert quark.body("/sounds/571614/") == b'{"detail":"Not found."}'


def test_so_does_a_python_client(url, within):
    script = f"""if True:
        import freesound
        freesound.URIS.BASE = {url!r}
        client = freesound.FreesoundClient()
        client.set_token("x")
        found = client.content_based_search(target="lowlevel.pitch.mean:220")
        print(len(found.results), client.get_sound(found[0].id).get_similar()[0].id == found[0].id)
        client.session.close()"""
    done = subprocess.run([*within, sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stdout == "15 True\n", done.stderr


def test_found_read_and_heard(url, within, small, jack, tmp_path):
    more = {"BASE": url, "FOLDER": str(tmp_path), "QUERY": "touch pwned", "PORT": str(free_port())}
    more |= {"JACK_DEFAULT_SERVER": jack.name, "JACK_NO_START_SERVER": "1", "JACK_NO_AUDIO_RESERVATION": "1"}
    marks = run(SCRIPT, tmp_path, within, more)
    ids = [int(number) for number in marks["results"].split()]
    assert len(ids) == 15
    sound = small.sounds.get(ids[0])
    assert sound.name == HOSTILE, "the first that was found is the one with a name for a shell"
    assert f"{sound.id} by {sound.username} dur {sound.duration:.3f}"[:20] == marks["sound"][:20]
    assert f"similar {url}/sounds/{sound.id}/similar/" in marks["sound"]
    ids, X = small.vectors.matrix("mfcc")
    read = np.array(marks["mfcc"].strip("[ ]").split(","), float)
    assert read == pytest.approx(X[np.searchsorted(ids, sound.id)], rel=1e-5)
    assert marks["missing"] == "Not found."

    file = Path(marks["file"])
    assert file == tmp_path / f"{safe_name(sound.id, sound.name)}.ogg"
    assert file.read_bytes() == sound.file.path.read_bytes()
    assert not list(Path.cwd().glob("pwned")) and not (tmp_path / "pwned").exists()
    audio, rate = soundfile.read(file, always_2d=True)
    assert int(marks["frames"]) == len(audio)
    assert rate == 44100
    assert float(marks["peak"]) == pytest.approx(np.abs(audio[:, 0]).max(), rel=0.01)
    assert marks["end"] == "quit"
