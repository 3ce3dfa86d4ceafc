"""What python-logging-loki promises its users, kept by ours, and what ours adds."""

import json
import logging
import logging.config
import os
import subprocess
import sys
import threading
import tracemalloc
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import logging_loki
import pytest
from tests.waiting import eventually

import lokikit
from lokikit import JsonFormatter, LokiHandler
from lokikit.errors import SettingsError
from lokikit.output.stdout_handler import StdoutHandler
from lokikit.push.exit_time import CLOSE_S


class Sink(ThreadingHTTPServer):
    """Stands in for Loki: keeps what is pushed, answers 204."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Answer)
        self.requests = []
        self.url = f"http://127.0.0.1:{self.server_port}"

    @property
    def streams(self):
        """The streams of all pushes."""
        return [s for _, _, body in self.requests for s in json.loads(body)["streams"]]

    @property
    def lines(self):
        """The lines of all streams, parsed."""
        return [json.loads(value[1]) for s in self.streams for value in s["values"]]


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, dict(self.headers), body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def sink():
    """A sink that listens."""
    server = Sink()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def logger():
    """A logger of the test's own, its handlers closed at the end."""
    logger = logging.getLogger("shop")
    logger.propagate = False
    logger.setLevel(logging.DEBUG)
    yield logger
    logger.propagate = True
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()


@pytest.fixture
def pushed(sink, logger):
    """Logs one record through a handler, and gives the stream that arrives."""

    def push(message="m", *args, tags=None, extra=None, **options):
        handler = LokiHandler(sink.url, tags=tags, **options)
        logger.addHandler(handler)
        logger.warning(message, *args, extra=extra)
        assert handler.flush(30)
        (stream,) = sink.streams
        return stream

    return push


def test_it_is_the_handler_that_users_of_python_logging_loki_have():
    """`isinstance` goes on to be true."""
    assert issubclass(LokiHandler, logging_loki.LokiHandler)


@pytest.mark.parametrize(
    "path", ["", "/", "/loki/api/v1/push", "/loki/api/v1/push/", "/api/prom/push"]
)
def test_records_go_to_the_push_api(sink, logger, path):
    """Whether the URL has the path of it, the former one, or none."""
    handler = LokiHandler(sink.url + path)
    logger.addHandler(handler)
    logger.warning("m")
    assert handler.flush(30)
    assert sink.requests[0][0] == "/loki/api/v1/push"


@pytest.mark.parametrize("version", [None, "0", "1"])
def test_each_version_is_accepted_without_a_warning(sink, version):
    """Loki takes one form now."""
    LokiHandler(sink.url, version=version).close()


def test_an_unknown_version_is_refused():
    """The error has the text of python-logging-loki."""
    with pytest.raises(ValueError, match="Unknown emitter version: 2"):
        LokiHandler("http://127.0.0.1:1", version="2")


def test_tags_of_the_handler_are_labels(pushed):
    """Beside the service."""
    stream = pushed(tags={"app": "emitter"})
    assert stream["stream"] == {"service_name": "unknown", "app": "emitter"}


def test_severity_and_logger_are_fields_of_the_line(pushed):
    """They were labels, and multiplied the streams."""
    stream = pushed()
    assert not stream["stream"].keys() & {"severity", "logger"}
    line = json.loads(stream["values"][0][1])
    assert (line["level"], line["logger"]) == ("warning", "shop")


def test_tags_of_a_record_are_labels(pushed):
    """Given as `extra={"tags": {...}}`."""
    assert pushed(extra={"tags": {"extra_tag": 7}})["stream"]["extra_tag"] == "7"


@pytest.mark.parametrize(
    "label", ["test_'svc", 'test_"svc', "test svc", "test-svc", "test.svc", "!test_svc?"]
)
@pytest.mark.parametrize("of", ["handler", "record"])
def test_label_names_are_cleaned(pushed, label, of):
    """Those of the handler too."""
    given = {"tags": {label: "v"}} if of == "handler" else {"extra": {"tags": {label: "v"}}}
    assert pushed(**given)["stream"]["test_svc"] == "v"


