import copy
import logging
import pickle
import threading
from collections import UserDict
from types import MappingProxyType

import pytest

from lokikit.output.context import bound
from lokikit.output.log_record import Record, given_fields, install_records


def added_attributes(record):
    given, names = given_fields(record)
    return {name: given[name] for name in names}


@pytest.fixture
def logger():
    """A logger that keeps its records, once records are installed."""
    before = logging.Logger.makeRecord
    install_records()
    logger = logging.getLogger("tests.records")
    logger.propagate = False
    logger.records = []
    handler = logging.Handler()
    handler.emit = logger.records.append
    logger.addHandler(handler)
    yield logger
    logger.removeHandler(handler)
    logging.Logger.makeRecord = before


def _logged(logger, *args, **kwargs):
    logger.error(*args, **kwargs)
    return logger.records[-1]


def test_a_record_has_the_attributes_of_a_stdlib_record(logger):
    """Same names, same order, same values, on every Python."""
    ours = vars(_logged(logger, "m %s", 1, extra={"a": 1}))
    theirs = vars(
        logging.LogRecord(
            logger.name, 40, ours["pathname"], ours["lineno"], "m %s", (1,), None, ours["funcName"]
        )
    )
    assert list(ours) == [*theirs, "a"]
    clocked = {"created", "msecs", "relativeCreated", "a"}
    assert {n: v for n, v in ours.items() if n not in clocked} == {
        n: v for n, v in theirs.items() if n not in clocked
    }
    assert 0 <= theirs["created"] - ours["created"] < 60
    assert 0 <= theirs["relativeCreated"] - ours["relativeCreated"] < 60_000
    assert int(ours["msecs"]) == int(ours["created"] * 1000) % 1000


def test_the_thread_is_the_one_that_logs(logger):
    """Its number and its name."""
    thread = threading.Thread(target=lambda: logger.error("m"), name="worker-7")
    thread.start()
    thread.join()
    assert logger.records[-1].threadName == "worker-7"
    assert logger.records[-1].thread != threading.get_ident()


def test_one_mapping_as_argument_is_formatted_by_name(logger):
    """As in the stdlib."""
    assert _logged(logger, "%(a)s", {"a": 5}).getMessage() == "5"


@pytest.mark.parametrize("name", ["message", "asctime", "name", "args", "msg", "levelname"])
def test_an_extra_with_the_name_of_an_attribute_is_renamed(logger, name):
    """Where the stdlib raises KeyError into the caller."""
    assert added_attributes(_logged(logger, "m", extra={name: 1})) == {f"{name}_": 1}


def test_a_renamed_extra_overwrites_no_other(logger):
    """It takes the next free name."""
    record = _logged(logger, "m", extra={"name_": 1, "name": 2})
    assert added_attributes(record) == {"name_": 1, "name__": 2}


def test_an_extra_that_is_no_dict_is_kept(logger):
    """Under the name `extra`."""
    assert added_attributes(_logged(logger, "m", extra=[1])) == {"extra": [1]}


@pytest.mark.parametrize(
    "extra", [MappingProxyType({"user": "u", "name": 1}), UserDict({"user": "u", "name": 1})]
)
def test_an_extra_of_another_mapping_type_is_spread(logger, extra):
    """A kept handler with `%(user)s` finds it on the record."""
    record = _logged(logger, "m", extra=extra)
    assert added_attributes(record) == {"user": "u", "name_": 1}
    assert logging.Formatter("%(user)s").format(record) == "u"


def test_a_wrapper_of_the_record_fields_sees_no_extra_that_the_stdlib_refuses():
    """As ddtrace's wrapt patch does: a wrapper object, whatever stood there inside it."""
    before = logging.Logger.makeRecord
    try:
        for wrap_first in (True, False):
            logging.Logger.makeRecord = before
            if wrap_first:
                logging.Logger.makeRecord = _Wrapt(before)
                install_records()
            else:
                install_records()
                logging.Logger.makeRecord = _Wrapt(logging.Logger.makeRecord)
                install_records()
            made = logging.getLogger("x").makeRecord(
                "x", 20, "p", 1, "m", (), None, None, {"name": 1, "a": 2}
            )
            assert added_attributes(made) == {"name_": 1, "a": 2, "dd.trace_id": "0"}
    finally:
        logging.Logger.makeRecord = before


