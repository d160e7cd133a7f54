"""Who may ask: which names of this machine are let through, and which token.

A page in a browser can make a name of its own point at this machine and then ask as if it were one of ours (DNS
rebinding). So a request must name this machine as it is known here, or by an address.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
import socket

from engine.errors import ServerError

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?")


def is_loopback(host: str) -> bool:
    """Whether an address or a name is this machine alone."""
    address = _address(host)
    return host == "localhost" if address is None else address.is_loopback


def check(host: str, token: str) -> None:
    """Refuse to be open to others without a token.

    Raises
    ------
    ServerError
        The address is not loopback, and there is no token.
    """
    if not token and not is_loopback(host):
        raise ServerError(
            f"{host} can be reached from other machines: give MIRLA_SERVE_TOKEN (or --token), which their clients then "
            "have to show"
        )


def allows(host_header: str, listening: str) -> bool:
    """Whether a request names a machine that listens at `listening`; the name is safe to put into links then.

    Parameters
    ----------
    host_header : str
        `name:port`, as the request has it.
    listening : str
        The address or name that the server was told.
    """
    match = _HOST.fullmatch(host_header)
    if not match:
        return False
    name = match[1].lower().strip("[]")
    address = _address(name)
    if is_loopback(listening):
        return name in ("localhost", listening.lower()) or (address is not None and address.is_loopback)
    machine = socket.gethostname().lower()
    return address is not None or name in ("localhost", listening.lower(), machine, f"{machine}.local")


def shown(authorization: str, token_parameter: str) -> str:
    """The token that a request shows; the header goes first, whichever of the schemes it names."""
    scheme, _, given = authorization.strip().partition(" ")
    return given.strip() if scheme.lower() in ("token", "bearer") else token_parameter


def same(given: str, token: str) -> bool:
    """Whether a token is the right one, in a time that tells nothing of it."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), token.encode("utf-8", "replace"))


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None
