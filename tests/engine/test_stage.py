"""Stage mode, in a process of its own since there is no way back: real sockets, to here and to elsewhere."""

import subprocess
import sys
import textwrap

import pytest

BEGIN = """
import socket
from engine.errors import StageError
from engine import stage
stage.enter()
stage.enter()
"""


def run(code, begin=BEGIN):
    done = subprocess.run(
        [sys.executable, "-c", begin + textwrap.dedent(code)], capture_output=True, text=True, timeout=60
    )
    assert not done.stderr, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "code",
    [
        "socket.socket().connect(('192.0.2.1', 9))",
        "socket.socket().connect_ex(('192.0.2.1', 9))",
        "socket.socket(socket.AF_INET6).connect(('2001:db8::1', 9))",
        "socket.socket(socket.AF_INET6).connect(('::ffff:192.0.2.1', 9))",
        "socket.create_connection(('freesound.org', 443), 1)",
        "socket.getaddrinfo('freesound.org', 443)",
        "socket.getaddrinfo(b'freesound.org', 443)",
        "socket.gethostbyname('freesound.org')",
        "socket.gethostbyname_ex('freesound.org')",
        "socket.gethostbyaddr('192.0.2.1')",
        "socket.getnameinfo(('192.0.2.1', 9), 0)",
        "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 9))",
        "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', 0, ('192.0.2.1', 9))",
        "socket.socket(type=socket.SOCK_DGRAM).sendmsg([b'x'], [], 0, ('192.0.2.1', 9))",
        "socket.socket().bind(('', 0))",
        "socket.socket().bind(('0.0.0.0', 0))",
        "socket.socket(socket.AF_INET6).bind(('::', 0))",
        "import urllib.request; urllib.request.build_opener(urllib.request.ProxyHandler({})).open('http://freesound.org')",
    ],
)
def test_no_way_out(code):
    code = f"""
    try:
        {code}
    except StageError as error:
        print(error)
    """
    [line] = run(code).splitlines()
    assert line.startswith("stage mode: no way to ")
    assert line.endswith("leave out --stage to use it")


def test_a_refused_client_says_so_in_a_line_and_does_not_wait(home):
    code = f"""
    from corpus import Corpus
    from corpus.freesound.client import Account, Client
    from corpus.store.quota import RequestLog
    with Corpus({str(home)!r}) as corpus:
        client = Client(Account("https://freesound.org/apiv2", "token"), RequestLog(corpus.database, 55, 1900))
        try:
            client.sound(1)
        except Exception as error:
            print(type(error).__name__, error)
    """
    [line] = run(code).splitlines()
    assert "stage mode: no way to freesound.org" in line


def test_loopback_and_sockets_of_files_work(tmp_path):
    code = f"""
    def talk(server, client):
        server.listen()
        client.connect(server.getsockname())
        accepted, _ = server.accept()
        client.sendall(b"x")
        assert accepted.recv(1) == b"x"
        for one in (server, client, accepted):
            one.close()

    four, six = socket.socket(), socket.socket(socket.AF_INET6)
    four.bind(("127.0.0.1", 0))
    talk(four, socket.socket())
    six.bind(("::1", 0))
    talk(six, socket.socket(socket.AF_INET6))
    file = socket.socket(socket.AF_UNIX)
    file.bind({str(tmp_path / "s")!r})
    talk(file, socket.socket(socket.AF_UNIX))
    one, other = (socket.socket(type=socket.SOCK_DGRAM) for _ in range(2))
    one.bind(("localhost", 0))
    other.sendto(b"x", one.getsockname())
    assert one.recv(1) == b"x"
    other.connect(one.getsockname())
    other.sendmsg([b"y"])
    assert one.recv(1) == b"y"
    assert socket.getaddrinfo("localhost", 80) and socket.getaddrinfo(None, 80)
    one.close(), other.close()
    import asyncio, multiprocessing
    asyncio.run(asyncio.sleep(0))
    here, there = multiprocessing.Pipe()
    here.send(1)
    print(there.recv())
    """
    assert run(code) == "1\n"


def test_without_stage_mode_the_system_is_asked():
    code = """
    try:
        socket.socket(type=socket.SOCK_DGRAM).bind(("0.0.0.0", 0))
        print("bound")
    except OSError as error:
        print(error)
    """
    assert run(code, begin="import socket\nfrom engine import stage\n") == "bound\n"


@pytest.mark.parametrize("on", [True, False])
def test_the_audio_process_enters_if_it_is_started_in_stage_mode(on):
    code = f"""
    from multiprocessing import Pipe
    from engine.playback import process
    before = stage.entered()
    if {on}:
        stage.enter()
    here, there = Pipe()
    process.multiprocessing.get_context = lambda _: Context
    class Context:
        Pipe = staticmethod(Pipe)
        class Process:
            def __init__(self, target, args, **_):
                self.run = lambda: target(*args)
            def start(self):
                stage._on = False
                self.run()
    process.launch("no such device")
    print(before, stage.entered())
    """
    assert run(code, begin="from engine import stage\n") == f"False {on}\n"
