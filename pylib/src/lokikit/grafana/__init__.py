"""What Grafana is started with, whichever runtime starts it."""
