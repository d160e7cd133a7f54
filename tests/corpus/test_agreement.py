"""`agreement`: previews measured here against what the local Freesound measured in the originals."""

import math
import shutil
import statistics

import numpy as np
import pytest
import sqlalchemy as sa

from corpus import Corpus
from corpus.agreement import COEFFICIENTS, coefficients, farthest, typical
from corpus.errors import AnalysisError
from corpus.wanted import Query, Wanted

DRUMS = Query(tags=("drum",))
SWAPPED, OTHER = 100055, 4832


@pytest.fixture(scope="module", params=["hq-ogg", "hq-mp3"])
def harvested_home(request, tmp_path_factory, freesound_server):
    """A home with harvested and analysed sounds; to be copied, not changed."""
    home = tmp_path_factory.mktemp("harvested") / "home"
    harvest(home, freesound_server, Wanted((Query(ids=(SWAPPED, OTHER)), DRUMS), max_sounds=24, audio=request.param))
    with Corpus(home) as corpus:
        assert not corpus.analyse().failed
    return home


@pytest.fixture
def harvested(harvested_home, home):
    """A copy of it, open."""
    shutil.copytree(harvested_home, home)
    with Corpus(home) as corpus:
        yield corpus


def harvest(home, server, wanted):
    server.reset()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIRLA_FREESOUND_URL", server.url)
        patch.setenv("FREESOUND_TOKEN", server.token)
        patch.setenv("MIRLA_FREESOUND_PER_MINUTE", "100000")
        with Corpus(home) as corpus:
            report = corpus.harvest(wanted)
            assert (report.state, report.failed) == ("done", [])


def pairs(corpus, server, number):
    """(id, measured, served) of one of the 26 numbers, the served ones from the server itself."""
    place = "mfcc" if number < 13 else "mfcc_var"
    served = {record["id"]: record[place] for record in server.catalogue.records}
    ids = [i for i in corpus.sounds.ids().tolist() if served[i]]
    return [(i, float(corpus.vectors.of_sound(i)["mfcc"][number]), served[i][number % 13]) for i in ids]


def percentile(values, share):
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def test_every_figure_is_what_brute_force_gives(harvested, freesound_server):
    found = harvested.agreement(k=7)
    deviations = {}
    for number, one in enumerate(found.coefficients):
        ids, measured, served = zip(*pairs(harvested, freesound_server, number), strict=True)
        assert found.ids.tolist() == list(ids)
        assert len(ids) >= 20
        differences = [m - s for m, s in zip(measured, served, strict=True)]
        sizes = [abs(d) for d in differences]
        assert one.name == f"mfcc {number % 13} {'mean' if number < 13 else 'variance'}"
        assert one.bias == pytest.approx(statistics.fmean(differences), rel=1e-3, abs=1e-3)
        assert one.median == pytest.approx(statistics.median(sizes), rel=1e-3, abs=1e-3)
        assert one.p95 == pytest.approx(percentile(sizes, 0.95), rel=1e-3, abs=1e-3)
        assert one.max == pytest.approx(max(sizes), rel=1e-3, abs=1e-3)
        assert one.correlation == pytest.approx(statistics.correlation(measured, served), abs=1e-6)
        spread = statistics.pstdev(served)
        for i, difference in zip(ids, differences, strict=True):
            deviations.setdefault(i, []).append((abs(difference) / spread, difference))
    ranked = sorted(deviations, key=lambda i: (-max(deviations[i])[0], i))
    assert [found.ids[one.row] for one in found.farthest] == ranked[:7]
    for one in found.farthest:
        own = deviations[found.ids[one.row]]
        number = max(range(26), key=lambda place: own[place][0])
        assert one.coefficient == COEFFICIENTS[number]
        assert (one.deviations, one.difference) == pytest.approx(own[number], rel=1e-3)
    every = [deviation for own in deviations.values() for deviation, _ in own]
    assert found.typical == pytest.approx(statistics.median(every), rel=1e-3)


def test_previews_are_near_their_originals(harvested):
    """hq-ogg is far (mfcc 0 mean by up to 160) unless the decoder's tail is trimmed off."""
    found = harvested.agreement()
    (source,) = found.by_source
    assert source in ("hq-ogg", "hq-mp3")
    assert found.by_source[source] == len(found.ids)
    assert found.typical < 0.03
    assert found.coefficients[0].max < 5
    assert all(one.correlation > 0.98 for one in found.coefficients)


def test_a_preview_of_another_sound_is_the_farthest(harvested):
    before = harvested.agreement(k=1).farthest[0]
    swapped, other = harvested.sounds.many([SWAPPED, OTHER])
    shutil.copyfile(other.file.path, swapped.file.path)
    with harvested.database.write() as connection:
        facts = {"frames": other.file.frames, "rate": other.file.samplerate, "which": SWAPPED}
        connection.execute(
            sa.text("update files set frames = :frames, samplerate = :rate where sound_id = :which"), facts
        )
    assert not harvested.analyse(ids=[SWAPPED], redo=True).failed
    found = harvested.agreement(k=3)
    assert found.ids[found.farthest[0].row] == SWAPPED
    assert found.farthest[0].deviations > 2 * before.deviations
    assert found.farthest[0].deviations > 2 * found.farthest[1].deviations


