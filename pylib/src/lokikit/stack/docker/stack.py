"""The Docker stack: start, stop, and the state of each service."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from lokikit.errors import LokikitError, PrerequisiteError
from lokikit.stack.compose_file import built_image
from lokikit.stack.docker.compose import MOUNTED, Compose, project_name
from lokikit.stack.docker.engine import Container, containers, has_image, last_words, remove_volumes
from lokikit.stack.docker.services import (
    AGENT,
    AGENT_STORAGE,
    CANARY,
    DEMO_SERVICES,
    ComposeService,
    stack_services,
)
from lokikit.stack.grafana.password import grafana_password
from lokikit.stack.http_probe import answers
from lokikit.stack.kit_files import kit_root
from lokikit.stack.part_status import TAIL_LINES, Condition, Wanted, forget_wanted, write_wanted
from lokikit.stack.ports import check_distinct, check_free

_POLL_S = 0.2
_GIVES_UP_AFTER_RESTARTS = 3


def make_own_image(compose: Compose, say: Callable[[str], object]) -> bool:
    """Build the image of the canary and the demo if it is missing; return True when it is here."""
    image = built_image(compose.environ)
    if has_image(image, compose.environ):
        return True
    if not (kit_root() / "Dockerfile").is_file():
        say(f"No canary, no demo: their image {image} is built in a checkout of the repository.")
        return False
    say(f"Building {image} for canary and demo: once for this version, takes a minute.")
    try:
        compose.run("build", CANARY, quiet=False)
    except LokikitError as error:
        say(f"No canary, no demo: their image cannot be built ({error})")
    return has_image(image, compose.environ)


def bring_up(
    compose: Compose, say: Callable[[str], object], *, demo: bool, canary: bool
) -> list[Condition]:
    """Start the services that do not run as they should; return the state of all.

    Raises:
        PrerequisiteError: a port is taken or a file cannot be read; running services stay as is.
        SettingsError: two services have the same port.
        UnhealthyError: Compose failed.
    """
    services = stack_services(demo=demo, canary=canary, environ=compose.environ)
    running = _by_service(compose)
    check_distinct(item for service in services for item in service.ports.items())
    check_free(item for service in services for item in _foreign_ports(service, running))
    _check_readable()
    grafana_password(compose.state)
    _volumes_file(compose.state).touch()
    write_wanted(compose.state, Wanted(demo, "docker", canary))
    if not demo and running.keys() & DEMO_SERVICES:
        say("Stopping the demo")
        compose.run("rm", "--stop", "--force", *DEMO_SERVICES)
    say("Starting what is not running")
    names = [service.name for service in services]
    compose.run("up", "--detach", "--no-build", "--quiet-pull", *names)
    for service in services:
        _wait_until_healthy(service, compose, say)
    return conditions(services, compose)


def take_down(compose: Compose, *, volumes: bool) -> list[str]:
    """Stop the services, and with `volumes` remove their data; return those that were running."""
    ended = [container.service for container in _by_service(compose).values() if container.pid]
    compose.run("down", "--remove-orphans", *(("--volumes",) if volumes else ()))
    forget_wanted(compose.state)
    if volumes:
        # Compose removes the volumes of the overlays in use now, and no others.
        remove_volumes(project_name(compose.environ), compose.environ)
        _volumes_file(compose.state).unlink(missing_ok=True)
    return sorted(ended)


def agent_storage(compose: Compose) -> Path | None:
    """Return the agent's folder, `None` when this user cannot read its volume."""
    agent = _by_service(compose).get(AGENT)
    folder = agent.mounts.get(AGENT_STORAGE) if agent else None
    return folder if folder and os.access(folder, os.R_OK | os.X_OK) else None


def has_volumes(state: Path) -> bool:
    """Return True when the stack in `state` has ever run in Docker, and its data is still there."""
    return _volumes_file(state).is_file()


def conditions(services: Sequence[ComposeService], compose: Compose) -> list[Condition]:
    """Return the state of each service now."""
    found = _by_service(compose)
    return [_condition(service, found.get(service.name), compose.environ) for service in services]


def _condition(
    service: ComposeService, container: Container | None, environ: Mapping[str, str]
) -> Condition:
    if container is None:
        return Condition(service.name, False, None, 0, service.where, "docker ps --all")
    healthy = _is_healthy(service, container)
    return Condition(
        service.name,
        healthy,
        container.pid,
        container.uptime_s,
        service.where or f"container {container.name}",
        f"docker logs {container.name}",
        "" if healthy else last_words(container.name, TAIL_LINES, environ),
    )


def _wait_until_healthy(
    service: ComposeService, compose: Compose, say: Callable[[str], object]
) -> None:
    """Wait until the service is healthy, has failed, or its time is over."""
    start_s = time.monotonic()
    while time.monotonic() - start_s < service.within_s:
        container = _by_service(compose).get(service.name)
        if container is None or _has_failed(container):
            return
        if _is_healthy(service, container):
            say(f"{service.name} is healthy after {time.monotonic() - start_s:.0f} s")
            return
        time.sleep(_POLL_S)


def _has_failed(container: Container) -> bool:
    return container.status == "exited" or container.restarts >= _GIVES_UP_AFTER_RESTARTS


def _by_service(compose: Compose) -> dict[str, Container]:
    project = project_name(compose.environ)
    return {container.service: container for container in containers(project, compose.environ)}


def _foreign_ports(
    service: ComposeService, running: Mapping[str, Container]
) -> Iterator[tuple[str, int]]:
    """Yield the ports that the service needs and does not hold itself."""
    container = running.get(service.name)
    held = container.ports if container and container.pid else frozenset()
    return (item for item in service.ports.items() if item[1] not in held)


def _check_readable() -> None:
    """Return when other users can read the files that are mounted into the containers.

    Raises:
        PrerequisiteError: they cannot.
    """
    for mounted in MOUNTED.values():
        for path in (kit_root() / mounted, *(kit_root() / mounted).rglob("*")):
            needed = stat.S_IROTH | (stat.S_IXOTH if path.is_dir() else 0)
            if path.stat().st_mode & needed != needed:
                raise PrerequisiteError(
                    f"{path} is mounted into a container whose user cannot read it: "
                    f"chmod -R o+rX {kit_root() / mounted}"
                )


def _is_healthy(service: ComposeService, container: Container) -> bool:
    return container.status == "running" and (not service.probe or answers(service.probe))


def _volumes_file(state: Path) -> Path:
    return state / "docker-volumes"