def test_a_label_without_a_valid_character_is_left_out(pushed):
    """The line arrives under the others."""
    assert pushed(extra={"tags": {"!": "v"}})["stream"] == {"service_name": "unknown"}


def test_tags_that_are_no_dict_are_a_field_only(pushed):
    stream = pushed(extra={"tags": "invalid"})
    assert stream["stream"] == {"service_name": "unknown"}
    assert json.loads(stream["values"][0][1])["tags"] == "invalid"


def test_the_entry_has_the_time_of_the_event(pushed):
    """It is the time of the record, not of the push."""
    stamp, line, _ = pushed()["values"][0]
    assert json.loads(line)["timestamp"][20:26] == stamp[10:16]
    assert stamp.endswith("000")


def test_a_text_formatter_gives_the_line(sink, logger):
    """For those who want no JSON."""
    handler = LokiHandler(sink.url)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    logger.addHandler(handler)
    logger.warning("m %s", 1)
    assert handler.flush(30)
    stamp, line, _ = sink.streams[0]["values"][0]
    assert line == "WARNING m 1"
    assert len(stamp) == 19


def test_it_works_in_a_dict_config(sink):
    """`dictConfig` passes its own kind of dict as `tags`."""
    config = {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"loki": {"class": "lokikit.LokiHandler", "url": sink.url, "tags": {"a": "b"}}},
        "loggers": {"configured": {"handlers": ["loki"], "level": "DEBUG", "propagate": False}},
    }
    logging.config.dictConfig(config)
    logger = logging.getLogger("configured")
    logger.info("m", extra={"tags": {"c": "d"}})
    assert logger.handlers[0].flush(30)
    assert sink.streams[0]["stream"] == {"service_name": "unknown", "a": "b", "c": "d"}
    logger.handlers[0].close()
    logger.handlers.clear()


@pytest.mark.parametrize(
    ("options", "header", "value"),
    [
        ({"auth": ("u", "p")}, "Authorization", "Basic dTpw"),
        ({"bearer_token": "t"}, "Authorization", "Bearer t"),
        ({"tenant": "a"}, "X-Scope-OrgID", "a"),
        ({"headers": {"X-Own": "1"}}, "X-Own", "1"),
    ],
)
def test_who_sends_is_said_in_headers(pushed, sink, options, header, value):
    """Each push has them."""
    pushed(**options)
    assert sink.requests[0][1][header] == value


def test_values_of_metadata_are_strings(pushed):
    """One number among them makes Loki refuse the batch."""
    with lokikit.bound(request_id=12):
        metadata = pushed()["values"][0][2]
    assert metadata["request_id"] == "12"
    assert all(isinstance(value, str) for value in metadata.values())


def test_what_the_sending_itself_logs_is_left_out(sink):
    """A root logger at DEBUG with urllib3 chatty feeds no loop."""
    root, chatty = logging.getLogger(), logging.getLogger("urllib3")
    handler = LokiHandler(sink.url)
    level, chatty_level = root.level, chatty.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    chatty.setLevel(logging.DEBUG)
    try:
        logging.getLogger("app").debug("m")
        assert handler.flush(30)
        root.removeHandler(handler)
        handler.close()
    finally:
        root.setLevel(level)
        chatty.setLevel(chatty_level)
        root.removeHandler(handler)
    assert [line["logger"] for line in sink.lines] == ["app"]


def test_an_error_in_the_caller_is_counted_and_not_raised(sink, logger):
    """Whatever breaks, breaks here."""
    handler = LokiHandler(sink.url)
    handler.setFormatter(logging.Formatter("%(missing)s"))
    logger.addHandler(handler)
    logger.warning("m")
    assert handler.stats()["dropped"] == {"error": 1}


