"""Log queries: every filter, parser, format and function of LogQL's documentation."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from random import Random

LINE_FILTERS = [
    '|= "error"',
    '!= "error"',
    '|= "Error"',
    '|~ "(?i)error"',
    '!~ "(?i)error"',
    '|~ "err.r|wa.n"',
    "|~ `^\\{`",
    "!~ `^\\s*\\{`",
    "|~ `\\d{3}$`",
    '|= ""',
    '!= ""',
    '|~ ""',
    '|~ ".*"',
    '|~ ".+"',
    '|= "a" or "b"',
    '!= "a" or "b"',
    '|~ "a{2,}" or "x{9}"',
    '|= "GET" |= "200"',
    '|= "GET" != "200" |~ "a"',
    '|= `"`',
    '|= "\\t"',
    '|= "日本"',
    '|~ "\\\\bid\\\\b"',
    '|= ip("10.0.0.0/8")',
    '!= ip("10.0.0.0/8")',
    '|= ip("10.0.0.1-10.0.0.99")',
    '|= ip("192.168.1.250")',
    '|= ip("2001:db8::/32")',
    '|= ip("::1")',
    '|> "<_>GET<_>"',
    '|> "<_> <_> <_>"',
    '!> "<_>error<_>"',
    '|> "a<_>"',
    '|> "<_>=<_> <_>"',
    '|> "<_>error<_>" or "<_>GET<_>"',
    "|~ `\\$5\\.00`",
    '|= "\\\\"',
    '|~ "[[:upper:]]{5}"',
    '|~ "(?s)m.*e"',
    '|~ "x{100}"',
]

PARSERS: Mapping[str, list[str]] = {
    "kit": [
        "| json",
        "| json level, http_status",
        '| json status="http_status", who="user.name"',
        '| json uid="user.id", all="user"',
        '| regexp "orders/(?P<order>\\\\d+)"',
        '| pattern "<_>\\"message\\":\\"<verb> <path> done\\"<_>"',
    ],
    "json": [
        "| json",
        '| json first="list[0]", second="list[1]"',
        '| json inner="list[2].three"',
        '| json x="nested.k", y="nested.deep.er", z="nested.deep"',
        '| json q="[\\"k.l\\"]"',
        '| json ua="[\\"User-Agent\\"]"',
        '| json a, b, c="missing"',
        '| json m="matrix[1][0]", o="list[1].a"',
        "| json list",
        "| json n, m, z, big",
        '| json d="deep.a.b.c"',
        "| json nil, t, f, o",
    ],
    "logfmt": [
        "| logfmt",
        "| logfmt --strict",
        "| logfmt --keep-empty",
        "| logfmt --strict --keep-empty",
        "| logfmt status, msg",
        '| logfmt code="status", who="missing"',
        "| logfmt --keep-empty standalone, other",
        "| logfmt --strict foo, a",
        '| logfmt x="x", key="key"',
        '| regexp "(?P<verb>[A-Z]+) (?P<path>/\\\\S*)"',
    ],
    "access": [
        '| pattern "<ip> - <user> [<_>] \\"<method> <uri> <_>\\" <status> <size> <_>"',
        '| pattern "<method> <path> (<status>) <latency>"',
        '| pattern "<_>user=<user> <_>"',
        '| pattern "<a> <b>"',
        (
            '| regexp `^(?P<ip>\\S+) \\S+ (?P<user>\\S+) \\[(?P<when>[^\\]]+)\\] "(?P<method>\\w+) '
            '(?P<uri>\\S+)[^"]*" (?P<status>\\d+) (?P<size>\\d+)`'
        ),
        (
            '| regexp "(?P<method>\\\\w+) (?P<path>[\\\\w|/]+) \\\\((?P<status>\\\\d+?)\\\\) '
            '(?P<duration>.*)"'
        ),
        '| regexp "user=(?P<user>\\\\w+) id=(?P<id>\\\\d+) took (?P<took>\\\\S+)"',
        '| regexp "(?P<opt>zzz)?(?P<rest>e.*)"',
        "| decolorize",
        "| logfmt",
    ],
    "packed": ["| unpack", "| unpack | json", "| unpack | logfmt", "| json", '| json pod="pod"'],
    "units": ["| json", "| json dur, size, num, who", '| json took="dur"'],
    "levels": ["| json", "| logfmt", '| json m="m"', "| json | logfmt"],
    "numbers": ["| logfmt", "| logfmt value, counter, host", '| logfmt v="value"'],
}

LABEL_FILTERS: Mapping[str, list[str]] = {
    "kit": [
        "| http_status >= 500",
        "| http_status = 404",
        "| http_status == 404",
        "| http_status != 200 | duration_ms > 20",
        "| http_status > 200 and duration_ms < 100 or level=`info`",
        "| http_status > 200, duration_ms < 100",
        "| http_status > 200 duration_ms < 100",
        "| (level=`error` or level=`critical`) and user_id > 10",
        '| level=~"err.*|warn.*"',
        '| level!~"err.*"',
        '| logger="shop.pay"',
        '| client_ip=ip("10.0.1.0/24")',
        '| client_ip!=ip("10.0.1.0-10.0.2.255")',
        '| detected_level="error"',
        '| detected_level=~"warn|critical"',
        '| app="shop" | http_method!="GET"',
        "| duration_ms = 35",
        "| duration_ms <= 10.5",
        "| bytes > 10KB",
        "| bytes <= 2KiB",
        '| missing=""',
        '| missing!=""',
        "| missing > 5",
        '| __error__=""',
        "| user_id >= 3 | user_name=`u1`",
    ],
    "json": [
        '| __error__=""',
        '| __error__!=""',
        '| __error__="JSONParserErr"',
        '| a="1"',
        "| n > 1",
        "| n != 1.5",
        '| app_extracted="clash"',
        '| nested_k=~"v|w"',
        '| a_b=~".+"',
        '| corpus="json" | env_extracted!=""',
        "| big > 1e10",
        '| _1st="digit"',
        '| k_l="dot"',
        '| s=""',
    ],
    "logfmt": [
        "| status >= 400",
        "| status = 200 or status = 201",
        "| took > 1s",
        "| took <= 250ms",
        "| size > 10KB",
        "| size = 12KB",
        '| fwd=ip("124.133.0.0/16")',
        '| msg=~"b.*"',
        '| __error__=""',
        '| __error__!=""',
        "| n > 1 | m < 2000",
        '| empty=""',
        '| level="error" and status > 500',
        "| service = 8ms",
    ],
    "access": [
        '| status="200"',
        "| status >= 400",
        '| ip=ip("10.0.0.0/24")',
        '| ip!=ip("10.0.0.0/24")',
        '| user=~"a.*|b.*"',
        "| took > 1s",
        '| method="GET"',
        "| size > 100",
        "| duration > 1s",
    ],
    "packed": ['| container="web"', '| pod!=""', '| __error__=""', '| app_extracted="clash"'],
    "units": [
        "| dur > 1s",
        "| dur >= 1s",
        "| dur < 1ms",
        "| dur == 1s",
        "| dur != 1s",
        "| dur > 1h",
        "| size > 1KB",
        "| size >= 1KB",
        "| size < 1KiB",
        "| size == 2MB",
        "| size != 1KB",
        "| num > 0",
        "| num >= 2.5",
        "| num < 0",
        "| num == 1",
        "| num != 1",
        "| num > -1",
        "| num > 5 or dur > 5s",
        "| num > 5 and size > 1KB",
        '| num > 5 | __error__=""',
        '| dur > 1s | __error__="LabelFilterErr"',
        '| who="a" and num > 0 or who="b"',
        "| size > 1.5MB",
        "| dur > 1m30s",
        "| num > 1e2",
    ],
    "levels": [
        '| detected_level="error"',
        '| detected_level!="unknown"',
        '| level="warn"',
        '| level_extracted=~".+"',
        '| trace_id="abc"',
        '| pod=~"p.*"',
        "| size > 10KB",
        "| took > 1s",
        "| status >= 500",
    ],
    "numbers": [
        "| value > 2",
        '| host="h1"',
        "| code >= 400 and host!=`h0`",
        "| counter = 0",
        '| zone="east"',
    ],
}

TEMPLATES = [
    "{{.app}} {{.missing}}|",
    "{{ .level | upper }} {{ .logger | lower }}",
    "{{ __line__ | trunc 12 }}",
    "{{ __line__ }}{{ __timestamp__ | date `04:05.000` }}",
    "{{ __timestamp__ | date `05` }}",
    '{{ replace "o" "0" .logger }}{{ .logger | replace "shop" "s" }}',
    "{{ title .level }} {{ .message | title }}",
    '{{ trim "  x  " }}|{{ trimAll "g" .message }}|{{ trimLeft "G" .message }}',
    '{{ trimPrefix "GET" .message }}|{{ trimSuffix "done" .message }}|{{ trimRight "e" .message }}',
    "{{ trunc 3 .message }}|{{ trunc -4 .message }}|{{ trunc 99 .message }}",
    "{{ substr 2 5 .message }}|{{ .message | substr 0 3 }}|{{ substr 4 99 .message }}",
    '{{ printf "%s-%d" .app 7 }}|{{ printf "%5s|%-8.3s|" .level .logger }}',
    '{{ printf "%05d %x %q %v %t" 42 255 .app .level true }}',
    '{{ printf "%.2f" (float64 .duration_ms) }}',
    "{{ add 3 2 5 }} {{ sub 5 2 }} {{ mul 5 2 3 }} {{ div 10 3 }} {{ mod 10 3 }}",
    "{{ add .http_status 1 }} {{ div .http_status 7 }} {{ mod .http_status 7 }}",
    "{{ addf 3.5 2 5 }} {{ subf 5.5 2 1.5 }} {{ mulf 5.5 2 2.5 }} {{ divf 10 2 4 }}",
    "{{ addf .duration_ms 1 }} {{ divf .duration_ms 3 }} {{ mulf .duration_ms 1.1 }}",
    "{{ max 1 2 3 }} {{ min 1 2 3 }} {{ maxf 1 2.5 3 }} {{ minf 1.5 2 3 }}",
    "{{ max .http_status 300 }} {{ min .http_status 300 }}",
    "{{ ceil 123.001 }} {{ floor 123.9999 }} {{ round 123.555555 3 }}",
    "{{ round 123.88571428571 5 .2 }}",
    "{{ ceil .duration_ms }} {{ floor .duration_ms }} {{ round .duration_ms 0 }}",
    '{{ "3" | int }} {{ "3.7" | float64 }} {{ int .http_status }} {{ float64 .http_status }}',
    '{{ if eq .level "error" }}E{{ else if eq .level "info" }}I{{ else }}?{{ end }}',
    '{{ if and (eq .level "error") (ne .app "x") }}both{{ end }}',
    '{{ if or (eq .level "error") (eq .level "info") }}any{{ else }}none{{ end }}',
    "{{ if not .missing }}none{{ end }}{{ if .level }}some{{ end }}",
    "{{ if gt (int .http_status) 300 }}high{{ end }}{{ if lt 1 2 }}lt{{ end }}",
    '{{ if ge 2 2 }}ge{{ end }}{{ if le 3 2 }}le{{ end }}{{ if ne "a" "b" }}ne{{ end }}',
    '{{ if contains "orders" .message }}c{{ end }}{{ if hasPrefix "GET" .message }}p{{ end }}',
    '{{ if hasSuffix "done" .message }}s{{ end }}',
    '{{ regexReplaceAll "(o)(r)" .message "${2}${1}" }}',
    '{{ regexReplaceAllLiteral "o" .message "$1" }}',
    '{{ .message | regexReplaceAll "[0-9]+" "N" }}',
    '{{ count "o" .message }} {{ __line__ | count "a|b" }}',
    '{{ default "-" .missing }} {{ .level | default "none" }}',
    (
        "{{ alignLeft 12 .level }}|{{ alignRight 12 .level }}|{{ alignLeft 2 .level }}|"
        "{{ alignRight 2 .level }}"
    ),
    "{{ indent 2 .level }}|{{ nindent 2 .level }}",
    '{{ repeat 3 "ab" }}',
    "{{ .message | b64enc }} {{ .message | b64enc | b64dec }} {{ b64dec `!!` }}",
    "{{ urlencode .message }} {{ urldecode `a%20b%2Fc` }}",
    '{{ unixEpoch (toDate "2006-01-02" "2021-11-02") }}',
    '{{ unixEpochMillis (toDate "2006-01-02" "2021-11-02") }}',
    '{{ toDate "2006-01-02" "2021-11-02" | unixEpochNanos }}',
    '{{ date "2006-01-02" (unixToTime "1257894000") }}',
    '{{ date "2006-01-02T15:04:05.000Z07:00" (unixToTime "1257894000123") }}',
    '{{ toDateInZone "2006-01-02" "UTC" "2021-11-02" | unixEpoch }}',
    '{{ toDateInZone "2006-01-02" "Europe/Berlin" "2021-11-02" | unixEpoch }}',
    '{{ date "Mon Jan _2 3:04PM 06 MST" (toDate "2006-01-02" "2021-11-02") }}',
    '{{ duration "1m30s" }} {{ duration_seconds "250ms" }} {{ duration "x" }}',
    '{{ bytes "2 KB" }} {{ bytes "1MiB" }} {{ bytes "x" }}',
    '{{ range $i, $e := fromJson "[1,2,3]" }}{{ $i }}={{ $e }};{{ end }}',
    '{{ (fromJson "{\\"foo\\": 55}").foo }}',
    "{{ with .level }}<{{ . }}>{{ else }}none{{ end }}",
    '{{ $x := .level }}{{ $x }}{{ $x = "y" }}{{ $x }}',
    "{{- .level -}}   x   {{- .app }}",
    '{{/* a comment */}}plain {{ `raw` }} {{ "quoted\\t" }}',
    '{{ len .level }} {{ index (fromJson "[7,8]") 1 }} {{ slice "hello" 1 3 }}',
    '{{ print .app " " 5 }} {{ println "x" }} {{ html "<a>" }} {{ js "a\'b" }}',
    '{{ urlquery "a b" }}',
    "{{ ToUpper .level }} {{ ToLower .app }} {{ Replace .level `r` `R` -1 }}",
    "{{ Trim .app `s` }}",
    "{{ TrimLeft .app `s` }} {{ TrimPrefix .app `sh` }} {{ TrimSuffix .app `op` }}",
    "{{ TrimSpace .app }}",
    "{{ nosuch .level }}",
    "{{ .level",
    "{{ if }}x{{ end }}",
    "plain text",
    "",
    "{{ div 1 0 }}",
    "{{ substr 5 2 .message }}",
    '{{ .detected_level }} {{ .http_status | printf "%4s" }}',
    "{{ range fromJson .user }}{{ . }}{{ end }}",
    "{{ .user_name }}:{{ .user_id }}",
]

LABEL_FORMATS = [
    "| label_format lvl=level",
    "| label_format lvl=`{{.level}}`",
    '| label_format a=app, b="{{.app}}-{{.env}}"',
    "| label_format app=env",
    '| label_format app="{{.app}}!"',
    "| label_format missing2=missing",
    "| label_format x=`{{ .message | upper }}` | x=~`GET.*`",
    '| label_format level=`{{ if eq .level "error" }}bad{{ else }}fine{{ end }}`',
    "| label_format detected_level=level",
    "| drop level",
    '| drop level="error"',
    '| drop app=~"sh.*", level',
    "| drop __error__, __error_details__",
    "| drop missing",
    "| drop app, env, corpus",
    "| keep level",
    '| keep level="error"',
    '| keep app, level=~"e.*|w.*"',
    "| keep missing",
    "| keep detected_level",
    '| line_format "{{.level}}" | json',
    '| line_format "a={{.level}} b=2" | logfmt',
    '| line_format "{{.message}}" |= "1"',
    "| decolorize",
]
EXTRA_PARSERS = ["| json", "| logfmt", "| unpack", '| pattern "<first> <_>"', "| decolorize"]


def log_queries(corpus: str, dice: Random) -> Iterator[str]:
    """The log queries of one corpus: tables crossed, and random chains of their parts."""
    own = f'{{corpus="{corpus}"}}'
    yield from _selectors(corpus)
    yield from (f"{own} {one}" for one in LINE_FILTERS)
    yield from (f"{own} {one}" for one in dict.fromkeys(PARSERS[corpus] + EXTRA_PARSERS))
    filters = LABEL_FILTERS[corpus]
    yield from (f"{own} {filter_}" for filter_ in filters[::4])
    for parser, filter_ in product(PARSERS[corpus], filters):
        if parser == PARSERS[corpus][0] or dice.random() < 0.25:
            yield f"{own} {parser} {filter_}"
    yield from _formats(corpus, own, dice)
    for _ in range(40):
        yield random_log_query(corpus, dice)


def _selectors(corpus: str) -> Iterator[str]:
    own = f'corpus="{corpus}"'
    for more in (
        'app=~".+"',
        'app!="shop"',
        'app=~"s.*|w.*|o.*"',
        'app!~"s.*"',
        'missing=""',
        'missing!=""',
        'level=""',
        'level="warn"',
        'env=~"pro"',
        'app=~"(?i)SHOP"',
        'app=""',
    ):
        yield f"{{{own}, {more}}}"
    yield f'{{{own}}} # a comment\n|= "e"'


def _formats(corpus: str, own: str, dice: Random) -> Iterator[str]:
    parser = PARSERS[corpus][0]
    if corpus == "kit":
        yield from (f"{own} {parser} | line_format {_quoted(one)}" for one in TEMPLATES)
    else:
        chosen = dice.sample(TEMPLATES, 12)
        yield from (f"{own} {parser} | line_format {_quoted(one)}" for one in chosen)
    chosen = LABEL_FORMATS if corpus in {"kit", "json"} else dice.sample(LABEL_FORMATS, 10)
    yield from (f"{own} {parser} {one}" for one in chosen)


def _quoted(template: str) -> str:
    if "`" not in template:
        return f"`{template}`"
    escaped = template.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def random_log_query(corpus: str, dice: Random) -> str:
    """A chain of parts of the tables."""
    parts = [f'{{corpus="{corpus}"}}']
    if dice.random() < 0.6:
        parts.append(dice.choice(LINE_FILTERS))
    parts.append(dice.choice(PARSERS[corpus] + EXTRA_PARSERS))
    if dice.random() < 0.6:
        parts.append(dice.choice(LABEL_FILTERS[corpus]))
    if dice.random() < 0.5:
        parts.append(dice.choice(LABEL_FORMATS))
    if dice.random() < 0.3:
        parts.append(f"| line_format {_quoted(dice.choice(TEMPLATES))}")
    if dice.random() < 0.3:
        parts.append(dice.choice(LINE_FILTERS))
    if dice.random() < 0.2:
        parts.append(dice.choice(EXTRA_PARSERS))
    return " ".join(parts)
