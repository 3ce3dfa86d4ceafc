"""No key, token or password of anybody's stands in what is published."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from detect_secrets.core.scan import scan_file
from detect_secrets.settings import get_plugins, transient_settings

from lokikit.stack.kit_files import kit_root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

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


@pytest.fixture
def secrets() -> Iterator[Callable[[Path], set[tuple[str, int]]]]:
    """Kind and line of each secret in a file: detect-secrets looks line by line for each kind."""
    with transient_settings({"plugins_used": [{"name": name} for name in DETECTORS]}):
        signs = [sign for detector in get_plugins() for sign in detector.denylist]

        def find(path: Path) -> set[tuple[str, int]]:
            text = path.read_text(errors="replace")
            # Ten times as fast for a file without a sign of a secret, as nearly all are.
            if not any(sign.search(text) for sign in signs):
                return set()
            return {(one.type, one.line_number) for one in scan_file(str(path))}

        yield find


def test_nothing_that_is_published_holds_a_secret(
    secrets: Callable[[Path], set[tuple[str, int]]],
) -> None:
    names = published()
    if not names:
        pytest.skip("NO SECRET IS LOOKED FOR: this is no checkout of git")
    found = {
        (name, *secret)
        for name in names
        if name not in EXAMPLES
        and not name.endswith((".png", ".json", "requirements.txt", ".lock"))
        and (kit_root() / name).is_file()
        for secret in secrets(kit_root() / name)
    }
    assert found == set()


@pytest.mark.parametrize("name", EXAMPLES)
def test_made_up_secrets_are_found(
    secrets: Callable[[Path], set[tuple[str, int]]], name: str
) -> None:
    assert secrets(kit_root() / name)