def test_a_filter_of_the_handler_is_heeded(sink, logger):
    """It may reject a record, or mask what is in it."""

    def only_cards(record):
        record.card = "****"
        return record.getMessage() == "kept"

    handler = LokiHandler(sink.url)
    handler.addFilter(only_cards)
    logger.addHandler(handler)
    logger.warning("rejected", extra={"card": "4711"})
    logger.warning("kept", extra={"card": "4711"})
    assert handler.flush(30)
    assert [(line["message"], line["card"]) for line in sink.lines] == [("kept", "****")]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"on_full": "explode"}, "on_full='explode'"),
        ({"durable": True}, "set spool_dir"),
        ({"durable": "always"}, "durable='always'"),
        ({"url": "loki:3100"}, "is not the URL of a Loki"),
        ({"url": None}, "None is not the URL of a Loki"),
        ({"auth": "user:password"}, r"auth=\(user, password\)"),
        ({"auth": ("user",)}, r"auth=\(user, password\)"),
        ({"tags": 5}, "tags=5 is no mapping"),
        ({"headers": ["a"]}, "headers=.* is no mapping"),
        ({"max_records": 0}, "max_records=0 is no number above zero"),
        ({"max_bytes": "5"}, "max_bytes='5' is no number above zero"),
        ({"timeout_s": (1, 2, 3)}, "neither a number nor a pair"),
        ({"timeout_s": "soon"}, "timeout_s='soon' is no number above zero"),
    ],
)
def test_bad_arguments_are_refused_with_the_fix(options, said):
    """When it is made, not at the first record."""
    with pytest.raises(SettingsError, match=said):
        LokiHandler(**{"url": "http://127.0.0.1:1", **options})


@pytest.mark.parametrize(
    ("service", "label"),
    [(5, "5"), (1.5, "1.5"), (True, "True"), (b"shop", "shop"), (["a"], "['a']")],
)
def test_identity_that_is_no_text_is_written_as_text(pushed, sink, service, label):
    """Configurations hold numbers, for example."""
    stream = pushed(service=service, env=service)
    assert (stream["stream"]["service_name"], stream["stream"]["env"]) == (label, label)
    assert (sink.lines[0]["service"], sink.lines[0]["env"]) == (label, label)


def test_one_number_is_both_timeouts(pushed):
    """`requests` accepts a single number, too."""
    pushed(timeout_s=30)


def test_shutdown_keeps_one_deadline(sink, logger, monkeypatch):
    """A flush that ran into its limit leaves nothing of it to the closing."""
    handler = LokiHandler(sink.url)
    logger.addHandler(handler)
    given = []
    monkeypatch.setattr(handler._worker, "flush", given.append)
    close = handler._worker.close
    monkeypatch.setattr(handler._worker, "close", given.append)
    handler.flush()
    handler.close()
    close(0.0)
    assert given[0] == CLOSE_S
    assert 0 <= given[1] <= CLOSE_S


def _run(source, sink, **environ):
    return subprocess.run(
        [sys.executable, "-c", source],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LOKI_PUSH_URL": sink.url, **environ},
    )


def test_one_variable_switches_it_on_beside_stdout(sink):
    """The same lines, byte for byte."""
    done = _run(
        "import lokikit; log = lokikit.setup_json_logging('api')\n"
        "for n in range(100): log.info('m %s', n)",
        sink,
    )
    pushed = [value[1] for stream in sink.streams for value in stream["values"]]
    assert pushed == done.stdout.splitlines()
    assert len(pushed) == 100
    assert done.stderr == ""


def test_push_may_be_refused_or_named(sink):
    """The argument wins over the environment."""
    _run("import lokikit; lokikit.setup_json_logging(push=False).info('m')", sink)
    assert not sink.requests
    _run(
        f"import lokikit; lokikit.setup_json_logging(push={sink.url!r}).info('m')",
        sink,
        LOKI_PUSH_URL="",
    )
    _run(
        "import lokikit; lokikit.setup_json_logging(push=True).info('m')",
        sink,
        LOKI_PUSH_URL="",
        LOKI_URL=sink.url,
    )
    assert len(sink.lines) == 2


QUESTIONS = """
import logging, sys
import lokikit
lokikit.setup_json_logging()
lokikit.setup_json_logging().info("m")
"""