class _Wrapt:
    """A `wrapt.FunctionWrapper` in short: a descriptor that passes attributes on."""

    def __init__(self, wrapped):
        object.__setattr__(self, "__wrapped__", wrapped)

    def __getattr__(self, name):
        return getattr(object.__getattribute__(self, "__wrapped__"), name)

    def __setattr__(self, name, value):
        setattr(object.__getattribute__(self, "__wrapped__"), name, value)

    def __get__(self, instance, owner):
        if instance is None:
            return self

        def bound_function(*args, **kwargs):
            record = object.__getattribute__(self, "__wrapped__")(instance, *args, **kwargs)
            setattr(record, "dd.trace_id", "0")
            return record

        return bound_function

    def __call__(self, instance, *args, **kwargs):
        return self.__get__(instance, type(instance))(*args, **kwargs)


def test_what_a_filter_adds_is_found(logger):
    """And what it changes."""
    record = _logged(logger, "m", extra={"a": 1})
    record.b = 2
    assert added_attributes(record) == {"a": 1, "b": 2}


def test_what_a_filter_changes_is_found(logger):
    """The record's attribute counts, not what the caller gave."""
    record = _logged(logger, "m", extra={"a": 1})
    record.a = 2
    assert added_attributes(record) == {"a": 2}


def test_what_a_formatter_sets_is_not_found(logger):
    """A plain formatter that ran before leaves `message` and `asctime` behind."""
    record = _logged(logger, "m", extra={"a": 1})
    logging.Formatter("%(asctime)s %(message)s").format(record)
    assert added_attributes(record) == {"a": 1}


def test_what_is_bound_stays_with_the_record(logger):
    """Also when a queue hands it to another thread; `extra=` wins over context."""
    with bound(a=1, b=2, name="n"):
        record = _logged(logger, "m", extra={"b": 3})
    assert added_attributes(record) == {"a": 1, "b": 3, "name_": "n"}


def test_the_callers_dict_is_not_changed(logger):
    """Neither by the record nor through it."""
    extra = {"a": 1, "name": 2}
    _logged(logger, "m", extra=extra)
    assert extra == {"a": 1, "name": 2}


def test_a_record_can_be_copied_and_pickled(logger):
    """As queue handlers do."""
    record = _logged(logger, "m %s", 1, extra={"a": 1})
    for twin in (copy.copy(record), pickle.loads(pickle.dumps(record))):  # noqa: S301 - our own
        assert added_attributes(twin) == {"a": 1}
        assert twin.getMessage() == "m 1"


def test_a_record_factory_goes_on_making_the_records(logger):
    """Of a program that set its own."""

    class Own(logging.LogRecord):
        pass

    before = logging.getLogRecordFactory()
    logging.setLogRecordFactory(Own)
    try:
        record = _logged(logger, "m", extra={"a": 1, "name": 2})
    finally:
        logging.setLogRecordFactory(before)
    assert type(record) is Own
    assert added_attributes(record) == {"a": 1, "name_": 2}


def test_somebody_elses_make_record_still_makes_the_records():
    """A tracer that replaced the method before sees each call, without what it would refuse."""
    before = logging.Logger.makeRecord
    seen = []

    def theirs(*args, **kwargs):
        record = before(*args, **kwargs)
        seen.append(record)
        return record

    logging.Logger.makeRecord = theirs
    try:
        install_records()
        made = logging.getLogger("x").makeRecord(
            "x", 20, "p", 1, "m", (), None, extra={"name": 1, "a": 2}
        )
    finally:
        logging.Logger.makeRecord = before
    assert seen == [made]
    assert added_attributes(made) == {"name_": 1, "a": 2}


def test_a_tracer_that_replaces_the_method_later_is_called_too(logger):
    """Either order of import works; what it adds is on the line."""
    ours = logging.Logger.makeRecord

    def theirs(*args, **kwargs):
        record = ours(*args, **kwargs)
        record.dd_trace = "t1"
        return record

    logging.Logger.makeRecord = theirs
    install_records()
    with bound(a=1):
        record = _logged(logger, "m", extra={"name": 2})
    assert added_attributes(record) == {"a": 1, "name_": 2, "dd_trace": "t1"}


def test_installed_twice_is_once(logger):
    """The second call finds its own method."""
    method = logging.Logger.makeRecord
    install_records()
    assert logging.Logger.makeRecord is method
    assert type(_logged(logger, "m")) is Record
