"""YAML whose mappings know their lines, so that a problem names its place."""

from __future__ import annotations

from typing import Any

import yaml


class Located(dict[str, Any]):
    """A mapping of a YAML file.

    Attributes:
        line: its first line, counted from 1.
        lines: key -> line of the key.
    """

    line: int = 0
    lines: dict[str, int]


class _LocatedLoader(yaml.SafeLoader):
    """The safe loader, with `Located` for mappings and times kept as text."""


def _mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> Located:
    loader.flatten_mapping(node)
    held = loader.construct_mapping(node, deep=True)
    found = Located({str(key): value for key, value in held.items()})
    found.line = node.start_mark.line + 1
    found.lines = {str(key.value): key.start_mark.line + 1 for key, _ in node.value}
    return found


_LocatedLoader.add_constructor("tag:yaml.org,2002:map", _mapping)
_LocatedLoader.add_constructor("tag:yaml.org,2002:timestamp", lambda _, node: str(node.value))


def load_located(text: str) -> Any:
    """Return the content of the text, with `Located` mappings.

    Raises:
        yaml.YAMLError: the text is no YAML.
    """
    return yaml.load(text, _LocatedLoader)  # noqa: S506 - the loader derives from the safe loader
