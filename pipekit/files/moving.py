"""Files that are moved or deleted once their rows are committed, on the local disk and on S3."""

from __future__ import annotations

import filecmp
import os
import shutil
from pathlib import Path
from typing import NamedTuple

from pipekit.errors import SourceError
from pipekit.files.listing import local_file
from pipekit.files.places import Store, local_path
from pipekit.source import SourceFile


class Moved(NamedTuple):
    """Where a file is now; ``None`` if it is deleted."""

    target: str | None


def look(uri: str) -> SourceFile | None:
    """The file as it is now; ``None`` if it is not there.

    Raises:
        SourceError: The place cannot be reached.
    """
    path = local_path(uri)
    if path is None:
        return Store(uri).named_file()
    try:
        return local_file(path, path.stat())
    except FileNotFoundError:
        return None


def delete(file: SourceFile) -> None:
    """Delete a file.

    Raises:
        SourceError: The store refuses.
        OSError: The disk refuses.
    """
    path = local_path(file.uri)
    if path is None:
        Store(file.uri).remove(file)
    else:
        path.unlink()


def move(file: SourceFile, target: str, mark: str) -> Moved:
    """Move a file; never over another one.

    Args:
        file: The file.
        target: Where it goes. If another file is there, it goes into a folder named ``mark`` beside that one.
        mark: The run's id.

    Raises:
        SourceError: The store refuses.
        OSError: The disk refuses.
    """
    beside = f"{target.rpartition('/')[0]}/{mark}/{target.rpartition('/')[2]}"
    path = local_path(file.uri)
    place = local_path(target) if path is not None else None
    for wanted in (target, beside):
        if path is not None and place is not None:
            free = _moved_on_disk(path, local_path(wanted) or place)
        else:
            free = Store(file.uri).move(file, wanted)
        if free:
            return Moved(wanted)
    raise SourceError(f"there are other files at {target} and {beside}", file=file.uri)


def _moved_on_disk(path: Path, place: Path) -> bool:
    """Move a file, if the place is free or holds a copy that an interrupted move left; whether it did."""
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.exists():
        if not filecmp.cmp(path, place, shallow=False):
            return False
        path.unlink()
        return True
    part = place.with_name(f".{place.name}.part")
    shutil.copy2(path, part)
    with part.open("rb+") as written:
        os.fsync(written.fileno())
    part.replace(place)
    path.unlink()
    return True
