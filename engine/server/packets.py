"""OSC packets, read with suspicion and written to fit.

python-osc reads and writes the messages. What it would follow for ever, skip in silence or print is refused here first:
bundles within bundles without end, elements of no size, unknown types. Time tags mean nothing: all is done at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from pythonosc.osc_message import OscMessage, ParseError
from pythonosc.osc_message_builder import OscMessageBuilder

from corpus.text import storable

LONGEST = 8192
"""Bytes of a packet that is read."""
LONGEST_SENT = 32_768
"""Bytes of a packet that is sent; other programs take no more (liblo)."""
TYPES = "ifsdhTFN"
_BUNDLE = b"#bundle\0"
_HEADER = 16  # bytes of a bundle before its elements: its mark and its time
_DEEPEST = 8
_DEEPEST_LIST = 2
_LARGEST_FLOAT = 3.4e38


class Malformed(Exception):
    """A packet that is no OSC, or has in it what is not taken."""


class TooLong(Exception):
    """An answer that fits into no packet."""


class Message(NamedTuple):
    """One message: its address and its values, lists among them."""

    address: str
    values: list[Any]


def read(packet: bytes) -> list[Message]:
    """All messages of a packet, in order.

    Raises
    ------
    Malformed
        Any part of it cannot be read; nothing of it is to be done.
    """
    if len(packet) > LONGEST:
        raise Malformed(f"longer than {LONGEST} bytes")
    return [_message(element) for element in _elements(packet)]


def written(address: str, values: Sequence[Any]) -> bytes:
    """A packet of one message with plain values.

    Raises
    ------
    TooLong
        It would have more bytes than others take.
    """
    builder = OscMessageBuilder(address=_text(address))
    for value in values:
        _add(builder, value)
    packet: bytes = builder.build().dgram
    if len(packet) > LONGEST_SENT:
        raise TooLong(f"the answer takes {len(packet)} bytes, and {LONGEST_SENT} go into a packet; ask for less")
    return packet


def _elements(packet: bytes, depth: int = 0) -> Iterator[bytes]:
    """The messages of a packet, still packed."""
    if not packet.startswith(_BUNDLE):
        yield packet
        return
    if depth == _DEEPEST or len(packet) < _HEADER:
        raise Malformed(f"a bundle without a time, or more than {_DEEPEST} within one another")
    place = _HEADER
    while place < len(packet):
        size = int.from_bytes(packet[place : place + 4], "big")
        place += 4
        if size == 0 or size % 4 or place + size > len(packet):
            raise Malformed(f"an element of {size} bytes in a bundle of {len(packet)}")
        yield from _elements(packet[place : place + size], depth + 1)
        place += size


def _message(packet: bytes) -> Message:
    if not packet.startswith(b"/"):
        raise Malformed("no address")
    _check_types(packet)
    try:
        message = OscMessage(packet)
        values = message.params
    except (ParseError, ValueError) as error:
        raise Malformed(str(error)) from error
    _check_numbers(values)
    return Message(message.address, values)


def _check_types(packet: bytes) -> None:
    start = (packet.find(b"\0") // 4 + 1) * 4
    types = packet[start:].partition(b"\0")[0]
    depth = 0
    for one in types[1:].decode("latin-1"):
        depth += {"[": 1, "]": -1}.get(one, 0)
        if depth > _DEEPEST_LIST or one not in TYPES + "[]":
            raise Malformed(f"an argument of type {one!r}")


def _check_numbers(values: list[Any]) -> None:
    for value in values:
        if isinstance(value, list):
            _check_numbers(value)
        elif isinstance(value, float) and not math.isfinite(value):
            raise Malformed(f"{value} is no number")


def _add(builder: OscMessageBuilder, value: Any) -> None:
    """Add a value in a type that all programs read: 32 bits, or text."""
    if isinstance(value, str):
        builder.add_arg(_text(value))
    elif isinstance(value, float) and abs(value) > _LARGEST_FLOAT:  # infinite, too
        builder.add_arg(str(value))
    elif isinstance(value, int) and value.bit_length() > 31:
        builder.add_arg(float(value), "d")
    else:
        builder.add_arg(value)


def _text(value: str) -> str:
    return storable(value).replace("\0", "\ufffd")
