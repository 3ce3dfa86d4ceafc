"""LogQL: its grammar, and the evaluator that defines what a query means."""
