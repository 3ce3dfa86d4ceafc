from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lokikit import fields

if TYPE_CHECKING:
    from collections.abc import Iterator

DEMO = Path(__file__).parents[2] / "deploy/demo"

CUSTOMER = """
import json, logging, sys
import journeys, shop

client = shop.app.test_client()

def send(method, path, **body):
    headers = {"X-Request-ID": path.rpartition("?id=")[2]} if "?id=" in path else {}
    answer = client.open(path, method=method, json=body or None, headers=headers)
    request_id = answer.headers["X-Request-ID"]
    seen = {"id": request_id, "status": answer.status_code, "bytes": len(answer.data)}
    print(json.dumps(seen), file=sys.stderr)
    return answer.get_json(silent=True)

for journey in dict.fromkeys(journeys.ROUND):
    journey(send)
for path in ("/", "/?id=abc-1.2_3", "/?id=a b", "/?id=" + "x" * 129):
    send("GET", path)
client.get("/health").close()
logging.getLogger("afterwards").info("no request")
"""


@dataclass
class Visit:
    """What the customer saw, and what the shop wrote meanwhile."""

    answers: list[dict[str, Any]]
    lines: list[dict[str, Any]]

    def of(self, status: int) -> Iterator[list[dict[str, Any]]]:
        """The lines of each request that was answered with `status`."""
        for answer in self.answers:
            if answer["status"] == status:
                yield [one for one in self.lines if one.get("request_id") == answer["id"]]


def request_lines(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that tell of a request as a whole."""
    return [line for line in lines if fields.HTTP_STATUS in line]


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory) -> Visit:
    """One pass through every journey, in a process of its own: set-up changes the whole process."""
    database = tmp_path_factory.mktemp("shop") / "shop.sqlite3"
    environ = {**os.environ, "ENV": "test", "DEMO_DATABASE": str(database), "DEMO_SLOW_S": "0.01"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", CUSTOMER],
        cwd=DEMO,
        env={**environ, "LOG_FORMAT": "json"},
        capture_output=True,
        check=True,
    )
    answers, lines = done.stderr.splitlines(), done.stdout.splitlines()
    return Visit([json.loads(one) for one in answers], [json.loads(one) for one in lines])


def test_each_request_has_exactly_one_line(visit: Visit) -> None:
    """The ids of the request lines are the ids that the customer got back, in their order."""
    logged = [line[fields.REQUEST_ID] for line in request_lines(visit.lines)]
    assert logged == [answer["id"] for answer in visit.answers]


def test_a_request_line_has_every_field_of_the_contract(visit: Visit) -> None:
    """Only a request that met no route lacks a field, and that is the route."""
    for line in request_lines(visit.lines):
        missing = {*fields.REQUIRED_FIELDS, *fields.REQUEST_FIELDS} - set(line)
        assert missing == ({"http_route"} if line["http_path"] == "/wp-login.php" else set())


def test_a_request_line_tells_what_the_customer_saw(visit: Visit) -> None:
    """Status and size are those of the answer, error pages included."""
    seen = [(answer["status"], answer["bytes"]) for answer in visit.answers]
    logged = [(line[fields.HTTP_STATUS], line[fields.BYTES]) for line in request_lines(visit.lines)]
    assert logged == seen
    assert all(size > 0 for _, size in seen)


def test_the_route_is_the_template(visit: Visit) -> None:
    """Every route is met but that of the health check, and none is logged with an id in it."""
    routes = {line.get(fields.HTTP_ROUTE) for line in request_lines(visit.lines)}
    ids = {"/products/{product_id}", "/orders/{order_id}"}
    assert routes == {"/", "/cart", "/checkout", None, *ids}


def test_the_path_is_the_path_without_its_query(visit: Visit) -> None:
    """What a client puts behind the question mark stays out of the log."""
    assert not any("?" in line[fields.HTTP_PATH] for line in request_lines(visit.lines))


def test_a_crash_is_one_line_with_its_stacktrace(visit: Visit) -> None:
    """The four bugs end in a 500 whose request line has the exception; nobody else repeats it."""
    kinds = set()
    for lines in visit.of(500):
        (crash,) = [line for line in lines if fields.STACKTRACE in line]
        assert crash[fields.HTTP_STATUS] == 500
        assert crash[fields.LEVEL] == "error"
        assert f"{crash[fields.EXC_TYPE]}: " in crash[fields.STACKTRACE]
        kinds.add(crash[fields.EXC_TYPE])
    assert kinds == {"KeyError", "ValueError", "TypeError", "RuntimeError"}


@pytest.mark.parametrize(
    ("status", "kind", "cause"),
    [
        (402, "PaymentDeclinedError", None),
        (409, "SoldOutError", None),
        (502, "WarehouseError", "ConnectionRefusedError"),
        (503, "PaymentUnavailableError", "TimeoutError"),
    ],
)
def test_a_refusal_is_logged_with_its_cause(
    visit: Visit, status: int, kind: str, cause: str | None
) -> None:
    """The line before the request's own has the exception and the one behind it."""
    ((*_, refused, request),) = visit.of(status)
    assert refused[fields.EXC_TYPE] == f"shop_errors.{kind}"
    assert refused[fields.LEVEL] == request[fields.LEVEL] == ("warning", "error")[status >= 500]
    assert fields.STACKTRACE not in request
    assert cause is None or cause in refused[fields.STACKTRACE]


def test_a_card_is_never_logged(visit: Visit) -> None:
    """The token is an extra of the checkout, and shows as redacted."""
    charged = [line["payment"]["card_token"] for line in visit.lines if "payment" in line]
    assert set(charged) == {fields.REDACTED}
    assert "tok_" not in json.dumps(visit.lines)


def test_a_sane_request_id_is_kept_and_any_other_replaced(visit: Visit) -> None:
    """Only a short id without blanks comes back as the customer sent it."""
    _, kept, *replaced = [answer["id"] for answer in visit.answers[-4:]]
    assert kept == "abc-1.2_3"
    assert all(len(one) == 32 and one.isalnum() for one in replaced)


def test_the_request_id_ends_with_the_request(visit: Visit) -> None:
    """A line after the last request has none."""
    (afterwards,) = [line for line in visit.lines if line[fields.LOGGER] == "afterwards"]
    assert fields.REQUEST_ID not in afterwards


def test_the_service_has_a_name_without_being_told(visit: Visit) -> None:
    """Without SERVICE_NAME it is `shop`."""
    assert {line[fields.SERVICE] for line in visit.lines} == {"shop"}
