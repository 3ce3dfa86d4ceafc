import json
import logging
import logging.config
import re
import sys
import types
from collections import OrderedDict
from datetime import datetime

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.output.test_json_values import ANY_VALUE

from lokikit import JsonFormatter
from lokikit.errors import SettingsError
from lokikit.fields import LINE_FIELDS, MAX_LINE_BYTES, REDACTED, REQUIRED_FIELDS
from lokikit.output.context import bound
from lokikit.output.log_record import install_records
from lokikit.output.timestamps import StampClock

_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


@pytest.fixture(params=["our records", "stdlib records"])
def logged(request):
    """Logs with what is given, and gives the fields of the line: by either kind of record."""
    before = logging.Logger.makeRecord
    if request.param == "our records":
        install_records()
    logger = logging.getLogger("shop.orders")
    logger.propagate = False
    logger.setLevel(1)
    handler = _Keeper()
    handler.setFormatter(JsonFormatter(service="api", env="prod", version="1.2"))
    logger.addHandler(handler)

    def log(*args, level=logging.INFO, **kwargs):
        logger.log(level, *args, **kwargs)
        return handler.lines[-1]

    yield log
    logger.propagate = True
    logger.removeHandler(handler)
    logging.Logger.makeRecord = before


class _Keeper(logging.Handler):
    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        line = self.formatter.render(record)
        assert b"\n" not in line
        assert len(line) <= MAX_LINE_BYTES
        self.lines.append(json.loads(line, parse_constant=_no_constant))


def _no_constant(name):
    raise AssertionError(f"{name} is no JSON")


def test_the_fields_stand_in_the_order_of_the_contract(logged):
    """Ours first, then the exception, then context, then `extra=`."""
    with bound(tenant="t1", request_id="r1"):
        fields = logged(
            "m", exc_info=KeyError("x"), stack_info=True, extra={"user": 1, "span_id": "s"}
        )
    expected = [name for name in LINE_FIELDS if name != "trace_id"]
    assert list(fields) == [*expected, "tenant", "user"]


def test_what_a_plain_line_holds(logged):
    """Nothing that is unknown, nothing that is null."""
    fields = logged("order %s placed", 7)
    assert list(fields) == [
        *("timestamp", "level", "logger", "message", "service", "env", "version"),
        *("host", "pid", "thread", "caller"),
    ]
    assert fields["message"] == "order 7 placed"
    assert (fields["service"], fields["env"], fields["version"]) == ("api", "prod", "1.2")
    assert _TIMESTAMP.fullmatch(fields["timestamp"])
    assert re.fullmatch(r".*test_json_formatter\.py:\d+ log", fields["caller"])


def test_the_timestamp_is_the_time_of_the_event():
    """To the microsecond, in UTC."""
    record = logging.makeLogRecord({"msg": "m", "levelno": 20, "created": 1795255200.123456})
    line = json.loads(JsonFormatter(clock=StampClock()).format(record))
    assert line["timestamp"] == "2026-11-21T10:00:00.123456Z"


def test_unknown_identity_is_absent():
    """Without settings a line has neither service nor env nor version."""
    record = logging.makeLogRecord({"msg": "m", "levelno": 20})
    line = json.loads(JsonFormatter().format(record))
    assert not line.keys() & {"service", "env", "version"}


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (5, "debug"),
        (10, "debug"),
        (20, "info"),
        (25, "info"),
        (30, "warning"),
        (40, "error"),
        (50, "critical"),
        (90, "critical"),
    ],
)
def test_every_level_is_one_of_five(logged, number, name):
    """One between two counts as the lower."""
    assert logged("m", level=number)["level"] == name


