import gzip
import io
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from lokikit import JsonFormatter
from lokikit.output.stdout_handler import StdoutHandler

_WRITERS = 8
_LINES_EACH = 150
_SIZES = (100, 1_000, 4_095, 5_000, 70_000, 200_000)

_SHARED_PIPE = f"""
import logging, os, random, sys
import lokikit
logger = lokikit.setup_json_logging("test", log_format="json")
for writer in range({_WRITERS}):
    if os.fork() == 0:
        chance = random.Random(writer)
        for number in range({_LINES_EACH}):
            size = chance.choice({_SIZES})
            logger.info("x" * size, extra={{"writer": writer, "number": number, "size": size}})
        os._exit(0)
while True:
    try:
        os.wait()
    except ChildProcessError:
        break
"""


@pytest.fixture
def record():
    """A record to be written."""
    return logging.makeLogRecord({"msg": "m", "levelno": 20, "name": "n"})


def _handler(stream):
    handler = StdoutHandler(stream)
    handler.setFormatter(JsonFormatter())
    return handler


def _script(source, *, stdout=subprocess.PIPE):
    return subprocess.Popen([sys.executable, "-c", source], stdout=stdout, stderr=subprocess.PIPE)


def test_processes_that_share_a_pipe_never_break_a_line():
    """Eight forked writers, lines of 100 B to 200 KB, a reader that takes little sips."""
    with _script(_SHARED_PIPE) as child:
        chunks = iter(lambda: os.read(child.stdout.fileno(), 3_000), b"")
        lines = b"".join(chunks).splitlines()
    seen = {(fields["writer"], fields["number"]) for fields in map(json.loads, lines)}
    assert len(lines) == _WRITERS * _LINES_EACH
    assert seen == {(w, n) for w in range(_WRITERS) for n in range(_LINES_EACH)}
    assert all(len(fields["message"]) == fields["size"] for fields in map(json.loads, lines))


def test_threads_of_one_process_never_break_a_line(tmp_path):
    """Eight threads write long lines into one file."""
    path = tmp_path / "out"
    with path.open("ab") as stream:
        handler = _handler(stream)

        def write():
            for _ in range(50):
                handler.handle(logging.makeLogRecord({"msg": "x" * 50_000, "levelno": 20}))

        threads = [threading.Thread(target=write) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    lines = path.read_bytes().splitlines()
    assert len([json.loads(line) for line in lines]) == 400


def test_a_pipe_that_does_not_block_loses_nothing():
    """Somebody set O_NONBLOCK on it, and the reader is slow."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    received = []

    def read():
        while chunk := os.read(reader, 10_000):
            received.append(chunk)

    thread = threading.Thread(target=read)
    thread.start()
    with os.fdopen(writer, "wb") as stream:
        handler = _handler(stream)
        for _ in range(20):
            handler.handle(logging.makeLogRecord({"msg": "x" * 200_000, "levelno": 20}))
    thread.join()
    os.close(reader)
    assert [len(json.loads(line)["message"]) for line in b"".join(received).splitlines()] == (
        [200_000] * 20
    )
    assert not handler.lost


def test_a_broken_pipe_is_counted_and_nothing_raised(record):
    """The reader went away."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb", buffering=0) as stream:
        handler = _handler(stream)
        handler.handle(record)
        handler.handle(record)
    assert handler.lost == {"BrokenPipeError": 2}


def test_a_closed_stream_is_counted_and_its_descriptor_left_alone(record, tmp_path):
    """The number of the descriptor may belong to another file by then."""
    stream = (tmp_path / "out").open("wb", buffering=0)
    handler = _handler(stream)
    number = stream.fileno()
    stream.close()
    other = os.open(tmp_path / "database", os.O_CREAT | os.O_WRONLY)
    assert other == number
    handler.handle(record)
    os.close(other)
    assert handler.lost == {"ValueError": 1}
    assert (tmp_path / "database").read_bytes() == b""


def test_a_full_disk_is_counted_and_nothing_raised(record):
    """/dev/full answers as a full disk does."""
    with Path("/dev/full").open("wb", buffering=0) as stream:
        handler = _handler(stream)
        handler.handle(record)
    assert handler.lost == {"OSError": 1}


