"""The embedded store: Loki's API over an append log and Parquet segments, in one process."""