@pytest.mark.parametrize(
    ("number", "name", "level"),
    [
        (25, "NOTICE", "info"),
        (5, "TRACE", "debug"),
        (60, "ALARM", "critical"),
        (30, "AUDIT", "warning"),
        (25, "\x1b[32mSUCCESS\x1b[0m ", "info"),
    ],
)
@pytest.mark.usefixtures("level_names")
def test_a_level_of_the_applications_own_keeps_its_name(logged, number, name, level):
    logging.addLevelName(number, name)
    line = logged("x", level=number)
    plain = re.sub(r"\x1b\[\d+m", "", name).strip()
    assert (line["level"], line["level_name"]) == (level, plain)
    assert logged("x", level=number, extra={"level_name": "mine"})["level_name"] == "mine"


@pytest.mark.parametrize(
    ("number", "name"),
    [(30, "WARN"), (50, "fatal"), (20, "\x1b[32mINFO\x1b[0m"), (25, ""), (30, "INFO"), (33, None)],
)
@pytest.mark.usefixtures("level_names")
def test_a_level_without_a_name_of_its_own_has_no_further_name(logged, number, name):
    if name is not None:
        logging.addLevelName(number, name)
    assert "level_name" not in logged("x", level=number)


@pytest.fixture
def level_names(monkeypatch):
    """Names given to levels are taken back."""
    monkeypatch.setattr(logging, "_levelToName", dict(logging._levelToName))
    monkeypatch.setattr(logging, "_nameToLevel", dict(logging._nameToLevel))


def test_extra_values_are_as_given(logged):
    """Numbers stay numbers, a null stays null."""
    extra = {"i": 1, "f": 1.5, "b": True, "n": None, "s": "x", "l": [1], "d": {"a": 1}}
    for _ in range(3):
        fields = logged("m", extra=extra)
        assert {name: fields[name] for name in extra} == extra


def test_a_name_first_seen_plain_may_hold_anything_later(logged):
    """What was learnt of a name does not bind its next value."""
    for value, expected in [(1, 1), (float("nan"), "NaN"), ({"pwd": "x"}, {"pwd": REDACTED})]:
        assert logged("m", extra={"x": value})["x"] == expected
    assert logged("m", extra={"x": 2**80})["x"] == str(2**80)
    assert logged("m", extra={"x": "\ud800"})["x"] == "\ufffd"
    assert logged("m", extra={"x": [{"token": "t"}]})["x"] == [{"token": REDACTED}]


@pytest.mark.parametrize("name", sorted(set(LINE_FIELDS) - {"request_id", "trace_id", "span_id"}))
def test_a_reserved_name_gets_a_suffix(logged, name):
    """Ours is not overwritten, the caller's is not lost."""
    with bound(**{name: "mine"}):
        fields = logged("m")
    assert fields[f"{name}_"] == "mine"
    assert fields.get(name) != "mine"


def test_a_renamed_field_overwrites_no_other(logged):
    """It takes the next free name."""
    fields = logged("m", extra={"service": 1, "service_": 2})
    assert {fields["service_"], fields["service__"]} == {1, 2}
    assert fields["service"] == "api"


def test_secrets_are_redacted(logged):
    """In extra and in context, also when the name was seen before."""
    for _ in range(2):
        with bound(session_id="s"):
            fields = logged("m", extra={"password": "x", "headers": {"Cookie": "c"}})
        assert fields["password"] == fields["session_id"] == REDACTED
        assert fields["headers"] == {"Cookie": REDACTED}


def test_ids_come_from_context_or_extra(logged):
    """As text, in their place; an empty one is absent."""
    with bound(request_id=12, trace_id=None):
        fields = logged("m", extra={"span_id": ""})
    assert fields["request_id"] == "12"
    assert not fields.keys() & {"trace_id", "span_id", "trace_id_"}


def test_an_active_span_gives_the_trace_fields(logged, monkeypatch):
    """In the W3C form; ids of the same name that a caller gave stay beside them."""
    span = types.SimpleNamespace(trace_id=0xABC, span_id=0xDEF, is_valid=True)
    tracing = types.ModuleType("opentelemetry.trace")
    tracing.get_current_span = lambda: types.SimpleNamespace(get_span_context=lambda: span)
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", tracing)
    fields = logged("m", extra={"trace_id": "mine"})
    assert fields["trace_id"] == "00000000000000000000000000000abc"
    assert fields["span_id"] == "0000000000000def"
    assert fields["trace_id_"] == "mine"
    span.is_valid = False
    assert logged("m", extra={"trace_id": "mine"})["trace_id"] == "mine"


