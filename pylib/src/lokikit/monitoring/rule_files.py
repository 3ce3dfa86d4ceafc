"""Alert rules read from files: Grafana's provisioning, and Loki's ruler.

Grafana's form: https://grafana.com/docs/grafana/latest/alerting/set-up/provision-alerting-resources/file-provisioning/
Loki's form: https://grafana.com/docs/loki/latest/alert/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from lokikit.errors import SettingsError
from lokikit.monitoring.rule_definition import RANGES, SIDES, Range, Rule
from lokikit.stack.yaml_text import load_yaml
from lokikit.times import NS_PER_MS, NS_PER_S, parse_duration_ns

DEFAULT_INTERVAL = "1m"
REDUCERS = frozenset({"last", "mean", "min", "max", "sum", "count", "median"})
_MAX_POINTS = 43_200
"""Grafana's default of `maxDataPoints` of an alert rule."""
_NO_DATA = {"NoData", "OK", "Alerting", "KeepLast"}
_ON_ERROR = {"Error", "OK", "Alerting", "KeepLast"}


def read_rule_file(path: Path) -> list[Rule]:
    """Return all alert rules of a file, paused rules too.

    Raises:
        SettingsError: the file is missing, or a rule cannot be evaluated here.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"cannot read the rules of {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is no text in UTF-8: {error.reason}.") from error
    return list(parse_rules(text, str(path)))


def parse_rules(text: str, source: str) -> Iterator[Rule]:
    """Return the alert rules in YAML, none without `groups`; errors name its file, the `source`.

    Raises:
        SettingsError: the text is no YAML, or a rule cannot be evaluated here.
    """
    try:
        held = load_yaml(text)
    except yaml.YAMLError as error:
        raise SettingsError(f"{source} is no YAML: {' '.join(str(error).split())}.") from error
    groups = held.get("groups") if isinstance(held, dict) else None
    for group in groups or ():
        for number, rule in enumerate(group.get("rules") or (), 1):
            yield _rule(rule, group, f"{source}, group {group.get('name')!r}, rule {number}")


def _rule(held: Mapping[str, Any], group: Mapping[str, Any], where: str) -> Rule:
    name = held.get("title") or held.get("alert") or held.get("record")
    where = f"{where} ({name})" if name else where
    try:
        return _grafana_rule(held, group) if "data" in held else _loki_rule(held, group)
    except SettingsError as error:
        raise SettingsError(f"{where}: {error}") from error
    except KeyError as error:
        raise SettingsError(f"{where}: {error.args[0]!r} is missing.") from error


def _loki_rule(held: Mapping[str, Any], group: Mapping[str, Any]) -> Rule:
    if "record" in held:
        raise SettingsError("recording rules are not evaluated: leave them in a file of their own.")
    labels = _texts(held.get("labels"))
    return Rule(
        uid=held["alert"],
        title=held["alert"],
        severity=labels.get("severity", ""),
        query=held["expr"],
        beyond="any",
        threshold=0,
        no_data="OK",
        on_error="KeepLast",
        engine="loki",
        labels=labels,
        **_common(held, group, "keep_firing_for"),
    )


def _grafana_rule(held: Mapping[str, Any], group: Mapping[str, Any]) -> Rule:
    labels = _texts(held.get("labels"))
    return Rule(
        uid=held.get("uid") or held["title"],
        title=held["title"],
        severity=labels.get("severity", ""),
        no_data=_choice(held, "noDataState", "NoData", _NO_DATA),
        on_error=_choice(held, "execErrState", "Error", _ON_ERROR),
        folder=group.get("folder", ""),
        missing_evaluations=int(held.get("missing_series_evals_to_resolve") or 2),
        labels=labels,
        is_paused=bool(held.get("isPaused")),
        **_condition(held),
        **_common(held, group, "keepFiringFor"),
    )


def _common(held: Mapping[str, Any], group: Mapping[str, Any], keep: str) -> dict[str, Any]:
    return {
        "group": str(group.get("name", "")),
        "interval_ns": _duration_ns(group.get("interval", DEFAULT_INTERVAL), "interval"),
        "for_ns": _duration_ns(held.get("for", 0), "for"),
        "keep_firing_for_ns": _duration_ns(held.get(keep, 0), keep),
        "annotations": _texts(held.get("annotations")),
    }


def _condition(held: Mapping[str, Any]) -> dict[str, Any]:
    """Return the chain of Grafana's expressions, from the condition back to the query."""
    nodes = {node["refId"]: node for node in held["data"]}
    found: dict[str, Any] = {"beyond": "ne", "threshold": 0.0}
    reducer = "last"
    name = held.get("condition", "")
    for _ in nodes:
        node = nodes.get(name)
        if node is None:
            raise SettingsError(f"no part of `data` has the refId {name!r}.")
        model = node["model"]
        kind = model.get("type", "query") if "expr" not in model else "query"
        if kind == "query":
            return {**found, "query": _query(model), "span": _span(node, reducer)}
        if kind == "threshold":
            found |= _threshold(model)
        elif kind == "reduce":
            reducer = _reducer(model)
        else:
            raise SettingsError(
                f"the expression {name} is of type {kind!r}: of Grafana's server-side "
                "expressions only reduce and threshold are evaluated."
            )
        name = str(model["expression"]).lstrip("$").strip("{}")
    raise SettingsError("its expressions refer to each other in a circle.")