def test_a_shell_that_asks_loki_makes_no_service_push(sink):
    """`LOKI_URL` is for commands; a notice names the variable for pushes, once."""
    done = _run(QUESTIONS, sink, LOKI_PUSH_URL="", LOKI_URL=sink.url)
    assert [json.loads(one)["message"] for one in done.stdout.splitlines()] == ["m"]
    (output,) = done.stderr.splitlines()
    assert f"LOKI_URL={sink.url}" in output
    assert "set LOKI_PUSH_URL" in output
    assert not sink.requests


def test_a_shell_that_asks_loki_stops_no_service_without_the_extra(sink, tmp_path):
    """Nor is there anything to tell: it has never pushed."""
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['logging_loki'] = None")
    own = {"LOKI_PUSH_URL": "", "LOKI_URL": sink.url, "PYTHONPATH": str(tmp_path)}
    for more in ({}, {"LOKI_SPOOL_DIR": str(tmp_path)}):
        done = _run(QUESTIONS, sink, **own, **more)
        assert [json.loads(one)["message"] for one in done.stdout.splitlines()] == ["m"]
        assert done.stderr == ""


@pytest.mark.parametrize("durable", ["", "on", "fsync"])
def test_a_service_with_a_spool_pushes_by_the_former_name(sink, tmp_path, durable):
    """Only services that push have one: their lines arrive, and stderr says what to set."""
    own = {"LOKI_SPOOL_DIR": str(tmp_path), "LOKI_DURABLE": durable}
    done = _run(QUESTIONS, sink, **own, LOKI_PUSH_URL="", LOKI_URL=sink.url)
    assert [line["message"] for line in sink.lines] == ["m"]
    (output,) = done.stderr.splitlines()
    assert "Set LOKI_PUSH_URL" in output


def test_one_variable_says_where_lines_go_and_one_who_is_asked(sink, tmp_path):
    """Both set: each means what it says, and there is nothing to tell."""
    done = _run(QUESTIONS, sink, LOKI_URL="http://127.0.0.1:9", LOKI_SPOOL_DIR=str(tmp_path))
    assert [line["message"] for line in sink.lines] == ["m"]
    assert (len(done.stdout.splitlines()), done.stderr) == (1, "")


def test_push_without_an_address_is_refused(monkeypatch):
    """The error names the fix."""
    monkeypatch.delenv("LOKI_URL", raising=False)
    monkeypatch.delenv("LOKI_PUSH_URL", raising=False)
    with pytest.raises(SettingsError, match="set LOKI_URL or LOKI_PUSH_URL"):
        lokikit.setup_json_logging(push=True)


@pytest.mark.parametrize(
    "configure",
    [
        "dictConfig({'version': 1})",
        "dictConfig({'version': 1, 'root': {'handlers': []}})",
        "logging.basicConfig(force=True)",
        "logging.getLogger().handlers = []",
    ],
)
def test_a_later_configuration_does_not_end_the_push(sink, configure):
    """Nor keep what was logged from being flushed at the exit."""
    done = _run(
        "import logging, lokikit; from logging.config import dictConfig\n"
        f"lokikit.setup_json_logging('api', push={sink.url!r}).info('before')\n"
        f"{configure}\nlogging.info('after')",
        sink,
    )
    assert [line["message"] for line in sink.lines] == ["before", "after"]
    assert len(done.stdout.splitlines()) == 2
    assert done.stderr == ""


def test_set_up_twice_pushes_once(sink):
    """The former handler delivers what it had, beside the next."""
    _run(
        "import lokikit\nfor n in range(3): lokikit.setup_json_logging().info('m %s', n)",
        sink,
    )
    assert sorted(line["message"] for line in sink.lines) == ["m 0", "m 1", "m 2"]


def test_sigterm_flushes_and_still_ends_the_process(sink):
    """It ends by the signal, as without lokikit."""
    done = _run(
        "import lokikit, os, signal\nlog = lokikit.setup_json_logging('api')\n"
        "for n in range(100): log.info('m %s', n)\n"
        "os.kill(os.getpid(), signal.SIGTERM)\nsignal.pause()",
        sink,
    )
    assert done.returncode == -15
    assert len(sink.lines) == 100


