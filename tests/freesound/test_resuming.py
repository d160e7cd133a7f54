"""Random faults leave a client that does not give up with what it would have had without them."""

import pytest
import requests


class Stubborn:
    """The least client that ends well: asks again after each failure, starts anew when rows are missing."""

    def __init__(self, freesound, session):
        self.freesound, self.session = freesound, session
        self.failures = 0

    def harvest(self, query):
        """Ids that a search finds and the bytes of their previews."""
        rows = {}
        for _ in range(20):
            count = self._pages(query, rows)
            if len(rows) == count:
                return {key: self._preview(row["previews"]["preview-lq-ogg"]) for key, row in rows.items()}
        raise AssertionError(f"{len(rows)} sounds after 20 times")

    def _pages(self, query, rows):
        number, counts = 1, []
        while True:
            params = {"query": query, "fields": "id,previews", "page_size": 8, "page": number}
            page = self._until(f"{self.freesound.url}/search/", params, lambda answer: answer.json())
            if page is None:
                return None
            rows |= {row["id"]: row for row in page["results"] if row}
            counts.append(page["count"])
            if not page["next"]:
                return counts[0] if len(set(counts)) == 1 else None
            number += 1

    def _preview(self, url):
        def audio(answer):
            if answer.content[:4] != b"OggS":
                raise ValueError
            return answer.content

        return self._until(url, {}, audio)

    def _until(self, url, params, read):
        for _ in range(8):
            try:
                answer = self.session.get(url, params=params, timeout=5, allow_redirects=False)
                if answer.status_code == 404 and params.get("page", 1) > 1:
                    return None
                if answer.status_code == 200:
                    return read(answer)
            except (ValueError, requests.exceptions.RequestException):
                pass
            self.failures += 1
        raise AssertionError(f"{url} never answered")


@pytest.fixture
def stubborn(ask, freesound):
    return Stubborn(freesound, ask.session)


@pytest.mark.parametrize("seed", range(5))
def test_random_faults_end_in_the_same_corpus(stubborn, freesound, seed):
    right = stubborn.harvest("tabla")
    assert len(right) == 27
    assert all(right.values())
    assert stubborn.failures == 0
    freesound.faults.pause = 0.002
    freesound.faults.sometimes(seed, 0.4)
    assert stubborn.harvest("tabla") == right
    assert stubborn.failures > 5
