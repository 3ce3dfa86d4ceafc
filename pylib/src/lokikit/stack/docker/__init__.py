"""The stack on Docker."""
