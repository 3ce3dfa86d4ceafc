"""Orders."""

import logging

from database import reserve

logger = logging.getLogger("my_app.orders")


def place(number: int, stock: int) -> None:
    """Place an order."""
    reserve(number, stock)
    logger.info("order %s placed", number, extra={"order": number, "amount": 19.99})
