"""The services that a real shop would call: a slow warehouse and a moody payment provider."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from shop_errors import PaymentDeclinedError, PaymentUnavailableError, WarehouseError

if TYPE_CHECKING:
    from decimal import Decimal

    from catalogue import Product

DECLINED_CARD = "tok_card_declined"
UNLUCKY_CARD = "tok_provider_down"

_log = logging.getLogger("shop.suppliers")


def live_stock(product: Product, slow_s: float) -> int:
    """How many lie in the product's warehouse: Antwerp is slow to tell, Yokohama is away.

    Raises:
        WarehouseError: the warehouse does not answer.
    """
    try:
        return _ask_warehouse(product, slow_s)
    except OSError as error:
        raise WarehouseError(f"The warehouse {product.warehouse} does not answer.") from error


def _ask_warehouse(product: Product, slow_s: float) -> int:
    if product.warehouse == "Yokohama":
        raise ConnectionRefusedError(111, "Connection refused", "yokohama.warehouse.example:8443")
    if product.warehouse == "Antwerp":
        _log.warning("warehouse %s is slow", product.warehouse, extra={"waited_s": slow_s})
        time.sleep(slow_s)
    return product.stock * 3


def charge(amount: Decimal, card_token: str) -> None:
    """Take the money.

    Raises:
        PaymentDeclinedError: the bank says no.
        PaymentUnavailableError: the provider does not answer.
    """
    _log.info("charging a card", extra={"payment": {"amount": amount, "card_token": card_token}})
    if card_token == DECLINED_CARD:
        raise PaymentDeclinedError("Your bank declined the payment: insufficient funds.")
    try:
        _call_provider(card_token)
    except TimeoutError as error:
        raise PaymentUnavailableError("We cannot take payments now, try again.") from error


def _call_provider(card_token: str) -> None:
    if card_token == UNLUCKY_CARD:
        raise TimeoutError("POST https://pay.example/v2/charges: no answer within 3 s")
