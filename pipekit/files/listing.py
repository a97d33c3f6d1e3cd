"""Which files a source has: on a local disk, on S3, or wherever fsspec reaches.

S3 goes through s3fs, so every standard AWS setting counts (profiles, roles, ``AWS_ENDPOINT_URL``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipekit.errors import SourceError
from pipekit.source import Source, SourceFile


def list_files(source: Source) -> tuple[SourceFile, ...]:
    """The files of ``source`` in name order; empty when none matches its pattern.

    A ``uri`` that names one file is that file, whatever the pattern.

    Raises:
        SourceError: The place does not exist or cannot be read.
    """
    local = local_path(source.uri)
    found = _local(local, source) if local else _remote(source)
    return tuple(sorted(found, key=lambda file: file.uri))


def local_path(uri: str) -> Path | None:
    """The path that a URI means on this machine; ``None`` if it is elsewhere."""
    if uri.startswith("file://"):
        return Path(uri.removeprefix("file://"))
    return None if "://" in uri else Path(uri)


def pattern_regex(pattern: str) -> str:
    """A shell pattern as a regular expression for the whole path below the source's ``uri``.

    ``*`` and ``?`` stay within a folder, ``**/`` is any number of folders, ``[ab]`` and ``[!ab]`` are sets.
    """
    parts = re.findall(r"\*\*/|\*+|\?|\[!?\]?[^\]]*\]|.", pattern, re.DOTALL)
    return "".join(_part_regex(part) for part in parts)


def _part_regex(part: str) -> str:
    if part == "**/":
        return "([^/]+/)*"
    if part.startswith("*"):
        return "[^/]*"
    if part == "?":
        return "[^/]"
    if part.startswith("[") and len(part) > 2:
        body = part[1:-1].replace("\\", "\\\\").replace("[", "\\[")
        return f"[^/{body[1:]}]" if body.startswith("!") else f"[{body}]"
    return re.escape(part)


def _local(root: Path, source: Source) -> Iterator[SourceFile]:
    if root.is_file():
        yield _local_file(root)
        return
    if not root.is_dir():
        raise SourceError(
            f"source {source.name!r}: there is no such folder or file",
            file=source.uri,
            hint="Check `uri` (relative paths start at the project's root).",
        )
    wanted = re.compile(pattern_regex(source.pattern))
    for path in _walk(root, deep="/" in source.pattern):
        if wanted.fullmatch(path.relative_to(root).as_posix()):
            yield _local_file(path)


def _walk(root: Path, *, deep: bool) -> Iterator[Path]:
    seen: set[Path] = set()
    folders = [root]
    while folders:
        folder = folders.pop()
        if folder.resolve() in seen:  # a link that leads back up
            continue
        seen.add(folder.resolve())
        for path in _entries(folder):
            if path.is_file():
                yield path
            elif deep and path.is_dir():
                folders.append(path)


def _entries(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if not path.name.startswith(".")]
    except OSError as error:
        raise SourceError(f"cannot list the folder: {error.strerror}", file=folder) from error


def _local_file(path: Path) -> SourceFile:
    try:
        stat = path.stat()
    except OSError as error:
        raise SourceError(f"cannot read the file: {error.strerror}", file=path) from error
    return SourceFile(str(path), stat.st_size, "", datetime.fromtimestamp(stat.st_mtime, UTC))


def refuse_changed(file: SourceFile) -> None:
    """Make sure that a local file is still as it was listed. An object in a store is replaced whole, or not at all.

    Raises:
        SourceError: It was written while it was read, or is gone.
    """
    if "://" in file.uri:
        return
    now = _local_file(Path(file.uri))
    if (now.size_bytes, now.modified_at) != (file.size_bytes, file.modified_at):
        raise SourceError(
            "changed while it was read",
            file=file.uri,
            hint="Run again when it is complete. Let whoever writes it write under another name and rename it at last.",
        )


def filesystem(uri: str) -> Any:
    """fsspec's filesystem for a URI that is not local, with the settings of the environment.

    Raises:
        SourceError: fsspec does not know the protocol, or a package for it is missing.
    """
    import fsspec

    protocol = uri.split("://", 1)[0]
    # A kept listing would hide files that came since.
    options = {"use_listings_cache": False, "skip_instance_cache": True} if protocol in ("s3", "s3a") else {}
    try:
        return fsspec.filesystem(protocol, **options)
    except (ValueError, ImportError) as error:
        raise SourceError(f"cannot read {protocol}:// places: {error}", file=uri) from error


def _remote(source: Source) -> list[SourceFile]:
    files = filesystem(source.uri)
    with store_errors(source.uri):
        entries = _remote_entries(files, source)
    return [_remote_file(source.uri, entry) for entry in entries]


def _remote_entries(files: Any, source: Source) -> list[dict[str, Any]]:
    root = files._strip_protocol(source.uri).rstrip("/")
    if not source.uri.endswith("/") and files.isfile(root):
        return [files.info(root)]
    wanted = re.compile(pattern_regex(source.pattern))
    try:
        listed = files.find(root, detail=True, maxdepth=None if "/" in source.pattern else 1).values()
    except FileNotFoundError:
        listed = ()
    if not listed and not files.exists(root.split("/", 1)[0]):
        raise SourceError(f"source {source.name!r}: there is no such bucket", file=source.uri, hint="Check `uri`.")
    below = [(entry["name"][len(root) :].lstrip("/"), entry) for entry in listed if entry["type"] == "file"]
    return [entry for name, entry in below if name and not _hidden(name) and wanted.fullmatch(name)]


def _hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))


def _remote_file(uri: str, entry: dict[str, Any]) -> SourceFile:
    protocol = uri.split("://", 1)[0]
    name = f"{protocol}://{entry['name'].lstrip('/') if protocol.startswith('s3') else entry['name']}"
    etag = str(entry.get("ETag") or entry.get("etag") or "").strip('"')
    changed = entry.get("LastModified") or entry.get("mtime") or entry.get("created")
    return SourceFile(name, int(entry.get("size") or 0), etag, changed if isinstance(changed, datetime) else None)


def from_store(error: BaseException) -> bool:
    """Whether a file store raised this; S3's own classes are known by their package."""
    package = type(error).__module__.split(".")[0]
    return isinstance(error, OSError) or package in ("botocore", "aiobotocore", "aiohttp")


@contextmanager
def store_errors(uri: str) -> Iterator[None]:
    """Turn what a file store raises into ``SourceError``."""
    try:
        yield
    except Exception as error:
        if not from_store(error):
            raise
        raise SourceError(
            f"cannot be read: {error}",
            file=uri,
            hint="Check `uri` and the credentials (AWS_PROFILE, AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, ...).",
        ) from error
