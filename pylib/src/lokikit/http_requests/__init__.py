"""Request logs: one line for each HTTP request."""
