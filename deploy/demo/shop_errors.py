"""What the shop refuses or cannot do, each with the HTTP status that the client gets.

    ShopError
    ├── NotFoundError            404
    ├── SoldOutError             409
    ├── PaymentDeclinedError     402
    ├── PaymentUnavailableError  503
    └── WarehouseError           502

Anything else that is raised is a bug, and becomes a 500.
"""

from __future__ import annotations


class ShopError(Exception):
    """The base of all errors that the shop answers for; its text is for the client."""

    status = 500


class NotFoundError(ShopError):
    """Raised when a product, cart or order does not exist."""

    status = 404


class SoldOutError(ShopError):
    """Raised when more is asked for than is in stock."""

    status = 409


class PaymentDeclinedError(ShopError):
    """Raised when the bank says no."""

    status = 402


class PaymentUnavailableError(ShopError):
    """Raised when the payment provider does not answer."""

    status = 503


class WarehouseError(ShopError):
    """Raised when the warehouse does not answer."""

    status = 502