def _query(model: Mapping[str, Any]) -> str:
    if "expr" not in model:
        raise SettingsError("it does not ask Loki: its query has no `expr`.")
    # Grafana replaces variables of the environment in provisioning files; `$$` is a `$`.
    return str(model["expr"]).replace("$$", "$")


def _threshold(model: Mapping[str, Any]) -> dict[str, Any]:
    (condition,) = model["conditions"]
    evaluator = condition["evaluator"]
    side, bounds = evaluator["type"], [float(bound) for bound in evaluator["params"]]
    if side not in SIDES:
        raise SettingsError(f"the threshold {side!r} is unknown: known are {_listed(SIDES)}.")
    if "unloadEvaluator" in condition:
        raise SettingsError("a threshold with a recovery threshold is not evaluated.")
    upper = bounds[1] if side in RANGES else float("inf")
    return {"beyond": side, "threshold": bounds[0], "upper": upper}


def _reducer(model: Mapping[str, Any]) -> str:
    reducer = str(model.get("reducer", "last"))
    if reducer not in REDUCERS:
        raise SettingsError(f"the reducer {reducer!r} is unknown: known are {_listed(REDUCERS)}.")
    return reducer


def _span(node: Mapping[str, Any], reducer: str) -> Range | None:
    model = node["model"]
    kind = model.get("queryType") or node.get("queryType") or "range"
    if kind == "instant" or model.get("instant"):
        return None
    span = node.get("relativeTimeRange") or {}
    from_ns, to_ns = (int(span.get(edge, 0)) * NS_PER_S for edge in ("from", "to"))
    points = int(model.get("maxDataPoints") or _MAX_POINTS)
    least_ns = int(model.get("intervalMs") or 1000) * NS_PER_MS
    step = model.get("step")
    step_ns = _duration_ns(step, "step") if step else max(least_ns, (from_ns - to_ns) // points)
    return Range(from_ns, to_ns, step_ns, reducer)


def _duration_ns(value: Any, name: str) -> int:
    return 0 if value in {0, "0", None} else parse_duration_ns(str(value), name)


def _choice(held: Mapping[str, Any], name: str, default: str, known: set[str]) -> Any:
    value = held.get(name) or default
    value = "OK" if value == "Ok" else value
    if value not in known:
        raise SettingsError(f"{name} {value!r} is unknown: known are {_listed(known)}.")
    return value


def _texts(held: Any) -> dict[str, str]:
    return {str(name): str(value) for name, value in (held or {}).items()}


def _listed(names: set[str] | frozenset[str]) -> str:
    return ", ".join(sorted(names))
