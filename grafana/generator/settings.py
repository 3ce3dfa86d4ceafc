"""What `grafana/settings.yaml` says, checked: the numbers of the rules, once."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from lokikit.errors import SettingsError
from lokikit.times import NS_PER_S, parse_duration_ns

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = Path(__file__).parents[1] / "settings.yaml"


def seconds(span: str) -> int:
    """How long a span of LogQL is: `90s`, `10m`, `3h`, `7d`."""
    return parse_duration_ns(span, f"{FILE.name}:") // NS_PER_S


@dataclass(frozen=True)
class Numbers:
    """What one rule is set to, for all services or for one.

    Args:
        threshold: beyond it is a breach.
        window: how much of the past it looks at.
        for_: how long a breach lasts before it is told.
        every: how often it looks.
        enabled: whether it looks at all.
        minimum: of lines or requests in the window.
        history: what is usual.
        after: how long a run may take.
        quantile: of the requests.
    """

    threshold: float
    window: str
    for_: str
    every: str
    enabled: bool = True
    minimum: int = 0
    history: str = "0s"
    after: str = "0s"
    quantile: float = 0.95

    def __post_init__(self) -> None:
        for span in (self.window, self.for_, self.every, self.history, self.after):
            seconds(span)

    @property
    def parts(self) -> int:
        """How many windows the history has."""
        return seconds(self.history) // seconds(self.window)

    @property
    def whole(self) -> str:
        """Window and `after` together."""
        return f"{seconds(self.window) + seconds(self.after)}s"


@dataclass(frozen=True)
class Settings:
    """All of the file.

    Args:
        rules: what each rule is set to.
        services: what it is set to for one service, likewise by rule.
        tracing_uid: the data source for traces, empty for none.
    """

    rules: Mapping[str, Numbers]
    services: Mapping[str, Mapping[str, Numbers]] = field(default_factory=dict)
    tracing_uid: str = ""


def read_settings(text: str) -> Settings:
    """The settings in the text of a file.

    Raises:
        SettingsError: something in it means nothing.
    """
    said = yaml.safe_load(text)
    rules, services = {}, {}
    for name, section in said["rules"].items():
        own = section.pop("services", {})
        rules[name] = _numbers(name, section)
        services[name] = {one: _numbers(name, section | own[one]) for one in sorted(own)}
    return Settings(rules, services, said["tracing"]["datasource_uid"])


def _numbers(rule: str, section: dict[str, Any]) -> Numbers:
    values = {"for_" if key == "for" else key: value for key, value in section.items()}
    try:
        return Numbers(**values)
    except TypeError as error:
        raise SettingsError(f"{FILE.name}: rules.{rule}: {error}") from error
