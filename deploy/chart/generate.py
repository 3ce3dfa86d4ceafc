"""Writes `values.schema.json` and `README.md` from the comments in `values.yaml`.

A comment right above a key describes it. Its default says of which type it is, `FORMS` what keys of
that name have in common, and a line of the comment that begins with `@schema` what is its own:
`# @schema {enum: [a, b]}`. Run it from anywhere:

    python deploy/chart/generate.py
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

CHART = Path(__file__).parent
_TYPES = {bool: "boolean", int: "integer", str: "string", list: "array", dict: "object"}
_DIRECTIVE = "@schema "
_TEXTS = {"additionalProperties": {"type": "string"}}
_QUANTITIES = {"additionalProperties": {"type": ["string", "number"]}}
_ANYTHING = {"additionalProperties": True}
_OBJECTS = {"items": {"type": "object"}}
_NAMED = {"items": {"type": "object", "required": ["name"]}}
FORMS: dict[str, dict[str, Any]] = {
    **dict.fromkeys(("labels", "podLabels", "commonLabels", "nodeSelector"), _TEXTS),
    **dict.fromkeys(("annotations", "podAnnotations", "instanceSelector"), _TEXTS),
    **dict.fromkeys(("requests", "limits"), _QUANTITIES),
    **dict.fromkeys(("affinity", "podSecurityContext", "securityContext"), _ANYTHING),
    **dict.fromkeys(("extraEnv", "extraVolumes", "parentRefs"), _NAMED),
    "extraVolumeMounts": {"items": {"type": "object", "required": ["name", "mountPath"]}},
    "tolerations": _OBJECTS,
    "repository": {"minLength": 1},
}
"""Key -> what its schema has wherever it stands."""
_HEAD = """\
# lokikit: the Helm chart

Logs of every pod into Loki, untouched, with Grafana on top. Written by `deploy/chart/generate.py`
from the comments in `values.yaml`; how to run it is in
[docs/kubernetes.md](../../docs/kubernetes.md).

```sh
helm install lokikit deploy/chart --namespace logging --create-namespace
```

| value | default | what it sets |
|---|---|---|
"""


@dataclass(frozen=True)
class Value:
    """One key of `values.yaml`.

    Args:
        path: the keys that lead to it.
        default: what stands there.
        text: its comment, in one line.
        schema: what its key and `@schema` add to its type.
    """

    path: tuple[str, ...]
    default: Any
    text: str
    schema: dict[str, Any]

    @property
    def is_open(self) -> bool:
        """Whether keys below it are the user's own."""
        return not self.default or "additionalProperties" in self.schema


def read_values(text: str) -> Iterator[Value]:
    """Each key with its comment, a mapping before what is in it."""
    root = yaml.compose(text)
    assert isinstance(root, yaml.MappingNode)  # noqa: S101 - it is the chart's own file
    yield from _walk(root, (), yaml.safe_load(text), text.splitlines())


def _walk(
    node: yaml.MappingNode, above: tuple[str, ...], held: dict[str, Any], lines: list[str]
) -> Iterator[Value]:
    for key, below in node.value:
        path, default = (*above, key.value), held[key.value]
        text, schema = _comment(lines, key.start_mark.line)
        form = FORMS.get(key.value, {})
        value = Value(path, default, text, {**form, **schema})
        yield value
        if isinstance(below, yaml.MappingNode) and not value.is_open:
            yield from _walk(below, path, default, lines)


def _comment(lines: list[str], line: int) -> tuple[str, dict[str, Any]]:
    """The comment that ends above `line`: its words, and what its directives add."""
    start = line
    while start and lines[start - 1].lstrip().startswith("#"):
        start -= 1
    words, schema = [], {}
    for one in lines[start:line]:
        said = one.strip().removeprefix("#").strip()
        if said.startswith(_DIRECTIVE):
            schema.update(yaml.safe_load(said.removeprefix(_DIRECTIVE)))
        else:
            words.append(said)
    return " ".join(words), schema


def schema(text: str) -> dict[str, Any]:
    """The JSON schema of the values: their types, no key that is not there, and none set to null.

    Mappings and lists that hold the user's own alone may be left out, or set to null.
    """
    root: dict[str, Any] = _object()
    for value in read_values(text):
        parents = [root]
        for key in value.path[:-1]:
            parents.append(parents[-1]["properties"][key])
        parent = parents[-1]
        own = {"type": _TYPES[type(value.default)]}
        if own["type"] == "object" and not value.is_open:
            own = _object()
        elif own["type"] not in {"object", "array"}:
            _require(value.path, parents)
        described = {"description": value.text} if value.text else {}
        parent["properties"][value.path[-1]] = {**described, **own, **value.schema}
    # Helm gives these to a chart that is part of another one.
    root["properties"]["global"] = {"type": "object"}
    root["properties"]["enabled"] = {"type": "boolean"}
    return {"$schema": "https://json-schema.org/draft-07/schema#", **root}


def _require(path: tuple[str, ...], parents: list[dict[str, Any]]) -> None:
    """Ask for what `path` leads to, and for each mapping on the way."""
    for key, parent in zip(path, parents, strict=True):
        required = parent.setdefault("required", [])
        if key not in required:
            required.append(key)


def _object() -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": {}}


def readme(text: str) -> str:
    """The table of the values."""
    rows = []
    for value in read_values(text):
        if isinstance(value.default, dict) and not value.is_open:
            if value.text:
                rows.append(f"| **`{'.'.join(value.path)}`** | | {_cell(value.text)} |")
            continue
        default = json.dumps(value.default)
        rows.append(f"| `{'.'.join(value.path)}` | `{default}` | {_cell(value.text)} |")
    return _HEAD + "\n".join(rows) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def generated(text: str) -> dict[str, str]:
    """File name -> what stands in it."""
    return {
        "values.schema.json": json.dumps(schema(text), indent=2) + "\n",
        "README.md": readme(text),
    }


def main() -> None:
    """Write the files beside `values.yaml`."""
    for name, content in generated((CHART / "values.yaml").read_text()).items():
        (CHART / name).write_text(content)


if __name__ == "__main__":
    main()
