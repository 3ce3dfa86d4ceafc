"""A Django project with its own LOGGING, Celery and migrations by Alembic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.integration.page import command
from tests.mail_server import mail_server
from tests.ports import free_ports
from tests.projects.project import Project, get, messages, wait_until_up
from tests.waiting import eventually

from lokikit import fields as f

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.mail_server import Mailbox

ROUNDS = 10
PAID = (12, 13)
"""Orders that are charged for; the second fails."""


class Played:
    """The project after it was asked and stopped.

    Args:
        project: with what its programs have written.
        mailbox: with what was mailed to its admins.
        ids: path -> the id that it was asked for with.
    """

    def __init__(self, project: Project, mailbox: Mailbox, ids: dict[str, str]) -> None:
        self.project = project
        self.mailbox = mailbox
        self.ids = ids

    def about(self, service: str, path: str) -> list[dict[str, Any]]:
        """The lines of a service that have the id of a request."""
        lines = self.project.lines(service)
        return [one for one in lines if one.get(f.REQUEST_ID) == self.ids[path]]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """The site under Gunicorn and a worker of Celery, asked and stopped."""
    folder, (port,) = tmp_path_factory.mktemp("django"), free_ports(1)
    url = f"http://127.0.0.1:{port}"
    with mail_server() as mailbox:
        project = Project(
            *("django_shop", folder, ["settings.py", "celery.py"]),
            LOG_DIR=str(folder),
            MAIL_SERVER=mailbox.address,
        )
        site = [
            "shop.wsgi:application" if ":" in one else one for one in command("Django", "gunicorn")
        ]
        worker = ["shop" if one == "jobs" else one for one in command("Celery", "worker")]
        try:
            project.start("shop", [*site, "--bind", f"127.0.0.1:{port}"])
            project.start("jobs", worker)
            wait_until_up(f"{url}/orders/0")
            # Twice each: the migration configures logging in one of two workers, or in both.
            paths = ["migrate", "stock"] * 4
            paths += [f"orders/{number}" for number in range(1, ROUNDS + 1)]
            paths += ["crash", *(f"pay/{number}" for number in PAID)]
            asked = {path: get(f"{url}/{path}") for path in paths}
            assert {path for path, (_, status) in asked.items() if status != 200} == {"crash"}
            ended = ("charge succeeded", "charge failed")
            eventually(
                lambda: all(
                    any(word in line for line in project.printed("jobs")) for word in ended
                ),
                within_s=120,
            )
            project.stop()
        finally:
            project.abandon()
        yield Played(
            project, mailbox, {path: request_id for path, (request_id, _) in asked.items()}
        )


def test_each_event_is_one_line(played: Played) -> None:
    """Also behind a migration, whose `fileConfig` disables loggers and has a console of its own."""
    lines = played.project.lines("shop")
    numbers = range(ROUNDS + 1)
    assert messages(lines, "orders") == {f"looking for {one}": 1 for one in numbers}
    assert messages(lines, "audit") == {f"order {one} was seen": 1 for one in numbers}
    assert messages(lines, "django") == {}
    texts = messages(lines, "lokikit.requests")
    assert {one: texts[f"GET /orders/{one} 200"] for one in numbers} == dict.fromkeys(numbers, 1)
    assert (texts["GET /crash 500"], texts["GET /migrate 200"]) == (1, 4)


def test_the_migration_s_own_lines_and_the_echo_of_an_engine_are_lines(played: Played) -> None:
    """Each once."""
    lines = played.project.lines("shop")
    assert messages(lines, "alembic")["Running upgrade  -> 0001, Make the table of the stock."] == 1
    counts = messages(played.about("shop", "stock"), "sqlalchemy")
    assert counts["SELECT count(*) FROM stock"] == 1


def test_lines_have_the_id_of_their_request(played: Played) -> None:
    """Also in the worker, of the request that has sent the task."""
    assert len(played.about("shop", "orders/7")) == 3
    charged = messages(played.about("jobs", "pay/12"), "orders")
    assert charged == {"charging for 12": 1}


def test_an_exception_is_told_once(played: Played) -> None:
    """With its traceback, in the line of its request or task."""
    (line,) = [one for one in played.project.lines("shop") if f.STACKTRACE in one]
    assert (line[f.REQUEST_ID], line[f.HTTP_STATUS]) == (played.ids["crash"], 500)
    assert "in crash" in line[f.STACKTRACE]
    (line,) = [one for one in played.project.lines("jobs") if f.STACKTRACE in one]
    assert (line[f.REQUEST_ID], line[f.EXC_MESSAGE]) == (played.ids["pay/13"], "no card")


def test_file_and_mail_are_fed_as_before(played: Played) -> None:
    """The file by the project's loggers, the admins by Django."""
    written = (played.project.folder.parent / "shop.log").read_text()
    assert all(written.count(f"looking for {one}\n") == 1 for one in range(ROUNDS + 1))
    assert written.count("RuntimeError: no such warehouse") == 1
    (mail,) = played.mailbox.mails
    assert "no such warehouse" in str(mail)
