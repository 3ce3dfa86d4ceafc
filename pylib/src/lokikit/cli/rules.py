"""`lokikit rules`: the tests of alert rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lokikit.cli.output import counted
from lokikit.errors import SettingsError, UnhealthyError, needs_extra

if TYPE_CHECKING:
    from lokikit.testing.rule_tests import Result

SUFFIXES = ("*.yaml", "*.yml")
app = typer.Typer(help="Test alert rules, of Grafana's provisioning or of Loki's ruler.")

Files = Annotated[
    list[Path], typer.Argument(metavar="FILES…", help="Files of tests, or folders of them.")
]


@app.command("test")
def test(files: Files) -> None:
    """Run the tests of alert rules: lines with times, and the states that they lead to.

    Needs no Loki, no Grafana and no container. Exit code 1 when a test fails, 2 when a file is
    wrong.

        lokikit rules test alerts/*_test.yaml
    """
    with needs_extra("store", "rules test"):
        from lokikit.testing.rule_tests import run_rule_tests  # noqa: PLC0415 - needs the extra
    try:
        results = list(_print(run_rule_tests(_expand(files))))
    except SettingsError as error:
        # One line for each problem; the command line's own errors are one line in all.
        for line in str(error).splitlines():
            typer.echo(f"lokikit: {line}", err=True)
        raise typer.Exit(SettingsError.exit_code) from error
    _print_summary(results)


def _expand(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            found = sorted(file for suffix in SUFFIXES for file in path.glob(suffix))
            if not found:
                raise SettingsError(f"the folder {path} holds no {' or '.join(SUFFIXES)}.")
            yield from found
        else:
            yield path


def _print(results: Iterable[Result]) -> Iterator[Result]:
    for result in results:
        if result.failures:
            typer.echo(f"FAIL {result.path}: {result.name}")
            for failure in result.failures:
                typer.echo(failure)
        yield result


def _print_summary(results: list[Result]) -> None:
    failed = sum(bool(result.failures) for result in results)
    files = len({result.path for result in results})
    summary = f"{counted(len(results), 'test')} in {counted(files, 'file')}"
    if failed:
        raise UnhealthyError(f"{failed} of {summary} failed.")
    typer.echo(f"{summary} passed.")
