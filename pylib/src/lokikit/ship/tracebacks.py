"""Tracebacks of programs that do not use lokikit: many lines of one source joined into one event.

The rules are a table that Fluent Bit's multiline parsers can hold too, so that the agent joins the
same lines; `fluentbit/` is checked against it. Hence:

- A state is left only by a rule. A line that no rule takes stands alone and changes no state, so
  that the rest of a traceback that another line interrupted is joined as well.
- No rule leads back to `START`: Fluent Bit stores the last line of such an event twice.
- Python and Onigmo read the patterns alike, and no pattern matches a JSON object.
- Blank lines are no events, within a traceback either: they are removed before the rules apply.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from lokikit.fields import MAX_LINE_BYTES

if TYPE_CHECKING:
    from lokikit.ship.lines import Line

JOIN_WAIT_S = 1.0
"""An event to which nothing was added for this long is complete."""

START = "start_state"
"""Fluent Bit's name for the state in which nothing is joined."""

_JSON = r"\{.*\}[ \t]*$"


class TracebackRule(NamedTuple):
    """In `state`, a line that matches `pattern` belongs to the event and leads to `next_state`.

    A rule of `START` begins an event in any state, unless a rule of that state takes the line. Each
    matching line holds one of `words`, which are looked for first: patterns with `.*` are slow.
    """

    state: str
    pattern: str
    next_state: str
    words: tuple[str, ...] = ()


_TRACEBACK = r"\ATraceback \(most recent call last\):$"
_GROUP = r"\A +\+ Exception Group Traceback \(most recent call last\):$"
_INDENTED = rf"\A[ \t]+(?!{_JSON})[^ \t]"
_GOROUTINE = r"\Agoroutine [0-9]+ .*\[.*\]:$"

RULES = (
    TracebackRule(START, _TRACEBACK, "python_head"),
    TracebackRule(START, _GROUP, "python_group"),
    TracebackRule(START, r'\AException in thread [^"].*:$', "python_lead"),
    TracebackRule(START, r"\A(?:Exception ignored in.*|--- Logging error ---)$", "python_lead"),
    TracebackRule(START, r'\A  File "[^"]+", line [0-9]+$', "python_frames"),
    TracebackRule("python_lead", _TRACEBACK, "python_head"),
    TracebackRule("python_head", _INDENTED, "python_frames"),
    TracebackRule("python_frames", _INDENTED, "python_frames"),
    # The exception: a class, dotted or not, and its message.
    TracebackRule(
        "python_frames",
        r"""\A[^ \t:{}()\[\]"',;=<0-9-][^ \t:{}()\[\]"',;=]*(?:: .*|:?)$""",
        "python_raised",
    ),
    TracebackRule("python_group", r"\A +[+|]", "python_group"),
    *(
        TracebackRule(
            state,
            r"\A(?:During handling of the above exception, another exception occurred"
            r"|The above exception was the direct cause of the following exception):$",
            "python_chain",
        )
        for state in ("python_raised", "python_group")
    ),
    TracebackRule("python_chain", _TRACEBACK, "python_head"),
    TracebackRule("python_chain", _GROUP, "python_group"),
    # The report of `logging` about a record that it cannot write.
    TracebackRule("python_raised", r"\ACall stack:$", "python_call_stack"),
    TracebackRule("python_call_stack", _INDENTED, "python_call_stack"),
    TracebackRule("python_call_stack", r"\AMessage: ", "python_message"),
    TracebackRule("python_message", r"\AArguments: ", "python_raised"),
    TracebackRule(
        START,
        r"\A(?:panic: |fatal error: |SIG[A-Z]+: |unexpected fault address |"
        r"runtime: goroutine stack exceeds )",
        "go_head",
    ),
    TracebackRule(START, _GOROUTINE, "go_call"),
    TracebackRule(
        "go_head", r"\A(?:\t|\[signal |panic: |fatal error: |runtime: |PC=0x)", "go_head"
    ),
    *(
        rule
        for state in ("go_head", "go_call")
        for rule in (
            TracebackRule(state, _GOROUTINE, "go_call"),
            TracebackRule(state, r"\Aruntime stack:$", "go_call"),
        )
    ),
    TracebackRule("go_call", r'\A(?:[^ \t"{(:][^ \t"]*\(.*\)|created by .*)$', "go_place"),
    TracebackRule("go_call", r"\A\tgoroutine running on other thread", "go_call"),
    TracebackRule(
        "go_call", r"\A(?:\.\.\..* frames elided\.\.\.|\[originating from .*\]:?)$", "go_call"
    ),
    TracebackRule("go_call", r"\A[a-z][a-z0-9]+ +0x[0-9a-f]+$", "go_call"),
    TracebackRule("go_place", r"\A\t", "go_call"),
    # Java, and those that write alike: Kotlin, Scala, .NET, Node.js.
    TracebackRule(START, r'\AException in thread "', "java"),
    TracebackRule("java", r"\A[ \t]+at [^ \t]", "java"),
    TracebackRule("java", r"\A[ \t]*(?:Caused by|Suppressed|Wrapped by): ", "java"),
    TracebackRule("java", r"\A[ \t]*\.\.\. [0-9]+ (?:more|common frames omitted)", "java"),
    TracebackRule("java", r"\A[ \t]*(?:--- End of .* ---|\[CIRCULAR REFERENCE.*\])$", "java"),
    # The end of a log line of the program.
    TracebackRule(
        START,
        r"\A(?![ \t]*\{).*http: panic serving ",
        "go_head",
        words=("http: panic serving ",),
    ),
    TracebackRule(
        START,
        r"\A(?![ \t]*\{).*(?:Exception|Error|Throwable)(?::|$)",
        "java",
        words=("Exception", "Error", "Throwable"),
    ),
)
"""Of each state the first rule that takes the line counts."""


