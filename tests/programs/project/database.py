"""What is in stock."""

import logging

logger = logging.getLogger("my_app.db")


def reserve(number: int, stock: int) -> None:
    """Take one out of stock.

    Raises:
        LookupError: there is none.
    """
    if not stock:
        raise LookupError("no stock")
    if stock == 1:
        logger.warning("timeout of the stock for order %s", number, extra={"order": number})
