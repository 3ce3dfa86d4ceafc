from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lokikit.ship.lines import MAX_KEPT_BYTES, Line, LineCutter


def cut(chunks: list[bytes]) -> tuple[list[bytes], list[int]]:
    """The lines of chunks, the last one without its end, and the offsets behind them."""
    cutter = LineCutter()
    lines = [line for chunk in chunks for line in cutter.feed(chunk)]
    rest = cutter.rest()
    lines += [rest] if rest else []
    return [line.raw for line in lines], [line.end for line in lines]


@given(st.lists(st.sampled_from([b"a", b"\r", b"\n", b"bc\n", b"\r\n", b"\0"])))
def test_chunks_do_not_matter(chunks: list[bytes]) -> None:
    """However the bytes are cut into chunks, the lines and their offsets are the same."""
    assert cut(chunks) == cut([b"".join(chunks)])


def test_line_ends() -> None:
    """LF and CRLF end a line, a lone CR does not; offsets stand behind the end."""
    assert cut([b"a\nb\r\n\nc\rd"]) == ([b"a", b"b", b"", b"c\rd"], [2, 5, 6, 9])


def test_unfinished_line_waits() -> None:
    """A line without its end is given only when asked for, and once."""
    cutter = LineCutter(start=10)
    assert cutter.feed(b"half") == []
    assert cutter.rest() == (b"half", 14)
    assert cutter.rest() is None


def test_memory_is_bounded() -> None:
    """Only the beginning of an endless line is kept; offsets count all of it."""
    cutter = LineCutter()
    for _ in range(100):
        assert cutter.feed(b"x" * 100_000) == []
        assert len(cutter._kept) <= MAX_KEPT_BYTES + 1
    ((raw, end), after) = cutter.feed(b"tail\nafter\n")
    assert (len(raw), end) == (MAX_KEPT_BYTES, 10_000_005)
    assert after == (b"after", 10_000_011)


def test_longest_line_kept_whole() -> None:
    """A CRLF line of exactly the bound is whole, whether it comes at once or in parts."""
    data = b"x" * MAX_KEPT_BYTES + b"\r\n"
    assert cut([data])[0] == cut([data[:5], data[5:-1], data[-1:]])[0] == [data[:-2]]


def test_a_byte_order_mark_at_the_beginning_is_no_part_of_the_first_line() -> None:
    """The offsets still count it."""
    cutter = LineCutter()
    assert cutter.feed(b"\xef\xbb") == []
    assert cutter.feed(b'\xbf{"a":1}\nb\n') == [Line(b'{"a":1}', 11), Line(b"b", 13)]


def test_a_byte_order_mark_elsewhere_is_text() -> None:
    assert LineCutter(start=10).feed(b"\xef\xbb\xbfa\n") == [Line(b"\xef\xbb\xbfa", 15)]


def test_nul_bytes_in_front_of_a_line_are_no_part_of_it() -> None:
    """However many there are; those inside a line are."""
    cutter = LineCutter()
    assert cutter.feed(b"\0" * MAX_KEPT_BYTES) == []
    lines = cutter.feed(b'\0\0{"a":1}\n\0\0\nb\0c\n')
    end = MAX_KEPT_BYTES + 10
    assert lines == [Line(b'{"a":1}', end), Line(b"", end + 3), Line(b"b\0c", end + 7)]
