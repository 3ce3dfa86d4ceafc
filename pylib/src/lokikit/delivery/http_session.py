"""The connection to a Loki, for pushes and for questions: proxy, certificates, credentials."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
from requests.utils import DEFAULT_CA_BUNDLE_PATH

if TYPE_CHECKING:
    from lokikit.delivery.address import Address


BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Environment variables of the PEM file of certificates to trust; the first that is set counts."""


def bundle_of(environ: Mapping[str, str]) -> str:
    """Return the PEM file of certificates that the environment names; empty without a name."""
    return next(filter(None, map(environ.get, BUNDLES)), "")


@dataclass(frozen=True)
class Tls:
    """Which servers to trust, and the client's own certificate.

    Args:
        verify: a PEM file of certificates to trust; `True` trusts that of the environment (see
            `bundle_of`), else the authorities of `certifi`; `False` trusts any server.
        client_cert: a PEM file with certificate and key, or a pair of two files.
    """

    verify: bool | str = True
    client_cert: str | tuple[str, str] | None = None

    def context(self) -> ssl.SSLContext:
        """Return the same settings for connections other than HTTP requests."""
        trusted = self.trusted()
        bundle = trusted if isinstance(trusted, str) else DEFAULT_CA_BUNDLE_PATH
        is_folder = Path(bundle).is_dir()
        context = ssl.create_default_context(
            cafile=None if is_folder else bundle, capath=bundle if is_folder else None
        )
        if self.verify is False:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if isinstance(self.client_cert, str):
            context.load_cert_chain(self.client_cert)
        elif self.client_cert:
            context.load_cert_chain(*self.client_cert)
        return context

    def trusted(self) -> bool | str:
        """Return `verify`, or in place of `True` the PEM file that the environment names."""
        return bundle_of(os.environ) or True if self.verify is True else self.verify


class LokiSession(requests.Session):
    """A keep-alive connection to a Loki or another part of the stack; for one thread at a time.

    Args:
        address: the Loki; on this machine no proxy of the environment is used, which could not
            reach the loopback.
        headers: sent with each request. No .netrc file replaces their `Authorization`.
        tls: certificates; no variable of the environment replaces them.
    """

    def __init__(self, address: Address, headers: Mapping[str, str], tls: Tls) -> None:
        super().__init__()
        self.trust_env = not address.is_local
        self.auth = _keep_headers
        self.headers.update(headers)
        self._tls = tls

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        """Send a request with the certificates of `Tls`."""
        # REQUESTS_CA_BUNDLE would win over a session's own `verify`, and count nothing on loopback.
        kwargs |= {"verify": self._tls.trusted(), "cert": self._tls.client_cert}
        return super().request(*args, **kwargs)


def _keep_headers(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
