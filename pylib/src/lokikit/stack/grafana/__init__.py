"""Grafana in the stack: provisioning, contact points, password."""
