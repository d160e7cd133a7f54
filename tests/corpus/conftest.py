"""Real sounds for the tests of the corpus."""

from pathlib import Path

import pytest

SAMPLES = Path("/usr/share/sonic-pi/samples")


@pytest.fixture(scope="session")
def samples():
    """Sonic Pi's samples, the shortest first."""
    found = sorted(SAMPLES.glob("*.flac"), key=lambda path: path.stat().st_size)
    assert len(found) == 165, "the tests want Debian's sonic-pi-samples: apt-get install sonic-pi-samples"
    return found