def test_a_line_behind_a_torn_one_stands_on_its_own(tmp_path):
    """What a full disk took half of does not swallow the next line."""
    limit = 1_000
    source = f"""
import logging, resource, signal, sys
import lokikit
from lokikit.output.stdout_handler import StdoutHandler
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
logger = lokikit.setup_json_logging("test", log_format="json")
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, resource.RLIM_INFINITY))
logger.info("x" * 5_000)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
logger.info("behind")
"""
    with (tmp_path / "out").open("ab") as out, _script(source, stdout=out) as child:
        assert child.wait() == 0
    torn, behind = (tmp_path / "out").read_bytes().splitlines()
    assert len(torn) == limit
    assert json.loads(behind)["message"] == "behind"


def test_no_stdout_at_all_is_no_error(record, monkeypatch):
    """As under pythonw, or with descriptor 1 closed at the start."""
    monkeypatch.setattr(sys, "stdout", None)
    handler = _handler(None)
    handler.handle(record)
    assert handler.lost == {"ValueError": 1}


def test_a_stream_without_descriptor_gets_text(record):
    """As in notebooks and under test runners."""
    stream = io.StringIO()
    _handler(stream).handle(record)
    assert json.loads(stream.getvalue())["message"] == "m"


class _Tee:
    """No more than a `write`, which is all that `print` needs, over a file with a descriptor."""

    def __init__(self, stream):
        self._stream = stream
        self.written = []

    def write(self, text):
        self.written.append(text)

    def fileno(self):
        return self._stream.fileno()


def test_a_tee_gets_the_line_by_its_write(record, tmp_path):
    """Although it has a descriptor."""
    with (tmp_path / "out").open("w") as stream:
        tee = _Tee(stream)
        _handler(tee).handle(record)
    assert json.loads("".join(tee.written))["message"] == "m"
    assert (tmp_path / "out").read_bytes() == b""


@pytest.mark.parametrize("mode", ["wt", "wb"])
def test_a_compressed_file_stays_readable(record, tmp_path, mode):
    """Its descriptor takes the compressed bytes alone."""
    with gzip.open(tmp_path / "out.gz", mode) as stream:
        _handler(stream).handle(record)
    written = gzip.decompress((tmp_path / "out.gz").read_bytes())
    assert json.loads(written)["message"] == "m"


@pytest.mark.parametrize("kind", [io.BytesIO, lambda: io.BufferedRandom(_Memory())])
def test_a_binary_stream_gets_bytes(record, kind):
    """Whether or not it is buffered."""
    stream = kind()
    _handler(stream).handle(record)
    stream.seek(0)
    assert json.loads(stream.read())["message"] == "m"


class _Memory(io.BytesIO):
    def readinto(self, buffer):
        return io.BytesIO.readinto(self, buffer)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-16", "utf-8-sig"])
@pytest.mark.parametrize("to_file", [True, False])
def test_a_text_stream_of_any_encoding_loses_no_character(tmp_path, encoding, to_file):
    """JSON has escapes for what an encoding lacks."""
    raw = (tmp_path / "out").open("wb+") if to_file else io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    stream.write("")
    handler = _handler(stream)
    handler.handle(logging.makeLogRecord({"msg": "caf\u00e9 \u20ac \U0001f600", "levelno": 20}))
    raw.seek(0)
    written = raw.read()
    plain_file = to_file and encoding in {"ascii", "latin-1"}
    text = written.decode("utf-8" if plain_file else encoding)
    assert json.loads(text)["message"] == "caf\u00e9 \u20ac \U0001f600"
    assert not handler.lost
    stream.close()


def test_a_stream_whose_write_was_replaced_gets_the_line_by_it(record, tmp_path):
    """As test runners and notebooks do."""
    written = []
    with (tmp_path / "out").open("w") as stream:
        stream.write = written.append
        _handler(stream).handle(record)
    assert json.loads("".join(written))["message"] == "m"