def test_an_exception_is_told_by_type_message_and_stacktrace(logged):
    """With its causes."""
    try:
        try:
            _ = {}["inner"]
        except KeyError as inner:
            raise json.JSONDecodeError("bad", "doc", 0) from inner
    except json.JSONDecodeError:
        fields = logged("m", exc_info=True, level=logging.ERROR)
    assert fields["exc_type"] == "json.decoder.JSONDecodeError"
    assert fields["exc_message"].startswith("bad")
    assert "KeyError: 'inner'" in fields["stacktrace"]
    assert "direct cause" in fields["stacktrace"]


@pytest.mark.skipif(sys.version_info < (3, 11), reason="exception groups came with 3.11")
def test_an_exception_group_shows_its_members(logged):
    """Each with its own traceback."""
    group = ExceptionGroup("many", [ValueError("one"), TypeError("two")])  # noqa: F821
    fields = logged("m", exc_info=group)
    assert "ValueError: one" in fields["stacktrace"]
    assert "TypeError: two" in fields["stacktrace"]


def test_exc_info_without_exception_adds_nothing(logged):
    """`exc_info=True` outside of an `except` block."""
    assert not logged("m", exc_info=True).keys() & {"exc_type", "exc_message", "stacktrace"}


def test_an_exception_whose_str_raises_is_still_told(logged):
    """By its type."""

    class RudeError(Exception):
        def __str__(self):
            raise RuntimeError

    fields = logged("m", exc_info=RudeError())
    assert fields["exc_type"].endswith("RudeError")
    assert "RuntimeError" in fields["exc_message"]


def test_wrong_arguments_lose_nothing(logged):
    """Message and arguments both stand in the line."""
    message = logged("%d of %d", "x")["message"]
    assert "%d of %d" in message
    assert "'x'" in message


def test_a_dict_in_place_of_a_message_gives_its_fields(logged):
    """As users of python-json-logger expect."""
    fields = logged({"message": "m", "user": 1, "token": "t", "level": "mine"})
    assert fields["message"] == "m"
    assert fields["user"] == 1
    assert fields["token"] == REDACTED
    assert fields["level_"] == "mine"


def test_any_mapping_in_place_of_a_message_gives_its_fields(logged):
    fields = types.MappingProxyType({"message": "m", "user": 1, "password": "x"})
    for mapping in (fields, OrderedDict(fields)):
        line = logged(mapping)
        assert (line["message"], line["user"], line["password"]) == ("m", 1, REDACTED)


@pytest.mark.parametrize(
    "message",
    [
        types.SimpleNamespace(user="ann", password="hunter2"),  # noqa: S106 - a secret to be found
        [("Authorization", "hunter2"), ("user", "ann")],
        [{"password": "hunter2", "user": "ann"}],
    ],
)
def test_an_object_in_place_of_a_message_shows_no_secret(logged, message):
    line = logged(message)
    assert "hunter2" not in json.dumps(line)
    assert "ann" in line["message"]


def test_an_object_without_secrets_is_its_own_text_as_a_message(logged):
    assert logged(types.SimpleNamespace(user="ann"))["message"] == "namespace(user='ann')"


def test_passwords_of_urls_are_masked_everywhere_in_a_line(logged):
    url = "postgres://shop:hunter2@db:5432/orders"
    extra = {"url": url, "all": [{"url": url}]}
    line = logged("to %s", url, extra=extra, exc_info=ConnectionError(url))
    assert "hunter2" not in json.dumps(line)
    masked = f"postgres://shop:{REDACTED}@db:5432/orders"
    assert line["message"] == f"to {masked}"
    assert line["url"] == line["all"][0]["url"] == line["exc_message"] == masked
    assert f"ConnectionError: {masked}" in line["stacktrace"]


