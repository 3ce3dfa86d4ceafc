"""What programs print that know nothing of lokikit, and what Loki has of it afterwards.

One table for every way in: `tests/unit` reads it with the shipper's reader, `tests/stack` ships
it into a real Loki, `tests/agent` has Fluent Bit carry it there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from textwrap import dedent
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from lokikit import fields

if TYPE_CHECKING:
    from collections.abc import Mapping

_NUMBERS = {
    "of-19-digits": "1234567890123456789",
    "of-16-digits": "1234567890123456",
    "of-30-digits": "123456789012345678901234567890",
    "minus-0": "-0",
    "with-a-fraction": "1.50",
    "with-an-exponent": "1e5",
}
"""Ids that are numbers; each stays as it is written."""
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Stored:
    """What Loki has of one event.

    Args:
        line: as stored.
        level: its `detected_level`.
        time_ns: nanoseconds since the epoch; `None` means the time of arrival.
        labels: those that the line names; without a service it gets that of its carrier.
        metadata: what is read from the line.
    """

    line: str
    level: str = "unknown"
    time_ns: int | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """One source.

    Args:
        name: fit for a file or a service.
        lines: what it prints, without line ends.
        stored: the entries, in their order.
    """

    name: str
    lines: tuple[bytes, ...]
    stored: tuple[Stored, ...]


def cases(moment: datetime) -> list[Case]:
    """All cases.

    Args:
        moment: a recent time in UTC, which those lines bear that bear one.
    """
    found = [*_tracebacks(), *_not_joined(), *_levels(), *_timestamps(moment), *_names()]
    assert len({case.name for case in found}) == len(found)
    return found


def _block(indented: str) -> str:
    return dedent(indented).strip("\n")


def _whole(name: str, text: str, level: str = "unknown") -> Case:
    """A text that becomes one entry, without its blank lines, between two lines of the program."""
    lines = _block(text).split("\n")
    joined = "\n".join(line for line in lines if line)
    around = [Stored("before it"), Stored(joined, level), Stored("after it")]
    printed = ["before it", *lines, "after it"]
    return Case(name, tuple(line.encode() for line in printed), tuple(around))


def _apart(name: str, *entries: str, levels: Mapping[int, str] | None = None) -> Case:
    """Texts that stay apart from each other, printed one below the other."""
    texts = [entry.split("\n") for entry in entries]
    stored = [
        Stored("\n".join(line for line in text if line), (levels or {}).get(number, "unknown"))
        for number, text in enumerate(texts)
    ]
    return Case(name, tuple(line.encode() for text in texts for line in text), tuple(stored))


_PYTHON = _block("""
    Traceback (most recent call last):
      File "/srv/shop.py", line 12, in <module>
        main()
        ~~~~^^
      File "/srv/shop.py", line 8, in main
        place(
        ~~~~~^
          {"id": 1},
          ^^^^^^^^^^
        )
        ^
    shop.orders.OrderError: no stock for 1
""")
_JAVA = _block("""
    Exception in thread "main" com.example.StartException: cannot start
    \tat com.example.Main.start(Main.java:21)
    \tat com.example.Main.main(Main.java:7)
    \tSuppressed: java.io.IOException: while closing
    \t\tat com.example.Pool.close(Pool.java:3)
    \t\t... 2 more
    Caused by: java.lang.IllegalStateException
    \tat com.example.Pool.open(Pool.java:9)
    \t... 12 more
""")
_GO = _block("""
    panic: runtime error: index out of range [5] with length 3 [recovered]
    \tpanic: again
    [signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x47]

    goroutine 1 [running]:
    main.(*Shop).place({0xc000012120, 0x1})
    \t/srv/main.go:17 +0x1d
    panic({0x4719a0?, 0x49f5a8?})
    \t/usr/local/go/src/runtime/panic.go:770 +0x132
    main.each[...](0x3)
    \t/srv/main.go:9 +0x2
    ...12 frames elided...
    created by main.main in goroutine 17
    \t/srv/main.go:5 +0x85

    goroutine 18 [chan receive, 2 minutes]:
    github.com/acme/pool%2ev2.(*Pool).run(...)
    \t/srv/pool/pool.go:88
