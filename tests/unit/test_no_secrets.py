"""No key, token or password of anybody's stands in what is published."""

from __future__ import annotations

import subprocess

import pytest
from detect_secrets.core.scan import scan_file
from detect_secrets.settings import transient_settings

from lokikit.stack.kit_files import kit_root

DETECTORS = [
    "AWSKeyDetector",
    "AzureStorageKeyDetector",
    "BasicAuthDetector",
    "DiscordBotTokenDetector",
    "GitHubTokenDetector",
    "GitLabTokenDetector",
    "JwtTokenDetector",
    "MailchimpDetector",
    "NpmDetector",
    "OpenAIDetector",
    "PrivateKeyDetector",
    "PypiTokenDetector",
    "SendGridDetector",
    "SlackDetector",
    "StripeDetector",
    "TelegramBotTokenDetector",
    "TwilioKeyDetector",
]
EXAMPLES = {
    "docs/security.md": "what redaction catches",
    "grafana/rules_test/secrets-logged.yaml": "lines that the rule is to find",
}
"""Files whose made-up secrets are what they are about."""


def published() -> list[str]:
    """The files under version control, those of the tests left out: these are full of examples."""
    done = subprocess.run(
        ["git", "ls-files", "-z"],  # noqa: S607 - of this machine
        cwd=kit_root(),
        capture_output=True,
        text=True,
        check=False,
    )
    return [name for name in done.stdout.split("\0") if name and not name.startswith("tests/")]


def test_nothing_that_is_published_holds_a_secret() -> None:
    names = published()
    if not names:
        pytest.skip("NO SECRET IS LOOKED FOR: this is no checkout of git")
    with transient_settings({"plugins_used": [{"name": name} for name in DETECTORS]}):
        found = {
            (name, secret.type, secret.line_number)
            for name in names
            if name not in EXAMPLES
            and not name.endswith((".png", ".json", "requirements.txt", ".lock"))
            for secret in scan_file(str(kit_root() / name))
        }
    assert found == set()
