from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

import lokikit
from lokikit import fields as f
from lokikit.output.context import bound_fields

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

Lines = "Callable[[], list[dict[str, Any]]]"


def actions(lines: list[dict[str, Any]]) -> list[str]:
    """Their actions, once it is sure that they are of one run."""
    assert len({line[f.TASK_ID] for line in lines}) == 1
    return [line[f.ACTION] for line in lines]


def test_a_block_is_told_twice(lines: Lines) -> None:
    """When it begins and when it ends, with name, id, fields of its own and the place."""
    with lokikit.task("send-invoices", customer=7) as run:
        logging.getLogger("shop").critical("inside")
    first, inside, last = lines()
    assert actions([first, last]) == ["run", "success"]
    for line in (first, inside, last):
        assert (line[f.TASK_NAME], line["customer"]) == ("send-invoices", 7)
        assert line[f.TASK_ID] == run.task_id
        assert "test_task.py" in line[f.CALLER]
    assert set(f.TASK_FIELDS) - set(last) == set()
    assert set(f.TASK_FIELDS) - set(first) == {f.END, f.RUNTIME_S}
    assert first[f.START] == last[f.START] < last[f.END]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", last[f.END])
    assert bound_fields() == {}


def test_a_failure_is_told_and_raised_on(lines: Lines) -> None:
    """The line is an error with exception and stacktrace."""
    with pytest.raises(ValueError, match="no rate"), lokikit.task("t"):
        raise ValueError("no rate")
    _, last = lines()
    assert (last[f.ACTION], last[f.LEVEL]) == ("fail", "error")
    assert (last[f.EXC_TYPE], last[f.EXC_MESSAGE]) == ("ValueError", "no rate")
    assert 'raise ValueError("no rate")' in last[f.STACKTRACE]


@pytest.mark.parametrize(
    ("ending", "action"),
    [(lokikit.TaskInaction("nothing new"), "inaction"), (lokikit.TaskTermination(), "terminate")],
)
def test_a_task_can_end_itself(lines: Lines, ending: Exception, action: str) -> None:
    """Without an error for its caller, and without a stacktrace."""

    @lokikit.task("t")
    def work() -> int:
        raise ending

    assert work() is None
    assert actions(lines()) == ["run", action]
    assert f.STACKTRACE not in lines()[1]
    assert str(ending) in lines()[1][f.MESSAGE]


@pytest.mark.parametrize("ending", [KeyboardInterrupt, SystemExit, asyncio.CancelledError])
def test_what_comes_from_outside_terminates(lines: Lines, ending: type[BaseException]) -> None:
    """An interruption is no failure of the task, and goes on."""
    with pytest.raises(ending), lokikit.task("t"):
        raise ending
    assert actions(lines()) == ["run", "terminate"]


def test_each_call_of_a_decorated_function_is_a_run(lines: Lines) -> None:
    """It keeps its name and its result, recursion included."""

    @lokikit.task("t")
    def work(depth: int) -> int:
        return depth and work(depth - 1) + 1

    assert (work.__name__, work(2)) == ("work", 2)
    assert [line[f.ACTION] for line in lines()] == ["run"] * 3 + ["success"] * 3
    assert len({line[f.TASK_ID] for line in lines()}) == 3


def test_coroutines_keep_their_runs_apart(lines: Lines) -> None:
    """Two at a time each name their own run on their lines."""

    @lokikit.task("t")
    async def work(number: int) -> None:
        lokikit.bind(number=number)
        await asyncio.sleep(0)
        logging.getLogger("shop").critical("inside")

    async def main() -> None:
        await asyncio.gather(work(1), work(2))

    asyncio.run(main())
    inside = {line["number"]: line[f.TASK_ID] for line in lines() if line[f.MESSAGE] == "inside"}
    ended = {line["number"]: line[f.TASK_ID] for line in lines() if line.get(f.ACTION) == "success"}
    assert inside == ended
    assert len(set(inside.values())) == 2


def test_a_generator_is_one_run_from_its_first_step_to_its_last(lines: Lines) -> None:
    """Its lines name it, those of its consumer between two steps do not."""

    @lokikit.task("t")
    def work() -> Iterator[int]:
        logging.getLogger("shop").critical("inside")
        got = yield 1
        assert got is None
        yield 2

    walk = work()
    assert lines() == []
    for _ in walk:
        logging.getLogger("shop").critical("between")
    named = {line[f.MESSAGE]: f.TASK_ID in line for line in lines()}
    assert named == {"t started": True, "inside": True, "between": False, "t succeeded": True}


