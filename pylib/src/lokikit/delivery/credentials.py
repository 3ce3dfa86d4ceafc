"""A tenant, and a user or a token, as headers of a request."""

from __future__ import annotations

import base64
from typing import Any

from lokikit.errors import SettingsError


def identity_headers(tenant: str | None, auth: tuple[str, str] | str | None) -> dict[str, str]:
    """Return the headers that identify the client to Loki, or to a proxy before it.

    Raises:
        SettingsError: a tenant or a token has characters that no header can have.
    """
    headers = {"X-Scope-OrgID": header_value("tenant", tenant)} if tenant else {}
    if isinstance(auth, str):
        headers["Authorization"] = f"Bearer {header_value('bearer token', auth)}"
    elif auth:
        basic = ":".join(map(str, auth)).encode("utf-8", "surrogateescape")
        headers["Authorization"] = "Basic " + base64.b64encode(basic).decode()
    return headers


def header_value(name: str, value: Any) -> str:
    """Return `value` in the form in which `http.client` sends its bytes unchanged.

    Args:
        name: name of the value, for the error.
        value: text, sent as UTF-8 or as the bytes that the environment had; or bytes.

    Raises:
        SettingsError: the value holds a line end or another control character.
    """
    text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
    text = text.strip()  # a value read from a file ends in a line end
    if any(ord(character) < ord(" ") for character in text):
        raise SettingsError(f"the {name} holds a control character: write it on one line.")
    if isinstance(value, bytes):
        return text
    # http.client encodes text as Latin-1, which lacks most of Unicode.
    try:
        return text.encode("utf-8", "surrogateescape").decode("latin-1")
    except UnicodeEncodeError as error:
        raise SettingsError(f"the {name} holds no valid text: {error.reason}.") from error
