"""Log records as lines: formatters, redaction, handlers for stdout."""
