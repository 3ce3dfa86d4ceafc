"""What customers do in the shop, one function per kind, and in which order they come."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

from suppliers import DECLINED_CARD, UNLUCKY_CARD

Send = Callable[..., Any]
"""`send(method, path, **body)` gives the decoded answer."""
Journey = Callable[[Send], None]
_GOOD_CARD = "tok_visa_4242"


class Ended(Exception):  # noqa: N818 - no error: it ends a journey
    """Raised by `send` when no more requests are to be sent."""


def _fill_cart(send: Send) -> str:
    cart = send("POST", "/cart", product_id=random.choice([1, 2, 5]), quantity=2)
    return str(send("POST", "/cart", product_id=3, quantity=1, cart_id=cart["cart_id"])["cart_id"])


def browse(send: Send) -> None:
    """Look at the catalogue and two products."""
    send("GET", "/")
    for product_id in random.sample(range(1, 9), 2):
        send("GET", f"/products/{product_id}?currency={random.choice(['EUR', 'USD', 'GBP'])}")


def buy(send: Send) -> None:
    """Fill a cart, pay, look at the order."""
    cart_id = _fill_cart(send)
    coupon = random.choice(["", "SAVE10"])
    order = send("POST", "/checkout", cart_id=cart_id, card_token=_GOOD_CARD, coupon=coupon)
    send("GET", f"/orders/{order['order_id']}")


def ask_slow_warehouse(send: Send) -> None:
    """Wait for the stock in Antwerp."""
    send("GET", f"/products/{random.choice([4, 6])}?stock=live")


def ask_absent_warehouse(send: Send) -> None:
    """Ask for the stock in Yokohama, which is away: 502."""
    send("GET", "/products/8?stock=live")


def want_unknown(send: Send) -> None:
    """Follow an old link, try an order of somebody else, probe like a bot: 404."""
    send("GET", f"/products/{random.randint(1000, 9999)}")
    send("GET", "/orders/7a1f3c52-0000-4000-8000-000000000000")
    send("GET", "/wp-login.php")


def want_sold_out(send: Send) -> None:
    """Put the last teapot into the cart, which somebody else has bought: 409."""
    send("POST", "/cart", product_id=7, quantity=1)


def pay_declined(send: Send) -> None:
    """Pay with a card that the bank declines: 402."""
    send("POST", "/checkout", cart_id=_fill_cart(send), card_token=DECLINED_CARD)


def pay_unlucky(send: Send) -> None:
    """Pay while the payment provider is away: 503."""
    send("POST", "/checkout", cart_id=_fill_cart(send), card_token=UNLUCKY_CARD)


def crash_currency(send: Send) -> None:
    """Ask for a price in gold: KeyError."""
    send("GET", "/products/3?currency=XAU")


def crash_order(send: Send) -> None:
    """Mistype an order's id: ValueError."""
    send("GET", "/orders/my-last-order")


def crash_cart(send: Send) -> None:
    """Send a quantity in words: TypeError."""
    send("POST", "/cart", product_id=2, quantity="two")


def crash_coupon(send: Send) -> None:
    """Use a coupon without a number: RuntimeError, caused by a decimal one."""
    cart_id = _fill_cart(send)
    send("POST", "/checkout", cart_id=cart_id, card_token=_GOOD_CARD, coupon="SAVEALOT")


SLOW = (ask_slow_warehouse,)
REFUSED = (want_unknown, want_sold_out, pay_declined, pay_unlucky, ask_absent_warehouse)
CRASHING = (crash_currency, crash_order, crash_cart, crash_coupon)
ROUND: tuple[Journey, ...] = (*[browse, buy] * 12, *SLOW * 2, *REFUSED, *CRASHING)
"""One of each unusual kind among many usual ones; about 115 requests."""


def shuffled() -> Iterator[Journey]:
    """Journeys without end: round after round, each in an order of its own."""
    while True:
        yield from random.sample(ROUND, len(ROUND))
