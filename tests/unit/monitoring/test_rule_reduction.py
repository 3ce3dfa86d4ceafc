from __future__ import annotations

from math import isnan, nan

import pytest

from lokikit.monitoring.rule_files import REDUCERS
from lokikit.monitoring.rule_reduction import reduce_values


@pytest.mark.parametrize("reducer", sorted(REDUCERS))
def test_each_reducer_of_a_rule_file_is_known(reducer: str) -> None:
    assert reduce_values([2.0], reducer) == (1 if reducer == "count" else 2)


@pytest.mark.parametrize("reducer", sorted(REDUCERS))
def test_one_value_that_is_no_number_makes_the_reduction_none(reducer: str) -> None:
    assert isnan(reduce_values([2.0, nan, 3.0], reducer))
