"""Verbs by OSC, over a real socket, in a live session on real sounds."""

import json
import socket
import threading
import time

import pytest
from pythonosc.osc_bundle_builder import OscBundleBuilder
from pythonosc.osc_message_builder import build_msg

from engine.server import osc, subscribers


def test_a_tag_is_brought_and_asked_back(client, live):
    ids = client.answer("/mirla/a/tag", "loop", 3)
    assert len(ids) == 3
    assert client.answer("/mirla/a/whatid") == ids == [sound.id for sound in live.group("a").sounds]
    assert all("loop" in sound.tags for sound in live.group("a").sounds)


def test_verbs_of_one_group_happen_in_order(client):
    client.send("/mirla/b/random", 2)
    client.send("/mirla/b/similar", "size", 2)
    client.send("/mirla/b/remove", 0)
    assert len(client.answer("/mirla/b/whatid")) == 3


def test_what_was_asked_as_pairs_and_lists_counts(client):
    near = client.answer("/mirla/find", "like", [1, 2, 3][:0], "near", ["duration", 1.0], "k", 4)
    lengths = [json.loads(hit)["duration"] for hit in near]
    assert len(lengths) == 4 and lengths == sorted(lengths, key=lambda length: abs(length - 1.0))
    like = [json.loads(hit)["id"] for hit in near[:2]]
    found = client.answer("/mirla/find", "like", like, "k", 3)
    assert len(found) == 3 and not {json.loads(hit)["id"] for hit in found} & set(like)


def test_a_hit_has_what_is_promised(client, live):
    (text,) = client.answer("/mirla/find", "drum", "k", 1)
    assert json.loads(text) == live.find("drum", k=1)[0].as_json()


def test_a_program_that_sends_floats_alone_is_understood(client):
    assert len(client.answer("/mirla/c/random", 2.0)) == 2
    assert client.answer("/mirla/c/solo", 1.0) == []


def test_what_goes_wrong_is_one_line_to_its_sender_and_the_rest_goes_on(client, live):
    assert client.refusal("/mirla/a/play", "loud") != ""
    assert "no address '/mirla/a/fly'" in client.refusal("/mirla/a/fly")
    assert "no address '/mirla/a/b/c'" in client.refusal("/mirla/a/b/c")
    assert "is empty" in client.refusal("/mirla/d/similar")
    assert "missing a required argument" in client.refusal("/mirla/a/tag")
    assert client.answer("/mirla/tempo", 90) == []
    assert live.seconds("3b") == 2.0
    assert all("\n" not in line and "unexpected" not in line for line in live.lines)


def test_a_group_needs_a_name(client):
    assert "can be no group" in client.refusal("/mirla//play")


def test_what_is_mistyped_makes_no_group(client, live):
    for address, *values in (("/mirla/b c/play",), ("/mirla/b/tag",), ("/mirla/b/play", "loud"), ("/mirla/b/fly",)):
        client.refusal(address, *values)
    assert live.groups == {}


def test_there_are_only_so_many_groups(client, monkeypatch):
    monkeypatch.setattr(osc, "MOST_GROUPS", 1)
    client.answer("/mirla/a/stop")
    assert "1 groups already" in client.refusal("/mirla/b/stop")


def test_a_reply_without_an_id_has_an_empty_one(client):
    client.send("/mirla/tempo", 100)
    assert client.hear() == ("/mirla/reply", ["/mirla/tempo", "", 1])


def test_all_of_a_bundle_is_done_in_order_whatever_its_time(client):
    bundle = OscBundleBuilder(time.time() + 3600)
    for address, *values in (("/mirla/tempo", 60), ("/mirla/a/whatid", "#1"), ("/mirla/tempo", 0.5, "#2")):
        bundle.add_content(build_msg(address, values))
    client.socket.sendto(bundle.build().dgram, client.server)
    replies = sorted(client.hear()[1][:3] for _ in range(3))
    assert [reply[1:] for reply in replies] == [["#1", 1], ["", 1], ["#2", 0]]


def test_what_goes_on_by_itself_is_cancelled_by_its_number(client, live):
    client.answer("/mirla/a/random")
    (number,) = client.answer("/mirla/a/playauto", 4, 1000)
    assert client.answer("/mirla/cancel", number) == []
    assert "has that number" in client.refusal("/mirla/cancel", number)
    assert "has that number" in client.refusal("/mirla/cancel", [1])