def test_a_password_is_masked_before_the_line_is_cut(logged):
    line = logged("x" * (MAX_LINE_BYTES - 400) + " a://u:" + "hunter2" * 400 + "@h")
    assert "hunter2" not in json.dumps(line)


def test_a_number_is_no_secret_unless_its_word_was_configured(logged):
    logging.getLogger("shop.orders").handlers[0].setFormatter(JsonFormatter(redact="pin"))
    line = logged("m", extra={"tokens": 5, "secret": True, "pin": 1234, "mapping": 1, "otp": 99})
    assert (line["tokens"], line["secret"], line["mapping"]) == (5, True, 1)
    assert line["pin"] == line["otp"] == REDACTED


def test_colours_that_a_library_sends_are_no_part_of_a_message(logged):
    assert logged("\x1b[33mGET %s\x1b[0m", "/", extra={"x": 1})["message"] == "GET /"
    assert logged("\x1b]0;title\x07")["message"] == "\x1b]0;title\x07"


def _raised():
    try:
        {}["x"]
    except KeyError as error:
        return error


def test_a_traceback_given_beside_its_exception_is_printed(logged):
    """As it comes from another process, or from a library that cut the exception's own."""
    error = _raised()
    traceback_given = error.__traceback__
    error = error.with_traceback(None)
    line = logged("m", exc_info=(KeyError, error, traceback_given))
    assert "in _raised" in line["stacktrace"]


def test_the_text_of_another_formatter_is_not_our_stacktrace(logged):
    class Short(logging.Formatter):
        def formatException(self, ei):  # noqa: N802 - the name that logging calls
            return f"short: {ei[1]!r}"

    other = logging.StreamHandler(types.SimpleNamespace(write=lambda _: None, flush=lambda: None))
    other.setFormatter(Short())
    logger = logging.getLogger("shop.orders")
    logger.handlers.insert(0, other)
    try:
        line = logged("m", exc_info=_raised())
    finally:
        logger.removeHandler(other)
    assert "in _raised" in line["stacktrace"]
    assert "short" not in line["stacktrace"]


def test_the_stacktrace_of_a_record_from_a_queue_is_its_text():
    record = logging.makeLogRecord({"msg": "m", "levelno": 40, "exc_text": "Traceback …"})
    assert json.loads(JsonFormatter().format(record))["stacktrace"] == "Traceback …"


def test_a_field_that_a_filter_renames_has_its_new_name(logged):
    def rename(record):
        record.user_id = record.__dict__.pop("user")
        return True

    handler = logging.getLogger("shop.orders").handlers[0]
    handler.addFilter(rename)
    line = logged("m", extra={"user": 7, "order": 1})
    assert (line["user_id"], line["order"]) == (7, 1)
    assert "user" not in line


def test_a_second_handler_sees_what_a_filter_of_the_first_masked(logged):
    def mask(record):
        record.card = "****"
        return True

    logger = logging.getLogger("shop.orders")
    first, second = logger.handlers[0], _Keeper()
    second.setFormatter(first.formatter)
    logger.addHandler(second)
    second.addFilter(mask)
    try:
        assert logged("m", extra={"card": "4711"})["card"] == "4711"
        assert second.lines[-1]["card"] == "****"
    finally:
        logger.removeHandler(second)


@pytest.mark.parametrize(
    "argument",
    ["rename_fields", "static_fields", "timestamp", "json_default", "json_encoder", "format"],
)
def test_arguments_of_python_json_logger_are_ignored(argument):
    """docs/from-python-json-logger.md promises it for a `dictConfig`."""
    assert JsonFormatter(**{argument: {"levelname": "severity"}})


def test_an_unknown_argument_is_refused():
    with pytest.raises(TypeError, match="servce"):
        JsonFormatter(servce="api")


