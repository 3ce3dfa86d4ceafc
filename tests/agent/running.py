"""A real Fluent Bit with the kit's configuration, that can be stopped, killed and started again."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psutil
from tests.stack.conftest import free_ports
from tests.waiting import eventually

from lokikit.stack.agent_metrics import HEALTH_PATH, AgentNumbers, ask_fluent_bit
from lokikit.stack.http_probe import answers
from lokikit.stack.kit_files import kit_root

if TYPE_CHECKING:
    from pathlib import Path

HOST = "test-host"
"""What the agent gives as structured metadata `host`."""
_PORTS = ("FLUENTBIT_ADMIN_PORT", "FLUENTBIT_FORWARD_PORT", "FLUENTBIT_HTTP_PORT")
_STOP_S = 60


class RunningAgent:
    """One Fluent Bit on free ports, with its storage, its log and the files to follow in a folder.

    Args:
        program: the `fluent-bit` to run.
        folder: takes all that it writes.
        loki_url: where it sends to.
        entry: which of the entry files in `fluentbit/`, without its ending.
        variables: of its environment, over those that are set here.

    Attributes:
        logs: folder of the files that `native` follows, `*.log` there.
        command: what is run.
        storage: its buffers, positions and dead letters.
        ports: variable -> port.
        logs_url: where it takes events.
    """

    def __init__(
        self, program: Path, folder: Path, loki_url: str, entry: str, variables: dict[str, str]
    ) -> None:
        self.logs, self.storage = folder / "logs", folder / "storage"
        self.logs.mkdir(parents=True, exist_ok=True)
        self._log = folder / "agent.log"
        self.ports = dict(zip(_PORTS, free_ports(len(_PORTS)), strict=True))
        self.admin_url = f"http://127.0.0.1:{self.ports['FLUENTBIT_ADMIN_PORT']}"
        self.logs_url = f"http://127.0.0.1:{self.ports['FLUENTBIT_HTTP_PORT']}/logs"
        self.command = [str(program), "--config", str(kit_root() / f"fluentbit/{entry}.yaml")]
        loki = urlsplit(loki_url)
        self.variables = {
            "LOKI_HOST": loki.hostname or "",
            "LOKI_PORT": str(loki.port),
            "FLUENTBIT_BIND": "127.0.0.1",
            "FLUENTBIT_FILES": str(self.logs / "*.log"),
            "HOSTNAME": HOST,
            "FLUENTBIT_STORAGE": str(self.storage),
            "FLUENTBIT_STORAGE_LIMIT": "1G",
            **{name: str(port) for name, port in self.ports.items()},
            **variables,
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> RunningAgent:
        """Start it, and wait until it says that it is healthy."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, env={**os.environ, **self.variables}, stdout=log, stderr=log
            )
        eventually(self._is_up, within_s=60)
        return self

    def stop(self) -> int:
        """End it with SIGTERM as every runtime does; its exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(_STOP_S)

    def kill(self) -> None:
        """End it as a power cut does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(_STOP_S)

    def said(self) -> str:
        """Its log, over all its lives."""
        return self._log.read_text(errors="replace")

    def numbers(self) -> AgentNumbers:
        """What `lokikit status` tells of it; in its first second it has no numbers yet."""
        found = eventually(lambda: ask_fluent_bit(self.admin_url, self.storage), within_s=10)
        assert found is not None
        return found

    def rss_bytes(self) -> int:
        """The memory that it holds."""
        assert self.process is not None
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def _is_up(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"the agent ended: {self.said()[-3000:]}"
        return answers(self.admin_url + HEALTH_PATH)
