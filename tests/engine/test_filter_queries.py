"""`--filter` in every query: filter first, then order; a filter that cannot be read is one line and an exit code."""

import numpy as np
import pytest
import sqlalchemy as sa

from corpus.errors import FilterError
from engine.query.run import Choice, random_sounds, search, similar

SHORT = "duration:[0 TO 1]"


@pytest.fixture(scope="module")
def short(finished):
    """Ids of the sounds that last a second at most, by the database itself."""
    with finished.database.read() as connection:
        ids = connection.execute(sa.text("select id from sounds where duration <= 1 order by id")).scalars().all()
    assert 20 < len(ids) < 120
    return ids


def ids(answer):
    return [hit.sound.id for hit in answer.hits]


def test_a_search_keeps_its_order(finished, short):
    answer = search(finished, Choice(k=500, filter=SHORT))
    assert ids(answer) == short
    assert answer.allowed == len(short)
    ranked = ids(search(finished, Choice(k=500, text="drum")))
    assert ids(search(finished, Choice(k=500, text="drum", filter=SHORT))) == [one for one in ranked if one in short]


def test_similar_finds_the_nearest_of_those_that_fit(finished, short):
    everything = ids(similar(finished, 100055, Choice(k=500)))
    answer = similar(finished, 100055, Choice(k=7, filter=SHORT))
    assert ids(answer) == [one for one in everything if one in short][:7]
    assert answer.allowed == len(set(short) - {100055})
    assert [hit.distance for hit in answer.hits] == sorted(hit.distance for hit in answer.hits)


def test_chance_draws_from_what_fits_alone(finished, short):
    drawn = ids(random_sounds(finished, Choice(k=500, filter=SHORT, seed=3)))
    assert sorted(drawn) == short
    assert drawn != short
    expected = np.random.default_rng(3).permutation(np.array(short))
    assert drawn == expected.tolist()


def test_it_narrows_what_the_other_options_leave(finished, short):
    drums = ids(search(finished, Choice(k=500, tags=("drum",), licences=("CC0",))))
    both = ids(search(finished, Choice(k=500, tags=("drum",), licences=("CC0",), filter=f"-({SHORT})")))
    assert both == [one for one in drums if one not in short]
    assert both
    assert ids(search(finished, Choice(k=500, tags=("drum",), filter="-tag:drum"))) == []


def test_the_command_line_takes_it_in_every_query(mirla, finished_home, short):
    def answer(*arguments):
        return mirla("--json", *arguments, home=finished_home).json

    found = answer("search", "--filter", SHORT, "-k", "500")
    assert [hit["id"] for hit in found["results"]] == short
    assert found["total"] == len(short)
    assert answer("similar", "100055", "--filter", f"-{SHORT}")["allowed"] == 165 - 1 - len(set(short) - {100055})
    assert len(answer("random", "--filter", SHORT, "-k", "500")["results"]) == len(short)
    assert answer("search", "--filter", 'license:"Creative Commons 0" type:flac channels:(1 OR 2)')["total"] == 165
    assert answer("search", "--filter", "-username:*")["total"] == 0
    assert answer("search", "--filter", "")["total"] == 165


@pytest.mark.parametrize("command", [["search"], ["random"], ["similar", "100055"]])
def test_a_filter_that_cannot_be_read_is_one_line_and_an_exit_code(mirla, finished_home, command):
    done = mirla("--json", *command, "--filter", "duration:1 pich:440", home=finished_home, check=31)
    assert done.err.startswith("mirla: the filter, at character 12: no field 'pich'; known are pitch, ")
    assert done.err.count("\n") == 1
    assert done.json["code"] == FilterError.exit_code
    assert mirla(*command, "--filter", " ", home=finished_home, check=31).out == ""
    escaped = mirla(*command, "--filter", "\x1b[31m:1", home=finished_home, check=31).err
    assert "\x1b" not in escaped


def test_an_agent_judges_only_what_fits(sonic, short):
    from engine.agent.training import train

    agent = sonic.agents.create("a", "", ["mfcc"], "mlp")
    sonic.agents.annotate(agent, [100055, 100057, 100053, 75338], "good", who="me", session="s")
    sonic.agents.annotate(agent, [100051, 100065, 130427, 4832], "bad", who="me", session="s")
    train(sonic, "a")
    good = ids(search(sonic, Choice(k=500, agents=("a",))))
    answer = search(sonic, Choice(k=500, agents=("a",), filter=SHORT))
    assert ids(answer) == [one for one in good if one in short]
    assert answer.refused == {"a": len(short) - answer.allowed}
