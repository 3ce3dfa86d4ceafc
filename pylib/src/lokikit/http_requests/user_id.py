"""The id of the user who is logged in, if the framework knows it without a query."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

_NAMES = ("get_id", "pk", "identity", "display_name")
"""Attributes of users in Flask-Login, Django and Starlette, whose `SimpleUser` has only a name."""


def user_id(user: Any) -> str | None:
    """Return the id of a framework's user object, `None` without a user who is logged in.

    Django's lazy users are not resolved, because that queries a database.
    """
    user = getattr(user, "__dict__", {}).get("_wrapped", user)
    if type(user) is object or not _read(user, "is_authenticated"):
        return None
    return next((str(value) for name in _NAMES if (value := _read(user, name)) is not None), None)


def flask_user_id() -> str | None:
    """Return the id of Flask-Login's user of the current request.

    When the view has not read the user, the id is read from the session, whose cookie is signed.
    """
    flask: Any = sys.modules.get("flask")
    if flask is None or "flask_login" not in sys.modules or not flask.has_app_context():
        return None
    loaded = flask.g.get("_login_user")
    if loaded is not None or not flask.has_request_context():
        return user_id(loaded)
    session = flask.session
    return session.get("_user_id") if isinstance(session, Mapping) else None


def _read(user: Any, name: str) -> Any:
    """Return an attribute or the result of a method; `None` when the application raises."""
    try:
        value = getattr(user, name, None)
        return value() if callable(value) else value
    except Exception:  # noqa: BLE001 - code of the application may raise anything
        return None
