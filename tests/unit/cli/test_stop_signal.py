from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

from lokikit.cli.stop_signal import StopSignal

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def stop() -> Iterator[StopSignal]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield StopSignal()
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_asks_to_stop(stop: StopSignal, number: int) -> None:
    assert not stop.asked
    os.kill(os.getpid(), number)
    assert stop.asked


def test_wish_ends_a_wait(stop: StopSignal) -> None:
    stop.ask()
    started_s = time.monotonic()
    stop.sleep(3600)
    assert time.monotonic() - started_s < 3000
