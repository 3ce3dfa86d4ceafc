"""Nasty lines: what the differential tests ask Loki and the embedded store about.

Each corpus is a few streams, told apart by the label `corpus`. Times are relative, so that the
lines can be pushed at any time and the answers compared: see `base_ns`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

S = 1_000_000_000
HOUR_NS = 3600 * S
STEP_NS = 7_300_000_001
"""Between two lines of a stream: no line lies on a full second twice."""
SPAN_S = 600
"""All lines lie within so many seconds from the base."""


@dataclass(frozen=True)
class Entry:
    """One line.

    Args:
        offset_ns: its time, from the base.
        line: the text.
        metadata: structured metadata.
    """

    offset_ns: int
    line: str
    metadata: Mapping[str, str] = field(default_factory=dict)


Stream = tuple[Mapping[str, str], list[Entry]]


def base_ns(now_ns: int) -> int:
    """When the lines begin: a full hour in the past, as steps and dates then fall alike."""
    return (now_ns // HOUR_NS - 2) * HOUR_NS


def spread(lines: list[str], phase: int = 0, step_ns: int = STEP_NS) -> list[Entry]:
    """Entries of the lines, one after the other; `phase` sets the streams of a corpus apart."""
    return [Entry(phase * 1_000_003 + number * step_ns, line) for number, line in enumerate(lines)]


def _kit(number: int) -> str:
    """A request as lokikit's formatter writes it."""
    levels = ("info", "debug", "warning", "error", "critical")
    held = {
        "timestamp": f"2026-01-01T00:00:{number % 60:02d}.{number:06d}Z",
        "level": levels[number % 5],
        "logger": "shop.orders" if number % 3 else "shop.pay",
        "message": f"GET /orders/{number} done",
        "http_method": "GET" if number % 4 else "POST",
        "http_route": f"/orders/{{id}}/{number % 3}",
        "http_status": (200, 404, 500)[number % 3],
        "duration_ms": number * 3.5,
        "bytes": number * 1024,
        "client_ip": f"10.0.{number % 4}.{number}",
        "user": {"id": number, "name": f"u{number % 2}"},
    }
    return orjson.dumps(held).decode()


ODD_JSON = [
    '{"n":1.50,"m":1e3,"z":-0,"big":12345678901234567890,"neg":-1.5E-3}',
    '{"a":1,"a":2,"b":"x"}',
    '{"nested":{"k":"v","deep":{"er":"yes","n":7}},"list":[1,"two",{"three":3}],"nil":null}',
    '{"1st":"digit","k.l":"dot","with space":"space","ünï":"code","-":"dash","":"empty"}',
    '{"quote":"say \\"hi\\"","slash":"a\\/b","tab":"a\\tb","nl":"a\\nb","u":"\\u00e9\\u4e2d"}',
    '{"pair":"\\ud83d\\ude00","lone":"\\ud83d","nul":"a\\u0000b"}',
    '{"ok":1} trailing text',
    '{"open":1',
    '{"bad":tru}',
    '{"bad":01}',
    '{"x":}',
    "[1,2,3]",
    '"a string"',
    "17",
    "null",
    "",
    " ",
    '   {"spaced" : "yes" , "n" : 5 }   ',
    '{"app":"clash","corpus":"clash","level":"error","env":"inner"}',
    '{"t":true,"f":false,"n":null,"a":[],"o":{}}',
    '{"a_b":"flat","a":{"b":"nested"}}',
    '{"a":{"b":"nested"},"a_b":"flat"}',
    '{"msg":"héllo wörld ✓ 日本語","emoji":"😀"}',
    '{"deep":{"a":{"b":{"c":{"d":{"e":1}}}}}}',
    '{"list":[{"a":1},{"a":2}],"matrix":[[1,2],[3,4]]}',
    '{"s":"","z":0,"e":"null","nan":"NaN","inf":"+Inf"}',
    '{"dup":{"x":1},"dup":{"y":2}}',
    '{"key\\"q":"v","key\\n":"w","k\\u00e9":"x"}',
    '{"detected_level":"mine","__name__":"mine"}',
    '{"User-Agent":"curl/7.68.0","Content-Type":"a/b; c=d"}',
    "{}",
    '{"a":1}{"b":2}',
    '{"float":0.1,"third":0.30000000000000004,"exp":1E+2,"tiny":1e-7,"huge":1e400}',
    "not json at all",
    '{"long":"' + "x" * 3000 + '"}',
    "{'single':'quotes'}",
    '{"a":1,}',
    '\ufeff{"bom":1}',
]

