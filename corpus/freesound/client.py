"""The client: politely asks Freesound's API, and fetches audio from its CDN.

The token goes into the `Authorization` header of requests to the API's own host, and nowhere else: not into a URL, an
error, a log or the database, not along a redirect, not to the CDN. Every request has a timeout; refusals of limits are
waited for, faults of the server are tried again a bounded number of times.
"""

from __future__ import annotations

import contextlib
import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3

from corpus.clock import Clock, SystemClock
from corpus.errors import BadQuery, FreesoundError, NotThere, QuotaSpent, SettingsError, TokenRefused, Unreachable
from corpus.freesound import wire
from corpus.store.quota import HOUR, RequestLog

PAGE_SIZE = 150
ATTEMPTS = 6
"""How often a request is tried when the server or the network fails."""

_TIMEOUT = (10.0, 60.0)
_AUDIO_TIMEOUT = (10.0, 20.0)
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
_TOKEN = re.compile(r"[A-Za-z0-9_.~-]+")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_RATE = re.compile(r"\(\d+/(minute|day)\)")
_REFUSALS = 10
"""How often in a row the minute's limit is waited for."""
_BLOCK = 1 << 16


@dataclass(frozen=True)
class Account:
    """Where the API is and who asks; the token is never shown."""

    url: str
    token: str

    def __post_init__(self) -> None:
        """Refuse what must not be sent.

        Raises
        ------
        SettingsError
            The address is not https (plain http is for loopback alone).
        TokenRefused
            There is no token, or it is not one.
        """
        parts = urlsplit(self.url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            raise SettingsError(
                f"MIRLA_FREESOUND_URL: {self.url!r} must begin with https:// (http:// only for localhost)"
            )
        if not self.token:
            raise TokenRefused(
                "no Freesound API key; apply for one at https://freesound.org/apiv2/apply/ and set FREESOUND_TOKEN"
            )
        if not _TOKEN.fullmatch(self.token):
            raise TokenRefused("FREESOUND_TOKEN holds characters that no API key has; copy it again")

    def __repr__(self) -> str:
        return f"Account({self.url!r})"


class Client:
    """Asks the API within its limits.

    Parameters
    ----------
    account : Account
    log : RequestLog
        Remembers the requests made, also those of other processes.
    clock : Clock
        Waits.
    seed : int, optional
        For the jitter of pauses.
    """

    def __init__(self, account: Account, log: RequestLog, clock: Clock | None = None, seed: int | None = None) -> None:
        self._account = account
        self._log = log
        self._clock = clock or SystemClock()
        self._random = random.Random(seed)
        self._session = requests.Session()
        self._session.trust_env = False  # no .netrc password in place of the token, no proxy that sees it
        self._session.headers["User-Agent"] = f"mirla/{metadata.version('mirla')} (offline corpus for live coding)"
        self.requests = 0
        self.on_wait: Callable[[str], None] = lambda why: None
        self._answered = False

    def close(self) -> None:
        """Let go of the connections."""
        self._session.close()

    def search(self, **parameters: str | int) -> wire.Page:
        """One page of `search/`, with all fields, at most 150 sounds."""
        return self._page("search/", parameters)

    def similar(self, sound_id: int, **parameters: str | int) -> wire.Page:
        """One page of the API's own list of sounds similar to one.

        Raises
        ------
        NotThere
            Freesound has no such sound (any more).
        """
        return self._page(f"sounds/{sound_id}/similar/", parameters)

    def sound(self, sound_id: int) -> wire.Record:
        """One sound by its own address, with the fields of a page.

        Raises
        ------
        NotThere
            Freesound has no such sound (any more).
        """
        return wire.one(self._get(f"sounds/{sound_id}/", {"fields": wire.FIELDS}), sound_id)

    @contextlib.contextmanager
    def audio(self, url: str, start: int = 0) -> Iterator[tuple[requests.Response, Iterator[bytes]]]:
        """Open a file on the CDN as a stream, from byte `start` where the server allows it; without the token.

        The status of the response is 206 where the stream goes on from there, 200 where it is the whole file, and 416
        where nothing is left to send.

        Raises
        ------
        Unreachable
            The server fails or sends something other than audio.
        NotThere
            There is no such file.
        """
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            raise FreesoundError(f"will not fetch audio from {url!r}: it is not an https address")
        headers = {"Range": f"bytes={start}-"} if start else {}
        with _translated(parts.hostname or ""):
            response = self._session.get(
                url, headers=headers, timeout=_AUDIO_TIMEOUT, stream=True, allow_redirects=False
            )
            with response:
                kind = response.headers.get("Content-Type", "")
                if response.status_code == 404:
                    raise NotThere(f"no file at {url}")
                nothing_left = start > 0 and response.status_code == 416
                if nothing_left and response.headers.get("Content-Range") == f"bytes */{start}":
                    yield response, iter(())
                    return
                if response.status_code not in (200, 206) or kind.startswith(("text/", "application/json")):
                    raise Unreachable(f"{parts.hostname} answered {response.status_code} {kind or 'nothing'} for audio")
                yield response, _blocks(response, parts.hostname or "")

    def pause(self, failures: int) -> None:
        """Wait after so many failures in a row: twice as long each time up to a minute, and never quite as long."""
        longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**failures)
        self._clock.sleep(self._random.uniform(longest / 2, longest))

    def requests_left(self) -> int:
        """How many requests may still be made today."""
        return self._log.left(self._clock.now())

    def _page(self, path: str, parameters: Mapping[str, str | int]) -> wire.Page:
        return wire.page(self._get(path, {"page_size": PAGE_SIZE, "fields": wire.FIELDS, **parameters}))

    def _get(self, path: str, parameters: Mapping[str, str | int]) -> Any:
        """Ask until there is an answer; faults are tried again after growing pauses with jitter."""
        failures = refusals = 0
        while True:
            self._wait_for_turn()
            try:
                answer = self._ask(path, parameters)
                self._answered = True
                return answer
            except _Throttled as refusal:
                refusals += 1
                self._log.exhaust(self._clock.now(), refusal.daily)
                if refusal.daily:
                    raise QuotaSpent(f"Freesound says: {refusal}; come back after {self._after(HOUR)}") from refusal
                if refusals >= _REFUSALS:
                    raise Unreachable(f"Freesound has said {refusals} times: {refusal}; try again later") from refusal
            except Unreachable as error:
                failures += 1
                if failures >= (ATTEMPTS if self._answered or not isinstance(error, _NoConnection) else 2):
                    raise
                self.on_wait(str(error))
                self.pause(failures)

    def _wait_for_turn(self) -> None:
        while True:
            now = self._clock.now()
            grant = self._log.take(now)
            if grant.daily:
                raise QuotaSpent(
                    f"the day's {self._log.per_day} requests are spent; come back after {self._after(grant.wait)}"
                )
            if not grant.wait:
                return
            self.on_wait(f"the minute's requests are spent, on in {grant.wait:.0f} s")
            self._clock.sleep(grant.wait)

    def _after(self, seconds: float) -> str:
        return datetime.fromtimestamp(self._clock.now() + seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")

    def _ask(self, path: str, parameters: Mapping[str, str | int]) -> Any:
        self.requests += 1
        host = urlsplit(self._account.url).hostname or ""
        with _translated(host):
            response = self._session.get(
                f"{self._account.url.rstrip('/')}/{path}",
                params=dict(parameters),
                headers={"Authorization": f"Token {self._account.token}", "Accept": "application/json"},
                timeout=_TIMEOUT,
                allow_redirects=False,
            )
        is_json = response.headers.get("Content-Type", "").split(";")[0].strip() == "application/json"
        try:
            body = wire.parse(response.content) if is_json else None
        except ValueError as error:
            raise Unreachable(f"{host} answered JSON that is cut or broken; try again later") from error
        if response.status_code == 200 and is_json:
            return body
        raise _refusal(response.status_code, _detail(body), host)


class _Throttled(Exception):
    """The server says that a limit is reached: the minute's or the day's."""

    def __init__(self, detail: str, daily: bool) -> None:
        super().__init__(detail)
        self.daily = daily


class _NoConnection(Unreachable):
    """Nobody answers at all."""


def _refusal(status: int, detail: str, host: str) -> Exception:
    """The error for an answer that is none (section 9 of the API's description)."""
    if status == 429:
        rate = _RATE.search(detail)
        if rate:
            return _Throttled(detail, daily=rate[1] == "day")
        return TokenRefused(f"{host} refuses the API key: {detail or 'throttled'}")
    if status in (401, 403):
        return TokenRefused(f"{host} refuses the API key: {detail or status}; check FREESOUND_TOKEN")
    if status == 404 and not detail:  # some other server's page, which says nothing of a sound
        return FreesoundError(f"{host} answered 404, but not in the API's words; check MIRLA_FREESOUND_URL")
    if status == 404:
        return NotThere(f"{host}: {detail}")
    if 400 <= status < 500:
        return BadQuery(f"{host} rejects the query: {detail or status}")
    words = detail or {200: "something that is not JSON", 301: "a redirect", 302: "a redirect"}.get(status, "a fault")
    return Unreachable(f"{host} answered {status}: {words}; try again later")


def _blocks(response: requests.Response, host: str) -> Iterator[bytes]:
    """The body as it comes in, so that whoever reads it is never kept from stopping for long."""
    try:
        while block := response.raw.read1(_BLOCK):
            yield block
    except urllib3.exceptions.HTTPError as error:
        raise Unreachable(f"{host} sent a part of the file only ({type(error).__name__})") from error


def _detail(body: Any) -> str:
    detail = body.get("detail") if isinstance(body, dict) else None
    return " ".join(str(detail).split())[:300] if detail else ""


@contextlib.contextmanager
def _translated(host: str) -> Iterator[None]:
    try:
        yield
    except requests.RequestException as error:
        unheard = isinstance(error, requests.ConnectionError)
        kind = _NoConnection if unheard else Unreachable
        raise kind(f"cannot reach {host}: {type(error).__name__}; is there a network?") from error
