"""Lines that ways into Loki have broken, or could: the same for every way."""

from __future__ import annotations

import json
import logging
import random
import time
from datetime import datetime, timezone
from functools import cache
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.unit.output.test_json_values import ANY_VALUE

from lokikit import JsonFormatter
from lokikit.output.timestamps import StampClock

COUNT = 1_000
DRAWN = 160
"""Of them; a drawn line takes ten times as long as another."""
SERVICE = "nasty"
"""What carries the lines calls them so: the service of those that name none."""
_LONG = 200_000


@cache
def nasty_lines() -> tuple[bytes, ...]:
    """Each line without its line end; all differ, so that none is stored as another."""
    clock = StampClock()
    lines = [*_written_by_hand(clock), *_drawn(clock)]
    chance = random.Random(5)
    while len(lines) < COUNT:
        lines.append(_shuffled(chance, clock))
    assert len(set(lines)) == len(lines)
    return tuple(lines[:COUNT])


def _stamp(clock: StampClock) -> str:
    return clock.stamp(time.time()).decode() + "Z"


def _line(clock: StampClock, **fields: Any) -> bytes:
    line = {"timestamp": _stamp(clock), "level": "info", "service": "shop", "env": "test", **fields}
    return json.dumps(line, ensure_ascii=False).encode("utf-8", "replace")


def _written_by_hand(clock: StampClock) -> list[bytes]:
    now = datetime.now(timezone.utc)
    stamps = [
        now.strftime("%Y-%m-%dT%H:%M:%S.") + digits + zone
        for digits in ("000065", "999999", "1", "123456789", "129")
        for zone in ("Z", "+00:00", "+0000", "")
    ]
    return [
        *(_line(clock, timestamp=stamp, n=number) for number, stamp in enumerate(stamps)),
        *(
            _line(clock, timestamp=stamp)
            for stamp in (
                now.strftime("%Y-%m-%d %H:%M:%S,250"),
                now.strftime("%Y-%m-%dt%H:%M:%Sz"),
                "2026-02-30T10:00:00.000000Z",
                "2026-11-21T25:00:00.000000Z",
                "yesterday",
                "",
                None,
                1_795_255,
                ["x"],
            )
        ),
        _line(clock, message="\x00\x01\x1f\x7f\x85\u2028\ufeff"),
        _line(clock, message="\N{GRINNING FACE} \N{FAMILY} e\N{COMBINING ACUTE ACCENT} \u202e"),
        _line(clock, message="x" * _LONG),
        _line(clock, message="\N{EURO SIGN}" * (_LONG // 3)),
        _line(clock, log="inner", source="inner", stream="inner", container_name="inner"),
        _line(clock, log={"a": 1}, source=5, kubernetes={"pod_name": "x"}, attrs={"service": "x"}),
        _line(clock, service="", request_id="", trace_id=""),
        _line(clock, service=None, env=None, request_id=None),
        _line(clock, service=["a"], env={"a": 1}, request_id=[1]),
        _line(clock, service=5, env=True, request_id=-7, trace_id=1.5),
        _line(clock, service="größe", env="ü", request_id="\N{GRINNING FACE}"),
        _line(clock, service="x" * 5_000, request_id="\N{EURO SIGN}" * 2_000),
        _line(clock, big=2**70, small=-(2**70), long=2**63, ulong=2**64 - 1, e=1e308),
        _line(clock, request_id='a\nb\tc"d\\e/f'),
        _line(clock, **{"": 1, " ": 2, "time_stamp": 3, "Timestamp": 4, "a.b": 5, "$x": 6}),
        b'{"not_timestamp":"2020-01-01T00:00:00Z",' + _line(clock)[1:],
        b'{"x_timestamp":"2020-01-01T00:00:00Z","nested":{"timestamp":"2020-01-01T00:00:00Z",'
        b'"service":"inner"},' + _line(clock)[1:],
        b'{"service":"first","env":"first","request_id":"first",' + _line(clock)[1:],
        b'{"\\u0073ervice":"escaped","env":"\\u0074est","n":1}',
        _line(clock)[:-1] + b',"message":"cut off',
        _line(clock)[:-1],
        _line(clock) + b"}",
        _line(clock) + b" trailing",
        b" \t" + _line(clock) + b" ",
        b"{}",
        b"{",
        b"[]",
        b"[1,2]",
        b'"text"',
        b"42",
        b"null",
        b"plain text",
        b"  indented text",
        b"\x1b[31mred\x1b[0m",
        b'{"service":"a",}',
        b"{'service':'a'}",
        b'{"service":"nan","x":NaN,"y":-Infinity}',
        b'{"service":"surrogate","x":"\\ud800"}',
        b'{"service":"a\\ud800"}',
        b'{"service":"a\xff","env":"\xef\xbf\xbd","request_id":"\xff"}',
        b'{"service":"bytes","x":"\xff\xfe\xe2\x82\xf0\x9f\x98\xed\xa0\x80\xc0\xaf"}',
        b"bytes \xff\xfe \xe2\x82 \xf0\x9f\x98 \xed\xa0\x80 \xc0\xaf \xf5\x80\x80\x80",
        b"\x00\x00nul before",
        b"\xef\xbb\xbf" + _line(clock, message="byte order mark"),
        b"a\x00b",
        b'{"service":"nul","x":"\x00"}',
        b'{"service":"tab","x":"\t"}',
        b'{"service":"depth","x":' + b"[" * 500 + b"]" * 500 + b"}",
        b'{"service":"many",' + b",".join(b'"k%d":%d' % (n, n) for n in range(2_000)) + b"}",
        "\N{GRINNING FACE}".encode() * 30_000,
        b"y" * 300_000,
    ]


def _drawn(clock: StampClock) -> list[bytes]:
    """What the formatter makes of the values of its own property test."""
    formatter = JsonFormatter(service="shop", env="test", clock=clock)
    lines: list[bytes] = []

    @settings(
        max_examples=DRAWN,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.dictionaries(st.text(min_size=1), ANY_VALUE, max_size=5), st.text())
    def draw(extra: dict[str, Any], message: str) -> None:
        record = logging.makeLogRecord({"msg": message, "levelno": 30, "created": time.time()})
        record.__dict__.update(
            {name: value for name, value in extra.items() if name not in record.__dict__}
        )
        lines.append(formatter.render(record))

    draw()
    return lines


def _shuffled(chance: random.Random, clock: StampClock) -> bytes:
    """The fields of a line in odd order, some twice, some with neighbours of like names."""
    fields = {
        "timestamp": _stamp(clock),
        "level": chance.choice(["debug", "WARN", "fatal", "x", ""]),
        "service": chance.choice(["shop", "pay", "größe"]),
        "env": "test",
        "request_id": f"{chance.getrandbits(64):x}",
        "trace_id": f"{chance.getrandbits(128):032x}",
        "log": "x" * chance.choice([0, 10, 20_000]),
        "source": chance.random(),
        "number": chance.getrandbits(chance.choice([8, 53, 64, 128])),
        "message": "".join(chr(chance.randrange(32, 0x2FFF)) for _ in range(20)),
    }
    pairs = list(fields.items())
    chance.shuffle(pairs)
    pairs += [("number", 1)] * chance.randrange(2)
    joined = ",".join(
        f"{json.dumps(name)}{chance.choice([':', ' : '])}{json.dumps(value)}"
        for name, value in pairs
    )
    return f"{{{joined}}}".encode()
