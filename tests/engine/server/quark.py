"""Requests as SuperCollider's Freesound quark sends them: a shell runs curl, with everything but letters encoded."""

import subprocess

import orjson

D = "id,name,tags,username,license,previews"
A = "id,name,analysis"
HEADER = "Authorization: Token <your_api_key>"
"""As MIRLC's constructor writes it: nobody fills it in."""


class Quark:
    """Asks one server as the quark does; `folder` is for its temporary files, `within` goes before its commands."""

    def __init__(self, url, folder, within=()):
        self.url = url
        self.folder = folder
        self.within = within

    def body(self, path, **params):
        """The bytes that are in the file when curl is done, whatever the status."""
        query = "&".join(f"{name}={encoded(value)}" for name, value in params.items())
        return self.fetch(f"{self.url}{path}?{query}")

    def fetch(self, address):
        file = self.folder / "fs_1001.txt"
        command = [*self.within, "sh", "-c", f"curl -H '{HEADER}' '{address}'>'{file}' "]
        done = subprocess.run(command, capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return file.read_bytes()

    def ask(self, path, **params):
        """What was answered, checked for what any answer to the quark must be."""
        return checked(self.body(path, **params))


def encoded(text):
    return "".join(
        chr(byte) if chr(byte).isascii() and chr(byte).isalnum() else f"%{byte:02X}" for byte in str(text).encode()
    )


def checked(body):
    """An answer without null, as compact and raw UTF-8, an object at its root, and not so large that sclang chokes."""
    answer = orjson.loads(body)
    assert isinstance(answer, dict)
    assert orjson.dumps(answer) == body
    assert len(body) < 62_000
    assert not list(_nulls(answer)), body
    return answer


def _nulls(value):
    if value is None:
        yield value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _nulls(one)
