"""The override file that puts the services of a Compose file on the pipeline."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lokikit.errors import SettingsError
from lokikit.stack.compose_file import filled, read_compose_file
from lokikit.stack.docker.compose_services import read_services

SERVICE_LABEL = "service"
"""Label from which the agent reads the name of a service."""
HEADER = "# Made by `lokikit wire`: services whose stdout goes to Loki. It is overwritten."
_EXTENSION = "x-lokikit-pipeline"


class _Dumper(yaml.SafeDumper):
    """Dumps the shared `logging` as an anchor with a name."""

    def generate_anchor(self, _node: yaml.Node) -> str:
        """Return the name of the anchor."""
        return "pipeline"

    def represent_str(self, text: str) -> yaml.ScalarNode:
        """Quote text that YAML 1.2 reads as a number and 1.1 does not (`1e3`, `0o7`)."""
        style = "'" if text[:1].isdigit() else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _Dumper.represent_str)


@dataclass(frozen=True)
class Override:
    """The result of `wire`.

    Args:
        text: content of the override file.
        wired: services that it puts on the pipeline.
        left_out: service with a logging driver of its own -> name of the driver.
    """

    text: str
    wired: tuple[str, ...]
    left_out: Mapping[str, str]


def pipeline_logging(environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Return the `logging` of a service on the pipeline, from the kit's Compose file."""
    pipeline = read_compose_file()["x-pipeline"]
    options = {name: filled(value, environ) for name, value in pipeline["options"].items()}
    return {"driver": pipeline["driver"], "options": options}


def make_override(
    file: Path, only: Iterable[str] = (), environ: Mapping[str, str] = os.environ
) -> Override:
    """Return the override for the services of `file`, and of the files that it includes.

    Args:
        file: a Compose file, which is only read.
        only: services to wire, with any logging driver; empty for all services without a driver
            of their own.
        environ: overrides the kit's `.env`.

    Raises:
        SettingsError: the file cannot be read, is no Compose file, or lacks a service of `only`.
    """
    services = read_services(file)
    named = tuple(only)
    if unknown := [name for name in named if name not in services]:
        raise SettingsError(
            f"{file} has no service {', '.join(unknown)}: it has {', '.join(services)}."
        )
    left_out = {} if named else _own_drivers(services)
    wired = named or tuple(name for name in services if name not in left_out)
    if not wired:
        raise SettingsError(
            f"each service of {file} has a logging driver of its own: name those to wire "
            "with --service."
        )
    return Override(_text(services, wired, environ), wired, left_out)


def _own_drivers(services: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    drivers = {name: _driver(service) for name, service in services.items()}
    return {name: driver for name, driver in drivers.items() if driver}


def _driver(service: Mapping[str, Any]) -> str:
    logging = service.get("logging")
    return str(logging.get("driver") or "") if isinstance(logging, dict) else ""


def _text(
    services: Mapping[str, Mapping[str, Any]], wired: Iterable[str], environ: Mapping[str, str]
) -> str:
    logging = pipeline_logging(environ)
    override = {
        _EXTENSION: logging,
        # YAML writes an object in several places once, and refers to it.
        "services": {name: _wired(name, services[name], logging) for name in wired},
    }
    return f"{HEADER}\n\n" + yaml.dump(override, Dumper=_Dumper, sort_keys=False, width=100)


def _wired(name: str, service: Mapping[str, Any], logging: Mapping[str, Any]) -> dict[str, Any]:
    if SERVICE_LABEL in _label_names(service.get("labels")):
        return {"logging": logging}
    return {"labels": {SERVICE_LABEL: name}, "logging": logging}


def _label_names(labels: Any) -> set[str]:
    """Return the names of labels, which are a mapping or a list of `name=value`."""
    if isinstance(labels, dict):
        return {str(name) for name in labels}
    return {str(label).partition("=")[0] for label in labels or ()}
