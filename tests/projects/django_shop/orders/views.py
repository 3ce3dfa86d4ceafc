"""What the shop answers."""

import logging

import sqlalchemy
from alembic import command
from alembic.config import Config
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from .tasks import charge

logger = logging.getLogger(__name__)
audit = logging.getLogger("audit")


def order(_: HttpRequest, number: int) -> HttpResponse:
    """One order."""
    logger.debug("looking for %d", number)
    audit.info("order %d was seen", number)
    return HttpResponse(f"order {number}")


def crash(_: HttpRequest) -> HttpResponse:
    """A bug."""
    raise RuntimeError("no such warehouse")


def migrate(_: HttpRequest) -> HttpResponse:
    """Bring the stock's database up to date, within the service as small teams do."""
    config = Config(settings.BASE_DIR / "alembic.ini")
    config.set_main_option("script_location", str(settings.BASE_DIR / "migrations"))
    config.set_main_option("sqlalchemy.url", f"sqlite:///{settings.LOG_DIR}/stock.sqlite3")
    command.upgrade(config, "head")
    return HttpResponse("up to date")


def stock(_: HttpRequest) -> HttpResponse:
    """What is there; somebody has left the echo on."""
    engine = sqlalchemy.create_engine(f"sqlite:///{settings.LOG_DIR}/stock.sqlite3", echo=True)
    with engine.connect() as connection:
        count = connection.execute(sqlalchemy.text("SELECT count(*) FROM stock")).scalar()
    engine.dispose()
    return HttpResponse(f"{count} things")


def pay(_: HttpRequest, number: int) -> HttpResponse:
    """Send a task."""
    charge.delay(number)
    return HttpResponse("sent")