def test_a_handler_takes_another_stream(record, tmp_path):
    """Its descriptor too."""
    with (tmp_path / "out").open("w") as first:
        handler = _handler(first)
        handler.stream = io.StringIO()
        handler.handle(record)
    assert json.loads(handler.stream.getvalue())["message"] == "m"
    assert (tmp_path / "out").read_bytes() == b""


def test_lines_and_prints_keep_their_order_in_a_pipe():
    """Standard output is buffered there; each line of either stands on its own."""
    source = """
import lokikit
logger = lokikit.setup_json_logging("test", log_format="json")
for number in range(3000):
    print("print", number)
    logger.info("x", extra={"number": number})
"""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, check=True, env=environ
    )
    lines = done.stdout.decode().splitlines()
    assert lines[::2] == [f"print {number}" for number in range(3000)]
    assert [json.loads(line)["number"] for line in lines[1::2]] == list(range(3000))


def test_any_formatter_may_be_used(record):
    """Also one that knows only text."""
    stream = io.StringIO()
    handler = StdoutHandler(stream)
    handler.setFormatter(logging.Formatter("%(message)s"))
    handler.handle(record)
    assert stream.getvalue() == "m\n"


def test_filters_of_the_handler_are_asked(record):
    """A rejected record is not written."""
    stream = io.StringIO()
    handler = _handler(stream)
    handler.addFilter(lambda _: False)
    handler.handle(record)
    assert stream.getvalue() == ""


def test_a_signal_handler_that_logs_neither_hangs_nor_breaks_a_line():
    """A timer interrupts the main thread thousands of times while it logs long lines."""
    source = """
import signal
import lokikit
logger = lokikit.setup_json_logging("test", log_format="json")
fired = 0
def log(signum, frame):
    global fired
    fired += 1
    logger.warning("from the signal", extra={"fired": fired})
signal.signal(signal.SIGALRM, log)
signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
for number in range(3000):
    logger.info("x" * 20_000, extra={"number": number})
signal.setitimer(signal.ITIMER_REAL, 0)
logger.info("end", extra={"fired": fired})
"""
    with _script(source) as child:
        out, err = child.communicate()
    assert child.returncode == 0, err.decode()
    lines = [json.loads(line) for line in out.split(b"\n")[:-1]]
    assert [f["number"] for f in lines if "number" in f] == list(range(3000))
    fired = sorted(f["fired"] for f in lines if f["message"] == "from the signal")
    assert fired == list(range(1, lines[-1]["fired"] + 1))
    assert len({f["timestamp"] for f in lines}) == len(lines)


def test_a_reader_that_leaves_ends_no_service():
    """`service | head -1` lets the service run to its end."""
    source = """
import sys, lokikit
logger = lokikit.setup_json_logging("test", log_format="json")
for number in range(10_000):
    logger.info("m", extra={"number": number})
print("done", logger.handlers[0].lost["BrokenPipeError"] > 0, file=sys.stderr)
"""
    with _script(source) as child:
        child.stdout.readline()
        child.stdout.close()
        assert child.stderr.read().strip() == b"done True"
        assert child.wait() == 0


def test_a_forked_child_writes_although_a_thread_of_the_parent_was_writing():
    """The state of a line half written by another thread is not inherited."""
    reader, writer = os.pipe()
    stream = os.fdopen(writer, "wb", buffering=0)
    handler = _handler(stream)
    big = logging.makeLogRecord({"msg": "x" * 200_000, "levelno": 20})
    thread = threading.Thread(target=handler.handle, args=(big,))
    thread.start()
    os.read(reader, 1)  # the thread is within its line now: the pipe is smaller than that
    small_reader, small_writer = os.pipe()
    child = os.fork()
    if child == 0:
        handler._fd = small_writer
        handler.handle(logging.makeLogRecord({"msg": "child", "levelno": 20}))
        os._exit(0)
    os.close(small_writer)
    signal.alarm(60)
    os.waitpid(child, 0)
    signal.alarm(0)
    assert json.loads(os.read(small_reader, 10_000))["message"] == "child"
    with os.fdopen(reader, "rb") as rest:
        threading.Thread(target=lambda: (thread.join(), stream.close())).start()
        rest.read()
    os.close(small_reader)
