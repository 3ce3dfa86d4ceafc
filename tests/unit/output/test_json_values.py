import dataclasses
import enum
import json
import logging
import math
import sqlite3
import uuid
from collections import ChainMap, OrderedDict, UserDict, deque, namedtuple
from collections.abc import Mapping
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from email.message import Message
from pathlib import PurePosixPath
from types import MappingProxyType, SimpleNamespace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lokikit.fields import REDACTED
from lokikit.output.json_formatter import JsonFormatter
from lokikit.output.json_values import (
    CYCLE,
    MAX_DEPTH,
    TOO_DEEP,
    TOO_MANY,
    json_value,
)
from lokikit.output.redaction import SecretNames, mask_url_passwords


class _Colour(enum.Enum):
    RED = "red"


class _Number(enum.IntEnum):
    ONE = 1


class _Raises:
    def __str__(self):
        raise RuntimeError


@dataclasses.dataclass
class _User:
    name: str
    password: str


class _NumpyLike:
    """What `numpy.int64(5)` looks like."""

    dtype = "int64"
    size = 1

    def tolist(self):
        return 5


_Point = namedtuple("_Point", "x y")  # noqa: PYI024 - the untyped kind, as users have it


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (math.nan, "NaN"),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
        (2**64, str(2**64)),
        (-(2**63) - 1, str(-(2**63) - 1)),
        (2**64 - 1, 2**64 - 1),
        ("a\ud800b", "a\ufffdb"),
        (b"ab\xff", "ab\\xff"),
        (bytearray(b"ab"), "ab"),
        (datetime(2026, 11, 21, 10, tzinfo=timezone.utc), "2026-11-21T10:00:00+00:00"),
        (date(2026, 11, 21), "2026-11-21"),
        (timedelta(hours=1), "1:00:00"),
        (Decimal("1.10"), "1.10"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (PurePosixPath("/a/b"), "/a/b"),
        (_Colour.RED, "red"),
        (_Number.ONE, 1),
        (_User("ann", "x"), {"name": "ann", "password": REDACTED}),
        (_User, str(_User)),
        (_NumpyLike(), 5),
        (_Point(1, 2), [1, 2]),
        ({1}, [1]),
        (OrderedDict(a=1), {"a": 1}),
        (ValueError("no"), "ValueError: no"),
        (1 + 2j, "(1+2j)"),
        (True, True),
        (None, None),
    ],
)
def test_a_value_has_a_form_in_json(value, expected):
    """One case per kind of value that services log."""
    assert json_value(value, SecretNames()) == expected


def test_what_cannot_be_turned_into_text_says_so():
    """An object whose `__str__` raises names its class and the error."""
    written = json_value(_Raises(), SecretNames())
    assert "_Raises" in written
    assert "RuntimeError" in written


@pytest.mark.parametrize(
    ("key", "name"),
    [(1, "1"), (None, "None"), (b"k", "k"), ((1, 2), "(1, 2)"), (_Colour.RED, "red")],
)
def test_keys_become_strings(key, name):
    """Of whatever type they are."""
    assert json_value({key: 0}, SecretNames()) == {name: 0}


def test_keys_that_become_equal_stay_apart():
    """The later one gets a suffix."""
    assert json_value({1: "a", "1": "b"}, SecretNames()) == {"1": "a", "1_": "b"}


def test_secrets_are_replaced_at_any_depth():
    """In dicts inside lists inside dicts."""
    value = {"users": [{"Auth-Token": "x", "name": "ann", "more": ({"pwd": "x"},)}]}
    assert json_value(value, SecretNames()) == {
        "users": [{"Auth-Token": REDACTED, "name": "ann", "more": [{"pwd": REDACTED}]}]
    }


def test_a_cycle_is_named():
    """Where a container holds itself."""
    value = {"a": []}
    value["a"].append(value)
    assert json_value(value, SecretNames()) == {"a": [CYCLE]}


def test_a_container_seen_twice_is_no_cycle():
    """Side by side it is written twice."""
    shared = [1]
    assert json_value([shared, shared], SecretNames()) == [[1], [1]]


def test_depth_is_bounded():
    """A list nested 10,000 deep ends after `MAX_DEPTH` levels."""
    value = []
    for _ in range(10_000):
        value = [value]
    written = json.dumps(json_value(value, SecretNames()))
    assert written.count("[") == MAX_DEPTH + 1
    assert TOO_DEEP in written


def test_the_number_of_values_is_bounded():
    """A list of a million numbers is cut and says so."""
    written = json_value(list(range(1_000_000)), SecretNames())
    assert len(written) < 30_000
    assert written[-1] == TOO_MANY


def test_a_generator_is_not_consumed():
    """Logging it must not change what the program does next."""
    numbers = iter([1, 2])
    json_value(numbers, SecretNames())
    assert list(numbers) == [1, 2]


