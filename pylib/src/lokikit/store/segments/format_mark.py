"""The number of the folder's layout, by which an older program knows a newer folder."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from lokikit.errors import PrerequisiteError
from lokikit.store.segments.append_log import read_log
from lokikit.store.segments.records import encode_record

FORMAT = 1
"""Raised by each change after which an earlier program would misread a folder."""
FORMAT_FILE = "format"


def check_format(folder: Path) -> None:
    """Return when this program can read the folder; a folder without a number gets it.

    Raises:
        PrerequisiteError: a newer program wrote it.
    """
    path = folder / FORMAT_FILE
    numbers = read_log(path)[0] if path.exists() else []
    if not numbers:  # new, or damaged, which its record shows
        with suppress(OSError):  # a full disk: queries go on, and the next start writes it
            path.write_bytes(encode_record(b"%d" % FORMAT))
    elif int(numbers[0]) > FORMAT:
        raise PrerequisiteError(
            f"a newer lokikit wrote the store in {folder}, which this one would misread: install "
            "the newer again (pip install --upgrade lokikit), or take another folder."
        )
