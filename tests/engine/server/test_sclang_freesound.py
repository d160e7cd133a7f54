"""SuperCollider itself: sclang asks as the quark does, reads with its YAML parser, and scsynth plays on a device."""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from engine.server.freesound.legacy import safe_name
from tests.engine.playback.conftest import Jack
from tests.engine.server.conftest import HOSTILE

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


def run(script, folder, more):
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
            ["sclang", script], stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment, start_new_session=True
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


def _end(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait(10)


def test_found_read_and_heard(old, small, jack, tmp_path):
    more = {"BASE": old.url, "FOLDER": str(tmp_path), "QUERY": "touch pwned", "JACK_DEFAULT_SERVER": jack.name}
    marks = run(SCRIPT, tmp_path, more | {"JACK_NO_START_SERVER": "1", "JACK_NO_AUDIO_RESERVATION": "1"})
    ids = [int(number) for number in marks["results"].split()]
    assert len(ids) == 15
    sound = small.sounds.get(ids[0])
    assert sound.name == HOSTILE, "the first that was found is the one with a name for a shell"
    assert f"{sound.id} by {sound.username} dur {sound.duration:.3f}"[:20] == marks["sound"][:20]
    assert f"similar {old.url}/sounds/{sound.id}/similar/" in marks["sound"]
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
