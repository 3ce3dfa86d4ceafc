"""Whatever comes in is answered with a sentence and no status of a broken server."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

RELAXED = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
ENTRIES = st.lists(
    st.tuples(st.integers().map(str) | JSON_VALUES, JSON_VALUES)
    | st.tuples(st.just("1795703482000000000"), st.text(max_size=20), JSON_VALUES),
    max_size=3,
)
STREAMS = st.lists(
    st.fixed_dictionaries(
        {
            "stream": st.dictionaries(st.text(max_size=5), JSON_VALUES, max_size=3) | JSON_VALUES,
            "values": ENTRIES | JSON_VALUES,
        }
    ),
    max_size=2,
)
PIECES = st.sampled_from(
    [
        '{a="b"}',
        "{",
        "}",
        "(",
        ")",
        "[1m]",
        "|=",
        "|~",
        '"x"',
        "json",
        "| json",
        "rate(",
        "sum(",
        "by (a)",
        "unwrap n",
        "> 5",
        "offset 1m",
        "1",
        "-",
        "/",
        "quantile_over_time(0.9,",
        " ",
        ",",
        "vector(1)",
        "topk(2,",
        "label_replace(",
        '| line_format "{{.a}}"',
        "\u00e9",
        "`",
        "#",
        "=~",
    ]
)
QUERIES = st.lists(PIECES, max_size=8).map("".join) | st.text(max_size=30)
PATHS = [
    "query",
    "query_range",
    "labels",
    "label/a/values",
    "series",
    "index/stats",
    "index/volume",
    "index/volume_range",
    "detected_fields",
    "detected_labels",
    "patterns",
    "format_query",
    "detected_field/a/values",
]
PARAMETERS = st.dictionaries(
    st.sampled_from(
        [
            "start",
            "end",
            "time",
            "limit",
            "step",
            "since",
            "interval",
            "direction",
            "match[]",
            "targetLabels",
            "aggregateBy",
            "line_limit",
        ]
    ),
    st.text(max_size=12) | st.integers().map(str) | st.floats().map(str),
    max_size=4,
)


def is_sound(answer):
    return answer.status_code < 500 and (answer.status_code < 400 or answer.text.strip())


@RELAXED
@given(
    body=st.binary(max_size=200),
    kind=st.sampled_from(["application/json", "application/x-protobuf", "x"]),
    encoding=st.sampled_from(["", "gzip", "deflate", "snappy", "br"]),
)
def test_bytes_are_no_push(client, body, kind, encoding):
    headers = {"content-type": kind, "content-encoding": encoding}
    assert is_sound(client.ask("push", "POST", headers=headers, data=body))


@RELAXED
@given(streams=STREAMS)
def test_any_json_is_stored_or_refused(client, streams):
    body = json.dumps({"streams": streams}).encode("utf-8", "surrogatepass")
    assert is_sound(
        client.ask("push", "POST", headers={"content-type": "application/json"}, data=body)
    )


@pytest.mark.parametrize("path", PATHS)
@settings(RELAXED, max_examples=25)
@given(query=QUERIES, parameters=PARAMETERS)
def test_any_query_is_answered_or_refused(client, path, query, parameters):
    answer = client.ask(path, query=query, **parameters)
    assert is_sound(answer) or (path == "patterns" and answer.status_code == 404), answer.text
