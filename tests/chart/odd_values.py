"""Settings that the schema of the values lets pass and nobody thinks of first, for each value."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.chart.helming import CHART

if TYPE_CHECKING:
    from collections.abc import Iterator

LONG = "x" * 300
_WORDS = ("", LONG, "7", "grüße 😀", 'a: "b"\n- c')
_OF_KUBERNETES = {
    *("affinity", "extraEnv", "extraVolumeMounts", "extraVolumes", "parentRefs"),
    *("podSecurityContext", "securityContext", "tolerations"),
}
"""What goes into resources as it is: the API server knows what it may be."""
_INGRESS = {"enabled": True, "host": "logs.example"}
_ROUTE = {"enabled": True, "parentRefs": [{"name": "gateway"}]}
_EVERYTHING = {
    "agent": {"intake": {"enabled": True}},
    "canary": {"enabled": True, "image": {"registry": "registry.example"}},
    "events": {"enabled": True},
    "grafana": {"ingress": _INGRESS, "httpRoute": _ROUTE},
    "loki": {"ingress": _INGRESS, "persistence": {"labels": {"a": "b"}}},
    "monitoring": {"enabled": True},
    "networkPolicy": {"egress": True},
    "scrapeAnnotations": True,
}
_HA = {"mode": "ha", "s3": {"endpoint": "s3.example", "bucket": "logs"}}
BASES: dict[str, dict[str, Any]] = {
    "": _EVERYTHING,
    "loki.s3": {"loki": _HA},
    "loki.objectStore": {"loki": _HA},
    "loki.antiAffinity": {"loki": _HA},
    "loki.gcs": {"loki": {"mode": "ha", "objectStore": "gcs", "gcs": {"bucket": "logs"}}},
    "loki.azure": {
        "loki": {"mode": "ha", "objectStore": "azure", "azure": {"account": "a", "container": "c"}}
    },
    "loki.external": {
        "loki": {
            "mode": "external",
            "external": {"url": "https://loki.example", "auth": "basic", "existingSecret": "a"},
        }
    },
    "grafana.forYours": {"grafana": {"enabled": False, "forYours": {"kind": "operator"}}},
    "tenants": {"tenants": {"byNamespace": True, "grafana": ["logs"]}},
}
"""Beginning of a path -> values with which what is below it has an effect."""


@dataclass(frozen=True)
class Odd:
    """One value, set to something odd.

    Attributes:
        path: the keys that lead to it.
        value: what it is set to.
    """

    path: tuple[str, ...]
    value: Any

    def __str__(self) -> str:
        text = json.dumps(self.value, ensure_ascii=False).replace(LONG, "LONG")
        return f"{'.'.join(self.path)}={text}"

    @property
    def base(self) -> dict[str, Any]:
        """The values beside it."""
        name = ".".join(self.path)
        return BASES[max((one for one in BASES if name.startswith(one)), key=len)]

    @property
    def arguments(self) -> list[str]:
        """Helm's arguments for both."""
        return [*arguments(self.base), f"--set-json={'.'.join(self.path)}={json.dumps(self.value)}"]


def arguments(values: dict[str, Any]) -> list[str]:
    """Helm's arguments for nested values."""
    return [f"--set-json={key}={json.dumps(value)}" for key, value in values.items()]


def odd_values() -> Iterator[Odd]:
    """Each value of the schema with each odd setting of its type."""
    schema = json.loads((CHART / "values.schema.json").read_text())
    yield from _below(schema, ())


def _below(schema: dict[str, Any], path: tuple[str, ...]) -> Iterator[Odd]:
    for key, own in schema.get("properties", {}).items():
        if own["type"] == "object" and own.get("properties"):
            yield from _below(own, (*path, key))
        elif key in _OF_KUBERNETES:
            yield from (Odd((*path, key), value) for value in (None, _EMPTY[own["type"]]))
        else:
            yield from (Odd((*path, key), value) for value in _settings(own))


_EMPTY: dict[str, Any] = {"array": [], "object": {}}


def _settings(own: dict[str, Any]) -> Iterator[Any]:
    yield None
    if own["type"] == "boolean":
        yield from (True, False)
    elif own["type"] == "string":
        yield from own.get("enum", _WORDS)
    elif own["type"] == "array":
        yield []
        if own.get("items", {}).get("type") != "object":
            yield from ([word] for word in _WORDS)
    else:
        yield {}
        yield from ({word: "a"} for word in _WORDS)
        yield from ({"a": word} for word in _WORDS)