def test_subscribers_hear_what_plays_and_what_is_said(client, connect, server):
    other = connect(server)
    other.answer("/mirla/subscribe")
    ids = client.answer("/mirla/a/tag", "drum")
    assert other.event("playing")[1:3] == ["a", ids[0]]
    client.refusal("/mirla/a/solo", 7)
    kind, group, sound_id, text = other.event("error")
    assert (kind, group, sound_id) == ("error", "a", -1) and "no sound 7" in text
    other.answer("/mirla/unsubscribe")
    client.refusal("/mirla/a/solo", 7)
    assert json.loads(client.answer("/mirla/status")[0])["osc"]["subscribers"] == 0


def test_a_subscriber_who_is_not_heard_of_is_told_and_forgotten(client, monkeypatch):
    monkeypatch.setattr(subscribers, "SECONDS", 0.0)
    client.answer("/mirla/subscribe")
    assert "subscribe again" in client.event("unsubscribed")[3]
    assert json.loads(client.answer("/mirla/status")[0])["osc"]["subscribers"] == 0


def test_there_are_only_so_many_subscribers(client, connect, server, monkeypatch):
    monkeypatch.setattr(subscribers, "MOST", 1)
    client.answer("/mirla/subscribe")
    client.answer("/mirla/subscribe")
    assert "1 subscribe already" in connect(server).refusal("/mirla/subscribe")


def test_an_answer_that_fits_no_packet_is_one_line(client, monkeypatch):
    monkeypatch.setattr("engine.server.packets.LONGEST_SENT", 2000)
    assert "ask for less" in client.refusal("/mirla/find", "k", 60)
    assert len(client.answer("/mirla/find", "k", 2)) == 2


def test_a_thousand_commands_at_once_are_answered_or_counted(client, server):
    for number in range(1000):
        client.send("/mirla/a/volume", 0.5, f"#{number}")
    client.send("/mirla/stop", "#last")
    told = sum(server.counts[what] for what in ("commands", "lost"))
    while told < 1001:
        told = sum(server.counts[what] for what in ("commands", "lost"))
    answered = {client.hear()[1][1] for _ in range(server.counts["commands"])}
    assert len(answered) == 1001 - server.counts["lost"]


def test_commands_beyond_those_that_can_wait_are_dropped_and_their_sender_told(client, server, live, monkeypatch):
    server._room = threading.Semaphore(2)
    busy, go_on = threading.Event(), threading.Event()
    live.group("a")._turns.take(lambda: (busy.set(), go_on.wait(60)))
    assert busy.wait(60)
    try:
        client.send("/mirla/a/volume", 0.5, "#one")
        client.send("/mirla/a/pan", 0.5, "#two")
        assert "dropped" in client.refusal("/mirla/a/volume", 0.5)
        assert client.answer("/mirla/agent") == [], "what is immediate never waits"
    finally:
        go_on.set()
    assert server.counts["dropped"] == 1
    assert [client.hear()[1][1:3] for _ in range(2)] == [["#one", 1], ["#two", 1]]
    assert client.answer("/mirla/a/volume", 0.5) == []


def test_replies_and_foreign_addresses_are_never_answered(client, server):
    for address in ("/mirla/reply", "/mirla/event", "/fail", "/status.reply", "/"):
        client.send(address, "/mirla/tempo", "", 1)
    assert client.answer("/mirla/tempo", 100) == []
    client.socket.settimeout(0.3)
    with pytest.raises(TimeoutError):
        client.hear()
    assert server.counts["malformed"] == 5


def test_only_this_machine_is_let_in(live, connect, monkeypatch):
    monkeypatch.setattr(osc, "allowed", lambda host, others: False)
    server = osc.OscServer(live, 0)
    connect(server).send("/mirla/tempo", 33)
    while not server.counts["refused"]:
        time.sleep(0.01)
    counts = server.close()
    assert counts["commands"] == counts["packets"] == 0
    assert live.seconds("2b") == 1.0


def test_it_listens_on_loopback_alone(server):
    assert server.host == "127.0.0.1"


def test_the_port_is_free_when_it_is_closed(live):
    server = osc.OscServer(live, 0)
    server.close()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
        again.bind(("127.0.0.1", server.port))