def test_a_sigterm_handler_of_the_program_stays(sink):
    """It is the program's to end."""
    done = _run(
        "import signal, lokikit\nmine = lambda *_: None\nsignal.signal(signal.SIGTERM, mine)\n"
        "lokikit.setup_json_logging('api')\nassert signal.getsignal(signal.SIGTERM) is mine",
        sink,
    )
    assert done.returncode == 0, done.stderr


def test_both_handlers_of_set_up_write_the_same_line(sink, monkeypatch, tmp_path):
    """Byte for byte, its timestamp too: it is one event."""
    monkeypatch.setattr(logging.Logger, "makeRecord", logging.Logger.makeRecord)
    for name in ("sys.excepthook", "threading.excepthook", "warnings.showwarning"):
        module, _, attribute = name.partition(".")
        monkeypatch.setattr(name, getattr(sys.modules[module], attribute))
    printed = tmp_path / "stdout"
    with printed.open("w", encoding="utf-8") as stream:
        root = lokikit.setup_json_logging("api", push=sink.url, log_format="json", stream=stream)
        root.warning("m")
        ours = [h for h in root.handlers if isinstance(h, (StdoutHandler, LokiHandler))]
        for handler in ours:
            root.removeHandler(handler)
            handler.close()
    eventually(lambda: sink.lines)
    assert len(ours) == 2
    assert sink.lines == [json.loads(line) for line in printed.read_text().splitlines()]


def test_a_filter_of_one_handler_masks_its_line_alone():
    """What another handler wrote before is not what this one sends."""
    formatter = JsonFormatter(service="api")
    kept, masked = logging.Handler(), logging.Handler()
    lines = []
    for handler in (kept, masked):
        handler.setFormatter(formatter)
        handler.emit = lambda record: lines.append(json.loads(formatter.render(record)))
    masked.addFilter(lambda record: setattr(record, "card", "****") or True)
    logger = logging.getLogger("shop.masked")
    logger.propagate = False
    logger.handlers = [kept, masked]
    logger.error("m", extra={"card": "4711"})
    logger.handlers = []
    assert [line["card"] for line in lines] == ["4711", "****"]


@pytest.mark.parametrize("created", [1793000000123.0, 1793000000123456789.0, -1e12])
def test_a_record_of_a_strange_time_stops_no_other(sink, logger, created):
    """Relayed logs have milliseconds; whatever the time is, the line is delivered."""
    handler = LokiHandler(sink.url)
    logger.addHandler(handler)
    logger.warning("before")
    logger.handle(logging.makeLogRecord({"created": created, "msg": "odd", "levelno": 30}))
    logger.warning("after")
    assert handler.flush(30)
    assert sorted(line["message"] for line in sink.lines) == ["after", "before", "odd"]
    stamps = [int(value[0]) for stream in sink.streams for value in stream["values"]]
    assert min(stamps) >= 1793000000 * 10**9
    handler.close()


def test_closing_never_raises(sink, monkeypatch, capsys):
    handler = LokiHandler(sink.url)

    def explode(_):
        raise ZeroDivisionError

    monkeypatch.setattr(handler._worker, "close", explode)
    handler.close()
    assert "closing: ZeroDivisionError" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("variables", "in_url", "sent"),
    [
        ({"LOKI_USERNAME": "u", "LOKI_PASSWORD": "p"}, "", "Basic dTpw"),
        ({"LOKI_BEARER_TOKEN": "t"}, "", "Bearer t"),
        ({"LOKI_BEARER_TOKEN": "t"}, "u:p@", "Basic dTpw"),
    ],
)
def test_the_environment_says_who_pushes_to_a_named_url(sink, variables, in_url, sent):
    """Without `LOKI_PUSH_URL` too; credentials in the URL are meant for it."""
    url = sink.url.replace("//", f"//{in_url}")
    _run(
        f"import lokikit; lokikit.setup_json_logging(push={url!r}).info('m')",
        sink,
        **{"LOKI_PUSH_URL": "", "LOKI_ORG_ID": "shop", **variables},
    )
    headers = sink.requests[0][1]
    assert (headers["Authorization"], headers["X-Scope-OrgID"]) == (sent, "shop")


