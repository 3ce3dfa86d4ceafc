"""Checks of the pipeline: canary, round trip, overview, alert rules."""
