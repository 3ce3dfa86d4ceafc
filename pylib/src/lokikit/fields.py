"""The log contract: names, order and limits of what a line and a stream of ours hold.

Everything else (agent, dashboards, rules, tests) is generated from this module or checked
against it. No other module spells one of these names out.
"""

from __future__ import annotations

from types import MappingProxyType

# --- the line, in the order in which its fields stand ---------------------------------

TIMESTAMP = "timestamp"
"""RFC 3339, UTC, six digits of fraction, `Z`; strictly increasing within a process."""
LEVEL = "level"
"""One of `LEVELS`."""
LOGGER = "logger"
MESSAGE = "message"
SERVICE = "service"
ENV = "env"
VERSION = "version"
HOST = "host"
PID = "pid"
THREAD = "thread"
CALLER = "caller"
"""`path/to/file.py:42 function`."""
REQUEST_ID = "request_id"
TRACE_ID = "trace_id"
"""32 hexadecimal digits (W3C Trace Context)."""
SPAN_ID = "span_id"
"""16 hexadecimal digits (W3C Trace Context)."""
EXC_TYPE = "exc_type"
"""The class with its module, builtins without it."""
EXC_MESSAGE = "exc_message"
STACKTRACE = "stacktrace"
STACK = "stack"
"""What `stack_info=True` collects."""
TRUNCATED = "truncated"
"""`true` on a line that was cut to `MAX_LINE_BYTES`; stands last."""

LINE_FIELDS = (
    TIMESTAMP,
    LEVEL,
    LOGGER,
    MESSAGE,
    SERVICE,
    ENV,
    VERSION,
    HOST,
    PID,
    THREAD,
    CALLER,
    REQUEST_ID,
    TRACE_ID,
    SPAN_ID,
    EXC_TYPE,
    EXC_MESSAGE,
    STACKTRACE,
    STACK,
)
REQUIRED_FIELDS = (TIMESTAMP, LEVEL, LOGGER, MESSAGE, HOST, PID, THREAD, CALLER)
"""On every line; the others are absent when unknown, never null."""

CALLER_SETTABLE = frozenset({REQUEST_ID, TRACE_ID, SPAN_ID})
"""Contract fields that context or `extra=` may give; an active span wins over both."""
RESERVED_FIELDS = frozenset(LINE_FIELDS) - CALLER_SETTABLE | {TRUNCATED}
"""Names that only the formatter sets: from context or `extra=` they get `RESERVED_SUFFIX`."""
RESERVED_SUFFIX = "_"

LEVEL_NAME = "level_name"
"""On lines of a level of the application's own: its name (`SUCCESS`), where `level` has the one of
`LEVELS` at or below it. The caller may set it."""
LEVELS = ("debug", "info", "warning", "error", "critical")
MAX_LINE_BYTES = 256 * 1024
"""Loki's own default of `limits_config.max_line_size`."""
REDACTED = "[redacted]"

# --- one line per request -------------------------------------------------------------

HTTP_METHOD = "http_method"
HTTP_ROUTE = "http_route"
"""The template (`/orders/{id}`), not the path, so that it can be grouped."""
HTTP_PATH = "http_path"
HTTP_STATUS = "http_status"
DURATION_MS = "duration_ms"
BYTES = "bytes"
CLIENT_IP = "client_ip"
USER_ID = "user_id"
"""Who was logged in, where the framework knows; not among `REQUEST_FIELDS`, for most have none."""
CLOSE_CODE = "close_code"
"""Of a WebSocket (RFC 6455, section 7.4), on its line in place of a status."""
REQUEST_FIELDS = (
    HTTP_METHOD,
    HTTP_ROUTE,
    HTTP_PATH,
    HTTP_STATUS,
    DURATION_MS,
    BYTES,
    CLIENT_IP,
)

# --- one line per step of a task ------------------------------------------------------

TASK_NAME = "task_name"
ACTION = "action"
"""One of `TASK_ACTIONS`."""
TASK_ID = "task_id"
START = "start"
END = "end"
RUNTIME_S = "runtime_s"
TASK_FIELDS = (TASK_NAME, ACTION, TASK_ID, START, END, RUNTIME_S)
TASK_ACTIONS = ("run", "success", "fail", "terminate", "inaction", "crash")
TASK_FAILURES = ("fail", "crash")
"""The actions that say that something is wrong: `terminate` may be a worker that stops."""

