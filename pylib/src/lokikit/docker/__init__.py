"""The Docker runtime: the kit's Compose file, run and watched from outside."""
