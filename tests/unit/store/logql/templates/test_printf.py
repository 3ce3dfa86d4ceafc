from __future__ import annotations

from typing import Any

import pytest

from lokikit.store.logql.templates.printf import go_printf


@pytest.mark.parametrize(
    ("template", "arguments", "text"),
    [
        ("%s|%5s|%-5s|%.2s", ["a", "b", "c", "def"], "a|    b|c    |de"),
        ("%d %05d %+d %x", [1, 42, 5, 255], "1 00042 +5 ff"),
        ("%f %.2f %e %g", [1.5, 2.345, 0.0, 1e6], "1.500000 2.35 0.000000e+00 1e+06"),
        ("%v %v %v", [1e20, True, None], "1e+20 true <nil>"),
        ("%q %q", ["a\n", 65], "\"a\\n\" 'A'"),
        ("%d", ["x"], "%!d(string=x)"),
        ("%s", [5], "%!s(int=5)"),
        ("%d", [], "%!d(MISSING)"),
        ("x", [1, "y"], "x%!(EXTRA int=1, string=y)"),
        ("%", [], "%!(NOVERB)"),
        ("%[2]d %[1]d", [1, 2], "2 1"),
        ("%*d", [4, 7], "   7"),
        ("%T %c %U %t", ["a", 65, 65, False], "string A U+0041 false"),
    ],
)
def test_formats(template: str, arguments: list[Any], text: str):
    assert go_printf(template, arguments) == text
