"""Stage mode: from now on nothing in this process reaches for a network, so that nothing waits for one.

An audit hook sees what Python code asks of sockets, whichever library asks, before the system does, and refuses all
that is not loopback. It does not see what C libraries do on their own (a sound driver that streams, say), nor other
programs; and of a name given straight to `connect` it hears when the system has looked it up (libraries look names up
first, which it sees). Against those only pulling the cable helps. There is no way back: the hook stays as long as the
process. The audio process enters too if it is started in stage mode; workers that analyse sounds do not.
"""

from __future__ import annotations

import ipaddress
import socket
import sys
from collections.abc import Callable
from typing import Any

from engine.errors import StageError

_on = False
_UNIX = getattr(socket, "AF_UNIX", None)
_INTERNET = (socket.AF_INET, socket.AF_INET6)


def enter() -> None:
    """Refuse all but loopback from now on; a second time changes nothing.

    Whoever tries gets a StageError, which is no OSError, so that no client takes it for a fault and tries again.
    """
    global _on
    if not _on:
        _on = True
        sys.addaudithook(_hear)


def entered() -> bool:
    """Whether this process is in stage mode."""
    return _on


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if event.startswith("socket.") and (refused := _REFUSALS.get(event)):
        refused(*arguments)


def _refuse_address(one: socket.socket, address: Any) -> None:
    """Refuse to connect, send or bind anywhere else; None is where the socket is connected already."""
    if one.family == _UNIX or address is None:
        return
    if one.family not in _INTERNET:
        raise StageError(f"stage mode: no socket of the kind {one.family!s}; leave out --stage to use it")
    if isinstance(address, tuple) and address:  # else Python itself refuses it
        _refuse(address[0])


def _refuse_name(host: Any, *_: Any) -> None:
    if host is not None:  # none asks for this computer
        _refuse(host)


def _refuse_number(address: Any, *_: Any) -> None:
    _refuse(address[0] if isinstance(address, tuple) else address)


def _refuse(host: Any) -> None:
    name = host.decode("ascii", "backslashreplace") if isinstance(host, bytes | bytearray) else str(host)
    if not _loopback(name):
        where = name or "every address of this computer"
        raise StageError(f"stage mode: no way to {where}, only to this computer itself; leave out --stage to use it")


def _loopback(name: str) -> bool:
    if name.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


_REFUSALS: dict[str, Callable[..., None]] = {
    "socket.connect": _refuse_address,
    "socket.sendto": _refuse_address,
    "socket.sendmsg": _refuse_address,
    "socket.bind": _refuse_address,
    "socket.getaddrinfo": _refuse_name,
    "socket.gethostbyname": _refuse_name,
    "socket.gethostbyaddr": _refuse_number,
    "socket.getnameinfo": _refuse_number,
}
