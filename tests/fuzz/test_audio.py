"""Real audio files with bytes changed, cut out and put in: each is taken or refused, and no worker is lost to it."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from corpus.analysis.inspect import Inspected, inspect
from corpus.errors import AudioError
from corpus.workers import Workers
from tests.audio_files import FORMATS, write_tone
from tests.fuzzing import examples

DEADLINE = 60.0
MEMORY = 3 << 30
CHANGES = st.lists(
    st.tuples(st.floats(0, 1) | st.floats(0, 0.05), st.integers(0, 64), st.binary(max_size=16)), min_size=1, max_size=6
)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("formats")
    return {kind: write_tone(folder / f"tone.{kind}", 440, kind=kind, seconds=0.2).read_bytes() for kind in FORMATS}


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    """The gate, as adoption passes it: in a supervised worker."""
    folder = tmp_path_factory.mktemp("gate")
    with Workers(1, MEMORY) as workers:

        def pass_through(kind, content):
            path = folder / f"file.{kind}"
            path.write_bytes(content)
            ((_, answer),) = workers.over([path], inspect, lambda _: DEADLINE)
            return answer

        yield pass_through


@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(sorted(FORMATS)), changes=CHANGES)
@example(kind="wav", changes=[(0.0, 64, b"RIFF\xff\xff\xff\xffWAVE")])
@example(kind="flac", changes=[(0.01, 8, b"\xff" * 16)])
def test_a_changed_file_is_taken_or_refused(files, gate, kind, changes):
    content = files[kind]
    for place, cut, piece in changes:
        at = int(place * len(content))
        content = content[:at] + piece + content[at + cut :]
    answer = gate(kind, content)
    if isinstance(answer, Inspected):
        assert answer.frames > 0
        assert answer.channels > 0
        assert answer.samplerate > 0
    else:
        assert isinstance(answer, AudioError), answer
        assert "\n" not in str(answer)


@settings(max_examples=examples(20), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(sorted(FORMATS)), content=st.binary(max_size=300))
def test_any_bytes_are_refused(gate, kind, content):
    assert isinstance(gate(kind, content), AudioError)


def test_the_gate_is_still_open(files, gate):
    for kind, content in files.items():
        answer = gate(kind, content)
        assert isinstance(answer, Inspected), answer
        assert answer.format == kind
