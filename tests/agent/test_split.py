"""Split files: plain files beside Loki, written by the agent and rotated by logrotate."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import subprocess
import threading
import time
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.stack.pushing import stored
from tests.waiting import eventually

from lokikit import fields
from lokikit.kit import kit_root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tests.agent.running import RunningAgent

    MakeAgent = Callable[..., RunningAgent]

FILES = ("error.log", "info.log", "celery.log", "gunicorn.error.log")
ROTATIONS = 5
KEPT = 7
"""`rotate` of the shipped configuration."""


def own(level: Any, logger: str = "", **more: Any) -> str:
    """A line of JSON with a blank where our formatter has none: it must come out with it."""
    named = {"logger": logger} if logger else {}
    return json.dumps({"level": level, **named, "message": "größer \x00", **more})


DEFAULTS = [
    (own("debug", "shop"), set()),
    (own("info", "shop.orders"), {"info.log"}),
    (own("warning", "shop"), {"info.log"}),
    (own("error", "shop"), {"error.log"}),
    (own("critical", "shop"), {"error.log"}),
    (own("info", "celery.worker.strategy"), {"celery.log"}),
    (own("error", "celery"), {"celery.log", "error.log"}),
    (own("info", "celeryd"), {"info.log"}),
    (own("info", "gunicorn.error"), {"gunicorn.error.log"}),
    (own("error", "gunicorn.error"), {"gunicorn.error.log", "error.log"}),
    (own("info", "gunicorn.access"), set()),
    (own("info", "uvicorn.access"), set()),
    (own("error", "uvicorn.access"), set()),
    (own("info", "urllib3.connectionpool"), set()),
    (own("ERROR"), {"error.log"}),
    (own("fatal"), {"error.log"}),
    (own("WARN", "com.example.Orders"), {"info.log"}),
    (own(30, hostname="pino"), {"info.log"}),
    (own("loud"), set()),
    (json.dumps({"severity": "ERROR", "message": "elsewhere"}), {"error.log"}),
    ('{"level":"error","message":"no end', set()),
    ("ERROR in plain text", set()),
    (own("error", "shop", pad="x" * (fields.MAX_LINE_BYTES + 1)), {"error.log"}),
]
"""A line -> the files of the default table that have it."""


def new_service() -> str:
    """A service that no other test uses."""
    return f"split-{uuid.uuid4().hex[:12]}"


def append(agent: RunningAgent, service: str, lines: Sequence[str]) -> None:
    """Add lines to a file that the agent follows; its name is their service."""
    with (agent.logs / f"{service}.log").open("a", newline="") as log:
        log.write("".join(f"{line}\n" for line in lines))


def numbered(numbers: range) -> list[str]:
    """Lines that go to `info.log`, each with a number."""
    return [json.dumps({"level": "info", "logger": "app", "n": number}) for number in numbers]


def lines_of(path: Path) -> list[str]:
    """The whole lines of a file, which may be compressed."""
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return data.decode().rpartition("\n")[0].split("\n") if data else []


def in_loki(url: str, service: str, count: int) -> list[str]:
    """The lines of `service` in Loki, once there are `count` of them."""
    return eventually(
        lambda: found if len(found := [one.line for one in stored(url, service)]) >= count else []
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the split files go."""
    made = tmp_path / "split"
    made.mkdir(mode=0o755)
    return made


def test_the_default_table(make_agent: MakeAgent, loki_url: str, folder: Path) -> None:
    """Each line is in the files of its rules, byte for byte and once, and in Loki."""
    service = new_service()
    agent = make_agent(loki_url, FLUENTBIT_SPLIT_DIR=str(folder)).start()
    append(agent, service, [line for line, _ in DEFAULTS])
    in_loki(loki_url, service, len(DEFAULTS))
    assert {path.name for path in folder.iterdir()} == set(FILES)
    for name in FILES:
        assert lines_of(folder / name) == [line for line, files in DEFAULTS if name in files]


