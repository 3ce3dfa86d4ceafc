import json

from hypothesis import given
from hypothesis import strategies as st

from lokikit.fields import MESSAGE, STACKTRACE, TIMESTAMP, TRUNCATED
from lokikit.output.truncation import cut_line

_STAMP = "2026-11-21T10:00:00.000000Z"


def test_a_long_message_is_cut_at_its_end():
    """Its beginning stays, the other fields stay whole, the line is as long as it may be."""
    line = cut_line({TIMESTAMP: _STAMP, MESSAGE: "abc" * 1000, "user": 7}, 1000)
    fields = json.loads(line)
    assert 900 < len(line) <= 1000
    assert fields[TIMESTAMP] == _STAMP
    assert fields["user"] == 7
    assert fields[TRUNCATED] is True
    assert ("abc" * 1000).startswith(fields[MESSAGE])


def test_of_a_stacktrace_the_end_stays():
    """The raise stands there."""
    fields = json.loads(cut_line({MESSAGE: "m", STACKTRACE: "x" * 5000 + "ValueError: no"}, 1000))
    assert fields[STACKTRACE].endswith("ValueError: no")


def test_fields_of_the_contract_come_before_foreign_ones():
    """A huge extra does not shorten the message."""
    fields = json.loads(cut_line({MESSAGE: "m" * 500, "big": "x" * 9000}, 1000))
    assert fields[MESSAGE] == "m" * 500


def test_of_very_many_fields_some_stay():
    """A hundred thousand small fields fill half of the line, the rest is left out."""
    many = {f"key{number}": number for number in range(100_000)}
    line = cut_line({MESSAGE: "m", **many}, 10_000)
    assert 4_500 < len(line) <= 10_000
    assert json.loads(line)[MESSAGE] == "m"


@given(
    st.dictionaries(st.text(max_size=20), st.text() | st.lists(st.integers(0, 9)), max_size=20),
    st.text(alphabet='"\\\n\x01ä😀x', min_size=200, max_size=5000),
)
def test_whatever_is_cut_is_valid_and_short_enough(fields, message):
    """Escapes and wide characters included."""
    line = cut_line({TIMESTAMP: _STAMP, **fields, MESSAGE: message}, 2000)
    assert len(line) <= 2000
    assert json.loads(line)[TRUNCATED] is True
    assert json.loads(line)[TIMESTAMP] == _STAMP