LOGFMT = [
    'at=info method=GET path=/ host=grafana.net fwd="124.133.124.161" service=8ms status=200',
    "level=error msg=boom status=500 took=1.5s size=12KB",
    'level=warn msg="two words" status=404 took=250ms size=3MiB',
    "level=info msg=plain status=200 took=15us size=17",
    "=novalue a=1",
    "foo=bar=buzz b=2",
    'fo"o=bar c=3',
    "standalone other= last",
    'quoted="a \\"b\\" c" esc="tab\\tnl\\n" uni="\\u00e9"',
    'open="never closed d=4',
    "dup=1 dup=2 dup=3",
    "1st=digit k.l=dot dash-ed=x ünï=code",
    "corpus=clash app=clash env=clash",
    "x=1,y=2 z=3;",
    "   spaced    key=value    ",
    "",
    "just words here",
    'empty="" nothing=',
    "status=abc took=fast size=big",
    "n=1.50 m=1e3 neg=-5 inf=+Inf nan=NaN hex=0x1f",
    'json={"a":1} list=[1,2]',
    "tab\tkey=a\tother=b",
    "msg=日本語 emoji=😀",
    'level=info msg="ok" status=201 took=1m30s size=1GB',
    'level=debug caller=main.go:17 msg="POST /api (204) 16.652862ms" status=204 took=16.652862ms',
    "level=error status=503 took=2h size=1.5KiB",
    'a="b"c="d"',
    "percent=50% path=/a?b=c&d=e",
]

ACCESS = [
    (
        '0.191.12.2 - - [10/Jun/2021:09:14:29 +0000] "GET /api/plugins/versioncheck HTTP/1.1" 200 2'
        ' "-" "Go-http-client/2.0" "13.76.247.102, 34.120.177.193" "TLSv1.2" "US" ""'
    ),
    '10.0.0.1 - alice [10/Jun/2021:09:14:30 +0000] "POST /login HTTP/1.1" 302 0 "-" "curl/7.1"',
    '10.0.0.77 - - [10/Jun/2021:09:14:31 +0000] "GET /a%20b?x=1&y=2 HTTP/2.0" 404 153 "-" "-"',
    '192.168.1.250 - - [10/Jun/2021:09:14:32 +0000] "DELETE /x HTTP/1.1" 500 99999 "-" "x y z"',
    '::1 - - [10/Jun/2021:09:14:33 +0000] "GET / HTTP/1.1" 200 12 "-" "Mozilla/5.0 (X11)"',
    '2001:db8::17 - bob [10/Jun/2021:09:14:34 +0000] "HEAD /h HTTP/1.1" 304 0 "-" "bot"',
    "POST /api/prom/api/v1/query_range (200) 1.5s",
    "GET /healthz (503) 12ms",
    "\x1b[31mred error\x1b[0m and \x1b[1;32mgreen\x1b[0m",
    "\x1b[38;5;196mpalette\x1b[m plain \x1b[4munder\x1b[24m",
    "connection from 172.16.5.4:8080 refused",
    "peer 10.1.2.3 and 10.200.0.9 talked",
    "no address 999.1.1.1 or 1.2.3 here",
    "error: disk full on /dev/sda1",
    "Error: upper case word",
    "ERROR ERROR ERROR",
    "a warning without error",
    "",
    "line with `backticks` and \"quotes\" and 'single' and \\ backslash",
    "tab\there",
    "multi\nline\nentry",
    "ünïcödé ✓ 日本語 😀",
    "x" * 5000,
    "user=alice id=17 took 350ms",
    "user=bob id=18 took 1.2s",
    "key: value, other: 12, third: [a, b]",
    "<xml attr='1'>text</xml>",
    "100% sure $5.00 (a|b) [c] {d} ^e$ .* +",
    (
        "ts=2021-06-10T09:24:13.472094048Z caller=logging.go:66 "
        'msg="POST /loki/api/v1/push (204) 16.652862ms"'
    ),
    "trailing space ",
]

PACKED = [
    '{"container":"myapp","pod":"pod-3223f","_entry":"original log message"}',
    '{"container":"web","_entry":"{\\"inner\\":1,\\"level\\":\\"error\\"}"}',
    '{"container":"web","_entry":"a=1 b=2"}',
    '{"container":"web","n":5,"_entry":"number is skipped"}',
    '{"container":"noentry"}',
    '{"_entry":""}',
    '{"_entry":"only"}',
    '{"container":"clash","app":"clash","_entry":"clash of labels"}',
    "not packed",
    '{"broken":',
    '{"nested":{"a":"b"},"_entry":"nested is skipped"}',
    '{"esc":"a\\nb","_entry":"two\\nlines"}',
    "",
    '["array"]',
]