# --- the canary: numbered lines, and now and then what came of them -------------------

CANARY_SERVICE = "canary"
CANARY_LOGGER = "lokikit.monitoring.canary"
CANARY_RUN = "canary_run"
"""Names one start of the canary; on all of its lines. Numbers begin at 1 in each run."""
CANARY_SEQ = "canary_seq"
"""On numbered lines alone: the number, a whole one."""
CANARY_LOST = "canary_lost"
"""On check lines alone, as all below: lines given up since the check before. Zero is said too."""
CANARY_LATE = "canary_late"
"""Lines given up earlier that have come since the check before."""
CANARY_DUPLICATES = "canary_duplicates"
"""Copies beyond the first of each line, found since the check before."""
CANARY_ROUND_TRIP_S = "canary_round_trip_s"
"""The slowest since the check before, from writing to reading back; absent when none came."""
CONTACT_POINTS = "contact_points"
"""How many ways there are to tell somebody of an alert; absent when the canary was not told."""
AGENT_DROPPED = "agent_dropped"
"""Lines that the agent has dropped since it started; absent when it does not say."""
CANARY_FIELDS = (
    CANARY_RUN,
    CANARY_SEQ,
    CANARY_LOST,
    CANARY_LATE,
    CANARY_DUPLICATES,
    CANARY_ROUND_TRIP_S,
    CONTACT_POINTS,
    AGENT_DROPPED,
)

# --- in Loki --------------------------------------------------------------------------

LABEL_SERVICE = "service_name"
LABEL_ENV = "env"
LABEL_FIELDS = MappingProxyType({LABEL_SERVICE: SERVICE, LABEL_ENV: ENV})
"""Stream label -> the line field that it is read from."""
EVERY_STREAM = f'{{{LABEL_SERVICE}=~".+"}}'
"""The selector of all that follows the contract."""
CLUSTER_LABELS = ("cluster", "namespace")
MAX_LABELS = 6
MAX_STREAMS = 500
"""The budget of one Loki; `tests/stack` compares."""

METADATA_FIELDS = (REQUEST_ID, TRACE_ID)
"""Structured metadata read from the line."""
PLATFORM_METADATA = (HOST, "pod", "container", "node", "stream")
"""Structured metadata that only who carries the line knows."""
TIME_FIELDS = (TIMESTAMP, "time", "ts", "@timestamp", "@t", "Timestamp", "datetime")
"""Where a program may say the time, as RFC 3339 or as a number since 1970; the first that says one.
As slog, logrus, pino, zap, Logstash and Serilog name it."""
UNKNOWN_SERVICE = "unknown"
"""The service of a line that names none, when its carrier knows none either."""
DETECTED_LEVEL = "detected_level"
"""Loki's own structured metadata, read from the line's `level`."""
DETECTED_LEVELS = MappingProxyType({level: level.replace("warning", "warn") for level in LEVELS})
"""Our level -> what Loki calls it (`LogLevelWarn` in its `pkg/util/constants/levels.go`)."""
ERROR_LEVELS = ("error", "critical", "fatal")
"""What Loki calls the levels that count as errors: ours, and the one of others."""
NUMBERED_LEVELS = MappingProxyType(
    {10: "trace", 20: "debug", 30: "info", 40: "warn", 50: "error", 60: "fatal"}
)
"""Levels that foreign programs write as numbers, as pino and bunyan do -> what Loki calls them.
Loki reads words alone from a line, so who carries the line says `DETECTED_LEVEL` of these."""
OTHER_LEVELS = MappingProxyType(
    {
        "notice": "info",
        "severe": "error",
        **dict.fromkeys(("crit", "alert", "emerg", "emergency", "dpanic"), "critical"),
        "panic": "fatal",
    }
)
"""Words, in any case, that Loki does not read as levels -> what it calls such; who carries the line
says so, as with `NUMBERED_LEVELS`."""
LEVEL_FIELDS = (
    LEVEL,
    *("LEVEL", "Level", "log.level", "severity", "SEVERITY", "Severity", "SeverityText"),
    *("lvl", "LVL", "Lvl", "severity_text", "Severity_Text", "SEVERITY_TEXT", "levelname"),
    *("log_level", "@l"),
)
"""Where a program may say the level, the first that it has; the list of `loki/loki.yaml`."""