def test_what_is_thrown_and_sent_reaches_a_generator(lines: Lines) -> None:
    """The decorated one behaves like the bare one, its return value included."""

    @lokikit.task("t")
    def work() -> Any:
        got = yield "first"
        try:
            yield got
        except KeyError:
            yield "caught"
        return "done"

    walk = work()
    assert [next(walk), walk.send("sent"), walk.throw(KeyError())] == ["first", "sent", "caught"]
    with pytest.raises(StopIteration) as end:
        next(walk)
    assert end.value.value == "done"
    assert actions(lines()) == ["run", "success"]


def test_a_generator_that_is_left_early_is_terminated(lines: Lines) -> None:
    """Its own cleaning up is done, under its name."""

    @lokikit.task("t")
    def work() -> Iterator[int]:
        try:
            yield 1
        finally:
            logging.getLogger("shop").critical("cleaning")

    walk = work()
    next(walk)
    walk.close()
    _, cleaning, _ = lines()
    assert actions([lines()[0], lines()[-1]]) == ["run", "terminate"]
    assert f.TASK_ID in cleaning


def test_an_asynchronous_generator_is_a_run(lines: Lines) -> None:
    """Walked to its end, failing within, and left early."""

    @lokikit.task("t")
    async def work(failing: bool) -> AsyncIterator[int]:  # noqa: FBT001 - a test's
        yield 1
        await asyncio.sleep(0)
        if failing:
            raise OSError
        yield 2

    async def main() -> None:
        assert [one async for one in work(failing=False)] == [1, 2]
        with pytest.raises(OSError, match=r"^$"):
            [one async for one in work(failing=True)]
        left = work(failing=False)
        assert await anext(left) == 1
        await left.aclose()

    asyncio.run(main())
    ends = [line[f.ACTION] for line in lines() if line[f.ACTION] != "run"]
    assert ends == ["success", "fail", "terminate"]


def test_one_task_object_serves_asyncio_tasks_that_overlap(lines: Lines) -> None:
    """Each block ends its own run, the first begun ending first."""
    job = lokikit.task("t")

    async def work(number: int, begun: asyncio.Event, go_on: asyncio.Event) -> str:
        with job as run:
            lokikit.bind(number=number)
            begun.set()
            await go_on.wait()
        return run.task_id

    async def main() -> list[str]:
        one, two = asyncio.Event(), asyncio.Event()
        return await asyncio.gather(work(1, one, two), work(2, two, one))

    ids = asyncio.run(main())
    ended = {line["number"]: line[f.TASK_ID] for line in lines() if line[f.ACTION] == "success"}
    assert [ended[1], ended[2]] == ids


def test_one_task_object_serves_threads_that_overlap(lines: Lines) -> None:
    job, barrier = lokikit.task("t"), threading.Barrier(4)

    def work(number: int) -> str:
        with job as run:
            lokikit.bind(number=number)
            barrier.wait()
        return run.task_id

    with ThreadPoolExecutor(4) as pool:
        ids = list(pool.map(work, range(4)))
    ended = {line["number"]: line[f.TASK_ID] for line in lines() if line[f.ACTION] == "success"}
    assert [ended[number] for number in range(4)] == ids


def test_a_task_block_may_be_closed_from_another_task(lines: Lines) -> None:
    """An asynchronous generator that is left early closes its block like that."""

    async def work() -> AsyncIterator[int]:
        with lokikit.task("t"):
            yield 1

    async def main() -> None:
        left: Any = work()
        await anext(left)
        await asyncio.create_task(left.aclose())
        assert bound_fields() == {}

    asyncio.run(main())
    assert actions(lines()) == ["run", "terminate"]


class _Mute(Exception):  # noqa: N818 - it is no error
    def __str__(self) -> str:
        raise OSError("no text")


class _MuteInaction(lokikit.TaskInaction):
    __str__ = _Mute.__str__


def test_an_exception_without_a_text_is_raised_on(lines: Lines) -> None:
    """What its `__str__` raises does not take its place."""
    with pytest.raises(_Mute), lokikit.task("t"):
        raise _Mute
    with lokikit.task("t"):
        raise _MuteInaction
    assert [line[f.ACTION] for line in lines()] == ["run", "fail", "run", "inaction"]


def test_a_filter_that_raises_takes_no_exceptions_place(lines: Lines) -> None:
    """Nor does it end the task: its lines are lost, as any other of that filter."""
    handler = logging.getLogger().handlers[-1]

    def refuse(_: logging.LogRecord) -> bool:
        raise OSError("broken filter")

    handler.addFilter(refuse)
    with pytest.raises(KeyError), lokikit.task("t"):
        raise KeyError
    assert lines() == []


async def _fails() -> None:
    await asyncio.sleep(0)
    raise ValueError("late")


class _Awaitable:
    def __await__(self) -> Any:
        return _fails().__await__()