class _Step(NamedTuple):
    """Consecutive rules of a state, as one pattern with a group for each.

    Rules without words are matched by the pattern alone.
    """

    words: tuple[bytes, ...]
    pattern: re.Pattern[bytes]
    next_states: tuple[str, ...]


def _steps(state: str) -> list[_Step]:
    rules = [rule for rule in RULES if rule.state == state]
    steps = []
    for words, group in groupby(rules, key=lambda rule: rule.words):
        alike = list(group)
        pattern = "|".join(f"({rule.pattern})" for rule in alike)
        steps.append(
            _Step(
                tuple(word.encode() for word in words),
                re.compile(pattern.encode()),
                tuple(rule.next_state for rule in alike),
            )
        )
    return steps


_STEPS = {state: _steps(state) for state in {rule.state for rule in RULES}}


class Event(NamedTuple):
    """An event of a source: a line, or several lines joined.

    Args:
        raw: its lines with LF between them; empty for a blank line, which is no event.
        end: offset behind its last line.
        arrived_ns: arrival time of its first line, `None` for a line that was not held.
        lines: number of its lines, without blank lines.
        blank: number of blank lines in it, and behind it up to the next line.
    """

    raw: bytes
    end: int
    arrived_ns: int | None = None
    lines: int = 1
    blank: int = 0


class Joiner:
    """Joins the tracebacks among the lines of a source; other lines pass as they are.

    Args:
        now_ns: clock for the arrival time.
        clock: seconds of a monotonic clock.
    """

    def __init__(
        self, now_ns: Callable[[], int], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._now_ns = now_ns
        self._clock = clock
        self._state = START
        self._held: list[bytes] = []
        self._size_bytes = 0
        self._end = 0
        self._blank = 0
        self._arrived_ns = 0
        self._added_s = 0.0

    def stands_alone(self, raw: bytes) -> bool:
        """Return True when a line is an event of its own, and no event is held before it."""
        if self._held or not raw:
            return False
        if raw.startswith(b"{"):
            return True
        known = self._state != START and _next_state(self._state, raw)
        return not known and not _next_state(START, raw)

    def feed(self, line: Line) -> list[Event]:
        """Return the events that are complete with `line`."""
        if not line.raw:
            return self._take_blank(line)
        next_state = None
        if not line.raw.startswith(b"{"):
            if self._state != START and (next_state := _next_state(self._state, line.raw)):
                self._state = next_state
                return self._hold(line)
            next_state = _next_state(START, line.raw)
        complete = self.flush()
        if next_state is None:
            return [*complete, Event(line.raw, line.end)]
        self._state = next_state
        return complete + self._hold(line)

    def flush(self) -> list[Event]:
        """Return the event that is held."""
        if not self._held:
            return []
        raw, lines = b"\n".join(self._held), len(self._held)
        event = Event(raw, self._end, self._arrived_ns, lines, self._blank)
        self._held, self._size_bytes, self._blank = [], 0, 0
        return [event]

    def expire(self, now_s: float) -> list[Event]:
        """Return the held event, when nothing was added to it for `JOIN_WAIT_S` at `now_s`."""
        return self.flush() if now_s - self._added_s >= JOIN_WAIT_S else []

    def _hold(self, line: Line) -> list[Event]:
        size_bytes = _size_bytes(line.raw) + 1
        full = self._size_bytes + size_bytes > MAX_LINE_BYTES + 1
        complete = self.flush() if full else []
        if not self._held:
            self._arrived_ns = self._now_ns()
        self._held.append(line.raw)
        self._size_bytes += size_bytes
        self._end = line.end
        self._added_s = self._clock()
        return complete

    def _take_blank(self, line: Line) -> list[Event]:
        if not self._held:
            return [Event(b"", line.end, lines=0, blank=1)]
        self._end = line.end
        self._blank += 1
        return []


def _next_state(state: str, raw: bytes) -> str | None:
    for words, pattern, next_states in _STEPS[state]:
        if words:
            for word in words:
                if word in raw:
                    break
            else:
                continue
        match = pattern.match(raw)
        if match and match.lastindex:
            return next_states[match.lastindex - 1]
    return None


def _size_bytes(raw: bytes) -> int:
    """Return the size in Loki, where the replacement of a byte that is no UTF-8 is longer."""
    return len(raw) if raw.isascii() else len(raw.decode("utf-8", "replace").encode())
