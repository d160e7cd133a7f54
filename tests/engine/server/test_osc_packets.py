"""Malformed and hostile packets: never an exception, never a hang, and counted."""

import random
import struct

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import build_msg

from engine.server.packets import LONGEST, LONGEST_SENT, Malformed, TooLong, read, written
from engine.server.routes import OF_ALL, OF_GROUPS
from tests.fuzzing import examples

ADDRESSES = ["/mirla/tempo", "/mirla/a/volume", "/mirla/a/tag", "/mirla/find", "/mirla/x"]
UNSAFE = {"record", "random", "tag", "search", "similar", "id", "similarauto", "sameidauto"}
"""Verbs that write files, or load sounds for long."""
SAFE = [f"/mirla/{name}" for name in OF_ALL if name not in UNSAFE]
SAFE += [f"/mirla/a/{name}" for name in OF_GROUPS if name not in UNSAFE]
VALUE = st.one_of(
    st.integers(-(2**31), 2**31 - 1), st.floats(width=32), st.text(max_size=20), st.booleans(), st.none(),
    st.integers(-(2**63), 2**63 - 1), st.sampled_from(["size", "agent", "near", "freq", "#1", "4b", ""]),
)  # fmt: skip
VALUES = st.lists(st.one_of(VALUE, st.lists(VALUE, max_size=3)), max_size=6)


def bundle(*elements, time=1):
    sized = b"".join(struct.pack(">I", len(element)) + element for element in elements)
    return b"#bundle\0" + struct.pack(">Q", time) + sized


def nested(depth):
    packet = build_msg("/mirla/tempo", [100]).dgram
    for _ in range(depth):
        packet = bundle(packet)
    return packet


@st.composite
def mutated(draw):
    """A valid packet, or a bundle of some, with bytes changed, added or cut."""
    messages = [
        build_msg(draw(st.sampled_from(ADDRESSES)), draw(VALUES.filter(_buildable))).dgram
        for _ in range(draw(st.integers(1, 3)))
    ]
    packet = bytearray(messages[0] if draw(st.booleans()) else bundle(*messages))
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, len(packet) - 1)) if packet else 0
        packet[place : place + draw(st.integers(0, 4))] = draw(st.binary(max_size=4))
    return bytes(packet)


def _buildable(values):
    """python-osc reads what it has written, and stumbles over a zero in a text, in a list too."""
    return not any(
        "\0" in one if isinstance(one, str) else isinstance(one, list) and not _buildable(one) for one in values
    )


def read_or_malformed(packet):
    try:
        return read(packet)
    except Malformed as error:
        assert str(error)
        return []


@settings(max_examples=examples(300), deadline=None)
@given(st.binary(max_size=200))
@example(b"")
@example(b"/")
@example(b"/\0\0\0,")
@example(b"#bundle\0")
@example(b"/a\0\0,[[[[\0\0\0")
@example(b"/a\0\0" + b"," + b"[" * 3000)
@example(b"\xff" * LONGEST)
@example(b"/\xff\0\0,i\0\0\0\0\0\1")
def test_raw_bytes_are_read_or_malformed(packet):
    read_or_malformed(packet)


@settings(max_examples=examples(300), deadline=None)
@given(mutated())
def test_mutated_packets_are_read_or_malformed(packet):
    for message in read_or_malformed(packet):
        assert message.address.startswith("/")


@pytest.mark.parametrize(
    "packet",
    [
        bundle(b"")[:-4] + b"\xff\xff\xff\xfc",
        bundle(b""),
        bundle(build_msg("/mirla/tempo", [1]).dgram) + b"\0\0\0\4",
        bundle(b"/a\0\0", b"junk"),
        nested(9),
        nested(300),
        b"/mirla/tempo\0\0\0\0,b\0\0\0\0\0\1x\0\0\0",
        b"/mirla/tempo\0\0\0\0,f\0\0\x7f\xc0\0\0",
        build_msg("/mirla/a/search", ["x" * LONGEST]).dgram,
    ],
    ids=["negative", "empty", "cut", "junk", "deep", "deeper", "blob", "nan", "long"],
)
def test_what_would_hang_or_be_skipped_in_silence_is_malformed(packet, capfd):
    with pytest.raises(Malformed):
        read(packet)
    assert capfd.readouterr() == ("", "")


def test_a_deep_bundle_that_is_allowed_is_read():
    assert [(message.address, message.values) for message in read(nested(8))] == [("/mirla/tempo", [100])]


@given(VALUES.filter(_buildable))
def test_what_is_built_is_read_as_it_was(values):
    try:
        (message,) = read(build_msg("/mirla/a/tag", values).dgram)
    except Malformed as error:
        assert "is no number" in str(error)
        return
    assert message == ("/mirla/a/tag", values)


@given(st.lists(st.one_of(st.text(max_size=50), st.integers(), st.floats(), st.booleans(), st.none())))
def test_all_answers_can_be_written_and_read_by_others(values):
    assert OscMessage(written("/mirla/reply", values)).address == "/mirla/reply"


def test_an_answer_too_long_is_told():
    written("/mirla/reply", ["x" * (LONGEST_SENT - 100)])
    with pytest.raises(TooLong, match=f"{LONGEST_SENT} go into a packet"):
        written("/mirla/reply", ["x" * LONGEST_SENT])


FUZZED = settings(
    max_examples=examples(150),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@FUZZED
@given(st.one_of(st.binary(max_size=100), mutated()))
def test_a_server_goes_on_whatever_comes(client, live, packet):
    client.socket.sendto(packet, client.server)
    assert client.answer("/mirla/tempo", 120.0) == []
    assert not [line for line in live.lines if "unexpected" in line]


@FUZZED
@given(st.sampled_from(SAFE), VALUES.filter(_buildable))
def test_any_values_for_any_verb_are_done_or_refused_in_one_line(client, live, address, values):
    client.send(address, *values)
    client.ask("/mirla/a/whatid")  # a stop may have dropped it
    client.answer("/mirla/a/whatid")
    client.answer("/mirla/status")
    for line in live.lines:
        assert "unexpected" not in line, (line, address, values)
        assert "\n" not in line
    live.lines.clear()


def test_a_flood_of_rubbish_is_counted(client, server):
    chance = random.Random(1)
    for _ in range(500):
        client.socket.sendto(chance.randbytes(chance.randrange(60)), client.server)
    counts = server.counts
    while counts["packets"] + counts["lost"] < 500:
        counts = server.counts
    assert counts["malformed"] == counts["packets"]
    assert client.answer("/mirla/tempo", 100) == []
