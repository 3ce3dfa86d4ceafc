"""`python -m lokikit` is the `lokikit` command."""

from lokikit.cli.app import main

main()
