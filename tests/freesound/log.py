"""What the server was asked: one entry a request, in the order in which they came."""

from dataclasses import dataclass, field
from urllib.parse import parse_qsl


@dataclass
class Entry:
    """`place` is `api` or `cdn`; `status` is None while nothing was answered; `fault` names the fault that struck."""

    place: str
    method: str
    path: str
    query: str
    headers: dict[str, str]
    status: int | None = None
    fault: str | None = None
    sent: int = 0
    params: dict[str, str] = field(init=False)

    def __post_init__(self):
        self.params = dict(parse_qsl(self.query, keep_blank_values=True))

    @property
    def authorized(self):
        """Whether a key came along, in the header or in the address."""
        return "authorization" in self.headers or "token" in self.params


class Log:
    """Middleware that keeps an entry of each request; the application finds it as `scope["entry"]`."""

    def __init__(self, app, place, entries):
        self.app, self.place, self.entries = app, place, entries

    async def __call__(self, scope, receive, send):
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
        entry = Entry(self.place, scope["method"], scope["path"], scope["query_string"].decode(), headers)
        self.entries.append(entry)

        async def watched(message):
            if message["type"] == "http.response.start":
                entry.status = message["status"]
            else:
                entry.sent += len(message.get("body", b""))
            await send(message)

        await self.app({**scope, "entry": entry}, receive, watched)
