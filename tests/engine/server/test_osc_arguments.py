"""What is by position, and what is a pair."""

import pytest

from engine.errors import VerbError
from engine.server.arguments import arguments
from engine.server.routes import OF_ALL, OF_GROUPS


def read(name, *values):
    return arguments((OF_GROUPS.get(name) or OF_ALL[name]).verb, values)


@pytest.mark.parametrize(
    ("said", "given", "named"),
    [
        (("tag", "metal", 3), ["metal", 3], {}),
        (("tag", "metal", "size", 3), ["metal"], {"size": 3}),
        (("tag", "metal", 3, "agent", "water", "best", True), ["metal", 3], {"agent": "water", "best": True}),
        (("tag", "size", 3), ["size", 3], {}),
        (("tag", "agent", "agent", "water"), ["agent"], {"agent": "water"}),
        (("tag", 808), ["808"], {}),
        (("search", "kick drum", 2.0), ["kick drum", 2], {}),
        (("similar", "agent", ["water", "dry"]), [], {"agent": ["water", "dry"]}),
        (("similar", 0, "tags", 808, "seed", 3.0), [0], {"tags": "808", "seed": 3}),
        (("find", "like"), None, "'like' is a name and needs a value"),
        (("find", "text", "like"), [], {"text": "like"}),
        (("find", "like", [1.0, 2]), [], {"like": [1.0, 2]}),
        (("find", "metal", "near", ["pitch", 440]), ["metal"], {"near": {"pitch": 440}}),
        (("find", "metal", "near", ["pitch"]), None, "near cannot be"),
        (("id", 1, 2, "again", 1), [1, 2], {"again": 1}),
        (("near", "pitch", 440, "bpm", 120), [], {"pitch": 440, "bpm": 120}),
        (("near", 2, "pitch", 440), [2], {"pitch": 440}),
        (("effect", "lowpf", 400), ["lowpf", 400], {}),
        (("effect", "lowpf", "freq", 400), ["lowpf"], {"freq": 400}),
        (("effect", "lowpf", "freq", "high"), None, "freq cannot be 'high'"),
        (("agent", "size", "agent"), ["size", "agent"], {}),
        (("similarauto", 0, 3, "4b"), [0, 3, "4b"], {}),
        (("random", "size", 1, "size", 2), None, "'size' is no name it takes here"),
        (("random", "size", 1, "sise", 2), None, "'sise' is no name it takes here"),
        (("random", "size", 1, 7), None, "7 is no name it takes here"),
        (("random", "size", "many"), None, "size cannot be 'many'; it takes int"),
        (("play", None), None, "rate cannot be None"),
        (("play", True), None, "rate cannot be True"),
        (("slice", None), [None], {}),
        (("content", [1]), None, "feature cannot be"),
    ],
)
def test_each_value_is_where_it_belongs(said, given, named):
    if given is None:
        with pytest.raises(VerbError, match=named):
            read(*said)
        return
    assert read(*said) == (given, named)
