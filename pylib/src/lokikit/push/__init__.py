"""The push handler: queue, worker, sender."""
