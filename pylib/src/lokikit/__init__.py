"""lokikit: logs of Python services, from `logger.info()` to Loki."""

from lokikit.errors import LokikitError

__version__ = "0.1.0"

__all__ = ["LokikitError"]