def test_off_unless_asked_for(make_agent: MakeAgent, loki_url: str, folder: Path) -> None:
    """An empty switch is no folder at the root of the machine."""
    service = new_service()
    agent = make_agent(loki_url, FLUENTBIT_SPLIT_DIR="").start()
    append(agent, service, [own("error", "shop")])
    assert in_loki(loki_url, service, 1) == [own("error", "shop")]
    assert not list(folder.iterdir())
    assert "split" not in agent.said()


def test_own_rules(make_agent: MakeAgent, loki_url: str, folder: Path, tmp_path: Path) -> None:
    """A table of one's own chooses by service too, and everything by `*`."""
    api, worker = new_service(), new_service()
    rules = tmp_path / "rules.conf"
    rules.write_text(f"all.log * * *\napi.log {api} * *\nrest.log !{api},other * !debug\n")
    agent = make_agent(
        loki_url, FLUENTBIT_SPLIT_DIR=str(folder), FLUENTBIT_SPLIT_RULES=str(rules)
    ).start()
    append(agent, api, [own("info", "api")])
    in_loki(loki_url, api, 1)
    append(agent, worker, [own("info", "worker"), own("debug", "worker")])
    in_loki(loki_url, worker, 2)
    assert lines_of(folder / "all.log") == [
        own("info", "api"),
        own("info", "worker"),
        own("debug", "worker"),
    ]
    assert lines_of(folder / "api.log") == [own("info", "api")]
    assert lines_of(folder / "rest.log") == [own("info", "worker")]


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("a.log * *", "a.log: a rule has four columns"),
        ("../a.log * * *", "no name of a file in the folder"),
        ("a.log * * loud", "a.log: loud is no level"),
    ],
)
def test_a_wrong_table_is_refused(
    make_agent: MakeAgent, tmp_path: Path, rule: str, says: str
) -> None:
    """The agent does not start, and says which rule is wrong."""
    (rules := tmp_path / "rules.conf").write_text(rule)
    settings = {"FLUENTBIT_SPLIT_DIR": str(tmp_path), "FLUENTBIT_SPLIT_RULES": str(rules)}
    agent = make_agent("http://127.0.0.1:1", **settings)
    with pytest.raises(AssertionError, match=says):
        agent.start()


def test_levels_are_read_where_loki_reads_them() -> None:
    """A line that Loki knows as an error is one for the files too."""
    text = (kit_root() / "fluentbit/split.lua").read_text()
    table = re.search(r"LEVEL_FIELDS = \{(.*?)\}", text, re.DOTALL)
    settings = yaml.safe_load((kit_root() / "loki/loki.yaml").read_text())
    assert table
    assert re.findall(r'"([^"]+)"', table[1]) == settings["limits_config"]["log_level_fields"]
    numbers = dict(re.findall(r'\["(\d+)"\] = "(\w+)"', text))
    ours = {their: our for our, their in fields.DETECTED_LEVELS.items()}
    ours |= {"trace": "debug", "fatal": "critical"}
    assert numbers == {str(key): ours[level] for key, level in fields.NUMBERED_LEVELS.items()}


