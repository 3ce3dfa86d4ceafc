"""`lokikit page` as a process, for the tests and for the pictures of the documentation."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.forked import COMMAND, Forked
from tests.ports import free_ports
from tests.stack.demo import ONE_ROUND_OF_TASKS, Programs
from tests.stack.engines import EMBEDDED
from tests.waiting import eventually

from lokikit.stack.http_probe import answers
from lokikit.stack.native.page import HEALTH_PATH

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


_REQUESTS = 150


@contextmanager
def demo_store(folder: Path, env: str) -> Iterator[str]:
    """The URL of an embedded store in `folder` that the demo has written to."""
    store = EMBEDDED.make(folder, {}).start()
    try:
        demo = Programs(store.url, env, _REQUESTS, 2 * ONE_ROUND_OF_TASKS)
        demo.run()
        demo.deliver()
        yield store.url
    finally:
        store.kill()


@contextmanager
def running_page(loki_url: str, state: Path, **variables: str) -> Iterator[str]:
    """The address of a page over that Loki; a stack's state would be in `state`."""
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    state.mkdir(parents=True, exist_ok=True)
    environ = {**os.environ, "LOKI_URL": loki_url, "LOKIKIT_STATE": str(state), **variables}
    log = state / "page.log"
    process = Forked(COMMAND, ["page", "--port", str(port)], environ, (log, log))
    try:
        eventually(lambda: answers(url + HEALTH_PATH), within_s=60)
        yield url
    finally:
        process.terminate()
        process.wait(60)
