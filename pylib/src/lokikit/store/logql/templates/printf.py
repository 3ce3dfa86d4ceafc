"""`printf` of Go: verbs, flags, widths, and its way of complaining inside the text."""

from __future__ import annotations

import math
import re
from typing import Any

from lokikit.store.integers import read_decimal
from lokikit.store.logql.quoting import quote
from lokikit.store.logql.templates.moments import Moment
from lokikit.store.logql.templates.values import MISSING, format_float, format_value, type_name

_VERB = re.compile(
    r"%(?P<flags>[-+# 0]*)(?:\[(?P<index>\d+)\])?(?P<width>\*|\d+)?"
    r"(?:\.(?P<precision>\*|\d*))?(?:\[(?P<index2>\d+)\])?(?P<verb>.)?",
    re.DOTALL,
)
_MAX_WIDTH = 10_000
_BASES = {"b": "b", "o": "o", "O": "o", "x": "x", "X": "X"}


class _Spec:
    """One verb with its flags."""

    def __init__(self, flags: str, width: int | None, precision: int | None, verb: str) -> None:
        self.left = "-" in flags
        self.plus, self.sharp, self.space = "+" in flags, "#" in flags, " " in flags
        self.zero = "0" in flags and not self.left
        self.width, self.precision, self.verb = width, precision, verb

    def pad(self, text: str) -> str:
        """The text in the width."""
        if self.width is None or len(text) >= self.width:
            return text
        if self.left:
            return text.ljust(self.width)
        return text.rjust(self.width, "0" if self.zero else " ")

    def pad_number(self, sign: str, digits: str) -> str:
        """Sign and digits in the width, zeros between the two."""
        if self.zero and self.width is not None and self.precision is None:
            digits = digits.rjust(self.width - len(sign), "0")
        spaces = _Spec("-" if self.left else "", self.width, None, self.verb)
        return spaces.pad(sign + digits)

    def sign(self, *, negative: bool) -> str:
        """The sign before the digits."""
        if negative:
            return "-"
        return "+" if self.plus else " " if self.space else ""


def go_printf(template: str, arguments: list[Any]) -> str:
    """The text of a format with its arguments."""
    parts: list[str] = []
    position = taken = 0
    reordered = False
    for match in _VERB.finditer(template):
        parts.append(template[position : match.start()])
        position = match.end()
        verb = match["verb"]
        if verb == "%":
            parts.append("%")
            continue
        if verb is None:
            parts.append("%!(NOVERB)")
            continue
        index = match["index"] or match["index2"]
        if index:
            taken, reordered = read_decimal(index) - 1, True
        width, taken = _number(match["width"], arguments, taken)
        precision, taken = _number(match["precision"], arguments, taken)
        flags = match["flags"].replace("+", "") if verb == "v" else match["flags"]
        if width is not None and width < 0:
            flags, width = flags + "-", -width
        spec = _Spec(flags, width, precision, verb)
        if not 0 <= taken < len(arguments):
            parts.append(f"%!{verb}({'BADINDEX' if reordered else 'MISSING'})")
            continue
        parts.append(format_verb(spec, arguments[taken]))
        taken += 1
    parts.append(template[position:])
    if not reordered and taken < len(arguments):
        extra = ", ".join(f"{_typed(one)}" for one in arguments[taken:])
        parts.append(f"%!(EXTRA {extra})")
    return "".join(parts)


def _number(text: str | None, arguments: list[Any], taken: int) -> tuple[int | None, int]:
    if text is None:
        return None, taken
    if text != "*":
        return min(read_decimal(text or "0"), _MAX_WIDTH), taken
    if taken < len(arguments) and isinstance(arguments[taken], int):
        return min(arguments[taken], _MAX_WIDTH), taken + 1
    return None, taken + 1


def _typed(value: Any) -> str:
    if value is None or value is MISSING:
        return "<nil>"
    return f"{type_name(value)}={format_value(value)}"


def format_verb(spec: _Spec, value: Any) -> str:
    """One argument as its verb prints it."""
    verb = spec.verb
    if verb == "T":
        return spec.pad(type_name(value))
    if value is None or value is MISSING:
        return spec.pad("<nil>" if verb == "v" else f"%!{verb}(<nil>)")
    text = _format_kind(spec, value)
    if text is None:
        spec.verb = "v"
        text = f"%!{verb}({type_name(value)}={_format_kind(spec, value)})"
        spec.verb = verb
    return text