UNITS = [
    orjson.dumps({"dur": dur, "size": size, "num": num, "who": who}).decode()
    for dur, size, num, who in [
        ("1s", "1KB", 1, "a"),
        ("250ms", "2MB", "2.5", "b"),
        ("1m30s", "1.5KiB", -3, "a"),
        ("2h", "10", 1e3, "b"),
        ("15us", "3GiB", 0, "a"),
        ("100ns", "0", "0.1", "c"),
        ("-5s", "-1KB", "-0.5", "a"),
        ("fast", "big", "many", "b"),
        ("", "", "", "a"),
        ("1.5h", "1 MB", " 7", "c"),
        ("10", "17b", "1_000", "b"),
        ("3d", "2kb", "0x10", "a"),
        ("1h2m3s4ms", "5 MiB", "NaN", "b"),
        ("0s", "1TB", "+Inf", "c"),
        ("500µs", "12.5kB", "1e-3", "a"),
        ("1s", "1KB", "12345678.9", "b"),
        ("7s", "4k", "42", "c"),
        ("9s", "1G", "99", "a"),
    ]
]

LEVELS = [
    '{"level":"Fatal","m":1}',
    '{"severity":"WARN","m":2}',
    '{"lvl":"dbg","m":3}',
    "level=trace something",
    "an error happened",
    '{"inner":{"level":"error"}}',
    '{"level":30}',
    '{"level":"loud"}',
    "CRITICAL: stop",
    "[WARN] careful",
    "nothing to see",
    "",
    '{"levelname":"ERROR"}',
    '{"@l":"Warning"}',
    "severity=info x=y",
    '{"msg":"error in text","level":"info"}',
]

COUNTER = [0, 5, 9, 12, 12, 3, 8, 20, 21, 1, 4, 4, 19, 50, 51]
"""A counter that is reset twice."""


def _numbers(app: str) -> list[str]:
    """Values and counters of one program, as logfmt."""
    scale = {"a": 1, "b": 3, "c": 10}[app]
    return [
        f"value={scale * (number * 37 % 23) / 4} counter={scale * COUNTER[number % 15]} "
        f"host=h{number % 3} code={(200, 500, 404, 200)[number % 4]}"
        for number in range(30)
    ]


def _labels(corpus: str, app: str, **more: str) -> dict[str, str]:
    return {"corpus": corpus, "app": app, "env": "prod", **more}


def _with_metadata() -> list[Entry]:
    entries = spread(LEVELS, 2)
    metadata: list[Mapping[str, str]] = [
        {"trace_id": "abc", "pod": "p1"},
        {"trace_id": "def"},
        {},
        {"level": "error"},
        {"pod": "p2", "size": "12KB", "took": "1.5s", "status": "500"},
    ]
    return [
        Entry(entry.offset_ns, entry.line, metadata[number % len(metadata)])
        for number, entry in enumerate(entries)
    ]


def _twice() -> list[Entry]:
    """Entries at equal times: the same, with other text, with other metadata."""
    entries = []
    for number in range(6):
        offset_ns = number * 30 * S
        entries += [
            Entry(offset_ns, f"first {number}"),
            Entry(offset_ns, f"second {number}"),
            Entry(offset_ns, f"first {number}"),
            Entry(offset_ns, f"first {number}", {"pod": "p1"}),
            Entry(offset_ns, f"first {number}", {"pod": "p1"}),
            Entry(offset_ns + 1, f"first {number}"),
        ]
    return entries


def corpora() -> dict[str, list[Stream]]:
    """Name -> the streams of a corpus."""
    return {
        "kit": [
            (_labels("kit", "shop"), spread([_kit(n) for n in range(40)], 0)),
            (_labels("kit", "cart"), spread([_kit(n + 7) for n in range(30)], 1, 9_100_000_007)),
        ],
        "json": [
            (_labels("json", "odd"), spread(ODD_JSON, 0)),
            (_labels("json", "even"), spread(ODD_JSON[::3], 1, 20_000_000_011)),
        ],
        "logfmt": [
            (_labels("logfmt", "one"), spread(LOGFMT, 0, 9_700_000_001)),
            (_labels("logfmt", "two"), spread(LOGFMT[::2], 1, 20_000_000_011)),
        ],
        "access": [
            (_labels("access", "web"), spread(ACCESS, 0, 9_700_000_001)),
            (_labels("access", "proxy"), spread(ACCESS[::2], 1, 20_000_000_011)),
        ],
        "packed": [
            (_labels("packed", "agent"), spread(PACKED, 0, 20_000_000_011)),
        ],
        "units": [
            (_labels("units", "x"), spread(UNITS, 0, 20_000_000_011)),
            (_labels("units", "y"), spread(UNITS[::2], 1, 31_000_000_007)),
        ],
        "levels": [
            (_labels("levels", "bare"), spread(LEVELS, 0, 20_000_000_011)),
            (_labels("levels", "labelled", level="warn"), spread(LEVELS[:6], 1, 31_000_000_007)),
            (_labels("levels", "meta"), _with_metadata()),
        ],
        "twice": [
            (_labels("twice", "one"), _twice()),
            (_labels("twice", "two"), _twice()),
        ],
        "numbers": [
            (_labels("numbers", app, zone=zone), spread(_numbers(app), phase, 19_000_000_003))
            for phase, (app, zone) in enumerate([("a", "east"), ("b", "east"), ("c", "west")])
        ],
    }