""")


def _tracebacks() -> list[Case]:
    return [
        _whole("python", _PYTHON),
        _whole(
            "python-chained",
            """
            Traceback (most recent call last):
              File "a.py", line 2, in f
                {}["a"]
            KeyError: 'a'

            During handling of the above exception, another exception occurred:

            Traceback (most recent call last):
              File "a.py", line 4, in g
                raise ValueError
            ValueError

            The above exception was the direct cause of the following exception:

            Traceback (most recent call last):
              File "a.py", line 9, in <module>
                g()
              [Previous line repeated 996 more times]
            RecursionError: maximum recursion depth exceeded
            """,
        ),
        _whole(
            "python-group",
            """
            Traceback (most recent call last):
              File "a.py", line 2, in f
                1/0
            ZeroDivisionError: division by zero

            The above exception was the direct cause of the following exception:

              + Exception Group Traceback (most recent call last):
              |   File "a.py", line 9, in <module>
              |     raise ExceptionGroup("two", errors)
              | ExceptionGroup: two (2 sub-exceptions)
              +-+---------------- 1 ----------------
                | Traceback (most recent call last):
                |   File "a.py", line 5, in f
                |     raise ValueError(1)
                | ValueError: 1
                +---------------- 2 ----------------
                | TypeError: t
                +------------------------------------
            """,
        ),
        _whole(
            "python-thread",
            """
            Exception in thread Thread-1 (run):
            Traceback (most recent call last):
              File "threading.py", line 1016, in _bootstrap_inner
                self.run()
            KeyboardInterrupt
            """,
        ),
        _whole(
            "python-logging-error",
            """
            --- Logging error ---
            Traceback (most recent call last):
              File "logging/__init__.py", line 1110, in emit
                msg = self.format(record)
            TypeError: %d format: a real number is required, not str
            Call stack:
              File "a.py", line 3, in <module>
                logging.warning("%d", "x")
            Message: '%d'
            Arguments: ('x',)
            """,
            "error",
        ),
        _whole(
            "python-syntax-error",
            """
              File "a.py", line 1
                x = = 1
                    ^
            SyntaxError: invalid syntax
            """,
        ),
        _whole("java", _JAVA),
        _whole(
            "java-in-a-log-line",
            """
            10:00:00.123 [main] ERROR Shop - failed: java.io.IOException: no route
            \tat com.example.Net.call(Net.java:5)
            \t... 3 common frames omitted
            """,
            "error",
        ),
        _whole(
            "node",
            """
            TypeError: cannot read properties of undefined
                at place (/srv/shop.js:1:21)
                at node:internal/main/run_main_module:28:49
            """,
        ),
        _whole("go", _GO, "error"),
        _whole(
            "go-deadlock",
            """
            fatal error: all goroutines are asleep - deadlock!

            goroutine 1 [chan receive]:
            main.main()
            \t/srv/main.go:4 +0x25
            """,
            "fatal",
        ),
        _whole(
            "go-http-server",
            """
            2026/11/21 10:00:00 http: panic serving 127.0.0.1:38782: boom
            goroutine 34 [running]:
            net/http.(*conn).serve.func1()
            \t/usr/local/go/src/net/http/server.go:1903 +0xb0
            created by net/http.(*Server).Serve in goroutine 1
            \t/usr/local/go/src/net/http/server.go:3464 +0x485
            """,
        ),
        _apart("one-after-the-other", _PYTHON, _PYTHON, _JAVA, _GO, levels={3: "error"}),
    ]


def _not_joined() -> list[Case]:
    json_line = '{"message":"java.lang.Error: x","level":"info"}'
    frames = "\tat a.B.c(B.java:1)\n\tat a.B.d(B.java:2)"
    return [
        Case(
            "json-among-tracebacks",
            (
                b"Traceback (most recent call last):",
                b'  File "a.py", line 1, in f',
                json_line.encode(),
                b'    {"level":"warn"}',
                b'Exception in thread "main" java.lang.Error: y',
                json_line.encode(),
                *[line.encode() for line in frames.split("\n")],
                json_line.encode(),
            ),
            (
                Stored('Traceback (most recent call last):\n  File "a.py", line 1, in f'),
                Stored(json_line, "info"),
                Stored('    {"level":"warn"}', "warn"),
                Stored('Exception in thread "main" java.lang.Error: y'),
                Stored(json_line, "info"),
                Stored(frames),
                Stored(json_line, "info"),
            ),
        ),
        _apart(
            "looks-like-a-part-of-one",
            "  indented",
            "  indented",
            "\tat the office",
            "main.main()",
            "main.main()",
            "Caused by: nothing",
            "ValueError: one",
            "KeyError: two",
            "+ a list",
            "goroutine 1 was here",
        ),
        _apart(
            "text-of-several-lines-in-a-message",
            "java.lang.Error: first",
            "second",
            frames,
        ),
        Case(
            "blank-lines",
            (b"", b"one", b"", b"", b"two", b""),
            (Stored("one"), Stored("two")),
        ),
    ]


def _object(line: Mapping[str, Any]) -> bytes:
    return json.dumps(line, separators=(",", ":")).encode()


_LEVELS = {
    "trace": ("trace", "TRACE", "Trc"),
    "debug": ("debug", "DEBUG", "dbg"),
    "info": ("info", "INFO", "Info", "Information"),
    "warn": ("warn", "WARN", "warning", "WARNING", "Wrn"),
    "error": ("error", "ERROR", "err"),
    "critical": ("critical", "CRITICAL"),
    "fatal": ("fatal", "FATAL"),
}
"""What Loki calls a level -> what programs call it."""
_LEVEL_FIELDS = ("level", "Level", "severity", "lvl", "log.level", "levelname", "log_level", "@l")


def _levels() -> list[Case]:
    words = [(word, level) for level, found in _LEVELS.items() for word in found]
    numbers = fields.NUMBERED_LEVELS.items()
    others = [
        (name, word, level)
        for name in ("level", "severity", "SEVERITY")
        for lower, level in fields.OTHER_LEVELS.items()
        for word in (lower, lower.upper(), lower.title())
    ]
    unknown: tuple[Any, ...] = ("loud", 35, True, None, [])
    return [
        Case(
            "level-words-unknown-to-loki",
            tuple(_object({name: word, "n": 1}) for name, word, _ in others),
            tuple(
                Stored(_object({name: word, "n": 1}).decode(), level)
                for name, word, level in others
            ),
        ),
        Case(
            "level-words",
            tuple(_object({"level": word, "n": 1}) for word, _ in words),
            tuple(
                Stored(_object({"level": word, "n": 1}).decode(), level) for word, level in words
            ),
        ),
        Case(
            "level-fields",
            tuple(_object({"msg": "info", name: "ERROR"}) for name in _LEVEL_FIELDS),
            tuple(
                Stored(_object({"msg": "info", name: "ERROR"}).decode(), "error")
                for name in _LEVEL_FIELDS
            ),
        ),
        Case(
            "level-numbers",
            tuple(_object({"level": number, "msg": "x"}) for number, _ in numbers),
            tuple(
                Stored(_object({"level": number, "msg": "x"}).decode(), level)
                for number, level in numbers
            ),
        ),
        Case(
            "level-nobody-knows",
            tuple(_object({"level": level, "msg": "x"}) for level in unknown),
            tuple(Stored(_object({"level": level, "msg": "x"}).decode()) for level in unknown),
        ),
        Case(
            "level-in-text",
            (b"INFO:     started", b"[ERROR] failed", b'level=warn msg="slow"', b"nothing"),
            (
                Stored("INFO:     started", "info"),
                Stored("[ERROR] failed", "error"),
                Stored('level=warn msg="slow"', "warn"),
                Stored("nothing"),
            ),
        ),
    ]


def _timestamps(moment: datetime) -> list[Case]:
    second = moment.replace(microsecond=0)
    second_ns = (second - _EPOCH) // timedelta(seconds=1) * 10**9
    local = second.astimezone(timezone(timedelta(hours=5, minutes=30)))
    stamps = {
        f"{second:%Y-%m-%dT%H:%M:%S}.123456Z": 123_456_000,
        f"{second:%Y-%m-%dT%H:%M:%S}.123456": 123_456_000,
        f"{second:%Y-%m-%dT%H:%M:%S}.123456789Z": 123_456_789,
        f"{second:%Y-%m-%dT%H:%M:%S}.5Z": 500_000_000,
        f"{second:%Y-%m-%dT%H:%M:%S}Z": 0,
        f"{second:%Y-%m-%dT%H:%M:%S}": 0,
        f"{second:%Y-%m-%d %H:%M:%S},123": 123_000_000,
        f"{second:%Y-%m-%d %H:%M:%S}.123": 123_000_000,
        f"{local:%Y-%m-%dT%H:%M:%S}.25+05:30": 250_000_000,
        f"{local:%Y-%m-%dT%H:%M:%S}+0530": 0,
    }
    no_stamps: tuple[Any, ...] = (
        "",
        "now",
        "2026-13-41T10:00:00Z",
        "2026-11-21",
        17_952_552,
        True,
        [],
        None,
    )
    epoch = str(second_ns // 10**9)
    others = {
        f'{{"time":"{second:%Y-%m-%dT%H:%M:%S}.123456Z","msg":"slog"}}': 123_456_000,
        f'{{"time":{epoch}123,"msg":"pino"}}': 123_000_000,
        f'{{"ts":{epoch}.1234567,"msg":"zap"}}': 123_456_700,
        f'{{"time":{epoch},"message":"zerolog"}}': 0,
        f'{{"@timestamp":"{second:%Y-%m-%dT%H:%M:%S}.5Z","message":"logstash"}}': 500_000_000,
        f'{{"@t":"{second:%Y-%m-%dT%H:%M:%S}.1234567Z","@m":"serilog"}}': 123_456_700,
        f'{{"timestamp":{epoch}.25,"event":"structlog"}}': 250_000_000,
        f'{{"time":"{epoch}.123","request":"nginx"}}': 123_000_000,
        f'{{"ts":{epoch}123456}}': 123_456_000,
        f'{{"ts":{epoch}123456789}}': 123_456_789,
        f'{{"ts":{epoch}.123456789}}': 123_456_789,
        f'{{"ts":{epoch[0]}.{epoch[1:]}123456e+18}}': 123_456_000,
        f'{{"ts":{epoch[0]}.{epoch[1:]}5E9}}': 500_000_000,
        f'{{"timestamp":"now","time":12.5,"ts":{epoch}.5}}': 500_000_000,
        f'{{"ts":"{second:%Y-%m-%dT%H:%M:%S}.5Z","time":{epoch}}}': 0,
    }
    no_others = (
        '{"time":"10:00:00","ts":12.5}',
        '{"time":true,"ts":null,"datetime":{}}',
        f'{{"time":-{epoch}}}',
        f'{{"time":"{epoch} s"}}',
        f'{{"time":"0{epoch}"}}',
        f'{{"time":"{epoch}."}}',
        f'{{"time":"{epoch}e"}}',
        '{"ts":9999999999999999999}',
        f'{{"ts":{epoch[:-1]}}}',
        f'{{"nested":{{"time":{epoch}}}}}',
    )
    return [
        *(
            Case(f"time-{number}", (text.encode(),), (Stored(text, time_ns=second_ns + behind),))
            for number, (text, behind) in enumerate(others.items())
        ),
        Case(
            "no-time",
            tuple(text.encode() for text in no_others),
            tuple(map(Stored, no_others)),
        ),
        Case(
            "marks-before-a-line",
            (b'\xef\xbb\xbf{"level":"error"}', b'\0\0{"level":"warn"}', b"\0plain"),
            (
                Stored('{"level":"error"}', "error"),
                Stored('{"level":"warn"}', "warn"),
                Stored("plain"),
            ),
        ),
        *(
            Case(
                f"timestamp-{number}",
                (_object({"timestamp": stamp, "level": "info"}),),
                (
                    Stored(
                        _object({"timestamp": stamp, "level": "info"}).decode(),
                        "info",
                        second_ns + nanoseconds,
                    ),
                ),
            )
            for number, (stamp, nanoseconds) in enumerate(stamps.items())
        ),
        Case(
            "no-timestamp",
            tuple(_object({"timestamp": stamp, "level": "info"}) for stamp in no_stamps),
            tuple(
                Stored(_object({"timestamp": stamp, "level": "info"}).decode(), "info")
                for stamp in no_stamps
            ),
        ),
    ]


def _names() -> list[Case]:
    service = f"foreign-{uuid4().hex[:12]}"
    line = {"service": service, "env": "qa", "request_id": "r1", "trace_id": "t1", "span_id": "s1"}
    numbers = {name: f'{{"request_id":{number}}}' for name, number in _NUMBERS.items()}
    return [
        *(
            Case(
                f"number-{name}",
                (text.encode(),),
                (Stored(text, metadata={"request_id": _NUMBERS[name]}),),
            )
            for name, text in numbers.items()
        ),
        Case(
            "names-of-its-own",
            (_object(line), b"plain"),
            (
                Stored(
                    _object(line).decode(),
                    labels={"service_name": service, "env": "qa"},
                    metadata={"request_id": "r1", "trace_id": "t1"},
                ),
                Stored("plain"),
            ),
        ),
    ]
