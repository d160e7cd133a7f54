"""An application's whole answer, to be looked at and sent later, also more than once."""

from collections import OrderedDict
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def with_body(self, body):
        """The same answer with another body and its length."""
        kept = [pair for pair in self.headers if pair[0].lower() != b"content-length"]
        return replace(self, headers=[*kept, (b"content-length", str(len(body)).encode())], body=body)


async def capture(app, scope, receive):
    """What the application answers."""
    start, pieces = {}, []

    async def keep(message):
        if message["type"] == "http.response.start":
            start.update(message)
        else:
            pieces.append(message.get("body", b""))

    await app(scope, receive, keep)
    return Answer(start["status"], list(start["headers"]), b"".join(pieces))


async def replay(answer, send, pieces=None):
    """Send an answer; `pieces`, an asynchronous iterator, takes its body's place, not its length's."""
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    if pieces is None:
        await send({"type": "http.response.body", "body": answer.body})
        return
    async for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


class Remembered:
    """Middleware that answers what was asked before as it was answered then, as long as `version()` stays the same.

    Tests ask the same again and again: each harvest of a hundred for the same pages.
    """

    most = 200

    def __init__(self, app, version):
        self.app = app
        self.version = version
        self.answers = OrderedDict()

    async def __call__(self, scope, receive, send):
        key = self.version(), scope["method"], scope["path"], scope["query_string"], tuple(sorted(scope["headers"]))
        if key not in self.answers:
            self.answers[key] = await capture(self.app, scope, receive)
            if len(self.answers) > self.most:
                self.answers.popitem(last=False)
        await replay(self.answers[key], send)