@pytest.mark.parametrize(
    "wrapper",
    [
        lambda: _fails(),  # noqa: PLW0108 - a plain function that returns a coroutine
        lambda: asyncio.ensure_future(_fails()),
        _Awaitable,
    ],
)
def test_a_function_that_returns_an_awaitable_is_a_run_until_that_ends(
    lines: Lines, wrapper: Any
) -> None:
    """Its failure is the run's."""

    async def main() -> None:
        with pytest.raises(ValueError, match="late"):
            await lokikit.task("t")(wrapper)()

    asyncio.run(main())
    assert actions(lines()) == ["run", "fail"]
    assert lines()[1][f.EXC_MESSAGE] == "late"


def test_a_future_stays_what_it_is(lines: Lines) -> None:
    """It can be cancelled, which ends the run."""

    async def main() -> None:
        future = lokikit.task("t")(lambda: asyncio.ensure_future(asyncio.sleep(60)))()
        assert isinstance(future, asyncio.Task)
        future.cancel()
        await asyncio.wait([future])

    asyncio.run(main())
    assert actions(lines()) == ["run", "terminate"]


def test_a_function_that_returns_a_generator_is_a_run_until_that_ends(lines: Lines) -> None:
    """A failure within is the run's."""

    def work() -> Iterator[int]:
        yield 1
        raise ValueError

    walk = lokikit.task("t")(lambda: work())()  # noqa: PLW0108 - a wrapper
    assert next(walk) == 1
    with pytest.raises(ValueError, match=r"^$"):
        next(walk)
    assert actions(lines()) == ["run", "fail"]


@pytest.mark.parametrize("ending", [SystemExit(0), SystemExit(), GeneratorExit()])
def test_an_orderly_end_is_no_warning(lines: Lines, ending: BaseException) -> None:
    """A generator that is left early, and `sys.exit(0)`."""
    with pytest.raises(type(ending)), lokikit.task("t"):
        raise ending
    assert (lines()[1][f.ACTION], lines()[1][f.LEVEL]) == ("terminate", "info")


@pytest.mark.parametrize("code", [3, "no disk", [0]])
def test_an_exit_with_an_error_is_a_warning(lines: Lines, code: Any) -> None:
    """Whatever stands for the error."""
    with pytest.raises(SystemExit), lokikit.task("t"):
        raise SystemExit(code)
    assert (lines()[1][f.ACTION], lines()[1][f.LEVEL]) == ("terminate", "warning")


def test_actions_are_told_whatever_the_levels(lines: Lines) -> None:
    """A `dictConfig` that disables the logger does not matter; only `logging.disable` does."""
    logger = logging.getLogger("lokikit.tasks.task")
    logger.disabled = True
    try:
        with lokikit.task("t"):
            pass
    finally:
        logger.disabled = False
    assert actions(lines()) == ["run", "success"]
    logging.disable(logging.INFO)
    try:
        with lokikit.task("t"):
            pass
    finally:
        logging.disable(logging.NOTSET)
    assert len(lines()) == 2


def run_program(source: str, **environ: str) -> tuple[list[dict[str, Any]], int]:
    """The lines of a program in a process of its own, and its exit code."""
    done = subprocess.run(
        [sys.executable, "-c", f"import lokikit, os\nlokikit.setup_json_logging()\n{source}"],
        env={**os.environ, "LOG_FORMAT": "json", **environ},
        capture_output=True,
        check=False,
    )
    assert done.stderr == b""
    return [json.loads(line) for line in done.stdout.splitlines()], done.returncode


def test_a_failure_that_ends_the_program_is_told_once() -> None:
    """The line of the task has it; no second one for the uncaught exception."""
    lines, code = run_program("with lokikit.task('t'): 1 / 0")
    assert actions(lines) == ["run", "fail"]
    assert code == 1


def test_a_killed_process_leaves_a_run_without_an_end() -> None:
    """From that who asks knows the crash."""
    lines, _ = run_program("with lokikit.task('t'): os.kill(os.getpid(), 9)")
    assert actions(lines) == ["run"]


def test_actions_have_a_switch() -> None:
    """LOG_TASKS=off leaves them out; an error is then logged as an uncaught exception."""
    lines, _ = run_program("with lokikit.task('t'): 1 / 0", LOG_TASKS="off")
    assert [line[f.LOGGER] for line in lines] == ["lokikit.output.uncaught"]


def test_decorator_without_a_name_takes_that_of_its_function(lines: Lines) -> None:
    @lokikit.task
    def tidy_up(number: int) -> int:
        return number

    @lokikit.task
    async def tidy_later() -> None:
        await asyncio.sleep(0)

    assert tidy_up(5) == 5
    asyncio.run(tidy_later())
    found = [(line[f.TASK_NAME], line[f.ACTION]) for line in lines()]
    assert found == [
        (name, step) for name in ("tidy_up", "tidy_later") for step in ("run", "success")
    ]
