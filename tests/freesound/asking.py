"""How the server's own tests ask it."""

import requests


class Asking:
    """A session with the key; addresses are relative to the API."""

    def __init__(self, freesound):
        self.freesound = freesound
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Token {freesound.token}"

    def get(self, path="/search/", status=200, **params):
        """The JSON that is answered."""
        answer = self.session.get(
            path if path.startswith("http") else self.freesound.url + path, params=params, timeout=5
        )
        assert answer.status_code == status, answer.text[:300]
        assert answer.headers["content-type"] == "application/json"
        return answer.json()

    def detail(self, path="/search/", *, status, **params):
        """What a refusal says."""
        return self.get(path, status, **params)["detail"]

    def all(self, **params):
        """Rows of all pages, by `next`."""
        page = self.get(**{"page_size": 150, **params})
        rows = page["results"]
        while page["next"]:
            page = self.get(page["next"])
            rows += page["results"]
        return rows

    def ids(self, **params):
        return [row["id"] for row in self.all(fields="id", **params)]
