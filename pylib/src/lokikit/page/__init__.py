"""`lokikit page`: logs, dashboards, tasks and alerts of any Loki API in a browser."""
