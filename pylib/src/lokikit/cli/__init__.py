"""The `lokikit` command; `lokikit.cli.app` puts it together."""