class _Settings(Mapping):
    """A mapping of somebody's own."""

    def __init__(self, **values):
        self._values = values

    def __getitem__(self, key):
        return self._values[key]

    def __iter__(self):
        return iter(self._values)

    def __len__(self):
        return len(self._values)


class _Slots:
    __slots__ = ("_password", "user")

    def __init__(self, user, password):
        self.user, self._password = user, password

    def __repr__(self):
        return f"{self.user}:{self._password}"


class _Outer:
    """Shows what another object inside it shows."""

    def __init__(self, *inner):
        self.inner = inner

    @property
    def password(self):
        raise SystemExit

    def __repr__(self):
        return f"Outer({self.inner})"


class _Foreign:
    """Shows fields that it does not store where Python can read them."""

    __slots__ = ()

    def __repr__(self):
        return "Foreign(user='ann', password='hunter2')"


class _Attrs:
    """What attrs makes of a class."""

    __attrs_attrs__ = (
        SimpleNamespace(name="user", repr=True),
        SimpleNamespace(name="password", repr=True),
        SimpleNamespace(name="hidden", repr=False),
    )

    def __init__(self):
        self.user, self.password, self.hidden = "ann", "hunter2", "hunter2"


@dataclasses.dataclass
class _Hidden:
    user: str
    key: str = dataclasses.field(repr=False)


@dataclasses.dataclass(slots=True)
class _SlotsData:
    user: str
    password: str


def _headers():
    message = Message()
    message["Authorization"] = "hunter2"
    message["user"] = "ann"
    return message


_Login = namedtuple("_Login", "user password")  # noqa: PYI024 - both kinds are tested
_SECRET = {"user": "ann", "password": "hunter2"}
_SAFE = {"user": "ann", "password": REDACTED}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (OrderedDict(_SECRET), _SAFE),
        (MappingProxyType(_SECRET), _SAFE),
        (ChainMap(_SECRET), _SAFE),
        (UserDict(_SECRET), _SAFE),
        (_Settings(**_SECRET), _SAFE),
        (_headers(), {"Authorization": REDACTED, "user": "ann"}),
        ({b"password": b"hunter2"}, {"password": REDACTED}),
        (SimpleNamespace(**_SECRET), _SAFE),
        (_Login("ann", "hunter2"), ["ann", REDACTED]),
        (_SlotsData("ann", "hunter2"), _SAFE),
        (_Hidden("ann", "hunter2"), {"user": "ann"}),
        (_Attrs(), _SAFE),
        (_Slots("ann", "hunter2"), {"_password": REDACTED, "user": "ann"}),
        (_Outer(_SECRET), {"inner": [_SAFE]}),
        (_Foreign(), f"Foreign(user='ann', password='{REDACTED}')"),
        (deque([_SECRET]), [_SAFE]),
        ({1: _SECRET}.values(), [_SAFE]),
        (_SECRET.items(), [["user", "ann"], ["password", REDACTED]]),
        ([("Authorization", "hunter2"), ("a", "b")], [["Authorization", REDACTED], ["a", "b"]]),
        ([[b"cookie", b"hunter2"]], [["cookie", REDACTED]]),
        (("password", "hunter2"), ["password", REDACTED]),
        ({"name": "DB_PASSWORD", "value": "hunter2"}, {"name": "DB_PASSWORD", "value": REDACTED}),
        (ValueError(_SECRET), f"ValueError: {{'user': 'ann', 'password': '{REDACTED}'}}"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_secrets_are_found_in_whatever_holds_fields(value, expected):
    assert json_value([value], SecretNames()) == [expected]


def test_secrets_of_pydantic_models_are_found():
    pydantic = pytest.importorskip("pydantic")

    class User(pydantic.BaseModel, extra="allow"):
        user: str
        password: str
        hidden: str = pydantic.Field("hunter2", repr=False)

    model = User(user="ann", password="hunter2", api_key="hunter2")  # noqa: S106 - to be found
    assert json_value(model, SecretNames()) == {**_SAFE, "api_key": REDACTED}


def test_secrets_of_pydantic_1_models_are_found():
    pydantic = pytest.importorskip("pydantic.v1")

    class User(pydantic.BaseModel):
        user: str
        password: str

    assert json_value(User(**_SECRET), SecretNames()) == _SAFE


def test_an_object_that_shows_no_secret_is_its_text():
    assert json_value(_Outer(1), SecretNames()) == "Outer((1,))"


def test_a_list_of_names_is_no_pair():
    assert json_value(["password", "email"], SecretNames()) == ["password", "email"]


@pytest.mark.parametrize(
    ("unit", "time", "duration"),
    [
        ("Y", "1975", "P5Y"),
        ("M", "1970-06", "P5M"),
        ("W", "1970-02-05", "P5W"),
        ("D", "1970-01-06", "P5D"),
        ("h", "1970-01-01T05", "PT5H"),
        ("m", "1970-01-01T00:05", "PT5M"),
        ("s", "1970-01-01T00:00:05", "PT5S"),
        ("ms", "1970-01-01T00:00:00.005", "PT0.005S"),
        ("us", "1970-01-01T00:00:00.000005", "PT0.000005S"),
        ("ns", "1970-01-01T00:00:00.000000005", "PT0.000000005S"),
    ],
)
def test_times_of_numpy_are_iso_text(unit, time, duration):
    """Of every unit, alone and in arrays."""
    numpy = pytest.importorskip("numpy")
    values = [numpy.datetime64(5, unit), numpy.timedelta64(5, unit)]
    arrays = [numpy.array([value]) for value in values]
    assert json_value(values, SecretNames()) == [time, duration]
    assert json_value(arrays, SecretNames()) == [[time], [duration]]


def test_no_time_of_numpy_is_null():
    numpy = pytest.importorskip("numpy")
    assert json_value(numpy.datetime64("NaT"), SecretNames()) is None


def test_secrets_of_numpy_records_are_found():
    numpy = pytest.importorskip("numpy")
    kinds = [("user", "U9"), ("password", "U9")]
    assert json_value(numpy.array([("ann", "hunter2")], kinds), SecretNames()) == [_SAFE]


_ANY_TEXT = st.text(st.characters(exclude_categories=()))
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=2**62, max_value=2**70)
    | st.floats()
    | st.complex_numbers()
    | _ANY_TEXT
    | st.binary()
    | st.decimals()
    | st.fractions()
    | st.dates()
    | st.datetimes()
    | st.timedeltas()
    | st.uuids()
    | st.sampled_from([_Colour.RED, _Number.ONE, _Raises(), _User("a", "b"), _NumpyLike(), object])
)
_KEYS = st.none() | st.booleans() | st.integers() | st.floats() | _ANY_TEXT | st.binary()
ANY_VALUE = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(_KEYS, inner)
        | st.frozensets(_KEYS)
    ),
    max_leaves=20,
)
"""Whatever somebody may put into `extra=`."""


