from __future__ import annotations

import pytest
import yaml

from lokikit.delivery.entry import MAX_VALUE_BYTES
from lokikit.delivery.metadata_limits import (
    MAX_METADATA_BYTES,
    MAX_METADATA_ENTRIES,
    fit_metadata,
)
from lokikit.fields import DETECTED_LEVEL, METADATA_FIELDS, TRUNCATED
from lokikit.stack.kit_files import kit_root

_BY_THE_LINE = dict.fromkeys((*METADATA_FIELDS, DETECTED_LEVEL, TRUNCATED), "x" * MAX_VALUE_BYTES)


@pytest.mark.parametrize("count", [5, 28, 38, 500])
@pytest.mark.parametrize("size", [1, 400, MAX_VALUE_BYTES])
def test_what_the_line_gives_fits_beside_it(count: int, size: int) -> None:
    whole = {**fit_metadata({f"t{n}": "x" * size for n in range(count)}), **_BY_THE_LINE}
    assert len(whole) <= MAX_METADATA_ENTRIES
    assert sum(len(name) + len(value) for name, value in whole.items()) <= MAX_METADATA_BYTES


def test_the_first_values_stay() -> None:
    given = {f"t{n}": "v" for n in range(40)}
    assert list(fit_metadata(given)) == list(given)[: MAX_METADATA_ENTRIES - len(_BY_THE_LINE)]


def test_bytes_count_and_not_characters() -> None:
    assert not fit_metadata({"t": "\u20ac" * 5_000})


def test_the_limits_are_those_of_the_kits_loki() -> None:
    limits = yaml.safe_load((kit_root() / "loki/loki.yaml").read_text())["limits_config"]
    assert limits["max_structured_metadata_entries_count"] == MAX_METADATA_ENTRIES
    assert limits["max_structured_metadata_size"] == f"{MAX_METADATA_BYTES // 1024}KB"
