"""`LokiHandler` in the programs that people really have: patched, async, configured, typed in."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import pytest
from tests.stack.pushing import (
    REPOSITORY,
    Programs,
    assert_exact,
    new_service,
    stored,
    stored_numbers,
)

pytestmark = pytest.mark.loki_in_soak

SET_UP = """
    import logging, sys, threading
    import lokikit
    url, service = sys.argv[1:3]
    handler = lokikit.LokiHandler(url, service=service, env="test")
    logger = logging.getLogger("runtimes")
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
"""
PROGRAMS = {
    "gevent": """
    from gevent import monkey
    monkey.patch_all()
    import gevent
    {set_up}
    def log(writer):
        for number in range(200):
            logger.info("line %d %d", writer, number)
            gevent.sleep(0)
    gevent.joinall([gevent.spawn(log, writer) for writer in range(4)], raise_error=True)
    """,
    "asyncio": """
    import asyncio
    {set_up}
    async def log(writer):
        for number in range(200):
            logger.info("line %d %d", writer, number)
            await asyncio.sleep(0)
    async def main():
        await asyncio.gather(*[log(writer) for writer in range(4)])
    asyncio.run(main())
    """,
    "dictConfig": """
    import logging, logging.config, sys
    url, service = sys.argv[1:3]
    logging.config.dictConfig({{
        "version": 1,
        "handlers": {{"loki": {{
            "class": "lokikit.LokiHandler", "url": url, "tags": {{"team": "shop"}},
            "service": service, "env": "test", "timeout_s": [1, 5],
        }}}},
        "root": {{"level": "INFO", "handlers": ["loki"]}},
    }})
    for writer in range(4):
        for number in range(200):
            logging.info("line %d %d", writer, number)
    """,
    "sys.exit": """
    {set_up}
    for writer in range(4):
        for number in range(200):
            logger.info("line %d %d", writer, number)
    sys.exit("over")
    """,
}


def script(text: str) -> str:
    """A program of `PROGRAMS` or in its manner."""
    lines = textwrap.dedent(SET_UP).strip()
    return textwrap.dedent(text).strip().format(set_up=lines)


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(loki_url: str, programs: Programs, name: str) -> None:
    """Every line of such a program is in Loki once, although it ends right behind the last."""
    service = new_service()
    program = programs.run("-c", script(PROGRAMS[name]), loki_url, service)
    assert program.end() == (name == "sys.exit"), program.said()
    assert_exact(loki_url, service, dict.fromkeys(range(4), 200))


def test_typed_in(loki_url: str) -> None:
    """What is typed into an interactive interpreter arrives, also when it ends by end of input."""
    service = new_service()
    typed = [
        "import logging, lokikit",
        f"_ = lokikit.setup_json_logging({service!r}, push={loki_url!r})",
        *(f"logging.info('line 0 {number}')" for number in range(20)),
    ]
    done = subprocess.run(
        [sys.executable, "-i", "-q"],
        input="\n".join(typed) + "\n",
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert_exact(loki_url, service, {0: 20})


def test_same_lines_as_on_stdout(loki_url: str) -> None:
    """`LOKI_PUSH_URL` alone has each line of stdout in Loki, byte for byte."""
    service = new_service()
    code = """
    import logging, lokikit, threading
    lokikit.setup_json_logging(SERVICE)
    def log():
        for number in range(300):
            logging.info("order %d", number, extra={"user": "é", "amount": 1.5})
    threads = [threading.Thread(target=log) for _ in range(3)]
    [one.start() for one in threads]
    [one.join() for one in threads]
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code).replace("SERVICE", repr(service))],
        env={"LOKI_PUSH_URL": loki_url},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 900
    assert sorted(entry.line for entry in stored(loki_url, service)) == sorted(lines)


def test_debug_root_makes_no_loop(loki_url: str, programs: Programs) -> None:
    """A root at DEBUG sends what requests and urllib3 log for the program, not for the handler."""
    service = new_service()
    code = """
    {set_up}
    import json, requests
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.DEBUG)
    logger.propagate = False
    requests.get(url + "/ready")
    for number in range(5):
        logger.info("line 0 %d", number)
        assert handler.flush(30)
    print(json.dumps({{"event": "over", "batches": handler.stats()["batches"]}}))
    """
    program = programs.run("-c", script(code), loki_url, service)
    assert program.report("over")["batches"] >= 5
    assert program.end() == 0
    lines = [json.loads(entry.line) for entry in stored(loki_url, service)]
    chatty = [line for line in lines if line["logger"].startswith("urllib3")]
    assert chatty
    assert {line["thread"] for line in chatty} == {"MainThread"}
    assert_exact(loki_url, service, {0: 5})


def test_flush_waits_for_what_was_there(loki_url: str, programs: Programs) -> None:
    """`flush()` is true once Loki has what was logged, and false in time when Loki is away."""
    service = new_service()
    code = """
    {set_up}
    import json
    from tests.stack.pushing import stored_numbers
    flushed = []
    for number in range(3):
        logger.info("line 0 %d", number)
        flushed.append(handler.flush(30) and stored_numbers(url, service)[0, number])
    away = lokikit.LokiHandler("http://127.0.0.1:9", service=service, env="test")
    logger.addHandler(away)
    logger.removeHandler(handler)
    logger.info("nowhere")
    print(json.dumps({{"event": "over", "flushed": flushed, "away": away.flush(0.2)}}))
    """
    result = programs.run("-c", script(code), loki_url, service).report("over")
    assert result["flushed"] == [1, 1, 1]
    assert result["away"] is False


def test_use_after_close(loki_url: str, programs: Programs) -> None:
    """Lines after `close()` raise nothing, start no thread, and are stored or counted."""
    service = new_service()
    code = """
    {set_up}
    import json
    for number in range(10):
        logger.info("line 0 %d", number)
    handler.close()
    threads = threading.active_count()
    for number in range(10, 20):
        logger.info("line 0 %d", number)
    handler.close()
    print(json.dumps({{"event": "over", "threads": [threads, threading.active_count()],
                       "stats": handler.stats()}}))
    """
    result = programs.run("-c", script(code), loki_url, service).report("over")
    assert result["threads"] == [1, 1]
    found = stored_numbers(loki_url, service)
    assert found.total() + sum(result["stats"]["dropped"].values()) == 20
    assert all(found[0, number] == 1 for number in range(10))
