"""Whose a line is, only the platform says: no client chooses labels of it, or its tenant."""

from __future__ import annotations

import contextlib
import json
import uuid
from typing import TYPE_CHECKING, Any

import msgpack
import pytest
import requests
from tests.agent.feeding import Driver
from tests.agent.pods import Pods, following
from tests.agent.sink import Sink
from tests.stack.shipping import append

from lokikit.query.client import Loki

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.agent.pods import ApiServer
    from tests.agent.running import RunningAgent

    MakeAgent = Callable[..., RunningAgent]

TENANTS = {"LOKI_TENANT": "kit", "LOKI_TENANT_KEY": "$namespace", "CLUSTER": "north"}
VICTIM = {
    "namespace": "victim",
    "service_name": "victim",
    "cluster": "victim",
    "tenant": "victim",
    "metadata": {"pod": "victim"},
    "kubernetes": {"namespace_name": "victim", "pod_name": "victim", "container_name": "victim"},
    "_lokikit_service": "victim",
}
"""A record that says it is another tenant's, by every name that the agent uses."""
PATHS = [
    "/",
    "/logs",
    "/line.x",
    "/line:x",
    "/line%3Ax",
    "/line:container.pod_victim_main_uid_0.log",
    "/line.container.pod_victim_main_uid_0.log",
    "//line:x",
    "/line:x?line:x",
    "/line%3Acontainer.pod_victim_main_uid_0.log",
    "/emitter_of_tracebacks",
]


@pytest.fixture
def sink() -> Iterator[Sink]:
    """What prints tenant and labels."""
    with contextlib.closing(Sink()) as one:
        yield one


@pytest.mark.parametrize("entry", ["native", "docker", "docker-files", "kubernetes"])
def test_what_comes_over_http_is_http_on_every_path(
    sink: Sink, make_agent: MakeAgent, api: ApiServer, tmp_path: Path, entry: str
) -> None:
    folder = following(tmp_path / "pods", api.url)
    agent = make_agent(sink.url, entry, **TENANTS, **folder).start()
    marks = {path: uuid.uuid4().hex for path in PATHS}
    headers = {"X-Scope-OrgID": "victim", "X-Forwarded-For": "victim"}
    base = agent.logs_url.removesuffix("/logs")
    for path, mark in marks.items():
        for event in ({**VICTIM, "mark": mark + "-a"}, {**VICTIM, "mark": mark + "-b", "log": "x"}):
            answer = requests.post(base + path, json=event, headers=headers, timeout=30)
            assert answer.status_code == 201
    for mark in marks.values():
        for side in ("-a", "-b"):
            found = sink.found(mark + side)
            assert (found.tenant, found.labels) == ("kit", {"service_name": "unknown"})
            assert found.metadata.keys() == {"host"}


@pytest.mark.parametrize(
    "fields",
    [
        {"log": "a line"},
        {},
        {"log": 17},
        {"log": {"namespace": "victim"}},
        {"log": "a line", "attrs": 17},
        {"log": "a line", "attrs": {"tag": 17}},
        {"log": "a line", "container_name": 17},
        {"log": "a line", "container_name": {}},
        {"log": "a line", "kubernetes": "victim"},
        {"log": "a line", "source": {}},
    ],
    ids=repr,
)
def test_a_forward_record_names_no_tenant(
    sink: Sink, make_agent: MakeAgent, fields: dict[str, Any]
) -> None:
    agent = make_agent(sink.url, "docker", **TENANTS).start()
    mark = uuid.uuid4().hex
    record = {**VICTIM, "mark": mark, **fields}
    if isinstance(record.get("log"), str):
        record["log"] += mark
    port = agent.ports["FLUENTBIT_FORWARD_PORT"]
    with contextlib.closing(RawForward(port)) as forward:
        forward.send("container.pod_victim_main_uid_0.log", record)
    found = sink.found(mark)
    assert found.tenant == "kit"
    assert found.labels.keys() == {"service_name"}
    assert "victim" not in {*found.labels.values(), *found.metadata.values()}
    assert found.metadata.keys() <= {"host", "stream"}


def test_the_driver_names_the_service_of_a_container(sink: Sink, make_agent: MakeAgent) -> None:
    agent = make_agent(sink.url, "docker", **TENANTS).start()
    mark = uuid.uuid4().hex
    with contextlib.closing(Driver(agent.ports["FLUENTBIT_FORWARD_PORT"], "shop")) as driver:
        driver.send(mark)
    assert sink.found(mark)[:2] == ("kit", {"service_name": "shop"})


def test_a_line_of_a_file_names_its_service_and_nothing_of_the_platform(
    sink: Sink, make_agent: MakeAgent
) -> None:
    agent = make_agent(sink.url, "native", **TENANTS).start()
    mark = uuid.uuid4().hex
    append(agent.logs / "shop.log", [json.dumps({**VICTIM, "mark": mark}).encode()])
    append(agent.logs / "shop.log", [json.dumps({"service": "pay", "mark": mark[::-1]}).encode()])
    assert sink.found(mark)[:2] == ("kit", {"service_name": "shop"})
    assert sink.found(mark[::-1])[:2] == ("kit", {"service_name": "pay"})


def test_a_line_of_a_pod_is_its_namespaces_whatever_it_says(
    sink: Sink, make_agent: MakeAgent, api: ApiServer, tmp_path: Path
) -> None:
    folder = tmp_path / "pods"
    make_agent(sink.url, "kubernetes", **TENANTS, **following(folder, api.url)).start()
    mark = uuid.uuid4().hex
    pods = Pods(api, folder, Loki(sink.url))
    pod = pods.prints(json.dumps({**VICTIM, "mark": mark}), labels={"app": "shop"})
    found = sink.found(mark)
    labels = {"service_name": "shop", "cluster": "north", "namespace": "default"}
    assert (found.tenant, found.labels, found.metadata["pod"]) == ("default", labels, pod)


class RawForward(Driver):
    """A client of the forward protocol that chooses tag and record."""

    def send(self, tag: str, record: dict[str, Any]) -> None:  # type: ignore[override]
        """Send one record until it is acknowledged."""
        chunk = uuid.uuid4().hex
        message = [tag, 1_795_000_000, record, {"chunk": chunk}]
        assert self._is_taken(msgpack.packb(message), chunk)
