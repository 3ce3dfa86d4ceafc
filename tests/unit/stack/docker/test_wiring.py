"""Somebody's Compose file in, an override for it out."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import yaml

from lokikit.errors import SettingsError
from lokikit.stack.docker.wiring import make_override, pipeline_logging

if TYPE_CHECKING:
    from pathlib import Path

FILE = """
services:
  api:
    image: api
    ports: !override ["80:80"]
  web:
    image: web
    labels: [service=frontend]
  old:
    image: old
    logging: {driver: syslog}
  capped:
    image: capped
    logging: {options: {max-size: 1m}}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A Compose file with every kind of service."""
    path = tmp_path / "compose.yml"
    path.write_text(FILE)
    return path


def wire(*arguments: str) -> subprocess.CompletedProcess[str]:
    """What `lokikit wire` said and returned."""
    command = [sys.executable, "-m", "lokikit", "wire", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_services_get_the_driver_and_their_name(file: Path) -> None:
    """Each service has the driver of the pipeline, and a label with its name."""
    services = yaml.safe_load(make_override(file, environ={}).text)["services"]
    assert services["api"] == {"labels": {"service": "api"}, "logging": pipeline_logging({})}


def test_own_name_stays(file: Path) -> None:
    """A service that has the label already keeps its own."""
    services = yaml.safe_load(make_override(file).text)["services"]
    assert list(services["web"]) == ["logging"]


def test_own_driver_stays(file: Path) -> None:
    """A service that logs elsewhere is left out and reported; options alone are no driver."""
    override = make_override(file)
    assert override.wired == ("api", "web", "capped")
    assert override.left_out == {"old": "syslog"}


def test_named_service_is_wired_whatever_it_logs_to(file: Path) -> None:
    override = make_override(file, ["old"])
    assert (override.wired, override.left_out) == (("old",), {})


def test_driver_survives_an_agent_that_is_away() -> None:
    """The options let a container start without the agent, and have each chunk confirmed."""
    result = pipeline_logging({"FLUENTBIT_FORWARD_PORT": "24999"})
    assert result["driver"] == "fluentd"
    assert result["options"]["fluentd-address"] == "127.0.0.1:24999"
    for name in ("fluentd-async", "fluentd-sub-second-precision", "fluentd-request-ack"):
        assert result["options"][name] == "true", name


NAMES = [
    "on",
    "1e3",
    "0o7",
    "yes",
    "no",
    "off",
    "y",
    "1",
    "0x1f",
    "1.5",
    "1:30",
    "null",
    "2026-01-01",
    "true",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_a_service_is_text(tmp_path: Path, name: str) -> None:
    """Compose reads YAML 1.2, where a key of `services` is what stands there."""
    path = tmp_path / "compose.yml"
    path.write_text(f"services: {{{name}: {{image: a}}}}")
    override = make_override(path)
    assert override.wired == (name,)
    services = yaml.safe_load(override.text)["services"]
    assert services[name]["labels"] == {"service": name}
    assert make_override(path, [name]).wired == (name,)


def test_a_merged_service_has_the_keys_of_both(tmp_path: Path) -> None:
    """Names of labels stay text through an anchor, too."""
    path = tmp_path / "compose.yml"
    path.write_text(
        "x-base: &base {logging: {driver: syslog}}\n"
        "services: {a: {<<: *base, image: a}, b: {image: b, labels: {on: 1, service: other}}}"
    )
    override = make_override(path)
    assert (override.wired, override.left_out) == (("b",), {"a": "syslog"})
    assert list(yaml.safe_load(override.text)["services"]["b"]) == ["logging"]


@pytest.mark.parametrize(
    "include",
    [
        "include: [sub/web.yml, db.yml]",
        "include: [{path: sub/web.yml}, {path: db.yml, project_directory: .}]",
        "include: [{path: [sub/web.yml, db.yml]}]",
        "include:\n- ${FOLDER}/web.yml\n- db.yml\nservices: {}",
    ],
)
def test_services_of_included_files_are_wired(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, include: str
) -> None:
    """A file may have nothing else; an included one may include."""
    monkeypatch.setenv("FOLDER", "sub")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/web.yml").write_text("include: [deep.yml]\nservices: {web: {image: w}}")
    (tmp_path / "sub/deep.yml").write_text("services: {deep: {image: d}}")
    (tmp_path / "db.yml").write_text("services: {db: {logging: {driver: none}}}")
    (tmp_path / "compose.yml").write_text(include)
    override = make_override(tmp_path / "compose.yml")
    assert (override.wired, override.left_out) == (("deep", "web"), {"db": "none"})


@pytest.mark.parametrize(
    ("include", "reason"),
    [
        ("compose.yml", "includes itself"),
        ("gone.yml", r"cannot read .*gone\.yml"),
        ("https://example.com/x.git", "no file of this machine"),
        ("1", "no file of this machine"),
    ],
)
def test_an_included_file_that_cannot_be_read_is_named(
    tmp_path: Path, include: str, reason: str
) -> None:
    """Other mistakes are errors of one sentence, too."""
    (tmp_path / "compose.yml").write_text(f"include: [{include}]")
    with pytest.raises(SettingsError, match=reason):
        make_override(tmp_path / "compose.yml")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: [", "is not YAML"),
        ("- a", "is not a Compose file: it has no services"),
        ("services: {}", "is not a Compose file"),
        ("services: {a: 1}", "service a is not a mapping"),
        ("services: {a: {logging: {driver: gelf}}}", "name those to wire with --service"),
    ],
)
def test_bad_file(tmp_path: Path, text: str, reason: str) -> None:
    """What is no Compose file with something to wire is refused with the reason."""
    path = tmp_path / "compose.yml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=reason):
        make_override(path)


def test_missing_file_and_service(file: Path, tmp_path: Path) -> None:
    """A file or a service that is not there is named, with what there is."""
    with pytest.raises(SettingsError, match=r"cannot read .*nowhere\.yml: No such file"):
        make_override(tmp_path / "nowhere.yml")
    with pytest.raises(SettingsError, match="no service apo: it has api, web, old, capped"):
        make_override(file, ["apo"])


def test_printed(file: Path) -> None:
    """The override goes to stdout, what is left out to stderr, and nothing is written."""
    done = wire(str(file))
    assert yaml.safe_load(done.stdout) == yaml.safe_load(make_override(file).text)
    assert done.stderr == "Left out: old logs to syslog; wire it with --service old.\n"
    assert [one.name for one in file.parent.iterdir()] == [file.name]


def test_saved(file: Path) -> None:
    """--write saves it beside the file, which stays as it is, on every call."""
    (file.parent / "compose.override.yml").touch()
    for _ in range(2):
        done = wire(str(file), "--write")
        assert done.returncode == 0, done.stderr
    assert (file.parent / "compose.lokikit.yml").read_text() == make_override(file).text
    assert file.read_text() == FILE
    names = [word for word in done.stdout.split() if word.endswith(".yml")]
    assert [name.rpartition("/")[2] for name in names[-3:]] == [
        "compose.yml",
        "compose.override.yml",
        "compose.lokikit.yml",
    ]


def test_foreign_file_is_not_overwritten(file: Path) -> None:
    """A file of that name which `wire` has not made stays as it is."""
    target = file.with_name("compose.lokikit.yml")
    target.write_text("mine\n")
    done = wire(str(file), "--write")
    assert done.returncode == 2
    assert "move it away" in done.stderr
    assert target.read_text() == "mine\n"
