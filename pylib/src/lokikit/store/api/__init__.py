"""The HTTP side of the store: pushes, queries and tails as Loki's API has them."""