@pytest.mark.parametrize("fault", ["full", "absent"])
def test_what_cannot_be_written_is_counted(
    make_agent: MakeAgent, loki_url: str, folder: Path, fault: str
) -> None:
    """Loki has every line all the same, and is told how many the files miss; so is the log."""
    if fault == "full":
        (folder / "info.log").symlink_to("/dev/full")
    target = folder / "absent" if fault == "absent" else folder
    service, lines = new_service(), numbered(range(500))
    agent = make_agent(loki_url, FLUENTBIT_SPLIT_DIR=str(target)).start()
    append(agent, service, lines)
    assert sorted(in_loki(loki_url, service, 500)) == sorted(lines)
    reason = "No space left on device" if fault == "full" else "No such file or directory"
    said = f"{target}/info.log: {reason}"
    told = eventually(
        lambda: [json.loads(one.line) for one in stored(loki_url, "fluent-bit") if said in one.line]
    )
    assert told[0]["level"] == "error"
    assert 1 <= told[0]["dropped"] <= len(lines)
    agent.stop()
    assert f"500 lines are missing in the split files: {said}" in agent.said()


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    """A file system of `size` at `folder`; skips where none can be mounted."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "lokikit-test", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("A FULL DISK IS NOT TRIED: mounting a tmpfs needs root")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S607


def test_a_disk_that_was_full_goes_on(make_agent: MakeAgent, loki_url: str, folder: Path) -> None:
    """Once there is room again lines are written again; one that was cut spoils no other."""
    service = new_service()
    with small_disk(folder, "64k"):
        ballast = folder / "ballast"
        ballast.write_bytes(bytes(32 * 1024))
        agent = make_agent(loki_url, FLUENTBIT_SPLIT_DIR=str(folder)).start()
        append(agent, service, numbered(range(2000)))
        in_loki(loki_url, service, 2000)
        ballast.unlink()
        count = 2000

        def goes_on() -> bool:
            nonlocal count
            append(agent, service, numbered(range(count, count + 1)))
            count += 1
            return numbered(range(count - 1, count))[0] in lines_of(folder / "info.log")

        eventually(goes_on)
        found = lines_of(folder / "info.log")
        agent.stop()
    whole = [line for line in found if line.endswith("}")]
    assert len(found) - len(whole) <= 1
    assert set(whole) <= set(numbered(range(count)))
    assert len(whole) == len(set(whole))


@pytest.fixture
def rotate(folder: Path, tmp_path: Path) -> Callable[..., None]:
    """Run the shipped configuration of logrotate on the split files."""
    program = shutil.which("logrotate", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if program is None:
        pytest.skip("ROTATION IS NOT TESTED: no logrotate on PATH")
    shipped = (kit_root() / "fluentbit/logrotate.conf").read_text()
    (settings := tmp_path / "logrotate.conf").write_text(
        shipped.replace("/var/log/lokikit/", f"{folder}/")
    )
    settings.chmod(0o644)

    def run(*options: str) -> None:
        subprocess.run([program, "--state", tmp_path / "state", *options, settings], check=True)

    return run


def test_rotation_under_load_loses_nothing(
    make_agent: MakeAgent, loki_url: str, folder: Path, rotate: Callable[..., None]
) -> None:
    """Each line of several services is in exactly one of the rotated files, whole, in order."""
    services = [new_service() for _ in range(3)]
    agent = make_agent(loki_url, FLUENTBIT_SPLIT_DIR=str(folder)).start()
    ended, written = threading.Event(), dict.fromkeys(services, 0)

    def load() -> None:
        while not ended.wait(0.005):
            for service in services:
                start = written[service]
                lines = [own("info", service, n=number) for number in range(start, start + 10)]
                append(agent, service, lines)
                written[service] += 10

    writer = threading.Thread(target=load)
    writer.start()
    try:
        for _ in range(ROTATIONS):
            eventually((folder / "info.log").exists)
            rotate("--force")
        eventually((folder / "info.log").exists)
    finally:
        ended.set()
        writer.join()
    total = sum(written.values())

    def rotated() -> list[str]:
        paths = sorted(folder.iterdir(), key=_age, reverse=True)
        return [line for path in paths for line in lines_of(path)]

    eventually(lambda: len(rotated()) >= total)
    assert sum(path.suffix == ".gz" for path in folder.iterdir()) == ROTATIONS - 1
    for service in services:
        found = [line for line in rotated() if json.loads(line)["logger"] == service]
        assert found == [own("info", service, n=number) for number in range(written[service])]


def _age(path: Path) -> int:
    """How many rotations ago the file was the one that is written."""
    numbers = [part for part in path.name.split(".") if part.isdecimal()]
    return int(numbers[0]) if numbers else 0


def test_rotation_caps(folder: Path, rotate: Callable[..., None]) -> None:
    """A file is rotated at its size limit and not before; the oldest goes."""
    log = folder / "info.log"
    log.write_text("x\n")
    rotate()
    assert [path.name for path in folder.iterdir()] == ["info.log"]
    for _ in range(KEPT + 3):
        with log.open("wb") as file:
            file.truncate(101 * 1024 * 1024)
        rotate()
    assert len(list(folder.iterdir())) == KEPT
    assert time.time() - (folder / "info.log.1").stat().st_mtime < 60
