"""Dashboards, alert rules and data source of the kit, generated for Grafana's provisioning."""
