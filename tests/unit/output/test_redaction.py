import re

import orjson
import pytest

from lokikit.fields import REDACTED
from lokikit.output.redaction import SecretNames, mask_url_passwords
from lokikit.stack.kit_files import kit_root


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "PASSWORD",
        "db_password",
        "dbPasswd",
        "user-pwd",
        "token",
        "access_token",
        "X-Auth-Token",
        "csrfToken",
        "Authorization",
        "proxy-authorization",
        "Cookie",
        "Set-Cookie",
        "api_key",
        "X-API-Key",
        "apiKey",
        "aws_secret_access_key",
        "client_secret",
        "private_key",
        "credentials",
        "session_id",
        "auth",
        "jwt",
        "pass",
        "db_pass",
        "bearer",
        "otp",
        "dsn",
        "signature",
        "sid",
        "api_key_used",
        "csrfmiddlewaretoken",
        "PGPASSWORD",
        "dbpassword",
        "accesstoken",
        "APIKEY",
        "APIkey",
        "passWord",
        "pass_word",
        "password2",
        "token1",
        "smtp_pass",
        "basic_auth",
        "authHeader",
        "auth_header",
        "otp_code",
        "JWTToken",
        "jwt_token",
        "connect.sid",
        "X-Hub-Signature-256",
        "x-amz-signature",
        "password_hash",
        "password_reset_token",
        "refreshTokens",
        "DATABASE_DSN",
        "sentryDsn",
        "id_token",
        "_password",
        "__token",
        "MYSQL_PWD",
        "passwordHash",
        "passwordhash",
        "card_token",
        "Signature",
        "X-CSRFToken",
        "jsessionid",
        "PHPSESSID",
        "secretKey",
        "SECRET_KEY",
        "userPassword",
        "new_password1",
        "OAuthToken",
        "oauth_token",
        "Http-Authorization",
        "x-api-key",
        "token_value",
        "userpwd",
        "creds",
    ],
)
def test_names_of_secrets_are_recognised(name):
    """Whatever the case and the separators."""
    assert name in SecretNames()


@pytest.mark.parametrize(
    "name",
    [
        "user",
        "key",
        "author",
        "primary_key",
        "token_count",
        "max_tokens",
        "token_type",
        "cookie_name",
        "password_length",
        "passed",
        "sort_key",
        "session",
        "tokenizer",
        "tokens_per_second",
        "has_token",
        "secretary",
        "password_reset_required",
        "cookie_banner",
        "private_key_path",
        "cached_tokens",
        "authority",
        "authenticated",
        "auth_method",
        "auth_type",
        "compass",
        "bypass",
        "passenger",
        "pass_rate",
        "pass_count",
        "passes",
        "sidebar",
        "design",
        "design_id",
        "signature_valid",
        "signature_algorithm",
        "dsn_name",
        "account_sid",
        "message_sid",
        "inputTokens",
        "promptTokens",
        "total_tokens",
        "maxtokens",
        "tokenization",
        "is_secret",
        "requires_auth",
        "cookie_consent",
        "token_expires_at",
        "tokenExpiry",
        "passwordless",
        "oauth_provider",
        "assignment",
        "resident",
        "president",
        "inside",
        "passport",
        "cookiecutter",
        "tokenCount",
        "secret_name",
        "auth_enabled",
        "signal",
        "sigterm",
        "otpauth",
        "bearish",
        "password_changed_at",
        "tokenlength",
        "passwordlength",
    ],
)
def test_other_names_are_left_alone(name):
    """Also those that only speak about a secret."""
    assert name not in SecretNames()


def test_further_words_are_matched_like_the_built_in_ones():
    """A configured word is found in any case and place."""
    secrets = SecretNames(["iban", "Card Number"])
    assert "customer_IBAN" in secrets
    assert "cardNumber" in secrets
    assert "password" in secrets


def test_an_empty_word_does_not_redact_everything():
    """A stray comma in the settings adds nothing."""
    assert "user" not in SecretNames(["", " - "])


@pytest.mark.parametrize("name", ["ping", "mapping", "spinner", "pin_count", "has_pin"])
def test_a_further_word_is_a_whole_word(name):
    assert name not in SecretNames(["pin"])


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("postgres://u:p@h/db", f"postgres://u:{REDACTED}@h/db"),
        ("redis://:p@h", f"redis://:{REDACTED}@h"),
        ("amqp://u:p@ss:x@h:5672/%2f, a", f"amqp://u:{REDACTED}@h:5672/%2f, a"),
        ("a://u:p@h,b://v:q@i", f"a://u:{REDACTED}@h,b://v:{REDACTED}@i"),
        ("http://h:80/a@b", "http://h:80/a@b"),
        ("http://h:80 a@b", "http://h:80 a@b"),
        ("ssh://git@h:22", "ssh://git@h:22"),
        ('{"url": "http://h:80", "mail": "a@b"}', '{"url": "http://h:80", "mail": "a@b"}'),
    ],
)
def test_the_passwords_of_urls_are_masked(text, masked):
    assert orjson.loads(mask_url_passwords(orjson.dumps(text))) == masked


def _documented_names():
    page = (kit_root() / "docs/security.md").read_text()
    for names, caught in re.findall(r"^\|[^|]+\|([^|]+)\| (yes|no) \|$", page, re.MULTILINE):
        yield from ((name, caught == "yes") for name in re.findall("`([^`]+)`", names))


@pytest.mark.parametrize(("name", "caught"), [*_documented_names()])
def test_the_page_on_security_says_what_is_caught(name, caught):
    assert (name in SecretNames()) == caught
