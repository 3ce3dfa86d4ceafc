from __future__ import annotations

import pytest

from lokikit.store.errors import SyntaxProblem
from lokikit.store.logql.parser import parse_query
from lokikit.store.logql.stage_check import check_query


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ('{a="b"} | json x="["', 9, r"""stage '| json x="["' : cannot parse expression"""),
        ('{a="b"} |= "x" |~ ip("1.1.1.1")', 16, r"""stage '|~ ip("1.1.1.1")' : ip: invalid"""),
        ('{a="b"} | logfmt x="a b"', 9, r"""stage '| logfmt x="a b"' : cannot parse"""),
        (
            '{a="b"} | json | label_format x=y,x=z',
            16,
            "stage '| label_format x=y,x=z' : multiple label name 'x'",
        ),
        (
            'rate({a="b"} | unwrap x | y=ip("9") [5m])',
            25,
            r"""stage '| y=ip("9")' : ip: invalid pattern""",
        ),
    ],
)
def test_stages_that_cannot_run_are_named_with_their_place(
    text: str, column: int, message: str
) -> None:
    """As Loki names these, which has no place in its text."""
    with pytest.raises(SyntaxProblem) as caught:
        check_query(text)
    assert caught.value.column == column
    assert str(caught.value).startswith(f"parse error : {message}")


def test_the_tree_of_a_query_that_can_run() -> None:
    """It is that of the parser."""
    text = 'sum(rate({a="b"} | json | line_format `{{.a}}` | unwrap x | y=ip("::1") [5m]))'
    assert check_query(text) == parse_query(text)
