"""The labels that a template mentions."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

from lokikit.store.logql.templates.nodes import Field
from lokikit.store.logql.templates.parser import parse_template


def template_fields(text: str) -> set[str]:
    """The labels that a template mentions.

    Raises:
        QueryError: as `parse_template`.
    """
    tree = parse_template(text)
    found: set[str] = set()
    _collect((tree.body, *tree.definitions.values()), found)
    return found


def _collect(part: Any, found: set[str]) -> None:
    if isinstance(part, Field):
        found.add(part.names[0])
    elif isinstance(part, tuple):
        for one in part:
            _collect(one, found)
    elif is_dataclass(part):
        for one in fields(part):
            _collect(getattr(part, one.name), found)
