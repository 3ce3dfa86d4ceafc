"""Record anew what a real Loki answers to `format_query` for the queries of the recorded file.

LOKI_URL=http://127.0.0.1:3100 python tests/unit/store/logql/record_format_answers.py

A query is added to the file as `["query", true, ""]`, and recorded with the others.
"""

from __future__ import annotations

import json
import os
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode, urlsplit

ANSWERS = Path(__file__).with_name("format_answers.json")
_OK = 200


def record(host: str) -> None:
    """Ask the Loki at host and port for each query, and write its answers."""
    connection = HTTPConnection(host, timeout=30)
    entries = [(query, *_ask(connection, query)) for query, *_ in json.loads(ANSWERS.read_text())]
    lines = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in entries)
    ANSWERS.write_text(f"[\n{lines}\n]\n")


def _ask(connection: HTTPConnection, query: str) -> tuple[bool, str]:
    """Whether Loki takes the query, and the formatted query or the error."""
    connection.request("GET", f"/loki/api/v1/format_query?{urlencode({'query': query})}")
    answer = connection.getresponse()
    text = answer.read().decode()
    is_taken = answer.status == _OK
    if text.startswith("{") and (is_taken or '"error"' in text):
        held = json.loads(text)
        return is_taken, held["data"] if is_taken else held["error"]
    return is_taken, text


if __name__ == "__main__":
    record(urlsplit(os.environ["LOKI_URL"]).netloc)
