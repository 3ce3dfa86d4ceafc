"""Django with its own handlers: each program in a process of its own."""

from __future__ import annotations

import pytest
from tests.running import run

from lokikit import fields as f


def test_a_mail_to_admins_is_sent_of_an_error_that_is_in_the_request_line() -> None:
    """Django's handler gets the record that lokikit's output leaves out; SQL is told on wish."""
    lines = run("""
import django, lokikit.django
from django.conf import settings
settings.configure(
    ADMINS=[("a", "a@shop.example")], ALLOWED_HOSTS=["*"], SECRET_KEY="s", ROOT_URLCONF="__main__",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend",
    LOGGING=lokikit.django.logging_config(mail_admins=True, sql=True, level="debug"),
    MIDDLEWARE=["lokikit.django.RequestMiddleware"],
)
django.setup()
from django.core import mail
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import Client
from django.urls import path
def crash(request):
    raise RuntimeError("boom")
def pieces(request, number):
    return StreamingHttpResponse(iter([b"ab", b"c"]))
urlpatterns = [path("crash", crash), path("pieces/<int:number>", pieces)]
mail.outbox = []
client = Client(raise_request_exception=False)
client.get("/crash")
client.get("/nope")
assert b"".join(client.get("/pieces/1")) == b"abc"
connection.force_debug_cursor = True
connection.cursor().execute("SELECT 1")
assert [one.subject for one in mail.outbox] == [
    "[Django] ERROR (EXTERNAL IP): Internal Server Error: /crash"
], mail.outbox
""")
    entries = [line for line in lines if line[f.LEVEL] != "debug" or "SELECT" in line[f.MESSAGE]]
    assert [line[f.LOGGER] for line in entries] == ["lokikit.requests"] * 3 + ["django.db.backends"]
    crash, nope, pieces, sql = entries
    assert (crash[f.EXC_TYPE], crash[f.HTTP_STATUS]) == ("RuntimeError", 500)
    assert (nope[f.HTTP_STATUS], f.HTTP_ROUTE in nope) == (404, False)
    assert (pieces[f.HTTP_ROUTE], pieces[f.BYTES]) == ("/pieces/{number}", 3)
    assert "SELECT 1" in sql[f.MESSAGE]


def test_django_under_asgi_tells_a_streaming_answer_at_its_end() -> None:
    """With the size of all that was sent, and the lines of the view under its id."""
    inside, line = run("""
import asyncio, django, logging, lokikit.django
from django.conf import settings
settings.configure(
    ALLOWED_HOSTS=["*"], SECRET_KEY="s", ROOT_URLCONF="__main__",
    LOGGING=lokikit.django.logging_config(), MIDDLEWARE=["lokikit.django.RequestMiddleware"],
)
django.setup()
from django.http import StreamingHttpResponse
from django.test import AsyncClient
from django.urls import path
async def pieces(request):
    logging.info("inside")
    async def send():
        yield b"ab"
        await asyncio.sleep(0)
        yield b"c"
    return StreamingHttpResponse(send())
urlpatterns = [path("pieces", pieces)]
async def main():
    answer = await AsyncClient().get("/pieces", headers={"X-Request-ID": "r-17"})
    assert answer.headers["X-Request-ID"] == "r-17"
    assert [one async for one in answer.streaming_content] == [b"ab", b"c"]
asyncio.run(main())
""")
    assert (line[f.HTTP_PATH], line[f.BYTES], line[f.LEVEL]) == ("/pieces", 3, "info")
    assert inside[f.REQUEST_ID] == line[f.REQUEST_ID] == "r-17"


_ASGI_SITE = """
import asyncio, django, logging, lokikit.django
from django.conf import settings
settings.configure(
    ALLOWED_HOSTS=["*"], SECRET_KEY="s", ROOT_URLCONF="__main__",
    LOGGING=lokikit.django.logging_config(), MIDDLEWARE=["lokikit.django.RequestMiddleware"],
)
django.setup()
from django.core.asgi import get_asgi_application
from django.http import StreamingHttpResponse
from django.urls import path
left = asyncio.Event()
async def wait(request):
    logging.info("inside")
    left.set()
    await asyncio.sleep(600)
async def stream(request):
    logging.info("inside")
    async def send():
        left.set()
        await asyncio.sleep(600)
        yield b"never"
    return StreamingHttpResponse(send())
urlpatterns = [path("wait", wait), path("stream", stream)]
messages = [{"type": "http.request"}]
async def receive():
    if messages:
        return messages.pop()
    await left.wait()
    return {"type": "http.disconnect"}
async def send(message):
    pass
def ask(path):
    scope = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b""}
    asyncio.run(get_asgi_application()(scope, receive, send))
"""


def test_client_that_leaves_before_the_answer_has_a_line() -> None:
    inside, line = run(_ASGI_SITE + 'ask("/wait")')
    assert (line[f.HTTP_PATH], line[f.HTTP_STATUS], line[f.LEVEL]) == ("/wait", 499, "warning")
    assert inside[f.REQUEST_ID] == line[f.REQUEST_ID]
    assert f.EXC_TYPE not in line


def test_client_that_leaves_before_the_first_chunk_has_a_line() -> None:
    _, line = run(_ASGI_SITE + 'ask("/stream")')
    assert (line[f.HTTP_PATH], line[f.HTTP_STATUS], line[f.BYTES]) == ("/stream", 200, 0)


