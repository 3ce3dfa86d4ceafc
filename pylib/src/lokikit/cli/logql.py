"""`lokikit logql`: read a query without asking Loki, find its errors, lay it out."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Annotated

import typer

from lokikit.errors import PrerequisiteError, SettingsError, needs_extra

if TYPE_CHECKING:
    from lokikit.store.errors import SyntaxProblem

_WRONG_QUERY = 2
_EXAMPLE = """A query names streams in braces: '{service_name="shop"} |= "word"'."""
app = typer.Typer(help="Check a LogQL query, or lay it out, without asking Loki.")

Query = Annotated[
    str, typer.Argument(metavar="QUERY", help="A query for lines or metrics; `-` reads stdin.")
]


@app.command("check")
def check(query: Query) -> None:
    """Print `ok`, or the error in a query and its place, with exit code 2.

        lokikit logql check 'sum by (env) (rate({service_name="shop"} | json [5m]))'

    It accepts the queries that Loki 3.7 accepts, except for the few constructs that the embedded
    store does not support.
    """
    _checked(query)
    typer.echo("ok")


@app.command("fmt")
def fmt(query: Query) -> None:
    """Print a query in canonical form, a long one on several lines; comments are left out.

    `lokikit logql fmt - < panel.logql` reads a file.
    """
    text = _checked(query)
    from lokikit.store.logql.parser import parse_query  # noqa: PLC0415 - needs the extra
    from lokikit.store.logql.printer import print_query  # noqa: PLC0415 - needs the extra

    typer.echo(print_query(parse_query(text)))


def find_problem(text: str) -> SyntaxProblem | None:
    """Return the first error in a query, `None` for a valid query.

    Raises:
        PrerequisiteError: the extra with the parser is not installed.
    """
    with needs_extra("store", "logql"):
        from lokikit.store.errors import SyntaxProblem  # noqa: PLC0415 - needs the extra
        from lokikit.store.logql.stage_check import check_query  # noqa: PLC0415 - needs the extra
    try:
        check_query(text)
    except SyntaxProblem as problem:
        return problem
    return None


def point_out(text: str, problem: SyntaxProblem) -> str:
    """Return the line of the query that has the error, with a caret below the place."""
    lines = text.split("\n")
    line = lines[problem.line - 1] if problem.line <= len(lines) else ""
    before = line[: problem.column - 1]
    indent = "".join(character if character == "\t" else " " for character in before)
    return f"{line}\n{indent}^"


@contextmanager
def place_shown(query: str) -> Iterator[None]:
    """Print the place of the error when Loki refuses the query and the parser here does too."""
    try:
        yield
    except SettingsError:
        with suppress(PrerequisiteError):
            problem = find_problem(query)
            if problem:
                typer.echo(point_out(query, problem), err=True)
                if "{" not in query:
                    typer.echo(_EXAMPLE, err=True)
        raise


def _checked(query: str) -> str:
    """Return the text of a valid query, read from stdin for `-`.

    Raises:
        Exit: the query has an error, which is printed.
    """
    text = sys.stdin.read().strip("\n") if query == "-" else query
    if problem := find_problem(text):
        typer.echo(f"{problem}\n{point_out(text, problem)}", err=True)
        raise typer.Exit(_WRONG_QUERY)
    return text