def test_undecodable_bytes_in_the_environment_stop_no_delivery(sink):
    """Python has them as lone surrogates, which JSON does not take."""
    done = _run(
        "import lokikit; lokikit.setup_json_logging().info('m')",
        sink,
        **dict.fromkeys(("ENV", "LOKI_ORG_ID", "LOKI_USERNAME", "LOKI_PASSWORD"), "\udcff"),
        SERVICE_NAME="caf\udce9",
    )
    assert [line["message"] for line in sink.lines] == ["m"]
    assert done.stderr == ""


def test_a_text_line_is_cut_to_what_loki_takes(sink, logger):
    """The limit is that of lines of the contract."""
    handler = LokiHandler(sink.url)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger.addHandler(handler)
    logger.warning("\u20ac" * 100_000)
    assert handler.flush(30)
    line = sink.streams[0]["values"][0][1]
    assert 0 <= 256 * 1024 - len(line.encode()) < 4


def test_a_place_that_can_be_no_spool_is_refused_with_the_fix(tmp_path):
    place = tmp_path / "file"
    place.touch()
    for folder in (place, place / "below"):
        with pytest.raises(SettingsError, match="LOKI_SPOOL_DIR name a folder"):
            LokiHandler("http://127.0.0.1:1", spool_dir=folder)


def test_a_handler_that_was_refused_is_not_closed_at_the_exit(sink, tmp_path):
    """The error of set-up is the only one."""
    place = tmp_path / "file"
    place.touch()
    done = _run(
        "import lokikit\n"
        "try: lokikit.setup_json_logging()\n"
        "except lokikit.LokikitError as error: kept = error",
        sink,
        LOKI_SPOOL_DIR=str(place),
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("durable", [True, "fsync"])
def test_only_fsync_waits_for_the_disk(pushed, tmp_path, monkeypatch, durable):
    synced = []
    monkeypatch.setattr("os.fsync", synced.append)
    pushed(spool_dir=tmp_path, durable=durable)
    assert bool(synced) == (durable == "fsync")


@pytest.mark.parametrize(
    "set_up",
    [
        "lokikit.setup_json_logging()",
        "logging.config.dictConfig(lokikit.logging_config())",
        "logging.config.dictConfig(lokikit.logging_config()); lokikit.setup_json_logging()",
        "lokikit.setup_json_logging(); logging.config.dictConfig({'version': 1})",
    ],
)
def test_a_second_set_up_neither_waits_for_loki_nor_drops_a_line(sink, set_up):
    """Loki comes back after it."""
    done = _run(
        f"""
import logging.config, lokikit, requests
post = requests.Session.post
def away(*_, **__):
    raise requests.ConnectionError
requests.Session.post = away
for n in range(3):
    {set_up}
    logging.info("m %s", n)
requests.Session.post = post
""",
        sink,
    )
    assert sorted(line["message"] for line in sink.lines) == ["m 0", "m 1", "m 2"]
    assert "dropped" not in done.stderr


def test_a_retired_handler_shares_the_time_of_its_heir(sink, monkeypatch):
    """Three set-ups make no exit three times as long."""
    former, heir = LokiHandler(sink.url), LokiHandler(sink.url)
    given = []
    for handler in (former, heir):
        monkeypatch.setattr(handler._worker, "close", given.append)
        monkeypatch.setattr(handler._worker, "flush", given.append)
    monkeypatch.setattr(former._worker, "retire", lambda _: None)
    former.retire(heir)
    for handler in (heir, former):
        handler.flush()
        handler.close()
    assert given[0] == CLOSE_S
    assert given[1] >= given[2] >= given[3] >= 0


def test_a_line_that_waits_takes_its_own_length_in_memory(logger):
    """The limit in bytes is of lines: the writer's buffer behind each took eight times as much."""
    handler = LokiHandler("http://127.0.0.1:9", service="shop", spool_dir=None)
    record = logger.makeRecord("shop", logging.INFO, __file__, 1, "x" * 300, (), None)
    tracemalloc.start()
    try:
        items = [handler._item(record) for _ in range(1000)]
        traced_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        handler.close()
    assert traced_bytes < 1000 * (len(items[0][1]) + 400)
