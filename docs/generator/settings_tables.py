"""The tables of environment variables, from their declarations, `.env` and its valid values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docs.generator.kit_variables import (
    OF_ALERTS,
    OF_SPLIT_FILES,
    OF_THE_AGENT,
    OF_THE_STACK,
    KitVariable,
)
from docs.generator.tables import code, table

from lokikit.stack.env_settings import TABLE
from lokikit.stack.kit_files import kit_env
from lokikit.variables import LOKI_URL, OF_A_SERVICE, Setting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def _of_a_service() -> str:
    columns = ("variable", "argument", "what it sets", "valid values", "without it")
    return table(columns, (_row(setting) for setting in OF_A_SERVICE))


def _row(setting: Setting[Any]) -> tuple[str, ...]:
    argument = code(setting.argument) if setting.argument else ""
    return (
        code(*setting.names),
        argument,
        setting.meaning,
        setting.kind.wanted,
        setting.without,
    )


def _of_the_stack() -> str:
    loki = KitVariable(LOKI_URL.names, LOKI_URL.meaning, LOKI_URL.without)
    columns = ("variable", "what it sets", "valid values", "without it")
    return table(columns, (_stack_row(one) for one in (loki, *OF_THE_STACK)))


def _stack_row(one: KitVariable) -> tuple[str, ...]:
    stored = kit_env({})
    wanted = {TABLE[name].wanted for name in one.names if name in TABLE}
    is_port = all(name.endswith("_PORT") for name in one.names)
    default = one.without or code(*(stored[name] for name in one.names))
    valid = "a number from 1 to 65535" if is_port else "".join(wanted)
    return code(*one.names), one.meaning, valid, default


def _kit_table(variables: Iterable[KitVariable]) -> str:
    rows = ((code(*one.names), one.meaning, one.without) for one in variables)
    return table(("variable", "what it sets", "without it"), rows)


BLOCKS: dict[str, Callable[[], str]] = {
    "settings of a service": _of_a_service,
    "settings of the stack": _of_the_stack,
    "settings of alerts": lambda: _kit_table(OF_ALERTS),
    "settings of split files": lambda: _kit_table(OF_SPLIT_FILES),
    "settings of the agent": lambda: _kit_table(OF_THE_AGENT),
}
