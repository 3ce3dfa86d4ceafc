"""Who asks: a tenant, and a user or a token, as headers of a request."""

from __future__ import annotations

import base64


def identity_headers(tenant: str | None, auth: tuple[str, str] | str | None) -> dict[str, str]:
    """What tells Loki, or a proxy before it, who asks."""
    headers = {"X-Scope-OrgID": tenant} if tenant else {}
    if isinstance(auth, str):
        headers["Authorization"] = f"Bearer {auth}"
    elif auth:
        headers["Authorization"] = "Basic " + base64.b64encode(":".join(auth).encode()).decode()
    return headers
