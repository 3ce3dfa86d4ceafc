"""Queries: client, LogQL, paging, tail."""
