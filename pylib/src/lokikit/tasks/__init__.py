"""Task logs: one line for each step of a run."""
