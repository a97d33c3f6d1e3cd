"""Which files a source has: on a local disk, on S3, or wherever fsspec reaches.

What a place refuses to say is an error, never an empty folder.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from pipekit.errors import SourceError
from pipekit.files.patterns import is_deep, is_no_data, judge_of
from pipekit.files.places import Store, local_path
from pipekit.files.waiting import wait_for
from pipekit.source import Listing, Source, SourceFile


def list_files(source: Source, cancelled: threading.Event | None = None) -> Listing:
    """The files of ``source`` in name order; empty when none matches its patterns.

    A ``uri`` that names one file is that file, whatever the patterns. Hidden files and what writers leave beside their
    data are not files of a source, unless it asks for them; the listing names what is left out.

    Args:
        source: Where to look.
        cancelled: Set when the step is cancelled, which need not wait for a store that does not answer.

    Raises:
        SourceError: The place does not exist or cannot be read.
    """
    local = local_path(source.uri)
    if local:
        return chosen(source, _local(local, source))
    return wait_for(lambda: chosen(source, Store(source.uri).list(source)), cancelled)


def chosen(source: Source, found: Iterable[tuple[SourceFile, str]]) -> Listing:
    """Those of the files that the source's patterns mean.

    Args:
        source: Its patterns count.
        found: Files, each with its name below ``uri``; an empty name is the file that ``uri`` itself names, and what
            only stands for a folder ends in a slash.
    """
    judge = judge_of(source)
    files, beside = [], set()
    for file, below in found:
        verdict = judge(below) if below else (below, None)
        if verdict is not None and verdict[1] is None:
            files.append(file)
        elif verdict is not None:
            beside.add(verdict)
    left_out: dict[str, tuple[str, ...]] = {}
    for name, why in sorted(beside):
        left_out[str(why)] = (*left_out.get(str(why), ()), name)
    return Listing(sorted(files, key=lambda file: file.uri), left_out)


def _local(root: Path, source: Source) -> Iterator[tuple[SourceFile, str]]:
    status = _status(root)
    if status is not None and S_ISREG(status.st_mode):
        yield local_file(root, status), ""
        return
    if status is None or not S_ISDIR(status.st_mode):
        raise SourceError(
            f"source {source.name!r}: there is no such folder or file",
            file=source.uri,
            hint="Check `uri` (relative paths start at the project's root).",
        )
    judge, above = judge_of(source), os.path.join(root, "")
    for path, found in _walk(str(root), deep=is_deep(source.pattern), hidden=source.include_hidden):
        below = path.removeprefix(above)
        if found is None and not source.include_hidden and is_no_data(below):
            yield SourceFile(path, 0), below + "/" * os.path.isdir(path)
        elif verdict := judge(below):
            yield (_listed(path, found) if verdict[1] is None else SourceFile(path, 0)), below


def _listed(path: str, status: os.stat_result | None) -> SourceFile:
    if status is None:
        raise SourceError("is a link to nothing", file=path, hint="Remove the link, or bring back what it leads to.")
    try:
        path.encode()
    except UnicodeEncodeError:
        raise SourceError("the name is not UTF-8", file=path, hint="Rename the file.") from None
    return local_file(path, status)


def _walk(root: str, *, deep: bool, hidden: bool) -> Iterator[tuple[str, os.stat_result | None]]:
    """Files, links that lead nowhere, and hidden names, which have no status like these.

    A folder that several links lead to is looked at once.
    """
    seen: set[tuple[int, int]] = set()
    folders = [root]
    while folders:
        folder = folders.pop()
        status = _status(folder)
        if status is None or (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
        below = []
        for name, path in _entries(folder):
            status = None if not hidden and is_no_data(name) else _status(path)
            if status is None or S_ISREG(status.st_mode):
                yield path, status
            elif deep and S_ISDIR(status.st_mode):
                below.append(path)
        folders += reversed(below)


def _entries(folder: str) -> list[tuple[str, str]]:
    """Names and paths, which are texts: there may be a million."""
    above = "" if folder == os.curdir else os.path.join(folder, "")
    try:
        # In one order: a file that can be reached by two ways is always known by the same.
        return [(name, above + name) for name in sorted(os.listdir(folder))]
    except OSError as error:
        raise SourceError(f"cannot list the folder: {error.strerror}", file=folder) from error


def _status(path: str | Path) -> os.stat_result | None:
    """What a path leads to; ``None`` if that is nothing."""
    try:
        return os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:  # links that lead to each other
            return None
        raise SourceError(f"cannot read the file: {error.strerror}", file=path) from error


def local_file(path: str | Path, status: os.stat_result) -> SourceFile:
    """A file on the local disk."""
    version = f"{status.st_mtime_ns}.{status.st_ctime_ns}"
    return SourceFile(str(path), status.st_size, "", _written(status), version)


def _written(status: os.stat_result) -> datetime:
    return datetime.fromtimestamp(status.st_mtime, UTC)


def refuse_changed(file: SourceFile) -> None:
    """Make sure that a local file is still as it was listed. Files elsewhere are checked where they are read.

    Raises:
        SourceError: It was written while it was read, or is gone.
    """
    path = local_path(file.uri) if "://" in file.uri else file.uri
    if path is None:
        return
    status = _status(path)
    if status is None or (status.st_size, _written(status)) != (file.size_bytes, file.modified_at):
        raise SourceError(
            "changed while it was read",
            file=file.uri,
            hint="Run again when it is complete. Its writer should use a temporary name, and rename the file last.",
        )
