"""Where the embedded store answers otherwise than Loki, and why.

`docs/store.md` has the same list. What differs everywhere stands in `answers.py`: the details of
refusals and of errors in templates, the bytes of volumes, and 400 where Loki answers 500 to a
query that is wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

DIFFERENCES: Mapping[str, str] = {
    r"^(json|logfmt|access|units|levels): .*avg_over_time\("
    r".*(\) by \(|\| (drop|keep|label_format .*\w=\w).*\| unwrap)": (
        "`avg_over_time` with `by`, or behind `drop`, `keep` or a renamed label: Loki divides the "
        "sum by all lines of the group, those without the unwrapped label too; the store divides "
        "it by the values"
    ),
    r"avg_over_time\(.*\| drop .*\| unwrap (n|size) ": (
        "`avg_over_time` behind these stages: Loki refuses errors of lines without the unwrapped "
        "label"
    ),
    r"(<=?|>=?|==|!=) ?\d+KiB": (
        "Loki rounds a size in a query to two digits of a decimal unit (2KiB becomes 2.0kB, which "
        "is 2000 bytes); the store compares with the size that was written"
    ),
    r"absent_over_time\(.*__error__=\"\" \| (status >= 400|dur > 1s) ": (
        "`absent_over_time`: Loki overlooks what a filter behind one on `__error__` cannot "
        "compare; the store names it"
    ),
    r"label_replace\(.*\"app\", \"(\$1|same)\"": (
        "`label_replace` that makes series equal: Loki answers one series with several values at "
        "one time, the store each of them"
    ),
    r"avg by \(status\) \(sum_over_time\(.*unwrap status": (
        "Loki answers nothing to an average by the label that is unwrapped; the store averages"
    ),
    r"bytes_over_time\(.*--keep-empty \| __error__=\"\" \| drop": (
        "series that differ in empty labels alone, behind `drop`: Loki puts them into one, too"
    ),
    r"approx_topk": "`approx_topk` gets 400; Loki, where it is off by default, answers 500",
    r"line_format .*(nosuch|trimLeft|trimRight|\{\{ if \}\}|\{\{ \.level`)": (
        "A template that cannot be read: Loki answers 200 without a line where labels are "
        "categorized, the store 400 with the reason"
    ),
    r"index/stats": (
        "`index/stats`: Loki leaves out the lines that are in its memory still; the store counts "
        "all"
    ),
    r"^\w+: patterns": (
        "`patterns`: Loki without its pattern ingester answers 404, the store that there are none"
    ),
    r"^levels: index/volume .*~.*series limit=1$": (
        "`index/volume`: Loki counts the metadata in its chunks too, the store the lines"
    ),
    r"^json: detected_fields": (
        "`detected_fields`: Loki counts a field of the line that is named as metadata with it"
    ),
    r"format_query .*(without \(\)|on \(\) group_right|% 0|[01] / 0)": (
        "`format_query`: Loki writes what it cannot read again (`without`, `NaN`) or what means "
        "something else (without `on () group_right`); the store writes the query"
    ),
}
"""Pattern of a request's key -> the reason."""

UNSTABLE: Mapping[str, str] = {
    r"(sum( by \([^)]*\) )?\(|absent_over_time\().*\| logfmt \w+,": (
        "Loki sometimes takes labels of `| logfmt a, b` for empty under a `sum` and in "
        "`absent_over_time`; the store takes their values"
    ),
    r"label_format detected_level=level": (
        "Loki takes over from an earlier line with equal labels which of them were parsed"
    ),
}
"""Pattern of a request's key -> why Loki answers it now so, now otherwise."""
