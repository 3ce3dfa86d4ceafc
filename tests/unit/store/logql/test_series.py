from __future__ import annotations

from lokikit.store.logql.series import Steps, align


def test_steps_of_an_instant_query():
    assert list(Steps.instant(7).times()) == [7]


def test_steps_end_at_the_last_multiple():
    assert list(Steps(10, 35, 10).times()) == [10, 20, 30]


def test_alignment_widens_to_multiples_of_the_step():
    """A real Loki answered a point behind the end of the query."""
    assert align(13, 31, 10) == Steps(10, 40, 10)


def test_alignment_keeps_multiples():
    assert align(10, 30, 10) == Steps(10, 30, 10)
