"""The folder of damaged files: kept for an inspection, read by no query."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lokikit.atomic_file import sync_folder

if TYPE_CHECKING:
    from lokikit.store.segments.counters import Counters
    from lokikit.store.segments.records import Damage

DAMAGED = "damaged"


def set_aside(folder: Path, files: Sequence[Path], counters: Counters, why: str) -> None:
    """Move the files of a damaged segment into the folder of damaged files, and report it."""
    target = folder / DAMAGED
    target.mkdir(exist_ok=True)
    for file in files:
        if file.exists():
            file.replace(target / file.name)
    sync_folder(folder)
    counters.add("damaged_segments")
    counters.notice(f"{files[0].name} is damaged ({why}) and was moved to {target}")


def keep_damage(folder: Path, log: Path, damages: Sequence[Damage], counters: Counters) -> None:
    """Copy the damaged bytes of a log into the folder of damaged files, and report it."""
    target = folder / DAMAGED
    for damage in damages:
        target.mkdir(exist_ok=True)
        copy = target / f"{log.name}-{damage.start}"
        with log.open("rb") as file:
            file.seek(damage.start)
            copy.write_bytes(file.read(damage.end - damage.start))
        counters.add("damaged_records")
        counters.notice(
            f"{log.name} is damaged from byte {damage.start} to {damage.end}: what stood there is "
            f"lost, its bytes are in {copy}"
        )
