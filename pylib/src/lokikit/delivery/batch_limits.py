"""Limits of one push: its size, and how long its first entry waits for more."""

MAX_BATCH_BYTES = 1024 * 1024
MAX_BATCH_ENTRIES = 5_000
MAX_BATCH_AGE_S = 1.0
