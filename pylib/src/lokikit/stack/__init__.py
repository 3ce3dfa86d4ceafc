"""The local stack: its files, parts and ports."""
