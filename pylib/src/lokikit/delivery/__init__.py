"""Delivery to Loki: entries, the push API, retries, dead letters."""