def test_streaming_answer_that_is_closed_unread_has_a_line() -> None:
    (line,) = run("""
import django, lokikit.django
from django.conf import settings
settings.configure(
    ALLOWED_HOSTS=["*"], SECRET_KEY="s", ROOT_URLCONF="__main__",
    LOGGING=lokikit.django.logging_config(), MIDDLEWARE=["lokikit.django.RequestMiddleware"],
)
django.setup()
from django.core.wsgi import get_wsgi_application
from django.http import StreamingHttpResponse
from django.test import RequestFactory
from django.urls import path
urlpatterns = [path("pieces", lambda request: StreamingHttpResponse(iter([b"ab"])))]
environ = RequestFactory().get("/pieces").environ
get_wsgi_application()(environ, lambda status, headers: None).close()
""")
    assert (line[f.HTTP_PATH], line[f.HTTP_STATUS], line[f.BYTES]) == ("/pieces", 200, 0)


def test_view_that_ends_its_worker_has_a_line() -> None:
    """As Gunicorn does to a worker whose request takes too long."""
    (line,) = run("""
import django, lokikit.django
from django.conf import settings
settings.configure(
    ALLOWED_HOSTS=["*"], SECRET_KEY="s", ROOT_URLCONF="__main__",
    LOGGING=lokikit.django.logging_config(), MIDDLEWARE=["lokikit.django.RequestMiddleware"],
)
django.setup()
from django.test import Client
from django.urls import path
def leave(request):
    raise SystemExit(1)
urlpatterns = [path("leave", leave)]
try:
    Client().get("/leave")
except SystemExit:
    pass
""")
    assert (line[f.HTTP_PATH], line[f.LEVEL]) == ("/leave", "warning")


COMMANDS = """
import sys, types, logging
import django, lokikit.django
from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command
settings.configure(LOGGING=lokikit.django.logging_config(), INSTALLED_APPS=[])
lokikit.django.log_commands(besides=["consume"])
lokikit.django.log_commands()
django.setup()
def command(name, handle):
    module = types.ModuleType(f"shop.management.commands.{name}")
    module.Command = type("Command", (BaseCommand,), {
        "__module__": module.__name__, "handle": handle, "requires_system_checks": [],
    })
    return module.Command()
"""


def test_a_management_command_is_a_task() -> None:
    """Named after the command, with its id on the lines in between."""
    run_line, inside, success = run(f"""{COMMANDS}
def handle(self, *args, **options):
    logging.info("importing")
    return None
call_command(command("import_prices", handle))
""")
    assert [line.get(f.ACTION) for line in (run_line, inside, success)] == ["run", None, "success"]
    assert {line[f.TASK_NAME] for line in (run_line, inside, success)} == {"import_prices"}
    assert len({line[f.TASK_ID] for line in (run_line, inside, success)}) == 1


def test_a_command_that_fails_is_a_failure_once() -> None:
    """Also where Django prints the error and exits."""
    lines = run(f"""{COMMANDS}
def handle(self, *args, **options):
    raise CommandError("no such supplier")
try:
    command("import_prices", handle).execute(force_color=False, no_color=True, skip_checks=True)
except CommandError:
    pass
def crash(self, *args, **options):
    raise RuntimeError("boom")
call_command(command("crash", crash))
""")
    entries = [(line.get(f.TASK_NAME), line.get(f.ACTION), line.get(f.EXC_TYPE)) for line in lines]
    assert entries == [
        ("import_prices", "run", None),
        ("import_prices", "fail", "django.core.management.base.CommandError"),
        ("crash", "run", None),
        ("crash", "fail", "RuntimeError"),
    ]


def test_commands_that_serve_or_talk_are_no_tasks() -> None:
    """Nor those that are named; a command that another calls is a task of its own."""
    lines = run(f"""{COMMANDS}
inner = command("inner", lambda self, *args, **options: None)
call_command(command("runserver", lambda self, *args, **options: None))
call_command(command("consume", lambda self, *args, **options: None))
call_command(command("outer", lambda self, *args, **options: call_command(inner)))
""")
    entries = [(line[f.TASK_NAME], line[f.ACTION]) for line in lines]
    assert entries == [
        ("outer", "run"),
        ("inner", "run"),
        ("inner", "success"),
        ("outer", "success"),
    ]


@pytest.mark.parametrize("asynchronous", ["", "async "], ids=["sync", "async"])
def test_constant_that_a_view_raises_is_in_the_line_of_each_request(asynchronous: str) -> None:
    """Nothing is set on it, and where a thread raises it, uncaught, it has a line too."""
    lines = run(f"""
import asyncio, django, lokikit.django, threading
from django.conf import settings
settings.configure(
    ALLOWED_HOSTS=["*"], SECRET_KEY="s", ROOT_URLCONF="__main__",
    LOGGING=lokikit.django.logging_config(), MIDDLEWARE=["lokikit.django.RequestMiddleware"],
)
django.setup()
from django.test import AsyncClient, Client
from django.urls import path
CONSTANT = ValueError("constant")
{asynchronous}def view(request):
    raise CONSTANT
urlpatterns = [path("", view)]
def fail():
    raise CONSTANT
async def ask():
    for _ in range(2):
        await AsyncClient(raise_request_exception=False).get("/")
for _ in range(2):
    Client(raise_request_exception=False).get("/")
asyncio.run(ask())
thread = threading.Thread(target=fail)
thread.start()
thread.join()
assert vars(CONSTANT) == {{}}, vars(CONSTANT)
""")
    expected = ["lokikit.requests"] * 4 + ["lokikit.output.uncaught"]
    assert [line[f.LOGGER] for line in lines] == expected
    assert {line[f.EXC_TYPE] for line in lines} == {"ValueError"}
    assert all(line[f.STACKTRACE] for line in lines)
