"""Alerts without Grafana: rules evaluated, silences, and messages to whoever is on call."""
