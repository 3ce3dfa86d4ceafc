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
"""Name of the logger."""
MESSAGE = "message"
"""The text of the event, its `%` arguments filled in."""
SERVICE = "service"
"""Name of the service, as set; read into the label `service_name`."""
ENV = "env"
"""Where the service runs, as set; read into the label `env`."""
VERSION = "version"
"""Version of the service, as set."""
HOST = "host"
"""Name of the machine or container."""
PID = "pid"
"""Number of the process."""
THREAD = "thread"
"""Name of the thread."""
CALLER = "caller"
"""`path/to/file.py:42 function`."""
REQUEST_ID = "request_id"
"""Names the request that the event belongs to."""
TRACE_ID = "trace_id"
"""32 hexadecimal digits (W3C Trace Context)."""
SPAN_ID = "span_id"
"""16 hexadecimal digits (W3C Trace Context)."""
EXC_TYPE = "exc_type"
"""The class of the exception with its module, builtins without it."""
EXC_MESSAGE = "exc_message"
"""The text of the exception."""
STACKTRACE = "stacktrace"
"""The traceback of the exception, as Python prints it."""
STACK = "stack"
"""What `stack_info=True` collects."""
TRUNCATED = "truncated"
"""`true` on a line that was cut to `MAX_LINE_BYTES`; the last field."""

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
"""Its name (`SUCCESS`), where `level` is the level of `LEVELS` at or below it. The caller may set
it."""
LEVELS = ("debug", "info", "warning", "error", "critical")
MAX_LINE_BYTES = 256 * 1024
"""Loki's own default of `limits_config.max_line_size`."""
REDACTED = "[redacted]"

# --- one line per request -------------------------------------------------------------

HTTP_METHOD = "http_method"
"""`GET`, `POST`, …; absent on the line of a WebSocket."""
HTTP_ROUTE = "http_route"
"""The template of the path (`/orders/{id}`), by which requests can be grouped."""
HTTP_PATH = "http_path"
"""The path, without its query."""
HTTP_STATUS = "http_status"
"""Status of the answer, a number; 499 for a client that left, 500 for an exception."""
DURATION_MS = "duration_ms"
"""Milliseconds until the answer was sent, or the WebSocket closed."""
BYTES = "bytes"
"""Size of the answer's body."""
CLIENT_IP = "client_ip"
"""The last address that is no trusted proxy."""
USER_ID = "user_id"
"""Id of the user who was logged in, where the framework knows it."""
CLOSE_CODE = "close_code"
"""Why a WebSocket was closed (RFC 6455, section 7.4), in place of a status."""
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
"""Name of the task."""
ACTION = "action"
"""One of `TASK_ACTIONS`."""
TASK_ID = "task_id"
"""Id of the run, the same on all of its lines."""
START = "start"
"""When the run began, in the form of `timestamp`."""
END = "end"
"""When it ended; on the line of its end."""
RUNTIME_S = "runtime_s"
"""Seconds that it took; on the line of its end."""
TASK_FIELDS = (TASK_NAME, ACTION, TASK_ID, START, END, RUNTIME_S)
TASK_ACTIONS = ("run", "success", "fail", "terminate", "inaction", "crash")
TASK_FAILURES = ("fail", "crash")
"""The actions that report a fault: `terminate` may be a worker that stops."""

# --- the canary: numbered lines, and now and then what came of them -------------------

CANARY_SERVICE = "canary"
CANARY_LOGGER = "lokikit.monitoring.canary"
CANARY_RUN = "canary_run"
"""Names one start of the canary, on all of its lines. Numbers begin at 1 in each run."""
CANARY_SEQ = "canary_seq"
"""On numbered lines alone: their number."""
CANARY_LOST = "canary_lost"
"""On check lines alone, as are all fields below: lines given up since the last check, also 0."""
CANARY_LATE = "canary_late"
"""Lines given up earlier that have come since the last check."""
CANARY_DUPLICATES = "canary_duplicates"
"""Copies beyond the first of each line, found since the last check."""
CANARY_ROUND_TRIP_S = "canary_round_trip_s"
"""Seconds from writing a line to reading it back, the slowest since the last check; absent when no
line came."""
CONTACT_POINTS = "contact_points"
"""Number of the ways by which alerts are sent; absent when the canary does not know it."""
AGENT_DROPPED = "agent_dropped"
"""Lines that the agent has dropped since its start; absent without its answer."""
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
"""Selector of all streams that follow the contract."""
CLUSTER_LABELS = ("cluster", "namespace")
MAX_LABELS = 6
MAX_STREAMS = 500
"""The budget of one Loki; `tests/stack` compares."""

METADATA_FIELDS = (REQUEST_ID, TRACE_ID)
"""Structured metadata read from the line."""
PLATFORM_METADATA = (HOST, "pod", "container", "node", "stream")
"""Structured metadata that only the carrier of the line knows: the agent or `ship`."""
TIME_FIELDS = (TIMESTAMP, "time", "ts", "@timestamp", "@t", "Timestamp", "datetime")
"""Fields in which programs write the time, as RFC 3339 or as a number since 1970; the first with a
valid time counts. The names are those of slog, logrus, pino, zap, Logstash and Serilog."""
UNKNOWN_SERVICE = "unknown"
"""Service of a line when neither the line nor its carrier names a service."""
DETECTED_LEVEL = "detected_level"
"""Loki's own structured metadata, read from the line's `level`."""
DETECTED_LEVELS = MappingProxyType({level: level.replace("warning", "warn") for level in LEVELS})
"""Level of `LEVELS` -> Loki's name of it (`LogLevelWarn` in its `pkg/util/constants/levels.go`)."""
ERROR_LEVELS = ("error", "critical", "fatal")
"""Loki's names of the levels that count as errors; `fatal` is a level of other programs."""
NUMBERED_LEVELS = MappingProxyType(
    {10: "trace", 20: "debug", 30: "info", 40: "warn", 50: "error", 60: "fatal"}
)
"""Number that pino and bunyan write as the level -> Loki's name of that level.
Loki reads only words from a line, so the carrier of the line sets `DETECTED_LEVEL` for numbers."""
OTHER_LEVELS = MappingProxyType(
    {
        "notice": "info",
        "severe": "error",
        **dict.fromkeys(("crit", "alert", "emerg", "emergency", "dpanic"), "critical"),
        "panic": "fatal",
    }
)
"""Word, in any case, that Loki does not read as a level -> Loki's name of that level.
The carrier of the line sets `DETECTED_LEVEL` for these words too."""
LEVEL_FIELDS = (
    LEVEL,
    *("LEVEL", "Level", "log.level", "severity", "SEVERITY", "Severity", "SeverityText"),
    *("lvl", "LVL", "Lvl", "severity_text", "Severity_Text", "SEVERITY_TEXT", "levelname"),
    *("log_level", "@l"),
)
"""Fields in which programs write the level; the first in a line counts. Equal to the list in
`loki/loki.yaml`."""
