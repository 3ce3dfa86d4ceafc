from __future__ import annotations

from typing import Any

import pytest

from lokikit.errors import SettingsError
from lokikit.query.client import Loki


@pytest.mark.parametrize("count", [-1, None, 1.5, "5"])
def test_limit_that_is_no_number_of_lines_is_refused(count: Any) -> None:
    with pytest.raises(SettingsError, match="is no number of lines"):
        Loki("http://127.0.0.1:1").logs(service="shop").limit(count)
