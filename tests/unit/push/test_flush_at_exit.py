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
