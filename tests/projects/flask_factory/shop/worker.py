"""A module with a logger that looks after itself."""

import logging

logger = logging.getLogger("reports")


def write_report(number: int) -> None:
    """Log, to the console by itself unless somebody else does."""
    if not logger.hasHandlers():
        logger.addHandler(logging.StreamHandler())
    logger.propagate = False
    logger.info("report of %d", number)
