"""The spool: lines that wait on disk while Loki is away."""
