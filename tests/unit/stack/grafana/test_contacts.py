"""Who is told of an alert: the environment, and the file that Grafana is provisioned with."""

from __future__ import annotations

from pathlib import Path

import pytest

from lokikit.errors import SettingsError
from lokikit.stack.grafana.contacts import contact_file, read_contacts
from lokikit.stack.grafana.provisioning import smtp_variables

MAIL = {"ALERT_MAIL_TO": "a@x.org, b@x.org", "ALERT_SMTP_HOST": "mail.x.org:587"}
WEBHOOK = {"ALERT_WEBHOOK_URL": "https://x.org/hook?key=$ecret"}
SLACK = {"ALERT_SLACK_URL": "https://hooks.slack.com/services/T/B/x"}
URLS = {"ALERT_URLS": "ntfy://topic"}
PASSWORD = Path("/state/password")


def kinds(environ: dict[str, str], before: tuple[str, ...] = ()) -> list[str]:
    """The ways that the file names."""
    result = contact_file(read_contacts(environ), before) or {}
    points = result.get("contactPoints", ())
    return [one["type"] for point in points for one in point["receivers"]]


def test_nothing_set_is_no_file() -> None:
    """Without a setting there is no file, and it is said how to get one."""
    contacts = read_contacts({"ALERT_MAIL_TO": " "})
    assert contact_file(contacts, ()) is None
    assert smtp_variables({}, PASSWORD) == {}
    assert "Nobody is told" in str(contacts)
    assert "ALERT_SLACK_URL" in str(contacts)


def test_each_setting_is_a_way() -> None:
    """Whatever is set is in the file, and nothing else; all of it gets each alert."""
    assert kinds(MAIL) == ["email"]
    assert kinds(WEBHOOK) == ["webhook"]
    assert kinds(SLACK) == ["slack"]
    assert kinds(MAIL | WEBHOOK | SLACK) == ["email", "webhook", "slack"]


def test_one_policy_groups_by_service() -> None:
    """The whole tree is one policy, to the one contact point, a message for each service."""
    content = contact_file(read_contacts(SLACK), ())
    assert content
    (policy,) = content["policies"]
    assert policy["receiver"] == content["contactPoints"][0]["name"]
    assert policy["group_by"] == ["service_name"]
    assert "routes" not in policy


def test_dollars_are_doubled() -> None:
    """Grafana takes a single one for a variable of its environment."""
    content = contact_file(read_contacts(WEBHOOK), ())
    assert content
    (receiver,) = content["contactPoints"][0]["receivers"]
    assert receiver["settings"]["url"] == "https://x.org/hook?key=$$ecret"


def test_all_addresses_get_one_mail() -> None:
    """Any separator will do; Grafana wants semicolons."""
    for text in ("a@x.org,b@x.org", "a@x.org b@x.org", " a@x.org; b@x.org ;"):
        content = contact_file(read_contacts(MAIL | {"ALERT_MAIL_TO": text}), ())
        assert content
        (receiver,) = content["contactPoints"][0]["receivers"]
        assert receiver["settings"]["addresses"] == "a@x.org;b@x.org"


def test_mail_server() -> None:
    """The sender is the first who is told, unless set; the password is read from its file."""
    content = smtp_variables(MAIL, PASSWORD)
    assert content["GF_SMTP_ENABLED"] == "true"
    assert content["GF_SMTP_HOST"] == "mail.x.org:587"
    assert content["GF_SMTP_FROM_ADDRESS"] == "a@x.org"
    assert "GF_SMTP_USER" not in content
    login = {"ALERT_SMTP_USER": "u", "ALERT_SMTP_PASSWORD": "p$x", "ALERT_SMTP_FROM": "f@x.org"}
    content = smtp_variables(MAIL | login, PASSWORD)
    assert content["GF_SMTP_FROM_ADDRESS"] == "f@x.org"
    assert content["GF_SMTP_PASSWORD"].startswith("$__file{/state/")
    assert "p$x" not in str(content)


