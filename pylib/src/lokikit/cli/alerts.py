"""`lokikit alerts`: evaluates alert rules where no Grafana does; silences."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from filelock import FileLock, Timeout
from rich.table import Table

from lokikit.alerts.dispatch import Timing
from lokikit.alerts.message import in_seconds, trial_message
from lokikit.alerts.overview import AlertRow, alert_rows, is_running
from lokikit.alerts.rule_book import distinct
from lokikit.alerts.silences import EVERY_RULE, Silence, add_silence, lift_silence, read_silences
from lokikit.alerts.state_file import alerts_folder, make_folder, read_state
from lokikit.alerts.watch import Watch
from lokikit.alerts.ways import Way, ways_of
from lokikit.cli.clients import loki_from
from lokikit.cli.output import console, note
from lokikit.cli.stop_signal import StopSignal
from lokikit.errors import LokikitError, PrerequisiteError, SettingsError, UnhealthyError
from lokikit.monitoring.alert_rules import provisioned_rules
from lokikit.monitoring.rule_files import read_rule_file
from lokikit.stack.grafana.contacts import Contacts, read_contacts
from lokikit.stack.kit_files import local_url, state_dir
from lokikit.stack.native.alerts import grafana_tells, kit_contacts, read_kit_contacts
from lokikit.times import parse_duration_ns

if TYPE_CHECKING:
    from lokikit.monitoring.rule_definition import Rule

_TIMEOUT_S = 10
"""Seconds for a query; Loki's own limit would hold up the alerts of the other rules."""

app = typer.Typer()

RuleFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--rules", help="Rules of Grafana's provisioning or Loki's ruler; the kit's by default."
    ),
]
ContactFile = Annotated[
    Path | None, typer.Option("--contacts", hidden=True, help="The receivers, as `up` writes them.")
]


@app.callback(invoke_without_command=True)
def alerts(
    context: typer.Context, rule_files: RuleFiles = None, contact_file: ContactFile = None
) -> None:
    """Evaluate the alert rules of any Loki and send messages, until SIGTERM or Ctrl-C.

    ALERT_MAIL_TO, ALERT_WEBHOOK_URL, ALERT_SLACK_URL and ALERT_URLS name the receivers. The state
    is kept over restarts. Where a Grafana runs, Grafana sends. `lokikit up` runs this when one of
    the variables is set and there is no Grafana.
    """
    if context.invoked_subcommand is not None:
        return
    rules = _rules(rule_files)
    state = state_dir()
    contacts = _contacts(contact_file)
    if grafana_tells(state) and contacts.ways:
        raise PrerequisiteError(
            "alerts: Grafana runs in this stack and sends these alerts, one sender at a time: "
            "leave only ALERT_URLS set for lokikit alerts."
        )
    folder = alerts_folder(state)
    try:
        make_folder(folder)
        with FileLock(folder / "lock", timeout=0), loki_from(timeout_s=_TIMEOUT_S) as loki:
            note(f"{len(rules)} rules over {loki.url}. {contacts}")
            stop = StopSignal()
            watch = Watch(
                rules,
                loki,
                folder,
                ways_of(contacts),
                timing=Timing.of(contacts.repeat),
                page_url=contacts.page_url or local_url("PAGE_PORT"),
            )
            watch.run(lambda: stop.asked, stop.sleep)
    except Timeout as error:
        raise PrerequisiteError(
            f"alerts: another lokikit alerts works in {folder}, one sender at a time: "
            "stop that first."
        ) from error
    except OSError as error:
        raise PrerequisiteError(
            f"alerts: cannot work in {folder} ({error}): make room there, or set LOKIKIT_STATE."
        ) from error


@app.command("silence")
def silence(
    rule: Annotated[str, typer.Argument(help="The rule by its uid, or `all`.")],
    service: Annotated[str, typer.Option(help="Its service; every service by default.")] = "",
    for_: Annotated[str, typer.Option("--for", help="How long: 30m, 2h, 1d.")] = "2h",
) -> None:
    """Send no message about a rule's alerts for a while.

    lokikit alerts silence error-ratio --service shop --for 2h
    """
    folder, now_ns = alerts_folder(state_dir()), time.time_ns()
    until_ns = now_ns + parse_duration_ns(for_, "--for")
    made = add_silence(folder, _known(rule, folder), service, until_ns, now_ns)
    typer.echo(f"Silence {made.number}: {_words(made)}. End it: lokikit alerts lift {made.number}")


