"""Split files: plain files beside Loki, written by the agent."""

from __future__ import annotations

import json
import re
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import yaml
from tests.agent.splitting import append, block, in_loki, lines_of, new_service, numbered, own
from tests.stack.asking import recent_entries
from tests.waiting import eventually

from lokikit import fields
from lokikit.query.client import Loki
from lokikit.stack.kit_files import kit_root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.agent.running import RunningAgent

    MakeAgent = Callable[..., RunningAgent]

FILES = ("error.log", "info.log", "celery.log", "gunicorn.error.log")


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
    (own("notice"), {"info.log"}),
    *((own(word), {"error.log"}) for word in ("crit", "EMERG", "Alert", "panic", "severe")),
    (json.dumps({"severity": "ERROR", "message": "elsewhere"}), {"error.log"}),
    ('{"level":"error","message":"no end', set()),
    ("ERROR in plain text", set()),
    (own("error", "shop", pad="x" * (fields.MAX_LINE_BYTES + 1)), {"error.log"}),
]
"""A line -> the files of the default table that have it."""


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


def test_the_rules_that_the_page_shows(
    make_agent: MakeAgent, loki_url: str, folder: Path, tmp_path: Path
) -> None:
    """One service in a file of its own, and everyone's warnings."""
    (rules := tmp_path / "rules.conf").write_text(block("billing.log"))
    agent = make_agent(
        loki_url, FLUENTBIT_SPLIT_DIR=str(folder), FLUENTBIT_SPLIT_RULES=str(rules)
    ).start()
    lines = [
        own(level, service=service)
        for service in ("billing", "shop")
        for level in ("info", "warning")
    ]
    append(agent, new_service(), lines)
    eventually(lambda: len(list(folder.glob("*.log"))) == 2)
    eventually(lambda: lines_of(folder / "warning.log") == [lines[1], lines[3]])
    assert lines_of(folder / "billing.log") == lines[:2]


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_comments_and_line_ends_are_no_part_of_a_rule(
    make_agent: MakeAgent, loki_url: str, folder: Path, tmp_path: Path, line_end: str
) -> None:
    rows = [
        "# first",
        "a.log * !x, # of x",
        "   # and more",
        "    y",
        "  # last",
        "  info # end",
        "b.log * * *",
    ]
    (rules := tmp_path / "rules.conf").write_bytes(line_end.join(rows).encode())
    agent = make_agent(
        loki_url, FLUENTBIT_SPLIT_DIR=str(folder), FLUENTBIT_SPLIT_RULES=str(rules)
    ).start()
    lines = [own("info", "x"), own("info", "y"), own("info", "z"), own("odd", "z"), own("odd")]
    append(agent, service := new_service(), lines)
    in_loki(loki_url, service, len(lines))
    assert lines_of(folder / "a.log") == [lines[2]]
    assert lines_of(folder / "b.log") == lines


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_the_shipped_table_may_have_the_line_ends_of_windows(
    make_agent: MakeAgent, loki_url: str, folder: Path, tmp_path: Path, line_end: str
) -> None:
    text = (kit_root() / "fluentbit/split.conf").read_text()
    (rules := tmp_path / "rules.conf").write_bytes(text.replace("\n", line_end).encode())
    agent = make_agent(
        loki_url, FLUENTBIT_SPLIT_DIR=str(folder), FLUENTBIT_SPLIT_RULES=str(rules)
    ).start()
    append(agent, service := new_service(), [own("error", "shop"), own("info", "celery.worker")])
    in_loki(loki_url, service, 2)
    assert {path.name for path in folder.iterdir()} == {"error.log", "celery.log"}


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
    text = (kit_root() / "fluentbit/levels.lua").read_text()
    tables = dict(re.findall(r"local (\w+) = \{(.*?)\n\}", text, re.DOTALL))
    settings = yaml.safe_load((kit_root() / "loki/loki.yaml").read_text())
    places = re.findall(r'"([^"]+)"', tables["FIELDS"])
    assert places == settings["limits_config"]["log_level_fields"] == list(fields.LEVEL_FIELDS)
    numbers = {int(one): level for one, level in re.findall(r'\[(\d+)\] = "(\w+)"', text)}
    assert numbers == fields.NUMBERED_LEVELS
    assert dict(re.findall(r'(\w+) = "(\w+)"', tables["OTHER"])) == fields.OTHER_LEVELS


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
    text = f"{target}/info.log: {reason}"
    query = block("fluent-bit").strip()

    def find() -> list[dict[str, object]]:
        found = recent_entries(Loki(loki_url), query)
        return [json.loads(one.line) for one in found if text in one.line]

    result = eventually(find)
    assert result[0]["level"] == "error"
    assert result[0]["dropped"] in range(1, len(lines) + 1)
    agent.stop()
    assert f"500 lines are missing in the split files: {text}" in agent.said()


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
