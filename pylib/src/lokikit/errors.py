"""Every error that lokikit raises, split by what the caller can do about it.

    LokikitError
    ├── SettingsError      a setting, option or query is wrong: change it     (exit code 2)
    ├── PrerequisiteError  the machine lacks something: install or free it    (exit code 3)
    ├── UnreachableError   no answer from Loki: start it, or try again later  (exit code 4)
    ├── RefusedError       Loki answered with a refusal: see its reason       (exit code 5)
    └── UnhealthyError     it runs, but not as it should: see what it names   (exit code 1)

Logging calls never raise them; the set-up, the command line and the clients do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class LokikitError(Exception):
    """Base of all errors of lokikit. Its text is a sentence or two, for a terminal."""

    exit_code = 1


class SettingsError(LokikitError, ValueError):
    """Raised for a bad environment variable, argument, command option or query."""

    exit_code = 2


class PrerequisiteError(LokikitError):
    """Raised when a program, disk space or a free port that the work needs is missing."""

    exit_code = 3


@contextmanager
def needs_extra(extra: str, user: str) -> Iterator[None]:
    """Run a block that imports packages of an extra for `user`, the subject of the error.

    Raises:
        PrerequisiteError: one of the packages is not installed; the text names the fix.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise PrerequisiteError(
            f"{user} needs an extra ({error.name} is missing): pip install 'lokikit[{extra}]'"
        ) from error


class UnreachableError(LokikitError):
    """Raised when a connection fails, or no answer comes within the time limit."""

    exit_code = 4


class RefusedError(LokikitError):
    """Raised when Loki answers with a 4xx or 5xx that a retry does not solve.

    Args:
        message: operation, target and Loki's reason.
        status: HTTP status.
        retry_after_s: seconds that Loki asks to wait before another try, 0 when it names none.
    """

    exit_code = 5

    def __init__(self, message: str, status: int, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after_s = retry_after_s


class UnhealthyError(LokikitError):
    """Raised when a part does not get healthy, or a check finds lines lost."""

    exit_code = 1
