"""Building Go programs of the pinned module into the cache, whole or not at all."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from filelock import FileLock, Timeout
from tests.tools.toolchain import Disk, check_disk, check_go
from tests.tools.watching import watch

from lokikit.errors import PrerequisiteError
from lokikit.stack.native.signals import sigterm_raises

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.console import Console

_LOG = "build.log"
_UNKNOWN_DISK = Disk()
_SCRATCH = "unfinished-"
_STOP_S = 10
_NO_NETWORK = (
    "dial tcp",
    "no such host",
    "proxyconnect",
    "i/o timeout",
    "TLS handshake",
    "x509:",
    "GOPROXY=off",
    "GOPROXY list is not the empty string",
    "connection refused",
    "connection reset",
    "network is unreachable",
)


@dataclass(frozen=True)
class Build:
    """One run of `go build`.

    Args:
        packages: program -> the Go package that it is built from.
        version: what the programs say their version is.
        module: folder of the `go.mod` that pins everything; it is only read.
        target: folder that gets the programs.
        environ: the environment that Go runs in; `GOFLAGS`, `GOPROXY` and so on count.
        version_definition: the Go variable that holds their version, `=`, and what it gets.
        disk: what a cold build writes.
    """

    packages: Mapping[str, str]
    version: str
    module: Path
    target: Path
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    version_definition: str = ""
    disk: Disk = _UNKNOWN_DISK

    @property
    def title(self) -> str:
        """What is built, for people."""
        return f"{', '.join(self.packages)} {self.version}"

    def run(self, console: Console) -> None:
        """Leave each program in `target`, or nothing.

        Raises:
            PrerequisiteError: it cannot be built here; the text names the fix.
        """
        toolchain = check_go(self.module, self.title, self.environ)
        check_disk(toolchain, self.target, self.title, self.disk)
        with self._scratch() as scratch, sigterm_raises():
            log = self.target / _LOG
            status = watch(self._start(toolchain.go, scratch, log), log, self.title, console)
            if status != 0:
                self._explain(log, toolchain.proxy)
            for name, package in self.packages.items():
                # Go names a program after the last folder of its package.
                (scratch / package.rpartition("/")[2]).replace(self.target / name)

    @contextmanager
    def _scratch(self) -> Iterator[Path]:
        """A folder beside the programs, so that a finished one is moved by a rename."""
        for left in self.target.glob(f"{_SCRATCH}*"):
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=self.target, prefix=_SCRATCH) as scratch:
            yield Path(scratch)

    @contextmanager
    def _start(self, go: Path, scratch: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
        """The running `go build`; it and its compilers are gone afterwards, whatever happens."""
        environ = {"GOTMPDIR": str(scratch), **self.environ, "GOWORK": "off"}
        with log.open("wb") as output:
            process = subprocess.Popen(
                self._command(go, scratch),
                cwd=self.module,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            _end_group(process)

    def _command(self, go: Path, scratch: Path) -> list[str]:
        ldflags = "-s -w"
        if self.version_definition:
            ldflags += f" -X {self.version_definition}"
        flags = ["-mod=readonly", "-buildvcs=false", "-trimpath", "-v", "-ldflags", ldflags]
        return [str(go), "build", *flags, "-o", f"{scratch}{os.sep}", *self.packages.values()]

    def _explain(self, log: Path, proxy: str) -> NoReturn:
        """Turn what Go said last into one sentence with the fix."""
        lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
        reason = lines[-1].strip() if lines else "nothing"
        if any(sign in line for sign in _NO_NETWORK for line in lines[-20:]):
            raise PrerequisiteError(
                f"building {self.title} needs Go modules from GOPROXY={proxy}, and they cannot be "
                f"fetched ({reason}): go online, set GOPROXY to a mirror that answers, or put the "
                f"programs of version {self.version} on PATH."
            )
        if any("no space left" in line for line in lines):
            raise PrerequisiteError(
                f"building {self.title}: the disk became full ({reason}): "
                "free some and run it again."
            )
        raise PrerequisiteError(
            f"building {self.title}: go build failed ({reason}): see {log}, or put the programs of "
            f"version {self.version} on PATH."
        )


@contextmanager
def build_lock(target: Path, console: Console) -> Iterator[None]:
    """Be the only one who builds into `target`; says so when it has to wait."""
    target.mkdir(parents=True, exist_ok=True)
    lock = FileLock(target / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        console.print("Another process builds the same programs: waiting for it to finish.")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End `process` and everything it started; SIGINT is what Go cleans up after."""
    for number in (signal.SIGINT, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_S)
            break
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
