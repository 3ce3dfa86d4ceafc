"""Whether Grafana will take the files that it is provisioned from: one bad file stops it."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import yaml

from lokikit.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

_KEYS = {
    "datasources": {"apiVersion", "datasources", "deleteDatasources", "prune"},
    "dashboards": {"apiVersion", "providers"},
    "plugins": {"apiVersion", "apps"},
    "alerting": {
        "apiVersion",
        "groups",
        "deleteRules",
        "contactPoints",
        "deleteContactPoints",
        "policies",
        "resetPolicies",
        "templates",
        "deleteTemplates",
        "muteTimes",
        "deleteMuteTimes",
    },
}
"""Folder -> what Grafana reads from a file in it."""
_NO_SOURCES = frozenset({"__expr__", "-100"})
"""What stands for Grafana's own expressions in place of a data source."""
_VARIABLE = re.compile(r"\$(?:\$|\{?(\w+)\}?)")

Parsed = dict[str, dict[str, Any]]


def check_provisioning(files: Mapping[str, bytes], variables: Collection[str]) -> None:
    """Pass when the files fit together.

    Args:
        files: name below the provisioning folder -> content.
        variables: what Grafana's environment has for them.

    Raises:
        SettingsError: one sentence that names the first file that does not, and why.
    """
    parsed = {name: _parsed(name, content) for name, content in files.items()}
    for name, held in parsed.items():
        _check_variables(name, held, variables)
    sources = _unique("data source", _uids(parsed, "datasources", lambda one: [one]))
    _unique("contact point", _uids(parsed, "contactPoints", lambda one: one["receivers"]))
    _unique("alert rule", _uids(parsed, "groups", lambda one: one["rules"]))
    _check_rules(parsed, sources | _NO_SOURCES)
    _check_receivers(parsed)


def check_dashboards(files: Mapping[str, bytes]) -> None:
    """Pass when each is a dashboard of its own.

    Raises:
        SettingsError: one sentence that names the first file that is not, and why.
    """
    _unique("dashboard", [_dashboard(*item) for item in files.items()])


def _dashboard(file: str, content: bytes) -> tuple[str, str]:
    """File and uid of a dashboard."""
    name = f"dashboards/{file}"
    try:
        return name, json.loads(content)["uid"]
    except (ValueError, KeyError, TypeError) as error:
        raise _bad(name, f"it is no dashboard with a uid ({error!r})") from None


def _parsed(name: str, content: bytes) -> dict[str, Any]:
    folder = name.partition("/")[0]
    try:
        held = yaml.safe_load(content)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise _bad(name, f"it is no YAML: {' '.join(str(error).split())}") from None
    if folder not in _KEYS:
        raise _bad(name, f"Grafana reads nothing in {folder}/")
    if not isinstance(held, dict) or held.get("apiVersion") != 1:
        raise _bad(name, "it does not say apiVersion: 1")
    if unknown := sorted(held.keys() - _KEYS[folder]):
        raise _bad(name, f"Grafana does not know {', '.join(unknown)} there")
    return held


def _check_variables(name: str, held: Mapping[str, Any], known: Collection[str]) -> None:
    """A variable that Grafana's environment lacks would be empty, without a word."""
    expanded = {key: value for key, value in held.items() if key != "groups"}
    for text in _texts(expanded):
        for found in _VARIABLE.finditer(text):
            if found[1] and found[1] not in known:
                raise _bad(name, f"nothing sets ${found[1]}; write $$ for a $ of its own")


def _texts(held: Any) -> Iterator[str]:
    if isinstance(held, str):
        yield held
    elif isinstance(held, (dict, list)):
        for one in held.values() if isinstance(held, dict) else held:
            yield from _texts(one)


def _uids(parsed: Parsed, key: str, parts: Callable[[Any], Iterable[Any]]) -> list[tuple[str, str]]:
    """File and uid of each part of what the files say under `key`."""
    return [pair for name, held in parsed.items() for pair in _uids_of(name, held, key, parts)]


def _uids_of(
    name: str, held: Mapping[str, Any], key: str, parts: Callable[[Any], Iterable[Any]]
) -> list[tuple[str, str]]:
    try:
        return [(name, one["uid"]) for whole in held.get(key) or () for one in parts(whole)]
    except (KeyError, TypeError) as error:
        raise _bad(name, f"{key} lacks {error}") from None


def _unique(kind: str, uids: Iterable[tuple[str, str]]) -> set[str]:
    uids = list(uids)
    counts = Counter(uid for _, uid in uids)
    for name, uid in uids:
        if counts[uid] > 1:
            raise _bad(name, f"there is another {kind} with the uid {uid}")
    return set(counts)


def _check_rules(parsed: Parsed, sources: Collection[str]) -> None:
    for name, held in parsed.items():
        for group in held.get("groups") or ():
            for rule in group["rules"]:
                asked = {one.get("datasourceUid") for one in rule.get("data") or ()}
                if unknown := sorted(map(str, asked - {*sources})):
                    why = f"rule {rule['uid']} asks data source {unknown[0]}, which there is not"
                    raise _bad(name, why)


def _check_receivers(parsed: Parsed) -> None:
    """A receiver that there is not keeps Grafana from starting."""
    there = {one["name"] for held in parsed.values() for one in held.get("contactPoints") or ()}
    trees = [(name, tree) for name, held in parsed.items() for tree in held.get("policies") or ()]
    if len(trees) > 1:
        raise _bad(trees[1][0], "there is another tree of policies, and Grafana keeps one")
    for name, receiver in [*_receivers(trees), *_receivers_of_rules(parsed)]:
        if receiver not in there:
            raise _bad(name, f"it names the receiver {receiver}, which there is not")


def _receivers(trees: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, str]]:
    for name, tree in trees:
        if "receiver" in tree:
            yield name, tree["receiver"]
        yield from _receivers((name, one) for one in tree.get("routes") or ())


def _receivers_of_rules(parsed: Parsed) -> Iterator[tuple[str, str]]:
    for name, held in parsed.items():
        for group in held.get("groups") or ():
            for rule in group["rules"]:
                if settings := rule.get("notification_settings"):
                    yield name, settings["receiver"]


def _bad(name: str, why: str) -> SettingsError:
    return SettingsError(f"Grafana would not start with {name}: {why}.")
