"""The steps of `up`, `status` and `down` in each runtime."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from lokikit.errors import PrerequisiteError
from lokikit.stack.agent_metrics import AgentNumbers, ask_fluent_bit
from lokikit.stack.docker import stack as docker_stack
from lokikit.stack.docker.compose import Compose, compose_command
from lokikit.stack.docker.engine import daemon_problem
from lokikit.stack.docker.services import stack_services
from lokikit.stack.grafana.contacts import read_contacts
from lokikit.stack.grafana.password import grafana_password, password_file
from lokikit.stack.grafana.provisioning import provision
from lokikit.stack.native import stack as native_stack
from lokikit.stack.native.agent import admin_url, agent_numbers, choose_agent
from lokikit.stack.native.alerts import write_kit_contacts
from lokikit.stack.native.grafana import find_grafana
from lokikit.stack.native.page import PAGE_MODULES
from lokikit.stack.native.plan import read_restarts
from lokikit.stack.native.stack_parts import DEMO_MODULES, stack_parts
from lokikit.stack.native.store import choose_store, remembered_store
from lokikit.stack.native.watch import MAX_IN_A_ROW, end_watch, find_watch, start_watch
from lokikit.stack.programs import missing_packages

if TYPE_CHECKING:
    from rich.console import Console

    from lokikit.stack.docker.choice import RuntimeChoice
    from lokikit.stack.part_status import Condition, Wanted


_NO_GRAFANA = (
    "No Grafana 11 or newer on PATH: the page, lokikit top, tail and query show the logs here."
)
_BESIDE_DOCKER = "ALERT_URLS: Grafana cannot send to these addresses; run lokikit alerts."


def bring_up_docker(
    choice: RuntimeChoice, state: Path, console: Console, *, demo: bool
) -> list[Condition]:
    """Start the Docker stack, and return the state of each service."""
    compose = Compose(choice.compose, state)
    contacts = read_contacts()
    console.print(f"Grafana: {contacts.of_grafana()}")
    if contacts.urls:
        console.print(_BESIDE_DOCKER)
    provision(state)
    built = docker_stack.make_own_image(compose, console.print)
    statuses = docker_stack.bring_up(compose, console.print, demo=demo and built, canary=built)
    _print_login(state, console)
    return statuses


def bring_up_native(
    _choice: RuntimeChoice, state: Path, console: Console, *, demo: bool
) -> list[Condition]:
    """Start the native stack, and return the state of each part."""
    store = choose_store(state)
    console.print(f"Store: {store}.")
    demo = demo and _demo_is_possible(console)
    console.print("Agent: {} ({}).".format(*choose_agent(state)))
    contacts, grafana = read_contacts(), find_grafana()
    if grafana:
        console.print(f"Grafana: {grafana.program} is on PATH. {contacts.of_grafana()}")
        provision(state)
    else:
        console.print(_NO_GRAFANA)
    by_kit = contacts.beside_grafana() if grafana else contacts
    write_kit_contacts(state, by_kit)
    if by_kit.names or not grafana:
        console.print(f"Alerts: {by_kit}")
    if missing := missing_packages(PAGE_MODULES):
        console.print(f"No page: {missing[0]} is not installed: pip install 'lokikit[page]'")
    parts = stack_parts(state, store, demo=demo)
    elsewhere = "" if store.part else store.url
    statuses = native_stack.bring_up(parts, state, console.print, loki_url=elsewhere)
    start_watch(parts, state)
    if grafana:
        _print_login(state, console)
    return statuses


def conditions_now(wanted: Wanted | None, state: Path) -> list[Condition]:
    """Return the state of each part of the stack; empty without a stack."""
    if wanted is None:
        return []
    if wanted.runtime == "docker":
        services = stack_services(demo=wanted.demo, canary=wanted.canary)
        return docker_stack.conditions(services, Compose((), state))
    parts = stack_parts(state, remembered_store(wanted), demo=wanted.demo)
    return native_stack.conditions(parts, state)


def restarts_now(wanted: Wanted, state: Path) -> list[str]:
    """Return a sentence for each part that was restarted since `up`, and for a missing watch."""
    if wanted.runtime == "docker":
        return []
    notes = [] if find_watch(state) else ["Nothing starts parts again that die: run up."]
    for name, one in read_restarts(state).items():
        if one.count:
            end = " and given up" if one.gives_up(MAX_IN_A_ROW) else ""
            last = datetime.fromtimestamp(one.started_s).astimezone()
            times = "once" if one.count == 1 else f"{one.count} times"
            notes.append(
                f"{name} died and was started again {times}{end}, last at {last:%H:%M:%S}."
            )
    return notes


def numbers_now(wanted: Wanted | None, state: Path) -> AgentNumbers | None:
    """Return the agent's counts, `None` without an answer or without a stack."""
    if wanted is None:
        return None
    if wanted.runtime == "docker":
        return ask_fluent_bit(admin_url(), docker_stack.agent_storage(Compose((), state)))
    return agent_numbers(state)


def take_down_all(state: Path, *, volumes: bool) -> list[str]:
    """Stop the stack in both runtimes, and return the parts that were running."""
    end_watch(state)
    ended = native_stack.take_down(state)
    if docker_stack.has_volumes(state):
        if problem := daemon_problem():
            raise PrerequisiteError(f"the Docker stack cannot be taken down: {problem}.")
        compose = Compose(compose_command(os.environ), state)
        ended += docker_stack.take_down(compose, volumes=volumes)
    return ended


def _print_login(state: Path, console: Console) -> None:
    password = grafana_password(state)
    console.print(f"Grafana: user admin, password {password} (in {password_file(state)})")


def _demo_is_possible(console: Console) -> bool:
    missing = missing_packages(DEMO_MODULES)
    if missing:
        console.print(
            f"No demo: {' and '.join(missing)} not installed: pip install 'lokikit[demo]'"
        )
    return not missing
