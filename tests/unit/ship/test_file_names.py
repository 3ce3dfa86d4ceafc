from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lokikit.ship.file_names import expand, is_rotated, matches, rotated_files

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "name",
    [
        "app.log.1",  # RotatingFileHandler, logrotate, Docker
        "app.log.12",
        "app.log-20261121",  # logrotate's dateext
        "app.log-20261121-1793000000",  # and dateformat
        "app.log-2026-11-21T10:00:00Z",
        "app.log.20261121-100000",  # kubelet
        "app.log.2026-11-21",  # TimedRotatingFileHandler
        "app.log.2026-11-21_10-00-00",
        "app.log.1793000000",  # rotatelogs, uWSGI
        "app.1.log",  # logrotate's extension
        "app-20261121.log",
        "app.2026-11-21_10-00-00_123456.log",  # loguru
        "app.2026-11-21_10-00-00_123456.2.log",
        "app-2026-11-21T10-00-00.000.log",  # lumberjack
        "app__2026-11-21_10-00-00.log",  # pm2-logrotate
    ],
)
def test_rotation_gives_this_name_to_app_log(name: str) -> None:
    assert is_rotated(name, "app.log")


@pytest.mark.parametrize(
    "name",
    [
        "app.log",
        "app.log-audit",
        "app.log_errors",
        "app.log2",
        "app.log.json",
        "app.log.1.audit",
        "app.log.1.gz",
        "app.log-20261121.zst",
        "app.log.swp",
        "app.log.offset",
        "app.log.",
        "app.log~",
        "app.audit.log",
        "app-audit.log",
        "app2.log",
        "app-2.log",  # of another worker
        "app-12345.log",
        "app.12345.log",
        "application.log",
        ".log",
        "app..log",
    ],
)
def test_no_rotation_gives_this_name_to_app_log(name: str) -> None:
    assert not is_rotated(name, "app.log")


@pytest.mark.parametrize("name", ["messages.1", "messages-20261121"])
def test_rotation_names_a_file_without_an_extension(name: str) -> None:
    assert is_rotated(name, "messages")
    assert not is_rotated(name.replace("messages", "messagesx"), "messages")


def test_packed_files_are_not_read(tmp_path: Path) -> None:
    for name in ("app.log.1", "app.log.2.gz", "app.log-20261121", "app.log-20261120.zst", "b.log"):
        (tmp_path / name).write_text("x")
    names = {one.path.rpartition("/")[2] for one in rotated_files(str(tmp_path / "app.log"))}
    assert names == {"app.log.1", "app.log-20261121"}


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("/a/b.log", "/a/*.log"),
        ("/a/b.log", "/a/**/*.log"),
        ("/a/c/d/b.log", "/a/**/*.log"),
        ("/a/c/d/b.log", "/a/**"),
    ],
)
def test_path_matches_folder_by_folder(path: str, pattern: str) -> None:
    assert matches(path, pattern)


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("/a/c/b.log", "/a/*.log"),
        ("/b/c.log", "/a/**/*.log"),
        ("/a/c/b.txt", "/a/**/*.log"),
    ],
)
def test_asterisk_does_not_cross_folders(path: str, pattern: str) -> None:
    assert not matches(path, pattern)


def test_glob_finds_rotated_files_under_the_path_that_they_had(tmp_path: Path) -> None:
    for name in ("a.log", "a.log.1", "b.log-2026.11", "b.log.1.gz", "c.txt.1", ".log.1"):
        (tmp_path / name).touch()
    found = expand(f"{tmp_path}/*.log")
    assert found.paths == [f"{tmp_path}/a.log"]
    assert found.rotated == {
        f"{tmp_path}/a.log.1": f"{tmp_path}/a.log",
        f"{tmp_path}/b.log-2026.11": f"{tmp_path}/b.log",
    }


@pytest.mark.parametrize("name", ["*", "a*"])
def test_glob_with_an_asterisk_at_its_end_finds_rotated_files_itself(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "below").mkdir()
    for path in ("a.log", "a.log.1", "below/a.log"):
        (tmp_path / path).touch()
    found = expand(f"{tmp_path}/{name}")
    names = [path.removeprefix(f"{tmp_path}/") for path in found.paths]
    assert [path for path in names if path != "below"] == ["a.log", "a.log.1"]
    assert found.rotated == {}
