"""The fields that Kubernetes of one version has, by the types that its own client is made of.

They name each field and its form, so that a resource is checked for unknown fields and wrong types
without an API server. What a value may be, an API server knows alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml
from tests.chart.crds import module_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

_SCALARS = {"string": (str,), "boolean": (bool,), "numeric": (int, float)}
_OWN_GROUPS = ("apps", "batch", "networking.k8s.io", "policy", "rbac.authorization.k8s.io")


class ApiTypes:
    """The types of `k8s.io/client-go` of one version.

    Args:
        version: of that module, such as `v0.28.15` for Kubernetes 1.28.15.

    Raises:
        subprocess.CalledProcessError: the module cannot be fetched.
    """

    def __init__(self, version: str) -> None:
        folder = module_folder(f"k8s.io/client-go@{version}")
        text = (folder / "applyconfigurations/internal/internal.go").read_text()
        types = yaml.load(text.split("`")[1], yaml.CSafeLoader)["types"]
        self._types = {one["name"]: one for one in types}

    def knows(self, resource: dict[str, Any]) -> bool:
        """Whether it is of a kind of Kubernetes itself, and not of an operator."""
        group, _, _ = resource["apiVersion"].rpartition("/")
        return not group or group in _OWN_GROUPS

    def problems(self, resource: dict[str, Any]) -> list[str]:
        """What is unknown or of another type in it, each with its path."""
        group, _, version = resource["apiVersion"].rpartition("/")
        package = group.removesuffix(".k8s.io").partition(".")[0] or "core"
        name = f"io.k8s.api.{package}.{version}.{resource['kind']}"
        if name not in self._types:
            return [f"{resource['apiVersion']} has no {resource['kind']}"]
        return list(self._walk(resource, {"namedType": name}, resource["kind"]))

    def _walk(self, value: Any, form: dict[str, Any], path: str) -> Iterator[str]:
        form = self._types[form["namedType"]] if "namedType" in form else form
        if value is None or form.get("scalar") == "untyped":
            return
        if isinstance(value, dict) and "map" in form:
            yield from self._walk_map(value, form["map"], path)
        elif isinstance(value, list) and "list" in form:
            for number, below in enumerate(value):
                yield from self._walk(below, form["list"]["elementType"], f"{path}[{number}]")
        elif not _is_scalar(value, form.get("scalar", "")):
            yield f"{path} is {value!r}"

    def _walk_map(self, value: dict[str, Any], form: dict[str, Any], path: str) -> Iterator[str]:
        fields = {one["name"]: one["type"] for one in form.get("fields", ())}
        for key, below in value.items():
            own = fields.get(key) or form.get("elementType")
            if own is None:
                yield f"{path}.{key} is unknown"
            else:
                yield from self._walk(below, own, f"{path}.{key}")


def _is_scalar(value: Any, scalar: str) -> bool:
    if isinstance(value, bool):
        return scalar == "boolean"
    return isinstance(value, _SCALARS.get(scalar, ()))
