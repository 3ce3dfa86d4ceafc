"""A Loki elsewhere: tenant, credentials and TLS of the agent, by environment variables alone."""

from __future__ import annotations

import base64
import contextlib
from typing import TYPE_CHECKING

import pytest
import requests
from tests.agent.feeding import File, json_lines
from tests.agent.gateway import Authority, Gateway
from tests.stack.asking import recent_entries
from tests.stack.engines import RunningLoki
from tests.stack.pushing import assert_exact, new_service, stored_numbers
from tests.waiting import eventually

from lokikit.query.client import Loki

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.agent.running import RunningAgent

    MakeAgent = Callable[..., RunningAgent]
    MakeGateway = Callable[..., Gateway]

LINES, POSTED = 20, 2
USER, PASSWORD, TOKEN = "agent", "p'ss $word%:", "abc.def-~+/="
BASIC = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
CREDENTIALS = {
    "basic": (BASIC, {"LOKI_USER": USER, "LOKI_PASSWORD": PASSWORD}),
    "bearer": (f"Bearer {TOKEN}", {"LOKI_BEARER_TOKEN": TOKEN}),
}


@pytest.fixture
def gateway(loki_url: str) -> Iterator[MakeGateway]:
    """Gateways before the Loki of all tests: `gateway("Basic …", tls=…)`."""
    with contextlib.ExitStack() as stack:

        def make(authorization: str | None = None, tls: ssl.SSLContext | None = None) -> Gateway:
            return stack.enter_context(
                contextlib.closing(Gateway(loki_url, authorization, tls=tls))
            )

        yield make


def post(agent: RunningAgent, service: str) -> None:
    """Numbered lines from `LINES` on, by `POST /logs`: they have an output of their own."""
    url = agent.logs_url
    numbers = range(LINES, LINES + POSTED)
    events = [{"service": service, "message": f"line 0 {number}"} for number in numbers]
    requests.post(url, json=events, timeout=10).raise_for_status()


def write(agent: RunningAgent, service: str) -> None:
    """Numbered lines through both outputs."""
    File(agent.logs, service).write(json_lines(service, LINES))
    post(agent, service)


def arrives(loki_url: str, service: str) -> None:
    """Wait for all that `write` wrote, each once."""
    eventually(lambda: len(stored_numbers(loki_url, service)) >= LINES + POSTED, within_s=60)
    assert_exact(loki_url, service, {0: LINES + POSTED})


def waits(agent: RunningAgent) -> None:
    """Wait until the agent has failed to send all lines, and see that it has dropped none."""
    eventually(lambda: agent.numbers().retried >= LINES + POSTED, within_s=60)
    assert (agent.numbers().sent, agent.numbers().dropped) == (0, 0)


@pytest.mark.parametrize("way", CREDENTIALS)
def test_credentials(loki_url: str, make_agent: MakeAgent, gateway: MakeGateway, way: str) -> None:
    """Whatever characters they have, they reach the gateway as they are."""
    authorization, variables = CREDENTIALS[way]
    service, guard = new_service(), gateway(authorization)
    agent = make_agent(guard.url, **variables).start()
    write(agent, service)
    arrives(loki_url, service)
    assert guard.refused == 0


def test_wrong_credentials_lose_nothing(
    loki_url: str, make_agent: MakeAgent, gateway: MakeGateway
) -> None:
    """Lines wait on disk until the agent is started with the right ones."""
    authorization, variables = CREDENTIALS["basic"]
    service, guard = new_service(), gateway(authorization)
    agent = make_agent(guard.url, **{**variables, "LOKI_PASSWORD": "wrong"}).start()
    write(agent, service)
    waits(agent)
    assert guard.refused
    agent.kill()
    agent.variables.update(variables)
    agent.start()
    arrives(loki_url, service)


@pytest.fixture
def with_tenants(loki_program: Path, tmp_path: Path) -> Iterator[RunningLoki]:
    """A real Loki that keeps tenants apart, as the embedded store does not."""
    loki = RunningLoki(loki_program, tmp_path, {}).start("-auth.enabled=true")
    yield loki
    loki.kill()


def test_tenant(with_tenants: RunningLoki, make_agent: MakeAgent) -> None:
    """Lines are stored for the tenant, and another does not see them."""
    loki, service = with_tenants, new_service()
    agent = make_agent(loki.url, LOKI_TENANT="team-a").start()
    write(agent, service)

    def seen(tenant: str) -> int:
        return len(recent_entries(Loki(loki.url, tenant=tenant), f'{{service_name="{service}"}}'))

    eventually(lambda: seen("team-a") == LINES + POSTED, within_s=60)
    assert seen("team-b") == 0


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The one that signs the certificates of the gateways."""
    return Authority(tmp_path_factory.mktemp("authority"))


def test_tls(
    loki_url: str, make_agent: MakeAgent, gateway: MakeGateway, authority: Authority
) -> None:
    """A server that the CA file vouches for gets the lines, credentials with them."""
    authorization, variables = CREDENTIALS["basic"]
    service, guard = new_service(), gateway(authorization, authority.server())
    agent = make_agent(
        guard.url, LOKI_TLS="on", LOKI_CA_FILE=str(authority.file), **variables
    ).start()
    write(agent, service)
    arrives(loki_url, service)


@pytest.mark.parametrize("fault", ["wrong authority", "wrong name", "authority of the system"])
def test_tls_refuses(
    make_agent: MakeAgent,
    gateway: MakeGateway,
    authority: Authority,
    tmp_path: Path,
    fault: str,
) -> None:
    """A server that is not the one meant gets no line and no password; the lines wait."""
    guard = gateway(tls=authority.server("loki.test" if fault == "wrong name" else "127.0.0.1"))
    variables = {"LOKI_TLS": "on", "LOKI_CA_FILE": str(authority.file)}
    if fault == "wrong authority":
        variables["LOKI_CA_FILE"] = str(Authority(tmp_path).file)
    elif fault == "authority of the system":
        del variables["LOKI_CA_FILE"]
    agent = make_agent(guard.url, **variables, **CREDENTIALS["basic"][1]).start()
    write(agent, new_service())
    waits(agent)
    assert guard.refused == 0
    assert "certificate verify failed" in agent.said()


def test_tls_without_verification(
    loki_url: str, make_agent: MakeAgent, gateway: MakeGateway, authority: Authority
) -> None:
    """Where it is switched off, any server gets the lines."""
    service, guard = new_service(), gateway(tls=authority.server("loki.test"))
    agent = make_agent(guard.url, LOKI_TLS="on", LOKI_TLS_VERIFY="off").start()
    write(agent, service)
    arrives(loki_url, service)
