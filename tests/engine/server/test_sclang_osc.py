"""SuperCollider's own language, as Debian has it and headless, drives `mirla serve`, and is heard."""

import os
import shutil
import subprocess
import time

import numpy as np
import pytest
from pythonosc.osc_message_builder import build_msg

from corpus import Corpus
from tests.documents import ROOT
from tests.engine.playback.conftest import jack, jack_server, start_jack  # noqa: F401
from tests.engine.playback.ear import listening
from tests.engine.server.listening import Client
from tests.engine.server.serving import serving

PATIENCE = 120
CONFIGURATION = f"includePaths:\n    - {ROOT / 'engine/clients/supercollider'}\nexcludePaths:\n    []\n"
SET = """
fork {
    var a = Mirla(\\a);
    Mirla.server = NetAddr("127.0.0.1", PORT);
    Mirla.subscribe({ |kind, group, id, text| if(kind == 'playing') { "playing % %".format(group, id).postln } });
    a.tag("loop", 3, seed: 5, action: { |reply| "tag %".format(reply).postln });
    a.similar(2, size: 2, tags: ["loop"], near: (duration: 1), action: { |reply| "similar %".format(reply).postln });
    a.play(0.5).volume(0.8);
    a.effect(\\lowpf, \\freq, 4000, { |reply| "effect %".format(reply).postln });
    a.solo(77);
    Mirla(\\b).id(IDS, { |reply| "id %".format(reply).postln });
    Mirla.find(like: [IDS], k: 2, action: { |reply|
        "find %".format(reply.collect { |hit| hit.asString.parseYAML["id"] }).postln
    });
    a.whatid({ |reply| "whatid %".format(reply).postln });
    OSCdef(\\free, {
        a.free;
        a.whatid({ |reply| "freed %".format(reply).postln });
    }, '/free');
    Mirla.tempo(90, { "ready %".format(NetAddr.langPort).postln });
};
"""


class Sclang:
    """sclang at work on a script; what it posts is read line by line."""

    def __init__(self, folder, script):
        program = shutil.which("sclang")
        assert program, "this test wants SuperCollider's language: apt-get install supercollider-language"
        (folder / "sclang.yaml").write_text(CONFIGURATION)
        (folder / "set.scd").write_text(script)
        runtime = folder / "runtime"
        runtime.mkdir(mode=0o700)
        kept = {name: value for name, value in os.environ.items() if name != "DISPLAY"}
        headless = {"QT_QPA_PLATFORM": "offscreen", "QTWEBENGINE_DISABLE_SANDBOX": "1", "XDG_RUNTIME_DIR": str(runtime)}
        self.log = folder / "sclang.log"
        with self.log.open("wb") as out:
            self._process = subprocess.Popen(
                [program, "-l", str(folder / "sclang.yaml"), str(folder / "set.scd")],
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, cwd=folder,
                env=kept | headless | {"HOME": str(folder)},
            )  # fmt: skip

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()

    def until(self, beginning):
        """What follows in the line that begins so, when it comes."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            text = self.log.read_text(errors="replace")
            for line in text.splitlines()[:-1] if not text.endswith("\n") else text.splitlines():
                if line.startswith(beginning):
                    return line.removeprefix(beginning).strip()
            assert "ERROR" not in text, text
            time.sleep(0.05)
        pytest.fail(f"sclang did not say {beginning!r}:\n{self.log.read_text(errors='replace')}")

    def numbers(self, beginning):
        return [int(word) for word in self.until(beginning).strip("[] ").split(",") if word.strip()]


def test_sclang_plays_a_group_that_is_there_and_heard(jack, played_home, tmp_path):  # noqa: F811
    with Corpus(played_home) as corpus:
        some = corpus.sounds.ids()[:2]
    listed = ", ".join(map(str, some))
    # "system", not "JACK": what hears is a device of JACK's too
    with listening(jack) as ear, serving(played_home, "--osc", 0, "--device", "system") as process:
        port = process.where["osc"]["port"]
        script = SET.replace("PORT", str(port)).replace("IDS", listed)
        with Sclang(tmp_path, script) as sclang, Client(port) as client:
            tagged, similar = sclang.numbers("tag"), sclang.numbers("similar")
            assert len(tagged) == 3 and len(similar) == 2
            assert sclang.numbers("id") == list(some)
            assert len(sclang.numbers("find")) == 2 and not set(sclang.numbers("find")) & set(some)
            assert sclang.numbers("effect") == []
            assert sclang.numbers("whatid") == tagged + similar
            assert "no sound 77" in sclang.until("mirla: /mirla/a/solo:")
            (own,) = sclang.numbers("ready")
            assert client.answer("/mirla/a/whatid") == tagged + similar, "asked by another program"
            assert client.answer("/mirla/b/whatid") == list(some)
            sclang.until(f"playing a {tagged[0]}")
            ear.attend(PATIENCE)
            deadline = time.monotonic() + PATIENCE
            while not (np.abs(ear.audio) > 0.01).any():
                assert time.monotonic() < deadline, "nothing was heard"
                time.sleep(0.05)
            client.socket.sendto(build_msg("/free").dgram, ("127.0.0.1", own))
            assert sclang.until("freed") == "[  ]"
            assert client.answer("/mirla/a/whatid") == []