def _format_kind(spec: _Spec, value: Any) -> str | None:
    verb = spec.verb
    if isinstance(value, bool):
        return spec.pad(format_value(value)) if verb in "tv" else None
    if isinstance(value, int):
        return _format_int(spec, int(value))
    if isinstance(value, float):
        return _format_float(spec, value)
    if isinstance(value, str):
        return _format_string(spec, value)
    if isinstance(value, Moment):
        return _format_string(spec, str(value)) if verb in "svqxX" else None
    return _format_many(spec, value)


def _format_many(spec: _Spec, value: Any) -> str:
    """Maps and lists: their items by the same verb."""
    if isinstance(value, dict):
        items = (f"{_item(spec, key)}:{_item(spec, value[key])}" for key in sorted(value))
        return f"map[{' '.join(items)}]"
    return f"[{' '.join(_item(spec, one) for one in value)}]"


def _item(spec: _Spec, value: Any) -> str:
    return spec.pad("<nil>") if value is None else format_verb(spec, value)


def _format_int(spec: _Spec, value: int) -> str | None:
    verb, negative, size = spec.verb, value < 0, abs(value)
    if verb in {"d", "v"}:
        digits = str(size)
    elif verb in _BASES:
        digits = format(size, _BASES[verb])
        prefix = {"x": "0x", "X": "0X", "b": "0b", "o": "0"}.get(verb, "0o")
        if spec.sharp or verb == "O":
            return spec.pad_number(spec.sign(negative=negative) + prefix, digits)
    elif verb == "c":
        return spec.pad(_rune(value))
    elif verb == "q":
        return spec.pad(quote(_rune(value), mark="'"))
    elif verb == "U":
        return spec.pad(f"U+{size:04X}")
    else:
        return None
    if spec.precision is not None:
        digits = digits.rjust(spec.precision, "0")
    return spec.pad_number(spec.sign(negative=negative), digits)


def _rune(value: int) -> str:
    return chr(value) if 0 <= value <= 0x10FFFF and not 0xD800 <= value < 0xE000 else "\ufffd"  # noqa: PLR2004 - Unicode's bounds


def _format_float(spec: _Spec, value: float) -> str | None:
    if spec.verb not in "eEfFgGvxXb":
        return None
    sign = spec.sign(negative=math.copysign(1, value) < 0)
    if math.isnan(value) or math.isinf(value):
        text = "NaN" if math.isnan(value) else "Inf"
        sign = sign or ("+" if text == "Inf" else "")
        return _Spec("-" if spec.left else "", spec.width, None, "s").pad(sign + text)
    digits = _float_digits(spec, abs(value))
    padded = _Spec("0" if spec.zero else "", spec.width, None, spec.verb)
    padded.left = spec.left
    return padded.pad_number(sign, digits)


def _float_digits(spec: _Spec, value: float) -> str:
    verb, precision = spec.verb, spec.precision
    if verb in "xXb":
        return _binary_float(verb, value)
    if verb in "fF":
        return f"{value:.{6 if precision is None else precision}f}"
    if verb in "eE":
        return f"{value:.{6 if precision is None else precision}{verb}}"
    if spec.sharp and verb in "gG":
        return f"{value:#.{6 if precision is None else precision or 1}{verb}}"
    if precision is None:
        text = format_float(value)
        return text.upper() if verb == "G" else text
    return f"{value:.{precision or 1}{'G' if verb == 'G' else 'g'}}"


def _binary_float(verb: str, value: float) -> str:
    """The float by a power of two: `%b` with a whole mantissa, `%x` in hexadecimal."""
    if verb == "b":
        mantissa, exponent = math.frexp(value)
        return f"{int(mantissa * 2**53)}p{exponent - 53:+d}"
    digits, _, exponent_text = value.hex().partition("p")
    digits = digits.rstrip("0").removesuffix(".") if "." in digits else digits
    text = f"{digits}p{int(exponent_text):+03d}"
    return text.upper() if verb == "X" else text


def _format_string(spec: _Spec, value: str) -> str | None:
    verb = spec.verb
    if verb == "v" and spec.sharp:
        return spec.pad(quote(value))
    if verb in "sv":
        cut = value if spec.precision is None else value[: spec.precision]
        return spec.pad(cut)
    if verb == "q":
        cut = value if spec.precision is None else value[: spec.precision]
        return spec.pad(
            f"`{cut}`" if spec.sharp and "`" not in cut else quote(cut, ascii_only=spec.plus)
        )
    if verb in "xX":
        data = value.encode()[: spec.precision]
        prefix = "0x" if spec.sharp else ""
        text = f" {prefix}".join(f"{byte:02x}" for byte in data) if spec.space else data.hex()
        text = prefix + text if data else text
        return spec.pad(text.upper() if verb == "X" else text)
    return None
