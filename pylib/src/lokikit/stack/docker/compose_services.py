"""The services of a user's Compose file and of the files that it includes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from lokikit.errors import SettingsError

_MERGE, _TEXT = "tag:yaml.org,2002:merge", "tag:yaml.org,2002:str"


class _ComposeLoader(yaml.SafeLoader):
    """Reads keys as text, and Compose's own tags (`!reset`) as if they were not there.

    PyYAML speaks YAML 1.1, where `on`, `no` and `1:30` are no text; Compose takes 1.2.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        self.flatten_mapping(node)
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != _MERGE:
                key.tag = _TEXT
        return dict(super().construct_mapping(node, deep))


def read_services(file: Path) -> dict[str, Mapping[str, Any]]:
    """Return service -> its mapping, of `file` and of the files that it includes.

    Raises:
        SettingsError: a file cannot be read, or is no Compose file.
    """
    services = _read(file, ())
    if not services:
        raise SettingsError(f"{file} is not a Compose file: it has no services.")
    return services


def _read(file: Path, including: tuple[Path, ...]) -> dict[str, Mapping[str, Any]]:
    if file.resolve() in including:
        raise SettingsError(f"{file} includes itself.")
    content = _load(file)
    if not isinstance(content, dict):
        raise SettingsError(f"{file} is not a Compose file: it has no services.")
    services: dict[str, Mapping[str, Any]] = {}
    for included in _included(file, content.get("include") or []):
        services |= _read(included, (*including, file.resolve()))
    own = content.get("services") or {}
    if not isinstance(own, dict):
        raise SettingsError(f"{file} is not a Compose file: its services are no mapping.")
    if bad := [name for name, service in own.items() if not isinstance(service, dict)]:
        raise SettingsError(f"{file}: the service {bad[0]} is not a mapping.")
    return services | own


def _load(file: Path) -> Any:
    try:
        return yaml.load(file.read_text(encoding="utf-8"), _ComposeLoader)  # noqa: S506 - a SafeLoader
    except OSError as error:
        raise SettingsError(f"cannot read {file}: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} is not YAML: {error}") from error


def _included(file: Path, entries: Any) -> Iterator[Path]:
    """Yield the files of an `include`: texts, or mappings whose `path` is a file or a list."""
    for entry in entries if isinstance(entries, list) else [entries]:
        paths = entry.get("path") if isinstance(entry, dict) else entry
        for path in paths if isinstance(paths, list) else [paths]:
            if not isinstance(path, str) or "://" in path:
                raise SettingsError(f"{file} includes {path}, which is no file of this machine.")
            yield file.parent / os.path.expandvars(path)


def _any_tag(loader: yaml.SafeLoader, _suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return None


_ComposeLoader.add_multi_constructor("!", _any_tag)
