"""`python -m lokikit.store`: the command `lokikit store`, ready sooner.

A program that starts the store saves the imports of all other commands.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lokikit.errors import LokikitError
from lokikit.store.serving import serve_store


def main() -> int:
    """Serve until a signal; the exit code."""
    parser = argparse.ArgumentParser("python -m lokikit.store")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--port", type=int, default=3100)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--retention")
    parser.add_argument("--config", type=Path)
    options = parser.parse_args()
    try:
        serve_store(options.data, options.port, options.host, options.retention, options.config)
    except LokikitError as error:
        print(f"lokikit: {error}", file=sys.stderr)  # noqa: T201 - a command prints its error
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
