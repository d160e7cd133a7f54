"""`mirla serve` from its start to its end."""

import signal
import socket
import time
from pathlib import Path

import pytest

from corpus import Corpus
from tests.engine.server.listening import Client
from tests.engine.server.serving import serving


@pytest.mark.parametrize(("how", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)], ids=["SIGTERM", "Ctrl-C"])
def test_it_answers_until_it_is_stopped_and_says_one_object(home, how, code):
    with serving(home, "--osc", 0, "--http", 0, "--stage") as process:
        where = process.where
        assert set(where) == {"osc", "http", "supercollider"} and where["osc"]["host"] == "127.0.0.1"
        with Client(where["osc"]["port"]) as client:
            assert client.answer("/mirla/tempo", 90) == []
            client.socket.sendto(b"rubbish", client.server)
            assert client.answer("/mirla/a/whatid") == []
        process.send_signal(how)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out) == (code, "")
        assert "OSC: packets 3, commands 2, malformed 1," in err
        assert "Traceback" not in err


def test_a_set_ends_in_its_log_as_it_ended(sonic_home):
    with serving(sonic_home, "--osc", 0, JACK_NO_START_SERVER="1") as process:
        with Client(process.where["osc"]["port"]) as client:
            client.answer("/mirla/a/id", 100055)
            client.answer("/mirla/a/whatid")
            with Corpus(sonic_home) as corpus:
                while not corpus.performances.plays():
                    assert process.poll() is None
                    time.sleep(0.02)
        process.send_signal(signal.SIGHUP)
        process.communicate(timeout=60)
        assert process.returncode == 0
    with Corpus(sonic_home) as corpus:
        [performance] = corpus.performances.all()
        said = [one for one in corpus.performances.commands(performance) if one.facts.get("kind") != "event"]
        [play] = corpus.performances.plays()
    assert [one.verb for one in said] == ["id", "whatid", "fadeout", "stop"]
    assert said[-1].at >= said[-2].at + 1
    assert performance.ended
    assert performance.facts["seconds"] >= said[-1].at
    assert play.seconds >= 1


def test_what_it_prints_is_what_to_type(home):
    with serving(home, "--osc", 0, "--http", 0, plain=True) as process:
        palettes, osc, supercollider = process.where
    assert palettes.startswith("Palettes at http://127.0.0.1:") and "samples('http://127.0.0.1:" in palettes
    assert osc.startswith("OSC at 127.0.0.1, port ")
    folder = Path(supercollider.partition('addIncludePath("')[2].partition('"')[0])
    assert (folder / "Mirla.sc").is_file()


def test_a_port_in_use_is_one_line(mirla):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        done = mirla("serve", "--osc", port, check=42)
    assert done.err == f"mirla: cannot listen at port {port}: Address already in use; choose another one\n"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 2, "nothing to serve"),
        (["--osc", "65536"], 2, "65536"),
        (["--osc", "0", "--allow", "here"], 42, "cannot allow 'here'"),
        (["--osc", "0", "--allow", "::1"], 42, "IPv4"),
        (["--osc", "0", "--allow", "10.0.0.1", "--stage"], 2, "leave out --allow or --stage"),
    ],
)
def test_bad_wishes_are_one_line(mirla, arguments, code, words):
    assert words in mirla("serve", *arguments, check=code).err.splitlines()[-1]
