import time
import uuid

import pytest
import requests

from lokikit.store.api.running import running_store

API = "/loki/api/v1"


class Client:
    """Asks a store over HTTP, in streams that no other test has."""

    def __init__(self, url):
        self.url = url
        self.run = uuid.uuid4().hex
        self.selector = f'{{run="{self.run}"}}'
        self.now_ns = time.time_ns() // 10**9 * 10**9
        self._session = requests.Session()

    def ask(self, path, method="GET", headers=None, data=None, **parameters):
        url = path if path.startswith("/") else f"{API}/{path}"
        return self._session.request(
            method,
            self.url + url,
            params=parameters,
            headers=headers,
            data=data,
            timeout=20,
            allow_redirects=False,
        )

    def push(self, *values, **labels):
        """The answer to a push of lines, or of pairs and triples for one stream."""
        entries = [
            [str(self.now_ns - 10**10 + index * 10**9), value] if isinstance(value, str) else value
            for index, value in enumerate(values)
        ]
        streams = [{"stream": {"run": self.run, **labels}, "values": entries}]
        return self._session.post(f"{self.url}{API}/push", json={"streams": streams}, timeout=20)

    def lines(self, query="", **parameters):
        answer = self.ask("query_range", query=self.selector + query, **parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]["result"]


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    with running_store(tmp_path_factory.mktemp("store")) as running:
        yield running


@pytest.fixture
def client(served):
    return Client(served.url)