def test_what_a_filter_adds_or_masks_is_what_is_written(logged):
    """The record counts, not what the caller gave."""

    def mask(record):
        record.card = "****"
        record.tenant = "t1"
        return True

    logger = logging.getLogger("shop.orders")
    logger.addFilter(mask)
    try:
        for _ in range(2):
            fields = logged("m", extra={"card": "4711"})
            assert (fields["card"], fields["tenant"]) == ("****", "t1")
    finally:
        logger.removeFilter(mask)


def test_ten_megabytes_are_cut_to_the_limit(logged):
    """The line is as long as it may be, valid, and says so."""
    fields = logged("x" * 10_000_000, extra={"user": 7})
    assert len(fields["message"]) > MAX_LINE_BYTES * 0.9
    assert fields["user"] == 7
    assert list(fields)[-1] == "truncated"
    assert fields["truncated"] is True


def test_a_broken_record_still_gives_a_line():
    """Somebody deleted half of it."""
    record = logging.makeLogRecord({"msg": "m", "name": "n", "levelno": 40})
    del record.created, record.pathname
    fields = json.loads(JsonFormatter(service="api").format(record))
    assert (fields["message"], fields["level"], fields["service"]) == ("m", "error", "api")
    assert "AttributeError" in fields["lokikit_error"]


def test_the_message_is_not_stamped_before_what_it_logs_itself(logged):
    """An argument that logs while it is formatted gets the earlier timestamp."""
    seen = []

    class Chatty:
        def __str__(self):
            seen.append(logged("inner"))
            return "chatty"

    outer = logged("outer %s", Chatty())
    assert seen[0]["timestamp"] < outer["timestamp"]


@pytest.mark.parametrize("key", ["()", "class"])
def test_it_works_in_a_dict_config(key, capsys):
    """Under `()` with arguments, under `class` with a format that it ignores."""
    options = {"service": "api"} if key == "()" else {"format": "%(message)s"}
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"json": {key: "lokikit.JsonFormatter", **options}},
            "handlers": {
                "out": {
                    "class": "logging.StreamHandler",
                    "formatter": "json",
                    "stream": "ext://sys.stdout",
                }
            },
            "loggers": {"configured": {"handlers": ["out"], "propagate": False}},
        }
    )
    with bound(user=1):
        logging.getLogger("configured").error("m")
    logging.getLogger("configured").handlers.clear()
    fields = json.loads(capsys.readouterr().out)
    assert (fields["message"], fields["user"]) == ("m", 1)
    assert fields.get("service") == ("api" if key == "()" else None)


def test_a_bad_setting_is_refused_when_it_is_made(monkeypatch):
    """Not at the first line."""
    monkeypatch.setenv("LOG_LEVEL", "loud")
    with pytest.raises(SettingsError, match="LOG_LEVEL"):
        JsonFormatter()


_FORMATTER = JsonFormatter(service="api")
_NAMES = st.text(st.characters(exclude_categories=()), max_size=20) | st.sampled_from(
    [*LINE_FIELDS, "truncated", "password", "message_", "x"]
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.text(st.characters(exclude_categories=())) | ANY_VALUE,
    st.lists(ANY_VALUE, max_size=3),
    st.dictionaries(_NAMES, ANY_VALUE, max_size=6),
    st.dictionaries(_NAMES, ANY_VALUE, max_size=3),
)
def test_whatever_is_logged_is_one_line_with_every_required_field(message, args, extra, context):
    """One line, valid JSON, all required fields, in order, timestamps increasing."""
    record = logging.LogRecord("n", 20, "/a/b.py", 1, message, tuple(args), None, "f")
    for name, value in extra.items():
        record.__dict__.setdefault(name, value)
    with bound(**context):
        lines = [_FORMATTER.render(record) for _ in range(2)]
    for line in lines:
        assert b"\n" not in line
        fields = orjson.loads(line)
        assert "lokikit_error" not in fields
        required = [name for name in fields if name in REQUIRED_FIELDS]
        assert required == list(REQUIRED_FIELDS)
        assert datetime.fromisoformat(fields["timestamp"].replace("Z", "+00:00"))
    assert orjson.loads(lines[0])["timestamp"] < orjson.loads(lines[1])["timestamp"]
