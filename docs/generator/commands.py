"""Every command with its arguments and options, for the page that the site has of them."""

from __future__ import annotations

import inspect
from enum import Enum
from typing import TYPE_CHECKING, Any

import typer.main
from docs.generator.tables import code, table

from lokikit.cli.app import command_line

if TYPE_CHECKING:
    from collections.abc import Iterator


def commands() -> Iterator[tuple[str, Any]]:
    """Each command that can be typed, with its name behind `lokikit`; a group before its own."""
    groups: list[tuple[str, Any]] = [("", typer.main.get_command(command_line()))]
    for prefix, group in groups:
        for name, command in group.commands.items():
            words = f"{prefix}{name}"
            yield words, command
            if hasattr(command, "commands"):
                groups.append((f"{words} ", command))


def reference() -> str:
    """Return a section for each command: its help, and a table of arguments and options."""
    return "\n\n".join(_section(name, command) for name, command in commands())


def _section(name: str, command: Any) -> str:
    rows = [_row(one) for one in command.params if not one.hidden]
    options = [table(("argument or option", "what it is", "default"), rows)] if rows else []
    return "\n\n".join([f"## `lokikit {name}`", inspect.cleandoc(command.help or ""), *options])


def _row(one: Any) -> tuple[str, ...]:
    is_option = one.param_type_name == "option"
    names = (*one.opts, *one.secondary_opts) if is_option else (one.metavar or one.name.upper(),)
    default = one.default.value if isinstance(one.default, Enum) else one.default
    if one.required:
        shown = "required"
    elif isinstance(default, bool):
        shown = one.secondary_opts[0] if one.secondary_opts and not default else ""
        shown = one.opts[0] if one.secondary_opts and default else shown
    else:
        shown = "" if default in {None, ""} else str(default)
    also = f" Or set `{one.envvar}`." if one.envvar else ""
    return (
        code(*names),
        (one.help or "") + also,
        code(shown) if shown and shown != "required" else shown,
    )
