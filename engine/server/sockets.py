"""Sockets to listen at: on loopback, or open to the clients that were allowed."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Sequence
from pathlib import Path

from engine.errors import ServerError

LOOPBACK, ANYWHERE = "127.0.0.1", "0.0.0.0"
Clients = tuple[ipaddress.IPv4Network, ...]
_BUFFER = 1 << 22  # bytes; the system gives less where it must
_UDP = Path("/proc/net/udp")


def clients(addresses: Sequence[str]) -> Clients:
    """Who is let in besides loopback: addresses, or networks such as 192.168.1.0/24.

    Raises
    ------
    ServerError
        One of them is no such thing.
    """
    return tuple(_network(address) for address in addresses)


def allowed(host: str, others: Clients) -> bool:
    """Whether a client is this machine, or one of those let in."""
    address = ipaddress.IPv4Address(host)
    return address.is_loopback or any(address in network for network in others)


def bound(kind: socket.SocketKind, port: int, others: Clients = ()) -> socket.socket:
    """A socket at a port (0: any that is free), on loopback alone unless others are let in.

    Raises
    ------
    ServerError
        The port cannot be had.
    """
    protocol = socket.IPPROTO_TCP if kind is socket.SOCK_STREAM else 0  # named, asyncio switches Nagle's delay off
    made = socket.socket(socket.AF_INET, kind, protocol)
    try:
        if kind is socket.SOCK_STREAM:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        else:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
        made.bind((ANYWHERE if others else LOOPBACK, port))
        if kind is socket.SOCK_STREAM:
            made.listen(128)
    except (OSError, OverflowError) as error:
        made.close()
        words = getattr(error, "strerror", None) or str(error)
        raise ServerError(f"cannot listen at port {port}: {words}; choose another one") from error
    return made


def lost(made: socket.socket) -> int:
    """Packets that the system dropped before they were read; 0 where it does not say (only Linux does)."""
    try:
        own = str(os.fstat(made.fileno()).st_ino)
        lines = [line.split() for line in _UDP.read_text(encoding="ascii").splitlines()[1:]]
    except OSError:
        return 0
    return next((int(line[-1]) for line in lines if line[9] == own), 0)


def _network(address: str) -> ipaddress.IPv4Network:
    try:
        return ipaddress.IPv4Network(address, strict=False)
    except ValueError as error:
        words = f"cannot allow {address!r}: {error}; name an IPv4 address such as 192.168.1.20, or 192.168.1.0/24"
        raise ServerError(words) from error
