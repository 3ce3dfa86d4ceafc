"""The times and contents of messages: grouped by service, each way independently."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from lokikit.alerts.alert import Alert
from lokikit.alerts.message import Message
from lokikit.alerts.state_file import SentRecord, known_fields
from lokikit.stack.grafana.contacts import GROUP_TIMES
from lokikit.times import NS_PER_S, parse_duration_ns

if TYPE_CHECKING:
    from lokikit.alerts.ways import Way

    Firing = Mapping[str, Mapping[str, Alert]]
    """Service -> fingerprint -> alert."""

MOST_WITH_LINES = 10
"""Alerts of a message whose newest lines are queried."""
_RETRY_NS = 10 * NS_PER_S
_MAX_RETRY_NS = 300 * NS_PER_S


@dataclass(frozen=True)
class Timing:
    """The waits of messages, the same as in Grafana's policy.

    Args:
        wait_ns: time from the first alert of a service to its message, so that others join it.
        interval_ns: time between a message and the next with a change.
        repeat_ns: time between a message and its repetition.
    """

    wait_ns: int
    interval_ns: int
    repeat_ns: int

    @classmethod
    def of(cls, repeat: str) -> Timing:
        """Return the waits of Grafana's policy, with that repetition."""
        wait, interval = (
            parse_duration_ns(GROUP_TIMES[name], name) for name in ("group_wait", "group_interval")
        )
        return cls(wait, interval, parse_duration_ns(repeat, "ALERT_REPEAT"))


def grouped(alerts: Iterable[Alert]) -> dict[str, dict[str, Alert]]:
    """Return service -> fingerprint -> alert."""
    groups: dict[str, dict[str, Alert]] = {}
    for alert in alerts:
        groups.setdefault(alert.service, {})[alert.fingerprint] = alert
    return groups


class Dispatch:
    """Sends the messages that are due.

    Args:
        ways: name -> way.
        timing: the waits.
        lines: returns the newest lines behind an alert.
        failed: reports a message that was not sent: name of the way, and the reason.
    """

    def __init__(
        self,
        ways: Mapping[str, Way],
        timing: Timing,
        lines: Callable[[Alert], tuple[str, ...]],
        failed: Callable[[str, str], object],
    ) -> None:
        self._ways, self._timing = ways, timing
        self._lines, self._failed = lines, failed

    def send_due(
        self,
        sent: dict[str, dict[str, SentRecord]],
        firing: Firing,
        silenced: Collection[str],
        now_ns: int,
        save: Callable[[], object],
    ) -> None:
        """Send each message that is due, and record it in `sent`.

        Args:
            sent: way -> service -> the last message; changed here.
            firing: the alerts that fire, silenced alerts too.
            silenced: fingerprints of the silenced alerts.
            now_ns: the current time.
            save: called after each message, so that a crash repeats no message.
        """
        for name in sent.keys() - self._ways.keys():
            del sent[name]
        lines: dict[str, tuple[str, ...]] = {}
        for name in self._ways:
            records, is_broken = sent.setdefault(name, {}), False
            for service in sorted(firing.keys() | records.keys()):
                record = records.setdefault(service, SentRecord())
                alerts = firing.get(service, {})
                for muted in record.firing.keys() & silenced:
                    del record.firing[muted]
                heard = {key: one for key, one in alerts.items() if key not in silenced}
                if not is_broken and self._is_due(record, heard, now_ns):
                    message = self._message(service, record, heard, now_ns, lines)
                    # A way that does not answer would delay the messages of all services.
                    is_broken = not self._send(name, record, message)
                    save()
                if not record.firing and not heard:
                    del records[service]

    def _is_due(self, record: SentRecord, heard: Mapping[str, Alert], now_ns: int) -> bool:
        if record.failures:
            wait_ns = min(_RETRY_NS << min(record.failures - 1, 10), _MAX_RETRY_NS)
            if now_ns - record.failed_ns < wait_ns:
                return False
        if not record.firing:
            began_ns = min((one.since_ns for one in heard.values()), default=now_ns)
            return bool(heard) and now_ns - began_ns >= self._timing.wait_ns
        if record.firing.keys() != heard.keys():
            return now_ns - record.sent_ns >= self._timing.interval_ns
        return now_ns - record.sent_ns >= self._timing.repeat_ns

    def _message(
        self,
        service: str,
        record: SentRecord,
        heard: Mapping[str, Alert],
        now_ns: int,
        lines: dict[str, tuple[str, ...]],
    ) -> Message:
        """Return the message; `lines` keeps the newest lines, queried once for all ways."""
        held = {key: one for key, one in record.firing.items() if key not in heard}
        gone = [Alert(**known_fields(Alert, one)) for one in held.values()]
        for key in [*heard][:MOST_WITH_LINES]:
            if key not in lines:
                lines[key] = self._lines(heard[key])
        return Message(service, tuple(heard.values()), tuple(gone), now_ns, lines)

    def _send(self, name: str, record: SentRecord, message: Message) -> bool:
        """Send by one way; return True when the message was accepted."""
        try:
            self._ways[name].send(message)
        except Exception as error:  # noqa: BLE001 - a broken way must not stop the others
            record.failure, record.failed_ns = str(error) or repr(error), message.time_ns
            record.failures += 1
            self._failed(name, record.failure)
            return False
        record.sent_ns = message.time_ns
        record.firing = {one.fingerprint: asdict(one) for one in message.firing}
        record.failure, record.failed_ns, record.failures = "", 0, 0
        return True