def test_files_are_counted_by_their_source(harvested):
    with harvested.database.write() as connection:
        connection.execute(sa.text("update files set source = 'original' where sound_id in (100055, 4832)"))
        columns = "sound_id, linked, sha256, bytes, format, samplerate, channels, frames, added"
        others = f"select {columns}, 'not measured', path || '.other', 0 from files"
        connection.execute(sa.text(f"insert into files ({columns}, source, path, preferred) {others}"))
    by_source = harvested.agreement().by_source
    assert by_source.pop("original") == 2
    assert sum(by_source.values()) == len(harvested.agreement().ids) - 2


def test_only_sounds_with_both_vectors_are_compared(harvested, samples):
    before = harvested.agreement().ids.tolist()
    harvested.adopt([samples[50]])
    harvested.analyse(jobs=1)
    assert harvested.agreement().ids.tolist() == before
    with harvested.database.write() as connection:
        mfcc = "select id from spaces where name = 'mfcc'"
        connection.execute(sa.text(f"delete from vectors where sound_id = 100055 and space_id in ({mfcc})"))
    assert harvested.agreement().ids.tolist() == [i for i in before if i != SWAPPED]


def test_the_command_answers_all_of_it(harvested, mirla):
    found = harvested.agreement(k=2)
    data = mirla("--json", "agreement", "-k", 2).json
    assert set(data) == {"sounds", "by_source", "typical_deviations", "coefficients", "farthest"}
    assert (data["sounds"], data["by_source"]) == (len(found.ids), found.by_source)
    assert [one["name"] for one in data["coefficients"]] == list(COEFFICIENTS)
    assert data["coefficients"][3] == vars(found.coefficients[3])
    first, second = data["farthest"]
    assert set(first) == {"id", "name", "coefficient", "difference", "deviations"}
    assert first["name"] == harvested.sounds.get(first["id"]).name
    assert first["deviations"] >= second["deviations"]
    plain = mirla("agreement", "-k", 2).out
    last = found.coefficients[25]
    assert f"mfcc 12 variance {last.bias:.3f} {last.median:.3f} {last.p95:.3f}" in " ".join(plain.split())
    heading, *rows = plain.splitlines()[:27]
    end = heading.index("bias") + len("bias")
    assert any("-" in row for row in rows), "else nothing is tested"
    assert all(row[end - 1].isdigit() and row[end] == " " for row in rows), "negative numbers are set to the right too"
    assert f"{len(found.ids)} sounds compared (" in plain
    assert "listen to those first" in plain
    assert str(second["id"]) in plain


def test_nothing_to_compare_says_what_to_run(mirla, home, samples, freesound_server):
    assert "run `mirla harvest` and then `mirla analyse`" in mirla("agreement", check=AnalysisError.exit_code).err
    with Corpus(home) as corpus:
        corpus.adopt([samples[50]])
        corpus.analyse()
    assert "run `mirla harvest`" in mirla("agreement", check=AnalysisError.exit_code).err
    harvest(home, freesound_server, Wanted((Query(ids=(SWAPPED, OTHER)),)))
    done = mirla("agreement", check=AnalysisError.exit_code)
    assert "none of the 2 sounds with MFCCs by Freesound is measured here; run `mirla analyse`" in done.err
    assert (done.out, len(done.err.splitlines())) == ("", 1)
    mirla("analyse", SWAPPED)
    assert mirla("--json", "agreement").json["sounds"] == 1
    assert "1 sound compared (1 hq-ogg)." in mirla("agreement").out


def matrices(n, seed=1):
    generator = np.random.default_rng(seed)
    served = generator.normal(size=(n, 26)) * np.arange(1, 27)
    return served + 0.1 * generator.normal(size=(n, 26)), served


def test_one_sound_has_differences_but_no_spread():
    measured, served = matrices(1)
    assert {one.correlation for one in coefficients(measured, served)} == {None}
    assert typical(measured, served) is None
    (far,) = farthest(measured, served, 5)
    number = int(np.abs(measured - served)[0].argmax())
    assert (far.row, far.coefficient, far.deviations) == (0, COEFFICIENTS[number], None)
    assert far.difference == (measured - served)[0, number]


def test_a_number_that_never_changes_has_no_correlation_and_no_say():
    measured, served = matrices(20)
    served[:, 4] = 0.1  # whose mean is not 0.1 to the last bit
    measured[3, 4] = 1e6
    found = coefficients(measured, served)
    assert [place for place, one in enumerate(found) if one.correlation is None] == [4]
    assert all(far.coefficient != COEFFICIENTS[4] for far in farthest(measured, served, 20))
    measured[:, 7] = 0.1
    assert coefficients(measured, served)[7].correlation is None


def test_ties_go_to_the_earlier_row():
    rows = np.arange(100)
    served = np.repeat(4.0 * (rows % 2)[:, None], 26, axis=1)  # its standard deviation is 2
    measured = served + 2.0 * (rows % 3 == 0)[:, None]
    found = farthest(measured, served, 200)
    assert [far.row for far in found] == [*rows[rows % 3 == 0], *rows[rows % 3 != 0]]
    assert [far.deviations for far in found] == [1.0] * 34 + [0.0] * 66


def test_equal_matrices_agree():
    _, served = matrices(100)
    assert all((one.bias, one.max, one.correlation) == (0, 0, pytest.approx(1)) for one in coefficients(served, served))
    assert typical(served, served) == 0
