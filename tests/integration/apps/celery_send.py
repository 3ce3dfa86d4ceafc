"""Sends each task under a request id, revokes one that runs, and waits until all have ended."""

import contextlib
import time

import celery_tasks as tasks

import lokikit

NUMBERS = 20
_LIMIT_S = 120


def main() -> None:
    """Send, revoke, wait."""
    revoked = tasks.be_revoked.delay()
    with lokikit.bound(request_id="r-17"):
        ending = [
            one.delay()
            for one in (
                tasks.fail,
                tasks.succeed_at_last,
                tasks.overrun_softly,
                tasks.overrun,
                tasks.die,
                tasks.die_once,
                tasks.overrun_once,
            )
        ]
        tasks.leave.delay()
        tasks.have_nothing_to_do.delay()
        ending += [tasks.succeed.delay(number) for number in range(NUMBERS)]
    deadline_s = time.monotonic() + _LIMIT_S
    while not (tasks.folder / "waiting").exists() and time.monotonic() < deadline_s:
        time.sleep(0.05)
    revoked.revoke(terminate=True)
    for one in (revoked, *ending):
        with contextlib.suppress(Exception):
            one.get(timeout=_LIMIT_S, interval=0.05)


if __name__ == "__main__":
    main()
