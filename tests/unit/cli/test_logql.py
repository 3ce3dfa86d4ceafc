from __future__ import annotations

import io

import pytest

from lokikit.cli import app, logql
from lokikit.errors import SettingsError


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int | str | None:
    """The exit code of `lokikit logql` with these arguments."""
    monkeypatch.setattr("sys.argv", ["lokikit", "logql", *arguments])
    with pytest.raises(SystemExit) as ended:
        app.main()
    return ended.value.code


def test_a_good_query_is_ok(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole output is `ok`."""
    assert run(monkeypatch, "check", 'rate({a="b"}[5m])') == 0
    assert capsys.readouterr() == ("ok\n", "")


@pytest.mark.parametrize(
    ("query", "err"),
    [
        (
            'rate({a="b"}[5m]',
            """\
parse error at line 1, col 17: syntax error: unexpected $end, expecting )
rate({a="b"}[5m]
                ^
""",
        ),
        (
            '{a="b"}\n\t| json\n\t| x >> 5',
            "parse error at line 3, col 7: syntax error: unexpected >\n\t| x >> 5\n\t     ^\n",
        ),
        (
            'sum_over_time({a="b"}[5m])',
            """\
parse error : invalid aggregation sum_over_time without unwrap
sum_over_time({a="b"}[5m])
^
""",
        ),
    ],
)
@pytest.mark.parametrize("command", ["check", "fmt"])
def test_a_wrong_query_is_shown_with_the_place(
    command: str,
    query: str,
    err: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The error, the line of the query, a caret; exit code 2."""
    assert run(monkeypatch, command, query) == 2
    assert capsys.readouterr() == ("", err)


def test_a_dash_reads_stdin(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The query is all of it, comments included."""
    monkeypatch.setattr("sys.stdin", io.StringIO('{a="b"}  # all\n|json\n'))
    assert run(monkeypatch, "fmt", "-") == 0
    assert capsys.readouterr().out == '{a="b"} | json\n'


def test_the_place_is_shown_beside_lokis_refusal(capsys: pytest.CaptureFixture[str]) -> None:
    """The refusal itself goes on to whoever prints it."""
    with pytest.raises(SettingsError), logql.place_shown('{a="b"} | json |'):
        raise SettingsError("Loki does not accept the query")
    assert capsys.readouterr().err == '{a="b"} | json |\n                ^\n'


def test_a_word_in_place_of_a_query_is_answered_with_an_example(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SettingsError), logql.place_shown("error"):
        raise SettingsError("Loki does not accept the query")
    assert """'{service_name="shop"} |= "word"'""" in capsys.readouterr().err


def test_a_query_that_is_only_refused_by_loki_has_no_place(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Loki may refuse what this reader takes."""
    with pytest.raises(SettingsError), logql.place_shown('{a="b"}'):
        raise SettingsError("the query time range exceeds the limit")
    assert capsys.readouterr().err == ""


def test_a_query_that_is_only_refused_here_is_not_blocked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Loki may take what this reader refuses."""
    with logql.place_shown("variants(…)"):
        pass
    assert capsys.readouterr() == ("", "")
