"""Customers of the shop: browsing, buying, impatient, unlucky, and some who find its bugs."""

from __future__ import annotations

import logging
import random
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import requests
from environment import Demo, read_demo, start_logging
from journeys import Ended, shuffled
from stopping import Stop

import lokikit
from lokikit import fields

if TYPE_CHECKING:
    from journeys import Journey

_log = logging.getLogger("traffic")
_CUSTOMERS = 4
_TIMEOUT_S = 30
_PATIENCE_S = 5
"""How long a customer stays away from a shop that does not answer."""


@dataclass
class Budget:
    """How many requests may still be sent, by all customers together.

    Args:
        left: that number, `None` for no end.
    """

    left: int | None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self) -> bool:
        """Whether one more request may be sent; it counts as sent."""
        with self._lock:
            if self.left is None:
                return True
            self.left -= 1
            return self.left >= 0


@dataclass(frozen=True)
class Customer:
    """Goes on one journey after the other.

    Args:
        url: of the shop.
        pause_s: between two requests, on average.
        budget: shared by all customers.
        stop: ends the shopping.
    """

    url: str
    pause_s: float
    budget: Budget
    stop: Stop

    def shop(self) -> None:
        """Send requests until the budget is used up or `stop` is set."""
        try:
            for journey in shuffled():
                self._go(journey)
        except Ended:
            return

    def _go(self, journey: Journey) -> None:
        session = lokikit.pass_request_id(requests.Session())
        with session, lokikit.bound(journey=journey.__name__):
            try:
                journey(lambda *step, **body: self._send(session, *step, **body))
            except requests.RequestException as error:
                _log.warning("the shop does not answer: %s", error)
                self._pause(_PATIENCE_S)
            except KeyError as error:
                _log.warning("the shop answered without %s, the customer leaves", error)

    def _send(self, session: requests.Session, method: str, path: str, **body: Any) -> Any:
        self._pause(self.pause_s * random.uniform(0.5, 1.5))
        if not self.budget.take():
            raise Ended
        with lokikit.bound(**{fields.REQUEST_ID: uuid4().hex}):
            return _request(session, method, self.url + path, body)

    def _pause(self, pause_s: float) -> None:
        if self.stop.wait(pause_s):
            raise Ended


def _request(session: requests.Session, method: str, url: str, body: dict[str, Any]) -> Any:
    started_s = time.perf_counter()
    answer = session.request(method, url, json=body or None, timeout=_TIMEOUT_S)
    waited = {"waited_ms": round((time.perf_counter() - started_s) * 1000, 3)}
    _log.info("%s %s answered %d", method, url, answer.status_code, extra=waited)
    return answer.json() if answer.headers["Content-Type"] == "application/json" else {}


def send_all(demo: Demo, stop: Stop) -> None:
    """Let all customers shop; returns when the last one has left."""
    budget = Budget(demo.requests or None)
    pause_s = _CUSTOMERS / demo.requests_per_s
    customer = Customer(f"http://{demo.host}:{demo.port}", pause_s, budget, stop)
    threads = [threading.Thread(target=customer.shop, name=f"c{n}") for n in range(_CUSTOMERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    start_logging("traffic")
    send_all(read_demo(), Stop().on_signals())