@given(ANY_VALUE)
def test_whatever_the_value_is_orjson_writes_it(value):
    """And never as a null or a raw NaN that was not there."""
    assert orjson.loads(orjson.dumps(json_value(value, SecretNames()))) is not ...


def test_row_of_a_database_has_the_names_of_its_columns():
    """A row of SQLite counts as a sequence, and hides the names among which a secret may be."""
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    row = connection.execute("SELECT 'ann' AS user, 'x' AS password").fetchone()
    connection.close()
    expected = {"user": "ann", "password": REDACTED}
    assert json_value({"row": row, "rows": [row]}, SecretNames()) == {
        "row": expected,
        "rows": [expected],
    }


_NAMES = st.sampled_from(["id", "name", "value", "password", "dbPassword", "token", "tokens", "ä"])
_NAMED_VALUES = st.recursive(
    _SCALARS | _NAMES,
    lambda inner: (
        st.lists(inner)
        | st.tuples(_NAMES, inner).map(list)
        | st.tuples(_NAMES, inner)
        | st.dictionaries(_NAMES | _KEYS, inner)
    ),
    max_leaves=20,
)


FORMATTER = JsonFormatter(service="api")


def _written(**fields):
    record = logging.makeLogRecord({"msg": "m", **fields})
    return orjson.loads(FORMATTER.render(record))


@given(ANY_VALUE | _NAMED_VALUES)
def test_a_value_that_orjson_gets_as_it_is_looks_like_a_converted_one(value):
    converted = {"v": json_value(value, SecretNames())}
    assert _written(v=value)["v"] == orjson.loads(mask_url_passwords(orjson.dumps(converted)))["v"]


@pytest.mark.parametrize(
    "value",
    [
        {"a": {"password": "hunter2"}},
        [{"name": "password", "value": "hunter2"}],
        [[["password", "hunter2"]]],
        {"a": [[["token", "hunter2"]]]},
    ],
    ids=["key", "named value", "pair", "pair in a mapping"],
)
def test_a_secret_deep_inside_is_replaced_beside_plain_values(value):
    for _ in range(2):  # the second time its names are known
        line = _written(plain={"a": [{"id": 1}]}, v=value)
        assert line["plain"] == {"a": [{"id": 1}]}
        assert "hunter2" not in str(line["v"])


def test_a_list_that_holds_itself_many_times_is_bounded():
    value = [1]
    for _ in range(40):
        value = [value, value]
    assert len(orjson.dumps(_written(v=value))) < 1_000_000
