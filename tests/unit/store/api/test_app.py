"""Answers over HTTP; statuses, types and texts are those of a running Loki 3.7.6."""

import json

import pytest

TEXT = "text/plain; charset=utf-8"
JSON = "application/json; charset=UTF-8"
CATEGORIZE = {"X-Loki-Response-Encoding-Flags": "categorize-labels"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
NO_MATCHER = "parse error : queries require at least one regexp or equality matcher"


@pytest.fixture
def filled(client):
    lines = [json.dumps({"level": "info" if n % 2 else "error", "n": n}) for n in range(4)]
    assert client.push(*lines, svc="a", env="prod").status_code == 204
    assert client.push("level=warn msg=hello", svc="b", env="dev").status_code == 204
    return client


def test_pushed_lines_come_back_with_their_level(client):
    assert client.push("an error").status_code == 204
    (stream,) = client.lines()
    assert stream["stream"] == {"run": client.run, "detected_level": "error"}


def test_newest_lines_come_first_and_the_limit_counts(filled):
    (stream,) = filled.lines(' | svc="a" | keep svc', limit=2)
    assert [json.loads(line)["n"] for _, line in stream["values"]] == [3, 2]


def test_lines_come_forward_when_asked(filled):
    (stream,) = filled.lines(' | svc="a" | keep svc', direction="forward", limit=2)
    assert [json.loads(line)["n"] for _, line in stream["values"]] == [0, 1]


def test_lines_are_spaced_by_the_interval(filled):
    (stream,) = filled.lines(' | svc="a" | keep svc', interval="2s")
    assert [json.loads(line)["n"] for _, line in stream["values"]] == [3, 1]


def test_span_without_a_length_has_its_one_moment(client):
    client.push([str(client.now_ns), "x"])
    moment = str(client.now_ns)
    assert client.lines(start=moment, end=moment)


def test_categorized_labels_stand_apart(filled):
    answer = filled.ask(
        "query_range", query=filled.selector + ' | json | svc="a"', headers=CATEGORIZE
    )
    (stream,) = answer.json()["data"]["result"]
    assert stream["stream"] == {"run": filled.run, "svc": "a", "env": "prod"}
    assert stream["values"][0][2] == {
        "structuredMetadata": {"detected_level": "info"},
        "parsed": {"level": "info", "n": "3"},
    }


def test_refused_lines_are_named_and_the_others_stored(client):
    answer = client.push("good", ["1", "old"])
    assert answer.status_code == 400
    assert "has timestamp too old" in answer.text
    assert answer.text.endswith("\n")
    assert [line for _, line in client.lines()[0]["values"]] == ["good"]


@pytest.mark.parametrize(
    ("headers", "data", "status"),
    [
        ({"content-type": "application/json"}, b"{}", 422),
        ({"content-type": "application/json"}, b"x", 400),
        ({"content-type": "application/json", "content-encoding": "br"}, b"{}", 400),
        ({}, b"{}", 400),
    ],
)
def test_wrong_pushes_are_refused(client, headers, data, status):
    answer = client.ask("push", "POST", headers=headers, data=data)
    assert (answer.status_code, answer.headers["content-type"]) == (status, TEXT)


def test_old_path_of_pushes_works(client):
    answer = client.ask(
        "/api/prom/push", "POST", headers={"content-type": "application/json"}, data=b"{}"
    )
    assert answer.status_code == 422


def test_vector_is_answered_as_grafanas_health_check_wants_it(client):
    answer = client.ask("query", query="vector(1)+vector(1)")
    assert answer.headers["content-type"] == JSON
    (sample,) = answer.json()["data"]["result"]
    assert (sample["metric"], sample["value"][1]) == ({}, "2")


def test_numbers_are_scalars(client):
    data = client.ask("query", query="1+1", time="5").json()["data"]
    assert (data["resultType"], data["result"]) == ("scalar", [5, "2"])


def test_metric_queries_are_aligned_to_their_step(filled):
    start, end = filled.now_ns // 10**9 - 13, filled.now_ns // 10**9 + 17
    query = f"sum(count_over_time({filled.selector}[5m]))"
    data = filled.ask("query_range", query=query, start=start, end=end, step="10s").json()["data"]
    (series,) = data["result"]
    times = [time_s for time_s, _ in series["values"]]
    assert all(time_s % 10 == 0 for time_s in times)
    assert times[-1] >= end
    assert series["values"][-1][1] == "5"


def test_forms_are_read_from_the_body(filled):
    answer = filled.ask("query_range", "POST", headers=FORM, data={"query": filled.selector})
    assert len(answer.json()["data"]["result"]) == 3


def test_answers_have_statistics(filled):
    stats = filled.ask("query_range", query=filled.selector).json()["data"]["stats"]
    assert stats["summary"]["totalLinesProcessed"] == 5
    assert stats["ingester"]["store"]["chunk"]["headChunkLines"] == 0


@pytest.mark.parametrize(
    ("path", "parameters", "text"),
    [
        ("query", {}, "parse error : syntax error: unexpected $end"),
        (
            "query",
            {"query": '{a="b"}'},
            "log queries are not supported as an instant query type",
        ),
        (
            "query",
            {"query": "vector(1)", "time": "x"},
            'strconv.ParseInt: parsing "x": invalid syntax',
        ),
        ("query_range", {"query": "{}"}, NO_MATCHER),
        (
            "query_range",
            {"query": '{a="b"}', "limit": "5001"},
            "max entries limit per query exceeded, limit > max_entries_limit_per_query (5001 >",
        ),
        ("query_range", {"query": '{a="b"}', "limit": "0"}, "limit must be a positive value"),
        ("query_range", {"query": '{a="b"}', "interval": "-1"}, "interval must be >= 0"),
        ("query_range", {"query": '{a="b"}', "direction": "x"}, "invalid direction 'x'"),
        (
            "query_range",
            {"query": '{a="b"}', "start": "2", "end": "1"},
            "end timestamp must not be before or equal to start time",
        ),
        (
            "query_range",
            {"query": '{a="b"}', "step": "1ms"},
            "exceeded maximum resolution of 11,000",
        ),
        ("labels", {"query": '{a="b"} |= "x"'}, "only label matchers are supported"),
        ("series", {"match[]": '{a=~".*"}'}, NO_MATCHER),
        ("index/stats", {}, "parse error : syntax error: unexpected $end"),
        ("index/volume", {"query": "{}", "aggregateBy": "x"}, "invalid aggregation option"),
        ("index/volume_range", {"query": "{}", "step": "0"}, "zero or negative query resolution"),
        ("index/volume_range", {"query": "{}", "interval": "-1"}, "interval must be >= 0"),
        ("index/volume", {"query": "{}", "limit": "-1"}, "limit must be a positive value"),
        ("index/volume", {"query": "{}", "direction": "x"}, "invalid direction 'x'"),
        ("index/volume", {"query": "{}", "time": "x"}, "strconv.ParseInt"),
        ("index/stats", {"query": '{a="b"}', "limit": "0"}, "limit must be a positive value"),
        ("index/stats", {"query": '{a="b"}', "step": "x"}, 'cannot parse "x" to a valid duration'),
        ("detected_fields", {"query": '{a="b"}', "step": "-1"}, "zero or negative query"),
        ("patterns", {"query": '{a="b"}', "step": "x"}, 'cannot parse "x" to a valid duration'),
        ("detected_fields", {"query": 'rate({a="b"}[1m])'}, "only log selector is supported"),
        ("detected_fields", {"query": '{a="b"}', "line_limit": "x"}, "strconv.Atoi"),
        ("patterns", {}, "parse error : syntax error: unexpected $end"),
        ("tail", {"query": '{a="b"}'}, "Bad Request"),
    ],
)
def test_wrong_queries_are_refused_in_lokis_words(client, path, parameters, text):
    answer = client.ask(path, **parameters)
    assert (answer.status_code, answer.headers["content-type"]) == (400, TEXT)
    assert answer.text.startswith(text)


@pytest.mark.parametrize(
    "parameters",
    [{"query": '{a="b"}', "since": "9000h"}, {"query": 'count_over_time({a="b"}[9000h])'}],
)
def test_whatever_is_kept_is_asked_for_in_one_question(client, parameters):
    assert client.ask("query_range", **parameters).status_code == 200


def test_labels_are_listed(filled):
    assert filled.ask("labels", query=filled.selector).json() == {
        "status": "success",
        "data": ["env", "run", "svc"],
    }
    assert filled.run in filled.ask("label/run/values").json()["data"]


def test_data_is_absent_where_no_label_is(client):
    assert client.ask("label/nope/values").json() == {"status": "success"}


def test_series_are_listed_once_for_all_selectors(filled):
    matches = [filled.selector, f'{{run="{filled.run}", svc="a"}}']
    found = filled.ask("series", **{"match[]": matches}).json()["data"]
    assert sorted(one["svc"] for one in found) == ["a", "b"]


def test_everything_is_listed_without_a_selector(filled):
    assert {"run": filled.run, "svc": "b", "env": "dev"} in filled.ask("series").json()["data"]


def test_index_counts_lines_and_bytes(client):
    client.push("four", "éé")
    assert client.ask("index/stats", query=client.selector).json() == {
        "streams": 1,
        "chunks": 1,
        "bytes": 8,
        "entries": 2,
    }


def test_volumes_are_grouped_by_the_matched_labels(filled):
    query = f'{{run="{filled.run}", svc=~".+"}}'
    result = filled.ask("index/volume", query=query).json()["data"]["result"]
    assert [one["metric"] for one in result] == [
        {"run": filled.run, "svc": "a"},
        {"run": filled.run, "svc": "b"},
    ]
    sizes = [int(one["value"][1]) for one in result]
    assert sizes == sorted(sizes, reverse=True)


def test_volumes_are_grouped_by_chosen_labels_and_limited(filled):
    result = filled.ask("index/volume", query=filled.selector, targetLabels="env", limit=1)
    assert [one["metric"] for one in result.json()["data"]["result"]] == [{"env": "prod"}]


def test_volumes_by_label_name_have_no_values(filled):
    answer = filled.ask("index/volume", query=filled.selector, aggregateBy="labels")
    metrics = [one["metric"] for one in answer.json()["data"]["result"]]
    assert sorted(metrics, key=str) == [{"env": ""}, {"run": ""}, {"svc": ""}]


def test_volumes_over_time_add_up_to_the_volume(filled):
    total = filled.ask("index/volume", query=filled.selector).json()["data"]["result"][0]
    data = filled.ask("index/volume_range", query=filled.selector, step="2s").json()["data"]
    assert data["resultType"] == "matrix"
    values = data["result"][0]["values"]
    assert sum(int(size) for _, size in values) == int(total["value"][1])
    assert all(round(time_s % 2, 3) == 1.999 for time_s, _ in values)


def test_labels_are_counted(filled):
    found = filled.ask("detected_labels", query=filled.selector).json()["detectedLabels"]
    assert {one["label"]: one["cardinality"] for one in found} == {"env": 2, "svc": 2}


def test_labels_of_numbers_or_uuids_are_not_detected_but_for_those_with_known_names(client):
    for number in "12":
        client.push("x", pod=number, count=f"{number}.5", version=f"{number}.5.0", b=f"{number} ")
    found = client.ask("detected_labels", query=client.selector).json()["detectedLabels"]
    assert {one["label"] for one in found} == {"b", "pod", "version"}


def test_series_and_labels_are_those_of_the_asked_time(client):
    hours_ns = [client.now_ns - hours * 3600 * 10**9 for hours in range(4)]
    for hours, time_ns in enumerate(hours_ns):
        client.push([str(time_ns - 10**9), "x"], age=str(hours))
    span = {"start": hours_ns[2], "end": hours_ns[1]}
    found = client.ask("label/age/values", query=client.selector, **span).json()["data"]
    assert found == ["1"]
    found = client.ask("series", **{"match[]": client.selector}).json()["data"]
    assert [labels["age"] for labels in found] == ["0"]


@pytest.mark.parametrize(
    "parameters", [{"line_limit": 5001}, {"line_limit": 0}, {"limit": -1}, {"limit": "9" * 30}]
)
def test_fields_of_too_many_or_of_no_lines_are_refused(filled, parameters):
    for path in ("detected_fields", "detected_field/n/values"):
        assert filled.ask(path, query=filled.selector, **parameters).status_code == 400


def test_lines_nested_deeply_are_answered_like_all_others(client):
    assert client.push(*('{"a":' * depth + "1" + "}" * depth for depth in (90, 950, 40_000))).ok
    for query in ("", "| json", "| json x=`a.a`", "| unpack", "| line_format `{{ . }}`"):
        assert len(client.lines(query, limit=1)) == 1
    client.lines("| line_format `{{ __line__ | fromJson }}`")
    for path in ("detected_fields", "detected_field/a/values"):
        assert client.ask(path, query=client.selector).status_code == 200


def test_fields_are_detected_with_type_and_parser(filled):
    fields = filled.ask("detected_fields", query=filled.selector).json()["fields"]
    by_name = {one["label"]: one for one in fields}
    assert by_name["n"] == {
        "label": "n",
        "type": "int",
        "cardinality": 4,
        "parsers": ["json"],
        "jsonPath": ["n"],
    }
    assert by_name["msg"] == {
        "label": "msg",
        "type": "string",
        "cardinality": 1,
        "parsers": ["logfmt"],
    }
    assert by_name["level"]["parsers"] == ["logfmt", "json"]
    assert by_name["detected_level"]["parsers"] is None


def test_values_of_a_field_are_listed(filled):
    answer = filled.ask("detected_field/n/values", query=filled.selector, limit=2).json()
    assert answer == {"values": ["3", "2"], "limit": 2}


def test_field_that_no_line_has_is_an_empty_answer(filled):
    assert filled.ask("detected_field/nope/values", query=filled.selector).json() == {}


def test_there_are_no_patterns(client):
    answer = client.ask("patterns", query='{a="b"}')
    assert (answer.status_code, answer.json()) == (200, {"status": "success", "data": []})


def test_query_is_formatted(client):
    assert client.ask(
        "format_query", query="sum( rate({a='b'}[1m]) )".replace("'", '"')
    ).json() == {"status": "success", "data": 'sum(rate({a="b"}[1m]))'}
    assert client.ask("format_query", query="{").json()["status"] == "invalid-query"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/ready", 200),
        ("POST", "/ready", 405),
        ("GET", "/nope", 404),
        ("GET", "/", 404),
        ("HEAD", "/loki/api/v1/query", 405),
        ("OPTIONS", "/loki/api/v1/query", 405),
        ("DELETE", "/loki/api/v1/query", 405),
        ("GET", "/loki/api/v1/push", 405),
        ("GET", "//ready", 301),
        ("POST", "/flush", 204),
        ("GET", "/flush", 204),
        ("GET", "/config", 200),
        ("GET", "/services", 200),
        ("POST", "/otlp/v1/logs", 501),
        ("GET", "/loki/api/v1/rules", 200),
        ("GET", "/prometheus/api/v1/rules", 200),
        ("GET", "/loki/api/v1/drilldown-limits", 401),
        ("HEAD", "/metrics", 200),
    ],
)
def test_other_paths_have_lokis_statuses(client, method, path, status):
    assert client.ask(path, method).status_code == status


def test_unknown_path_has_lokis_text(client):
    assert client.ask("/nope").text == "404 page not found\n"


def test_build_names_the_loki_whose_api_it_is(client):
    assert client.ask("status/buildinfo").json()["version"] == "3.7.6"


def test_limits_are_given_to_a_named_tenant(client):
    limits = client.ask("drilldown-limits", headers={"X-Scope-OrgID": "fake"}).json()["limits"]
    assert (limits["max_query_length"], limits["retention_period"]) == ("0s", "1w")


def test_metrics_count_what_came_in(filled):
    text = filled.ask("/metrics").text
    assert 'lokikit_store_pushes_total{status="204"}' in text
    assert "lokikit_store_received_lines_total" in text
    assert "lokikit_store_segments " in text


def test_lines_can_be_asked_for_after_a_flush(filled):
    filled.ask("/flush", "POST")
    assert len(filled.lines()) == 3
