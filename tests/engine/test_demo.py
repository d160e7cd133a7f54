"""The demo on each kind of material, and what it leaves behind."""

import numpy as np
import pytest
import soundfile

from engine.demo import sonic_pi, synthesis
from engine.demo.run import examples


def test_on_sonic_pi_samples(mirla, home, tmp_path):
    done = mirla("--json", "demo", "--out", tmp_path / "demo.wav").json
    assert (done["sounds"], done["home"]) == (165, str(home))
    assert (done["agent"]["agent"], done["agent"]["good"], done["agent"]["bad"]) == ("percussive", 20, 20)
    assert done["agent"]["accuracy"]["value"] > done["agent"]["baseline"]
    assert len(done["comparisons"]) == 3
    for one in done["comparisons"]:
        assert all(hit["agents"]["percussive"]["label"] == "good" for hit in one["with"])
        assert one["target"] not in [hit["id"] for hit in one["without"] + one["with"]]
    assert [one["without"] for one in done["comparisons"]] != [one["with"] for one in done["comparisons"]]
    heard, rate = soundfile.read(tmp_path / "demo.wav")
    assert (len(heard) / rate, rate) == (20.0, 44100)
    assert np.abs(heard).max() <= 10 ** (-1 / 20)
    loud = np.abs(heard).max(axis=1).reshape(20, -1).max(axis=1)
    assert (loud > 1e-4).all(), "a second is silent"
    credits = (tmp_path / "demo-credits.txt").read_text().splitlines()
    assert credits == done["credited"]
    assert all("licensed under Creative Commons 0 1.0" in line for line in credits)
    again = mirla("--json", "status").json
    assert (again["sounds"], again["agents"]) == (165, ["percussive"])


def test_twice_in_one_home(mirla, tmp_path):
    folder = tmp_path / "in"
    synthesis.write(folder)
    for version in (1, 2):
        done = mirla("--json", "demo", folder, "--out", tmp_path / "demo.wav").json
        assert (done["sounds"], done["agent"]["version"]) == (96, version)


def test_without_material_it_synthesises_and_says_so(mirla, monkeypatch, tmp_path):
    monkeypatch.setattr(sonic_pi, "FOLDER", tmp_path / "not installed")
    done = mirla("demo", "--out", tmp_path / "demo.wav")
    assert "96 sounds that mirla synthesised" in done.err
    assert "percussive" in done.out
    assert "What to type next:" in done.out
    assert (tmp_path / "demo.wav").is_file()


@pytest.mark.parametrize(("count", "code"), [(0, 25), (1, 25), (2, 0)])
def test_a_folder_with_hardly_any_sounds(mirla, tmp_path, count, code):
    (tmp_path / "in").mkdir()
    for number in range(count):
        noise = np.random.default_rng(number).normal(size=44100) * 0.1
        soundfile.write(tmp_path / "in" / f"{number}.wav", noise, 44100)
    done = mirla("demo", tmp_path / "in", "--out", tmp_path / "demo.wav", check=code)
    if code:
        assert f"gave {count} sounds; the demo needs two at least" in done.err
    else:
        assert "no agent is taught" in done.err
        assert (tmp_path / "demo.wav").is_file()


def test_a_place_that_is_no_folder(mirla, tmp_path):
    assert "is not a folder" in mirla("demo", tmp_path / "nowhere", check=25).err


def test_sonic_pis_readme_is_read_whole():
    catalogue = sonic_pi.catalogue()
    assert len(catalogue) == 165
    ids = [entry.id for entry in catalogue.values()]
    assert (len([i for i in ids if i]), len(set(ids))) == (165, 164)
    entry = catalogue[sonic_pi.FOLDER / "glitch_perc1.flac"]
    assert (entry.id, entry.username, entry.tags) == (415548, "hullum", ("glitch", "perc"))
    assert entry.description == "Glitchy sounds"


def test_examples_leave_half_of_each_class_unseen(finished):
    lesson = examples(finished.sounds.many(finished.sounds.ids().tolist()))
    assert (lesson.agent, len(lesson.good), len(lesson.bad)) == ("percussive", 20, 20)
    assert not set(lesson.good) & set(lesson.bad)
    assert not set(lesson.unseen_good + lesson.unseen_bad) & set(lesson.good + lesson.bad)


def test_an_agent_of_the_same_name_is_left_alone(mirla, home, tmp_path):
    synthesis.write(tmp_path / "in")
    mirla("agent", "new", "percussive", "--about", "mine")
    done = mirla("--json", "demo", tmp_path / "in", "--out", tmp_path / "demo.wav").json
    assert done["agent"]["agent"] == "percussive-demo"
    mine = mirla("--json", "agent", "show", "percussive").json
    assert (mine["about"], mine["good"], mine["version"]) == ("mine", 0, None)
