"""An application factory that logs into a file, by mail and to the console."""

import logging
import os
from logging.handlers import RotatingFileHandler, SMTPHandler
from pathlib import Path

from flask import Flask

from .worker import write_report


def create_app() -> Flask:
    """The shop."""
    app = Flask("shop")
    app.logger.setLevel(logging.INFO)
    log_into_file(app)
    log_by_mail(app)
    console = logging.StreamHandler()
    console.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    app.logger.addHandler(console)
    # As the answers to "Flask under Gunicorn logs nothing" have it.
    if gunicorn := logging.getLogger("gunicorn.error").handlers:
        app.logger.handlers += gunicorn

    @app.get("/orders/<int:number>")
    def order(number: int) -> str:
        app.logger.info("looking for %d", number)
        write_report(number)
        return f"order {number}"

    @app.get("/crash")
    def crash() -> str:
        raise RuntimeError("no such warehouse")

    return app


def log_into_file(app: Flask) -> None:
    """All that the application logs."""
    handler = RotatingFileHandler(Path(os.environ["LOG_DIR"]) / "shop.log")
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    app.logger.addHandler(handler)


def log_by_mail(app: Flask) -> None:
    """Errors."""
    host, port = os.environ["MAIL_SERVER"].split(":")
    handler = SMTPHandler((host, int(port)), "shop@example.com", ["ann@example.com"], "Failure")
    handler.setLevel(logging.ERROR)
    app.logger.addHandler(handler)
