import builtins
import sys
import traceback

import pytest

from lokikit.output import stacktraces
from lokikit.output.stacktraces import format_exception


def by_python(error):
    return "".join(traceback.format_exception(type(error), error, error.__traceback__))


def raised(function, *arguments):
    try:
        function(*arguments)
    except BaseException as error:  # noqa: BLE001 - each test raises its own
        return error
    pytest.fail("nothing was raised")


def fail(depth):
    if depth:
        fail(depth - 1)
    raise ValueError("no such order")


def fail_with_cause():
    try:
        fail(2)
    except ValueError as error:
        raise KeyError("order") from error


def fail_in_handler():
    try:
        fail_with_cause()
    except KeyError:
        return [1 + 1 / 0 for _ in "a"]


def fail_without_context():
    try:
        fail(1)
    except ValueError:
        raise KeyError("order") from None


def fail_with_itself_as_context():
    error = raised(fail, 1)
    error.__context__ = KeyError("cycle")
    error.__context__.__context__ = error
    raise error


def recur(depth):
    return recur(depth + 1)


def recur_by_turns(depth):
    return recur_by_turns(depth + 1) if depth % 2 else -recur_by_turns(depth + 1)


def fail_with_syntax():
    compile("a b", "rules.py", "exec")


def fail_in_str():
    class UnprintableError(Exception):
        def __str__(self):
            raise RuntimeError

    raise UnprintableError


def fail_with_notes():
    error = ValueError("no such order")
    error.__notes__ = ["in the night", "again"]
    raise error


def fail_in_group():
    group = builtins.ExceptionGroup
    raise group("all", [raised(fail, 1), raised(fail_with_cause), group("in", [raised(fail, 2)])])


FAILING = [
    *(fail_with_cause, fail_in_handler, fail_without_context, fail_with_itself_as_context),
    *(fail_with_syntax, fail_in_str, fail_with_notes),
]


@pytest.mark.parametrize("function", FAILING)
def test_the_text_is_pythons_the_first_time_and_later(function):
    error = raised(function)
    expected = by_python(error)
    assert [format_exception(error, error.__traceback__) for _ in range(2)] == [expected] * 2


@pytest.mark.skipif(sys.version_info < (3, 11), reason="groups came with Python 3.11")
def test_a_group_has_the_stacks_of_its_members():
    error = raised(fail_in_group)
    assert format_exception(error, error.__traceback__) == by_python(error)


@pytest.mark.parametrize("function", [recur, recur_by_turns])
def test_a_recursion_is_shown_as_python_shows_it(function):
    """In part, with the number of its repeats, also where the lines differ in their columns."""
    error = raised(function, 0)
    assert format_exception(error, error.__traceback__) == by_python(error)


@pytest.mark.parametrize("limit", [2, 0, -1])
def test_the_limit_of_a_program_holds(limit, monkeypatch):
    monkeypatch.setattr(sys, "tracebacklimit", limit, raising=False)
    error = raised(fail, 5)
    assert format_exception(error, error.__traceback__) == by_python(error)


def test_an_exception_that_was_never_raised_has_no_stack():
    assert format_exception(ValueError("new"), None) == "ValueError: new\n"


def test_equal_code_of_two_files_keeps_its_file():
    """As of templates: Python holds both for equal, as the name of the file is no part of it."""
    texts = []
    for file in ("first.html", "second.html"):
        error = raised(exec, compile("raise ValueError", file, "exec"))
        texts.append(format_exception(error, error.__traceback__))
    assert 'File "first.html", line 1' in texts[0]
    assert 'File "second.html", line 1' in texts[1]


def test_the_known_places_are_bounded(monkeypatch):
    monkeypatch.setattr(stacktraces, "_MAX_CACHED", 3)
    for number in range(10):
        error = raised(exec, compile("raise ValueError", f"{number}.py", "exec"))
        assert format_exception(error, error.__traceback__) == by_python(error)
    assert len(stacktraces._entries) <= 3


def test_the_text_of_a_huge_line_is_not_kept(monkeypatch, tmp_path):
    """As of a module that a program wrote."""
    monkeypatch.setattr(stacktraces, "_entries", {})
    file = tmp_path / "generated.py"
    file.write_text(f"raise ValueError('{'x' * 5000}')")
    error = raised(exec, compile(file.read_text(), str(file), "exec"))
    assert format_exception(error, error.__traceback__) == by_python(error)
    assert not [entry for entry in stacktraces._entries.values() if str(file) in entry.text]
