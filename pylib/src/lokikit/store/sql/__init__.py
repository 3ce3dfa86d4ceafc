"""The fast path: metric queries answered by SQL over the stored rows, where it is equal."""
