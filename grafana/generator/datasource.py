"""The data source: Loki, its tenant, and where ids in a line lead."""

from __future__ import annotations

from typing import Any

from grafana.generator.board import REQUEST
from grafana.generator.request import ID
from grafana.generator.targets import LOKI

from lokikit.fields import REQUEST_ID, TRACE_ID

# Grafana takes variables in these files from its environment; `$$` is a `$` of its own.
_VALUE = "$${__value.raw}"


def datasource(tracing_uid: str) -> dict[str, Any]:
    """What Grafana's provisioning takes for data sources.

    Args:
        tracing_uid: the data source for traces, empty for none.
    """
    loki = {
        "name": "Loki",
        "uid": LOKI.uid,
        "type": LOKI.type_val,
        "access": "proxy",
        "url": "$LOKI_URL",
        "isDefault": True,
        "editable": False,
        "jsonData": {
            "httpHeaderName1": "X-Scope-OrgID",
            "maxLines": 1000,
            "derivedFields": _derived_fields(tracing_uid),
        },
        "secureJsonData": {"httpHeaderValue1": "$LOKI_ORG_ID"},
    }
    return {"apiVersion": 1, "datasources": [loki]}


def _derived_fields(tracing_uid: str) -> list[dict[str, str]]:
    """Links of values in structured metadata, which Grafana matches like labels."""
    request = {
        "name": REQUEST_ID,
        "matcherType": "label",
        "matcherRegex": REQUEST_ID,
        "url": f"/d/{REQUEST}?var-{ID}={_VALUE}",
        "urlDisplayLabel": "All of this request",
    }
    trace = {
        "name": TRACE_ID,
        "matcherType": "label",
        "matcherRegex": TRACE_ID,
        "datasourceUid": tracing_uid,
        "url": _VALUE,
        "urlDisplayLabel": "Its trace",
    }
    return [request, trace] if tracing_uid else [request]
