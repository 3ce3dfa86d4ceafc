import shutil
import signal
import subprocess
import sys
import threading

import pytest

from lokikit.push.flush_at_exit import flush_on_sigterm

_KEEPER = """
import logging, os, sys
class Keeper(logging.Handler):
    def flush(self):
        os.write(1, b"flushed %d\\n" % (os.getpid() == parent))
parent = os.getpid()
keeper = Keeper()
"""


def _run(source):
    return subprocess.run(
        [sys.executable, "-c", _KEEPER + source], capture_output=True, check=False
    )


def test_a_worker_of_multiprocessing_flushes_at_its_end():
    """It leaves by os._exit, past atexit."""
    done = _run("""
import multiprocessing
from lokikit.push.flush_at_exit import flush_at_end_of_child
process = multiprocessing.get_context("fork").Process(target=flush_at_end_of_child)
process.start()
process.join()
os._exit(0)
""")
    assert done.stdout == b"flushed 0\n"
    assert done.stderr == b""


def test_in_the_main_process_nothing_is_registered():
    """There atexit sees to it, once."""
    done = _run("""
import multiprocessing.util
from lokikit.push.flush_at_exit import flush_at_end_of_child
flush_at_end_of_child()
""")
    assert done.stdout == b"flushed 1\n"


def test_sigterm_flushes_and_ends_the_process_by_the_signal():
    """What waits for the process sees the same as without."""
    done = _run("""
import signal
from lokikit.push.flush_at_exit import flush_on_sigterm
flush_on_sigterm()
os.kill(os.getpid(), signal.SIGTERM)
signal.pause()
""")
    assert done.returncode == -signal.SIGTERM
    assert done.stdout == b"flushed 1\n"


_UNSHARE = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child")


def _can_unshare():
    if shutil.which("unshare") is None:
        return False
    return not subprocess.run([*_UNSHARE, "true"], check=False, capture_output=True).returncode


@pytest.mark.skipif(not _can_unshare(), reason="no PID namespaces here")
def test_sigterm_ends_a_process_that_is_pid_1():
    """The default action of a signal does nothing for PID 1, as in a container."""
    source = """
import signal
from lokikit.push.flush_at_exit import flush_on_sigterm
assert os.getpid() == 1
flush_on_sigterm()
os.kill(1, signal.SIGTERM)
os.write(1, b"went on")
"""
    done = subprocess.run(
        [*_UNSHARE, sys.executable, "-c", _KEEPER + source], capture_output=True, check=False
    )
    assert done.stdout == b"flushed 1\n"
    assert done.returncode == 128 + signal.SIGTERM


def test_sigterm_ends_a_process_whose_handler_is_never_done():
    """A thread writes to a pipe that nobody reads, and holds the handler's lock."""
    done = _run("""
import signal, threading
from lokikit.push.flush_at_exit import flush_on_sigterm
held = threading.Event()
def hold():
    keeper.acquire()
    held.set()
    threading.Event().wait()
threading.Thread(target=hold, daemon=True).start()
held.wait()
flush_on_sigterm(longest_s=0.1)
os.kill(os.getpid(), signal.SIGTERM)
""")
    assert done.returncode == -signal.SIGTERM


def test_sigterm_ends_a_process_that_writes_to_a_reader_that_stands_still():
    """The signal interrupts the write."""
    source = """
import lokikit, signal, sys
from lokikit.push.flush_at_exit import flush_on_sigterm
logger = lokikit.setup_json_logging(log_format="json")
flush_on_sigterm()
print("ready", file=sys.stderr, flush=True)
while True:
    logger.info("x" * 10_000)
"""
    with subprocess.Popen(
        [sys.executable, "-c", source], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stderr.readline() == b"ready\n"
        child.stdout.read(1)
        child.terminate()
        assert child.wait(60) == -signal.SIGTERM


@pytest.fixture
def _restored():
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("_restored")
@pytest.mark.parametrize("handled", [signal.SIG_IGN, lambda *_: None])
def test_a_signal_that_is_handled_or_ignored_is_left_alone(handled):
    """Servers see to their workers themselves."""
    signal.signal(signal.SIGTERM, handled)
    flush_on_sigterm()
    assert signal.getsignal(signal.SIGTERM) is handled


@pytest.mark.usefixtures("_restored")
def test_another_thread_installs_nothing():
    """Only the main thread may, and it is no error."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    thread = threading.Thread(target=flush_on_sigterm)
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