def test_what_is_not_set_any_more_is_removed() -> None:
    """Grafana keeps what no file names: it is named as gone, and so is the policy."""
    content = contact_file(read_contacts(SLACK), ("email", "slack"))
    assert content
    assert content["deleteContactPoints"] == [{"orgId": 1, "uid": "lokikit-email"}]
    assert "resetPolicies" not in content
    content = contact_file(read_contacts({}), ("slack",))
    assert content
    assert content["resetPolicies"] == [1]
    assert content["deleteContactPoints"] == [{"orgId": 1, "uid": "lokikit-slack"}]
    assert not content.keys() & {"contactPoints", "policies"}


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"ALERT_MAIL_TO": "a@x.org"}, "set ALERT_SMTP_HOST"),
        ({"ALERT_SMTP_HOST": "x.org:25"}, "set ALERT_MAIL_TO"),
        (MAIL | {"ALERT_MAIL_TO": "a@x.org,nobody"}, "ALERT_MAIL_TO: 'nobody'"),
        (MAIL | {"ALERT_SMTP_FROM": "nobody"}, "ALERT_SMTP_FROM: 'nobody'"),
        (MAIL | {"ALERT_SMTP_HOST": "x.org"}, "ALERT_SMTP_HOST='x.org'"),
        (MAIL | {"ALERT_SMTP_PASSWORD": "hunter2"}, "set ALERT_SMTP_USER"),
        ({"ALERT_WEBHOOK_URL": "x.org/hunter2"}, "ALERT_WEBHOOK_URL is no URL"),
        ({"ALERT_SLACK_URL": "https:///hunter2"}, "ALERT_SLACK_URL is no URL"),
        ({"ALERT_SLACK_URL": "https://[hunter2"}, "ALERT_SLACK_URL is no URL"),
        ({"ALERT_URLS": "hunter2"}, "ALERT_URLS holds what is no URL"),
        ({"ALERT_PAGE_URL": "hunter2"}, "ALERT_PAGE_URL is no URL"),
        ({"ALERT_REPEAT": "soon"}, "ALERT_REPEAT 'soon'"),
        ({"ALERT_REPEAT": "1s"}, "ALERT_REPEAT='1s' is too short"),
        ({"ALERT_SLACK_URL": "https://x.org/\nhunter2"}, "ALERT_SLACK_URL holds a line break"),
    ],
)
def test_wrong_settings(environ: dict[str, str], named: str) -> None:
    """One sentence that names the variable to change, and tells no secret."""
    with pytest.raises(SettingsError) as error:
        read_contacts(environ)
    assert named in str(error.value)
    assert "hunter2" not in str(error.value)


def test_addresses_of_apprise_are_apart_by_spaces_or_commas() -> None:
    """A comma within an address stays."""
    urls = read_contacts({"ALERT_URLS": " ntfy://a, tgram://1:x/2,3/  json://h/?a=1,b "}).urls
    assert urls == ("ntfy://a", "tgram://1:x/2,3/", "json://h/?a=1,b")


def test_grafana_is_not_told_of_addresses_that_it_does_not_know() -> None:
    """Those are left to `lokikit alerts`, beside a Grafana or without one."""
    contacts = read_contacts(SLACK | URLS)
    assert kinds(SLACK | URLS) == ["slack"]
    assert contacts.names == ["slack", "ntfy"]
    assert contacts.of_grafana().names == ["slack"]
    assert contacts.beside_grafana().names == ["ntfy"]


def test_message_is_repeated_as_set() -> None:
    """By Grafana as by `lokikit alerts`; every four hours where nothing is set."""
    for environ, repeat in ((SLACK, "4h"), (SLACK | {"ALERT_REPEAT": "30m"}, "30m")):
        contacts = read_contacts(environ)
        content = contact_file(contacts, ())
        assert content
        assert content["policies"][0]["repeat_interval"] == contacts.repeat == repeat


def test_secrets_are_not_shown() -> None:
    """A traceback or a log of the settings has none of them."""
    login = {"ALERT_SMTP_USER": "u", "ALERT_SMTP_PASSWORD": "hunter2"}
    contacts = read_contacts(MAIL | WEBHOOK | SLACK | URLS | login)
    for text in (repr(contacts), str(contacts)):
        for secret in ("hunter2", "ecret", "slack.com", "topic"):
            assert secret not in text