@app.command("list", hidden=True)
@app.command("silences")
def silences() -> None:
    """List the silences, ordered by their end."""
    held = read_silences(alerts_folder(state_dir()), time.time_ns())
    for one in held:
        typer.echo(f"{one.number}  {_words(one)}")
    if not held:
        typer.echo("No silence.")


@app.command("lift")
def lift(
    number: Annotated[int, typer.Argument(help="Number of the silence, from the list.")],
) -> None:
    """End a silence before its time."""
    lifted = lift_silence(alerts_folder(state_dir()), number, time.time_ns())
    typer.echo(f"Lifted: {_words(lifted)}.")


@app.command("status")
def status(rule_files: RuleFiles = None) -> None:
    """Show each rule with its state, the start of the state, and its value and threshold.

    Exit code 1 when `lokikit alerts` does not run here, or Loki does not answer it.
    """
    folder, now_ns = alerts_folder(state_dir()), time.time_ns()
    state = read_state(folder)
    if state is None:
        raise UnhealthyError("alerts: no rule was looked at here: start lokikit alerts.")
    rows = alert_rows(_rules(rule_files), state, read_silences(folder, now_ns), now_ns)
    console().print(_table(rows))
    for way, groups in state.sent.items():
        for failure in {one.failure for one in groups.values() if one.failure}:
            note(f"messages by {way} do not go out: {failure}")
    if not is_running(folder):
        when = in_seconds(state.evaluated_ns)
        raise UnhealthyError(
            f"alerts: lokikit alerts does not run here: start it. These states are of {when}."
        )
    if state.problem:
        raise UnhealthyError(f"alerts: {state.problem}")


@app.command("test")
def send_trial(contact_file: ContactFile = None) -> None:
    """Send a test message to every receiver: of the environment, else of the stack that is up."""
    contacts = _contacts(contact_file)
    if not contacts.names:
        contacts = kit_contacts(state_dir())
    ways = ways_of(contacts)
    failed = [name for name, way in ways.items() if not _is_sent(name, way)]
    if failed or not ways:
        raise UnhealthyError(f"not sent: {', '.join(failed)}." if failed else str(contacts))


def _is_sent(name: str, way: Way) -> bool:
    try:
        way.send(trial_message(time.time_ns()))
    except LokikitError as error:
        typer.echo(f"{name}: {error}")
        return False
    typer.echo(f"{name}: sent")
    return True


def _rules(files: Sequence[Path] | None) -> list[Rule]:
    if not files:
        return provisioned_rules()
    held = distinct(one for file in files for one in read_rule_file(file))
    rules = [one for one in held if not one.is_paused]
    if not rules:
        raise SettingsError(
            f"no rule is switched on in {', '.join(map(str, files))}: "
            "remove isPaused, or name other files."
        )
    return rules


def _contacts(file: Path | None) -> Contacts:
    return read_kit_contacts(file) if file else read_contacts()


def _known(rule: str, folder: Path) -> str:
    """Return the uid of the rule with that uid or title.

    Raises:
        SettingsError: neither the kit nor `lokikit alerts` here has such a rule.
    """
    state = read_state(folder)
    names = {one.title: one.uid for one in provisioned_rules()}
    uids = {EVERY_RULE, *names.values(), *(state.rules if state else ())}
    if rule in uids:
        return rule
    if rule in names:
        return names[rule]
    near = get_close_matches(rule, uids, 1)
    hint = f"did you mean {near[0]}?" if near else f"there is {', '.join(sorted(uids))}."
    raise SettingsError(f"no rule is named {rule!r}: {hint}")


def _words(one: Silence) -> str:
    rule = "all rules" if one.rule == EVERY_RULE else one.rule
    return f"{rule} of {one.service or 'every service'} until {in_seconds(one.until_ns)}"


def _table(rows: Iterable[AlertRow]) -> Table:
    table = Table("rule", "of", "state", "since", "value", "breach", box=None, pad_edge=False)
    for one in rows:
        state = f"{one.state}, silenced" if one.silenced else one.state
        since = in_seconds(one.since_ns) if one.since_ns else ""
        value = "" if one.value is None else f"{one.value:.4g}"
        style = "red" if one.is_active else "yellow" if one.state == "pending" else None
        table.add_row(one.rule.uid, one.of, state, since, value, one.rule.limit, style=style)
    return table
