"""String functions of templates; positions count bytes where Go counts bytes."""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import quote_plus

from lokikit.store.logql.json_parser import GO_SPACE
from lokikit.store.logql.templates.values import TemplateProblem

_MAX_CHARS = 1 << 20
"""The longest text that padding, repeating or replacing may make of a line."""
_ESCAPED = re.compile(r"%(..)?", re.DOTALL)


def upper(text: str) -> str:
    """The text in upper case, character by character, as Go does it."""
    return text.upper() if text.isascii() else "".join(map(_upper_char, text))


def _upper_char(char: str) -> str:
    raised = char.upper()
    return raised if len(raised) == 1 else char


def lower(text: str) -> str:
    """The text in lower case, character by character, as Go does it."""
    return text.lower() if text.isascii() else "".join(char.lower()[0] for char in text)


def title(text: str) -> str:
    """The text with each word's first letter in upper case."""
    parts, before = [], " "
    for char in text:
        parts.append(_title_case(char) if _separates(before) else char)
        before = char
    return "".join(parts)


def _title_case(char: str) -> str:
    titled = char.title()
    return titled if len(titled) == 1 else char


def _separates(char: str) -> bool:
    if char.isascii():
        return not (char.isalnum() or char == "_")
    return not char.isalnum() and char in GO_SPACE


def trunc(size: int, text: str) -> str:
    """The first bytes, or with a negative size the last."""
    data = text.encode()
    if size < 0 and len(data) + size > 0:
        return data[size:].decode("utf-8", "replace")
    return data[:size].decode("utf-8", "replace") if 0 <= size < len(data) else text


def substr(start: int, end: int, text: str) -> str:
    """The bytes between two positions.

    Raises:
        TemplateProblem: the positions lie outside of the text.
    """
    data = text.encode()
    size = len(data)
    if start < 0:
        if not 0 <= end <= size:
            raise _out_of_range(f"[:{end}]" + (f" with length {size}" if end > size else ""))
        return data[:end].decode("utf-8", "replace")
    high = end if 0 <= end <= size else size
    if start > high:
        raise _out_of_range(f"[{start}:{high}]")
    return data[start:high].decode("utf-8", "replace")


def _out_of_range(bounds: str) -> TemplateProblem:
    return TemplateProblem(f"runtime error: slice bounds out of range {bounds}")


def align_left(count: int, text: str) -> str:
    """The text in a fixed width, at its left."""
    _check_size(count)
    return text if count < 0 else text[:count].ljust(count)


def align_right(count: int, text: str) -> str:
    """The text in a fixed width, at its right."""
    _check_size(count)
    return text if count < 0 else text[max(len(text) - count, 0) :].rjust(count)


def repeat(count: int, text: str) -> str:
    """The text, repeated `count` times.

    Raises:
        TemplateProblem: the count is negative, or the result beyond a mebibyte.
    """
    if count < 0:
        raise TemplateProblem("strings: negative Repeat count")
    _check_size(count * len(text))
    return text * count


def indent(spaces: int, text: str) -> str:
    """Each line, indented by a number of spaces."""
    pad = repeat(spaces, " ")
    return pad + replace("\n", f"\n{pad}", text)


def nindent(spaces: int, text: str) -> str:
    """As `indent`, behind a line break."""
    return f"\n{indent(spaces, text)}"


def replace(old: str, new: str, text: str) -> str:
    """The text with all occurrences replaced."""
    return replace_some(text, old, new, -1)


def _check_size(size_chars: int) -> None:
    if size_chars > _MAX_CHARS:
        raise TemplateProblem("strings: the text would be too long")


def replace_some(text: str, old: str, new: str, count: int) -> str:
    """The text with the first `count` occurrences replaced; all for a negative count."""
    times = text.count(old)
    _check_size((times if count < 0 else min(count, times)) * len(new))
    return text.replace(old, new, count if count >= 0 else -1)


def trim_space(text: str) -> str:
    """The text without white space at its ends."""
    return text.strip(GO_SPACE)


def strip(text: str, chars: str) -> str:
    """The text without these characters at its ends."""
    return text.strip(chars) if chars else text


def strip_left(text: str, chars: str) -> str:
    """The text without these characters at its begin."""
    return text.lstrip(chars) if chars else text


def strip_right(text: str, chars: str) -> str:
    """The text without these characters at its end."""
    return text.rstrip(chars) if chars else text


def b64enc(text: str) -> str:
    """The text in Base64."""
    return base64.b64encode(text.encode()).decode()


def b64dec(text: str) -> str:
    """The text of Base64, or the problem of invalid Base64."""
    plain = text.replace("\r", "").replace("\n", "")
    try:
        return base64.b64decode(plain, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return f"illegal base64 data at input byte {_break(text, plain)}"


def _break(text: str, plain: str) -> int:
    """The byte at which Base64 breaks: the first foreign byte, or the start of the last quantum."""
    valid = re.match(r"[A-Za-z0-9+/]*(?:=+(?=$))?", plain)
    position = valid.end() if valid else 0
    if position == len(plain) and plain[-1:] != "=":
        position = position // 4 * 4
    at_byte = 0
    for at_byte, char in enumerate(text):
        if position == 0 and char not in "\r\n":
            return at_byte
        position -= char not in "\r\n"
    return len(text)


def urlencode(text: str) -> str:
    """The text as a part of a query."""
    return quote_plus(text, safe="~")


def urldecode(text: str) -> str:
    """The text of a part of a query.

    Raises:
        TemplateProblem: an escape in it is invalid.
    """
    data = bytearray()
    position = 0
    for match in _ESCAPED.finditer(text):
        data += text[position : match.start()].replace("+", " ").encode()
        position = match.end()
        if match[1] is None or not re.fullmatch(r"[0-9a-fA-F]{2}", match[1]):
            raise TemplateProblem(f'invalid URL escape "%{text[match.start() + 1 :][:2]}"')
        data.append(int(match[1], 16))
    data += text[position:].replace("+", " ").encode()
    return data.decode("utf-8", "replace")


_HTML = {"\0": "\ufffd", '"': "&#34;", "'": "&#39;", "&": "&amp;", "<": "&lt;", ">": "&gt;"}


def html_escape(text: str) -> str:
    """The text for HTML."""
    return "".join(_HTML.get(char, char) for char in text)


_JS = {
    "\\": "\\\\",
    "'": "\\'",
    '"': '\\"',
    "<": "\\u003C",
    ">": "\\u003E",
    "&": "\\u0026",
    "=": "\\u003D",
}


def js_escape(text: str) -> str:
    """The text for a string of JavaScript."""
    parts = []
    for char in text:
        if char in _JS:
            parts.append(_JS[char])
        elif char < " " or (not char.isascii() and not char.isprintable()):
            parts.append(f"\\u{ord(char):04X}")
        else:
            parts.append(char)
    return "".join(parts)
