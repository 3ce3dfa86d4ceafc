"""A small project whose only line about logging is the import of `log_setup`."""

import logging

import log_setup  # noqa: F401 - the page's block, written by the test
from orders import place

logger = logging.getLogger("my_app")


def main() -> None:
    """Place three orders, of which one fails."""
    logger.debug("looking for orders")
    for number, stock in ((17, 3), (18, 0), (19, 1)):
        try:
            place(number, stock)
        except LookupError:  # noqa: PERF203 - the others go on
            logger.exception("order %s failed", number)
    logger.info("done")


if __name__ == "__main__":
    main()
