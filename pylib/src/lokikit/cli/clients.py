"""Clients of the Loki that the environment names, for commands."""

from __future__ import annotations

import os
from collections.abc import Mapping

from lokikit.delivery.credentials import identity_headers
from lokikit.delivery.push_api import Pusher
from lokikit.query.client import Loki
from lokikit.settings import read_loki_access
from lokikit.stack.kit_files import loki_url

TIMEOUT_S = 70
"""A little more than Loki's own limit for a query (`limits_config.query_timeout`, 1m)."""


def loki_from(environ: Mapping[str, str] = os.environ, *, timeout_s: float = TIMEOUT_S) -> Loki:
    """Return a client of the Loki that the environment names, or that `lokikit up` starts.

    Reads `LOKI_URL`, `LOKI_ORG_ID`, `LOKI_BEARER_TOKEN`, `LOKI_USERNAME` and `LOKI_PASSWORD`.
    """
    access = read_loki_access(environ)
    return Loki(loki_url(environ), tenant=access.tenant, auth=access.auth, timeout_s=timeout_s)


def pusher_from(environ: Mapping[str, str] = os.environ, *, url: str | None = None) -> Pusher:
    """Return a client that pushes to the same Loki, or to `url`, with the same credentials."""
    access = read_loki_access(environ)
    return Pusher(url or loki_url(environ), headers=identity_headers(access.tenant, access.auth))
