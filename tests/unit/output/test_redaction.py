import pytest

from lokikit.output.redaction import SecretNames


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
