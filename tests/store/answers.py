"""Answers of Loki's API: asked, made independent of the time of day, compared, kept in files."""

from __future__ import annotations

import gzip
import math
import re
from functools import cache
from http.client import HTTPConnection
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import orjson
from tests.store.corpus import S, Stream, corpora
from tests.store.requests import TIMES, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

FOLDER = Path(__file__).with_name("answers")
OK = 200
WRONG, FAILED = 400, 500
DETAILS = "__error_details__"
PRECISION = 1e-12
"""Relative: the order in which floats are added is not defined."""
_API = "/loki/api/v1"
_TIES = re.compile(r"(?:topk|bottomk)\b(?!.*sum_over_time)")
"""Queries that choose between equal values: which series they take is not defined."""


class Api:
    """A Loki, or what speaks as it does.

    Args:
        host: where it listens.
        port: likewise.
        base_ns: when the lines of the corpora begin.
    """

    def __init__(self, host: str, port: int, base_ns: int) -> None:
        self._connection = HTTPConnection(host, port, timeout=60)
        self._base_ns = base_ns

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def push(self) -> None:
        """Store all corpora."""
        streams = [stream for streams in corpora().values() for stream in streams]
        body = orjson.dumps({"streams": [self._stream(stream) for stream in streams]})
        status, answer = self._send(
            "POST", f"{_API}/push", body, {"Content-Type": "application/json"}
        )
        assert status == 204, answer

    def ask(self, request: Request) -> Any:
        """The answer, in the form that is compared."""
        params = [(name, self._value(name, value)) for name, value in request.params]
        headers = {"X-Loki-Response-Encoding-Flags": request.flags} if request.flags else {}
        status, body = self._send(
            "GET", f"{_API}/{request.path}?{urlencode(params)}", None, headers
        )
        if status != OK:
            return [status, refusal(body)]
        return [status, normalised(request, orjson.loads(body), self._base_ns)]

    def _value(self, name: str, value: str | float) -> str:
        if name not in TIMES:
            return str(value)
        return str(self._base_ns + round(float(value) * S))

    def _stream(self, stream: Stream) -> dict[str, Any]:
        labels, entries = stream
        values = [
            [str(self._base_ns + one.offset_ns), one.line, dict(one.metadata)] for one in entries
        ]
        return {"stream": dict(labels), "values": values}

    def _send(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        self._connection.request(method, path, body, dict(headers))
        answer = self._connection.getresponse()
        return answer.status, answer.read()


def refusal(body: bytes) -> str:
    """The text of a refusal, without the series that Loki happened to meet first."""
    return body.decode(errors="replace").strip().split(" for series", 1)[0]


def normalised(request: Request, body: Any, base_ns: int) -> Any:
    """What of an answer is compared: times relative, sorted where Loki's order is not defined."""
    simple = _SIMPLE.get(request.path.split("/", 1)[0])
    return _result(request, body["data"], base_ns) if simple is None else simple(body)


def _index(body: Any) -> Any:
    """Of statistics the counts; of volumes the groups, since their bytes are those of chunks."""
    if "data" not in body:
        return {name: body[name] for name in ("streams", "entries")}
    return sorted((one["metric"] for one in body["data"]["result"]), key=_labels_first)


def _listed(body: Any) -> Any:
    return sorted(body.get("data") or [], key=_labels_first)


_SIMPLE: Mapping[str, Callable[[Any], Any]] = {
    "labels": _listed,
    "label": _listed,
    "series": _listed,
    "index": _index,
    "detected_fields": lambda body: sorted(map(_field, body.get("fields") or [])),
    "detected_labels": lambda body: sorted(
        [one["label"], one["cardinality"]] for one in body.get("detectedLabels") or []
    ),
    # Loki indents some lines otherwise than others, and leaves spaces at ends of lines.
    "format_query": lambda body: " ".join(body["data"].split()),
    "patterns": lambda body: body.get("data"),
}
"""Begin of the path -> what of its answers is compared; all others answer queries."""


def _field(held: Mapping[str, Any]) -> list[Any]:
    return [held["label"], held["type"], held["cardinality"], sorted(held.get("parsers") or [])]


def _result(request: Request, data: Mapping[str, Any], base_ns: int) -> list[Any]:
    kind, result = data["resultType"], data["result"]
    if kind == "streams":
        return [kind, sorted((_entries(one, base_ns) for one in result), key=_labels_first)]
    if kind == "scalar":
        return [kind, result[1]]
    samples = [_samples(one, base_ns) for one in result]
    query = str(dict(request.params).get("query", ""))
    if _TIES.search(query):
        return [kind, sorted(pair for _, values in samples for pair in values)]
    if kind == "vector" and query.startswith("sort"):
        equal = groupby(samples, key=lambda sample: sample[1])
        return [kind, [one for _, held in equal for one in sorted(held, key=_labels_first)]]
    return [kind, sorted(samples, key=_labels_first)]


def _labels_first(held: Any) -> bytes:
    return orjson.dumps(held, option=orjson.OPT_SORT_KEYS)


def _entries(held: Mapping[str, Any], base_ns: int) -> list[Any]:
    entries = [[int(time) - base_ns, *more] for time, *more in held["values"]]
    ordered: list[Any] = []
    for _, same in groupby(entries, key=lambda entry: entry[0]):
        ordered += sorted(same, key=_labels_first)
    return [held["stream"], ordered]


def _samples(held: Mapping[str, Any], base_ns: int) -> list[Any]:
    values = held["values"] if "values" in held else [held["value"]]
    # Loki may answer several values at one time, in any order.
    return [held["metric"], sorted([round(time - base_ns / S, 3), value] for time, value in values)]


def same(expected: Any, actual: Any) -> bool:
    """Whether two answers are equal, numbers to the precision of sums of floats."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        return expected.keys() == actual.keys() and all(
            same(value, actual[name]) or (name == DETAILS and _same_problem(value, actual[name]))
            for name, value in expected.items()
        )
    if isinstance(expected, (list, tuple)) and isinstance(actual, (list, tuple)):
        return len(expected) == len(actual) and all(map(same, expected, actual))
    if expected == actual:
        return True
    return isinstance(expected, str) and isinstance(actual, str) and _close(expected, actual)


def _same_problem(expected: str, actual: str) -> bool:
    """Whether two details of an error are the same but for Go's position in the template."""
    return expected.startswith("template: ") and expected.endswith(f": {actual}")


def _close(expected: str, actual: str) -> bool:
    try:
        return math.isclose(float(expected), float(actual), rel_tol=PRECISION)
    except ValueError:
        return False


def error_class(text: str) -> str:
    """The kind of a refusal: Loki's words up to what it says about the text of the query."""
    for kind in ("parse error", "pipeline error", "unexpected", "invalid", "limit"):
        if kind in text:
            return kind
    return ""


def matches(expected: Any, actual: Any) -> bool:
    """Whether an answer is Loki's: of a refusal the status and the kind of its text.

    Loki answers 500 to some queries that are wrong; the store answers 400 to these.
    """
    if expected[0] != OK:
        status = WRONG if expected[0] == FAILED else expected[0]
        kinds = (error_class(expected[1]), error_class(str(actual[1])))
        return bool(status == actual[0]) and kinds[0] == kinds[1]
    return same(expected, actual)


def write(answers: Iterable[tuple[Request, Any]]) -> None:
    """Keep answers, in one file for each corpus."""
    by_corpus: dict[str, dict[str, Any]] = {}
    for request, answer in answers:
        by_corpus.setdefault(request.corpus or "none", {})[request.key] = answer
    FOLDER.mkdir(exist_ok=True)
    for corpus, held in by_corpus.items():
        text = b"{\n" + b",\n".join(_lines(held)) + b"\n}\n"
        # Without a time in its header the file changes only with the answers.
        (FOLDER / f"{corpus}.json.gz").write_bytes(gzip.compress(text, mtime=0))


def _lines(held: Mapping[str, Any]) -> Iterator[bytes]:
    for key, answer in held.items():
        yield orjson.dumps(key) + b":" + orjson.dumps(answer, option=orjson.OPT_SORT_KEYS)


@cache
def read() -> dict[str, Any]:
    """Key of a request -> Loki's answer."""
    found: dict[str, Any] = {}
    for path in sorted(FOLDER.glob("*.json.gz")):
        found |= orjson.loads(gzip.decompress(path.read_bytes()))
    return found
