import pytest

from lokikit.store.api.label_text import parse_labels
from lokikit.store.errors import PushError
from lokikit.store.logql.quoting import format_labels


def test_labels_are_written_in_order():
    assert format_labels({"b": 'x"y', "a": "1"}) == '{a="1", b="x\\"y"}'


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("{}", {}),
        ('{a="b"}', {"a": "b"}),
        (' { a = "b" , c="d", } ', {"a": "b", "c": "d"}),
        ('{a="x\\"y\\\\z\\n"}', {"a": 'x"y\\z\n'}),
        (r'{a="\x41\u00e9\101\U0001F600\a"}', {"a": "A\u00e9A\U0001f600\a"}),
        ("{a=`b\\n`}", {"a": "b\\n"}),
        ('{json="x", by="y"}', {"json": "x", "by": "y"}),
        (r'{a="\xc3\xa9\xff"}', {"a": "\u00e9\ufffd"}),
        ("""{"a"="b", 'c'='d"e'}""", {"a": "b", "c": 'd"e'}),
    ],
)
def test_labels_are_read(text, labels):
    assert parse_labels(text) == labels


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "{",
        '{a="b"',
        "{a}",
        "{a=b}",
        '{a="b" c="d"}',
        '{-="b"}',
        '{a="b}',
        r'{a="\z"}',
        r'{a="\u00zz"}',
        r'{a="\400"}',
        r'{a="\ud800"}',
        '{a="\\\'"}',
        '{"a.b"="c"}',
        '{a="\ufffd"}',
    ],
)
def test_wrong_labels_are_refused(text):
    with pytest.raises(PushError, match="couldn't parse labels"):
        parse_labels(text)


def test_a_name_that_comes_twice_is_refused():
    with pytest.raises(PushError, match="has duplicate label name: 'a'"):
        parse_labels('{a="1",a="1"}')
