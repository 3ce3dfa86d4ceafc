"""The address of a Loki, in the forms in which people write it, with the credentials in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from lokikit.errors import SettingsError

PUSH_PATH = "/loki/api/v1/push"
_LOOPBACK = ("127.0.0.1", "localhost")
_API_PATHS = (PUSH_PATH, "/loki/api/v1", "/api/prom/push", "/api/prom")


def without_api_path(url: str) -> str:
    """Return the URL without a path of Loki's API at its end."""
    url = url.strip().rstrip("/")
    return url.removesuffix(next((api for api in _API_PATHS if url.endswith(api)), ""))


def is_loopback(host: str) -> bool:
    """Return True for `localhost` and the addresses of the loopback, without brackets."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def around_loopback(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables by which no proxy of `environ` stands before the loopback addresses.

    A proxy cannot reach the loopback of this machine.
    """
    around = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    missing = [] if around == "*" else [host for host in _LOOPBACK if host not in around.split(",")]
    if not missing:
        return {}
    # Programs differ in the spelling that they read.
    return dict.fromkeys(("no_proxy", "NO_PROXY"), ",".join([*filter(None, [around]), *missing]))


@dataclass(frozen=True)
class Address:
    """The parts of an address.

    Args:
        base: URL in front of the paths of Loki's API, without credentials.
        query: text behind the "?", sent with each request.
        host: name or IP address.
        credentials: the user and the password in the address, `None` without a user.
    """

    base: str
    query: str
    host: str
    credentials: tuple[str, str] | None

    @property
    def push_url(self) -> str:
        """The URL of the push API."""
        return self.base + PUSH_PATH + (f"?{self.query}" if self.query else "")

    @property
    def is_local(self) -> bool:
        """True when the Loki is on the loopback of this machine."""
        return is_loopback(self.host)

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return "/".join(self.base.split("/")[:3])


def read_address(url: str) -> Address:
    """Return the parts of `url`, which may end in a path of Loki's API.

    Raises:
        SettingsError: `url` is no HTTP address.
    """
    try:
        parts = urlsplit(url.strip())
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except (ValueError, AttributeError):  # `None`, of a variable that is not set
        valid = False
    if not valid:
        raise SettingsError(
            f"{url!r} is not the URL of a Loki: write it like http://127.0.0.1:3100."
        )
    path = without_api_path(parts.path)
    user = parts.username
    return Address(
        f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{path}",
        parts.query,
        parts.hostname or "",
        (unquote(user), unquote(parts.password or "")) if user else None,
    )
