"""The functions that templates may use: Go's own, and those that Loki documents."""

from __future__ import annotations

BUILTINS = frozenset(
    {"and", "or", "not", "len", "index", "slice", "call", "print", "printf", "println"}
    | {"html", "js", "urlquery", "eq", "ne", "lt", "le", "gt", "ge"}
)
LOKI_FUNCTIONS = frozenset(
    {"__line__", "__timestamp__", "alignLeft", "alignRight", "b64dec", "b64enc", "bytes"}
    | {"contains", "count", "date", "default", "duration", "duration_seconds", "float64"}
    | {"fromJson", "hasPrefix", "hasSuffix", "indent", "int", "lower", "nindent", "now"}
    | {"regexReplaceAll", "regexReplaceAllLiteral", "repeat", "replace", "substr", "title"}
    | {"toDate", "toDateInZone", "trim", "trimAll", "trimPrefix", "trimSuffix", "trunc"}
    | {"unixEpoch", "unixEpochMillis", "unixEpochNanos", "unixToTime", "upper"}
    | {"urldecode", "urlencode", "add", "addf", "ceil", "div", "divf", "floor", "max", "maxf"}
    | {"min", "minf", "mod", "mul", "mulf", "round", "sub", "subf", "Replace", "ToLower"}
    | {"ToUpper", "Trim", "TrimLeft", "TrimPrefix", "TrimRight", "TrimSpace", "TrimSuffix"}
)
FUNCTION_NAMES = BUILTINS | LOKI_FUNCTIONS
