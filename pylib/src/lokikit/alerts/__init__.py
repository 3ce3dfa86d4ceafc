"""Alerts without Grafana: rules evaluated, silences, and messages to people on call."""
