"""Alert rules in the form of Grafana's provisioning files."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from grafana.generator.board import FOLDER
from grafana.generator.rules import RULES
from grafana.generator.settings import seconds
from grafana.generator.targets import LOKI
from grafana_foundation_sdk.builders import alerting, expr, loki
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.alerting import RelativeTimeRange
from grafana_foundation_sdk.models.dashboard import DataSourceRef

from lokikit.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from grafana.generator.rules import Rule
    from grafana.generator.settings import Numbers, Settings

    from lokikit.query.logql import Selection

RUNBOOKS = "grafana/RUNBOOKS.md"
_EXPRESSION = DataSourceRef("__expr__", "__expr__")
_MAX_UID = 40
_QUERY, _NUMBER, _BREACH = "A", "B", "C"


def rule_groups(settings: Settings) -> dict[str, Any]:
    """The provisioning file: all rules, those for single services among them.

    Raises:
        SettingsError: the settings name a rule that there is not, or lack one.
    """
    if odd := {rule.uid for rule in RULES} ^ set(settings.rules):
        raise SettingsError(f"settings.yaml and the rules differ in {', '.join(sorted(odd))}.")
    groups: dict[str, list[dict[str, Any]]] = {}
    for rule in RULES:
        for every, made in _variants(rule, settings):
            groups.setdefault(every, []).append(made)
    return {
        "apiVersion": 1,
        "groups": [
            {
                "orgId": 1,
                "name": f"every {every}",
                "folder": FOLDER,
                "interval": every,
                "rules": made,
            }
            for every, made in groups.items()
        ],
    }


def _variants(rule: Rule, settings: Settings) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rule for all services, and one for each that is set otherwise."""
    if settings.services.get(rule.uid) and not rule.per_service:
        raise SettingsError(f"settings.yaml: rules.{rule.uid} cannot be set for one service.")
    for service, chosen, numbers in rule.variants(settings):
        if not service:
            yield numbers.every, _rule(rule, numbers, chosen)
            continue
        uid = f"{rule.uid}-{service}"
        if len(uid) > _MAX_UID:
            raise SettingsError(f"settings.yaml: {uid} is too long a uid for Grafana ({_MAX_UID}).")
        single = replace(rule, uid=uid, title=f"{rule.title}: {service}")
        yield numbers.every, _rule(single, numbers, chosen, rule.uid)


def _rule(rule: Rule, numbers: Numbers, chosen: Selection, section: str = "") -> dict[str, Any]:
    built = (
        alerting.Rule(rule.title)
        .condition(_BREACH)
        .with_query(_asked(rule.expression(chosen, numbers), numbers))
        .with_query(_expression(_NUMBER, expr.TypeReduce().expression(_QUERY).reducer("last")))
        .with_query(_expression(_BREACH, _threshold(rule, numbers)))
        .for_val(numbers.for_)
        .no_data_state(rule.no_data)
        .labels({"severity": rule.severity, "rule": section or rule.uid})
        .annotations(_annotations(rule, section or rule.uid))
        .is_paused(is_paused=not numbers.enabled)
    )
    held = json.loads(json.dumps(built.build(), cls=JSONEncoder))
    kept = ("title", "condition", "for", "noDataState", "labels", "annotations", "isPaused", "data")
    return {"uid": rule.uid, **{key: held[key] for key in kept}, "execErrState": rule.on_error}


def _annotations(rule: Rule, section: str) -> dict[str, str]:
    return {
        "summary": rule.summary,
        "runbook": f"{RUNBOOKS}#{section}",
        "__dashboardUid__": rule.dashboard,
        "__panelId__": str(rule.panel),
    }


def _asked(query: str, numbers: Numbers) -> alerting.Query:
    looked_back_s = seconds(numbers.window) + seconds(numbers.history) + seconds(numbers.after)
    model = loki.Dataquery().datasource(LOKI).expr(query).query_type("instant").ref_id(_QUERY)
    return (
        alerting.Query(_QUERY)
        .datasource_uid(str(LOKI.uid))
        .query_type("instant")
        .relative_time_range(RelativeTimeRange(looked_back_s, 0))
        .model(model)
    )


def _expression(name: str, model: expr.TypeReduce | expr.TypeThreshold) -> alerting.Query:
    return (
        alerting.Query(name)
        .datasource_uid(str(_EXPRESSION.uid))
        .relative_time_range(RelativeTimeRange(0, 0))
        .model(model.datasource(_EXPRESSION).ref_id(name))
    )


def _threshold(rule: Rule, numbers: Numbers) -> expr.TypeThreshold:
    beyond = expr.ExprTypeThresholdConditionsEvaluator().type(rule.breach)
    condition = expr.ExprTypeThresholdConditions().evaluator(beyond.params([numbers.threshold]))
    return expr.TypeThreshold().expression(_NUMBER).conditions([condition])
