"""Records Loki's answers anew, from the `loki` that is on PATH: `python -m tests.store.record`."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.store.answers import FOLDER, Api, write
from tests.store.corpus import base_ns
from tests.store.requests import requests
from tests.store.running_loki import running_loki


def main() -> None:
    """Ask each request of a fresh Loki and write the answers."""
    program = shutil.which("loki")
    if not program:
        sys.exit(
            "tests.store.record: no program `loki` on PATH; build or install one of 3.4 or newer"
        )
    with TemporaryDirectory() as folder, running_loki(Path(program), Path(folder)) as port:
        api = Api("127.0.0.1", port, base_ns(time.time_ns()))
        api.push()
        asked = requests()
        write((request, api.ask(request)) for request in asked)
        api.close()
    size = sum(path.stat().st_size for path in FOLDER.glob("*.json.gz"))
    print(f"{len(asked)} answers in {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
