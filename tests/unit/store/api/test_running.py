import contextlib
import os
import signal
import socket
import subprocess
import sys
import time

import pytest
import requests
from tests.waiting import eventually

from lokikit.errors import PrerequisiteError
from lokikit.query.client import Loki
from lokikit.store.api.running import running_store


def push(url, line):
    entry = [str(time.time_ns()), line]
    streams = [{"stream": {"service_name": "shop"}, "values": [entry]}]
    return requests.post(f"{url}/loki/api/v1/push", json={"streams": streams}, timeout=20)


def test_lines_are_there_after_a_restart(tmp_path):
    with running_store(tmp_path) as running:
        assert push(running.url, "kept").status_code == 204
    with running_store(tmp_path) as running, Loki(running.url) as loki:
        assert [entry.line for entry in loki.last("shop")] == ["kept"]


def test_port_that_is_taken_is_named(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PrerequisiteError, match=f"cannot listen on 127.0.0.1:{port}"):
            _enter(running_store(tmp_path, port))


def test_folder_that_is_open_elsewhere_is_named(tmp_path):
    with running_store(tmp_path), pytest.raises(PrerequisiteError, match="another process"):
        _enter(running_store(tmp_path))


def test_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(PrerequisiteError, match="cannot write to"):
        _enter(running_store(tmp_path / "file" / "folder"))


def test_port_is_free_again_after_a_refusal(tmp_path):
    with running_store(tmp_path) as running:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with pytest.raises(PrerequisiteError):
            _enter(running_store(tmp_path, port))
        with socket.socket() as again:
            again.bind(("127.0.0.1", port))
        assert requests.get(f"{running.url}/ready", timeout=20).text == "ready\n"


def _enter(context):
    with contextlib.ExitStack() as stack:
        stack.enter_context(context)


@contextlib.contextmanager
def command(*arguments):
    command = [sys.executable, "-m", "lokikit.store", *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_command_says_where_it_serves_and_ends_with_zero_on_sigterm(tmp_path):
    with command("--data", str(tmp_path), "--port", "0") as process:
        said = process.stderr.readline()
        url = said.split()[1]
        assert eventually(lambda: _is_ready(url))
        assert push(url, "x").status_code == 204
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(30) == 0
        assert process.stderr.read() == ""


def _is_ready(url):
    try:
        return requests.get(f"{url}/ready", timeout=5).ok
    except requests.ConnectionError:
        return False


def test_command_refuses_with_a_sentence_and_an_exit_code(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with command("--data", str(tmp_path), "--port", port) as process:
            assert process.wait(30) == PrerequisiteError.exit_code
            assert "cannot listen on" in process.stderr.read()


def test_retention_that_is_no_duration_is_refused(tmp_path):
    with command("--data", str(tmp_path), "--retention", "much") as process:
        assert process.wait(30) == 2
        assert "'much' is no duration" in process.stderr.read()


def test_start_imports_nothing_of_what_queries_alone_need():
    """It is half of all imports, and the start is made of imports."""
    listed = "import sys, lokikit.store.api.running; print(*sys.modules)"
    modules = subprocess.check_output([sys.executable, "-c", listed], text=True).split()
    heavy = ("lokikit.store.sql", "lokikit.store.logql.evaluator", "lokikit.store.logql.templates")
    assert "lokikit.store.api.app" in modules
    assert [
        name for name in modules if name.startswith((*heavy, "lokikit.store.logql.parser"))
    ] == []
