"""Places that are not on the local disk, as fsspec reaches them: what they list, and how their files are opened.

S3 goes through s3fs, so every standard AWS setting counts (profiles, roles, ``AWS_ENDPOINT_URL``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import IO, Any, cast

from pipekit.errors import SKIP_FILE, BadFileError, PipekitError, SourceError, TransientError
from pipekit.files.patterns import is_deep, is_folder_marker
from pipekit.source import Source, SourceFile
from pipekit.suggestions import did_you_mean

_BLOCK = 16 << 20
_NUMBER = re.compile(r"^\[Errno \d+\] ")
_S3 = ("s3", "s3a")
_WEB = ("http", "https")
# File systems of fsspec that only make sense around, or in place of, another one.
_WRAPPERS = ["local", "dir", "generic", "reference", "cached", "blockcache", "filecache", "simplecache", "data"]
# Those that only Snowflake reads, in place: https://docs.snowflake.com/en/sql-reference/sql/create-stage
_ELSEWHERE = ("azure", "s3gov", "s3china", "s3compat")
_COMMON = ("s3", "gs", "abfs", "http", "https", "file")
_ONE_SLASH = re.compile(r"(file|s3|s3a|https?|gs|gcs|az|abfss?):", re.IGNORECASE)
# There a folder that holds nothing does not exist.
_OBJECT_STORES = (*_S3, "gs", "gcs", "abfs", "abfss", "az", "adl", "oss", "oci", "hf")


def local_path(uri: str) -> Path | None:
    """The path that a URI means on this machine; ``None`` if it is elsewhere."""
    if uri.startswith("file://"):
        return Path(uri.removeprefix("file://"))
    return None if "://" in uri else Path(uri)


def scheme_of(uri: str) -> str:
    """What is before ``://``; empty for a local path."""
    return uri.partition("://")[0].lower() if "://" in uri else ""


def check_place(uri: str, *, read_elsewhere: bool = False) -> str | None:
    """Why files at ``uri`` cannot be read at all; ``None`` if they can, as far as that can be known here.

    Args:
        uri: A folder or a file.
        read_elsewhere: Whether it is a warehouse that reads them, which knows other schemes than this machine.
    """
    scheme = scheme_of(uri)
    if "\x00" in uri:
        return "a place cannot hold a NUL character"
    if "::" in uri and scheme:
        return "places within places (a::b) are not read; unpack the archive, or name the place itself"
    if scheme in _WEB and uri.partition("?")[0].endswith("/"):
        return "a web server has no listing: name one file"
    if scheme in _OBJECT_STORES and not uri.partition("://")[2].partition("/")[0]:
        return "names no bucket"
    if read_elsewhere or scheme in ("", "file", *_S3, *_WEB):
        return None
    return _unknown_scheme(scheme)


def check_spelling(uri: str) -> str | None:
    """What is wrong with a place as the pipeline file writes it; ``None`` if nothing is."""
    before, colon, after = uri.partition("://")
    slash = not colon and _ONE_SLASH.match(uri)
    upper = colon and before.isalnum() and before != before.lower()
    if upper and before.lower() not in _ELSEWHERE and (unknown := _unknown_scheme(before.lower())):
        return unknown
    wrong = {
        f"write {before.lower()}:// in lower case": upper,
        "file:// is followed by an absolute path, so by three slashes": before == "file" and after[:1] != "/",
        _with_two_slashes(uri): slash,
        "~ is not expanded; write {{ env('HOME') }}, or ./~ for a folder of that name": uri[:1] == "~",
        f"{before}:// stands for another place; name that one": colon and before in _WRAPPERS,
        "ends in an empty name (//); name the folder above, and give a pattern": uri.endswith("//") and after,
    }
    return next((text for text, holds in wrong.items() if holds), None)


def _with_two_slashes(uri: str) -> str:
    """For a place with no slash after its scheme, or only one: how it is written."""
    scheme, _, rest = uri.partition(":")
    slashes = "one slash" if rest.startswith("/") else "no slash"
    meant = rest if scheme.lower() == "file" else f"{scheme.lower()}://{rest.lstrip('/')}"
    return f"{uri!r} has {slashes} after {scheme}:; write {meant} (a local folder of that name: ./{uri})"


def _unknown_scheme(scheme: str) -> str | None:
    from fsspec import get_filesystem_class

    try:
        get_filesystem_class(scheme)
    except ValueError:
        near = did_you_mean(scheme, _COMMON)
        return f"unknown scheme {scheme!r}{near}; among those that can be read are {', '.join(_COMMON)}"
    except ImportError as error:
        return f"{scheme}:// places cannot be read: {error}"
    return None


class Store:
    """A place and the one file system object through which it is listed and read.

    Args:
        uri: A folder or a file.

    Raises:
        SourceError: The place cannot be reached, or nothing can read places like it.
    """

    def __init__(self, uri: str) -> None:
        from fsspec.core import url_to_fs

        self.uri = uri
        self.scheme = scheme_of(uri)
        if problem := check_place(uri):
            raise SourceError(problem, file=uri)
        # A cached listing would hide files that came since.
        fresh = {"use_listings_cache": False, "skip_instance_cache": True} if self.scheme in _S3 else {}
        with store_errors(uri):
            self._files, self._root = url_to_fs(uri, **fresh, **(_settings() if fresh else {}))

    def list(self, source: Source) -> Iterator[tuple[SourceFile, str]]:
        """Each file with its name below ``uri``; the name is empty for the file that ``uri`` itself names.

        Raises:
            SourceError: The place does not exist, or does not say what it holds.
        """
        with store_errors(self.uri):
            if found := self._named_file():
                yield self._file(self.uri, found), ""
                return
            for entry in self._entries(source):
                below = str(entry["name"]).removeprefix(self._root).removeprefix("/")
                if not is_folder_marker(below, int(entry.get("size") or 0)):
                    yield self._file(f"{self.uri.rstrip('/')}/{below}", entry), below

    def _named_file(self) -> dict[str, Any] | None:
        if self.uri.endswith("/"):
            return None
        try:
            found = self._files.info(self._root)
        except FileNotFoundError as error:
            if self.scheme in _WEB:
                raise _unreadable(self.uri, error.__cause__ or error) from error
            return None
        return cast("dict[str, Any]", found) if found["type"] == "file" else None

    def _entries(self, source: Source) -> Iterator[dict[str, Any]]:
        found = False
        try:
            for entry in self._below(is_deep(source.pattern)):
                found = True
                yield entry
        except FileNotFoundError as error:
            if self.scheme not in _OBJECT_STORES:
                raise SourceError(f"source {source.name!r}: there is no such folder or file", file=self.uri) from error
            if _code(error) == "NoSuchBucket":
                raise _no_bucket(source) from error
            if _code(error):  # a prefix without objects is answered by an empty list, never by 404
                raise _unreadable(self.uri, error) from error
        if not found and self.scheme in _S3:
            self._require_bucket(source)

    def _below(self, deep: bool) -> Iterator[dict[str, Any]]:
        """All files; ``walk`` and ``find`` with a depth would leave out what they may not list."""
        if deep and self.scheme in _S3:
            yield from self._files.find(self._root, detail=True).values()
            return
        folders = [self._root]
        while folders:
            folder = folders.pop()
            for entry in self._files.ls(folder, detail=True):
                if entry["type"] != "directory":
                    yield entry
                elif deep and str(entry["name"]).rstrip("/") != folder.rstrip("/"):
                    folders.append(entry["name"])

    def _require_bucket(self, source: Source) -> None:
        try:
            self._files.info(self._root.split("/", 1)[0])
        except FileNotFoundError as error:
            raise _no_bucket(source) from error
        except PermissionError:
            return  # the listing itself was allowed

    def _file(self, uri: str, entry: dict[str, Any]) -> SourceFile:
        etag = str(entry.get("ETag") or entry.get("etag") or "").strip('"')
        return SourceFile(uri, int(entry.get("size") or 0), etag, _changed_at(entry))

    def named_file(self) -> SourceFile | None:
        """The file that ``uri`` names, as it is now; ``None`` if it is not there.

        Raises:
            SourceError: The place does not say.
        """
        with store_errors(self.uri):
            found = self._named_file()
            return self._file(self.uri, found) if found else None

    def remove(self, file: SourceFile) -> None:
        """Delete a file.

        Raises:
            SourceError: The store refuses.
        """
        with store_errors(file.uri):
            self._files.rm_file(self._files._strip_protocol(file.uri))

    def move(self, file: SourceFile, target: str) -> bool:
        """Copy a file and delete it, if nothing or the same content is at the target; whether that was so.

        Raises:
            SourceError: The store refuses.
        """
        other = Store(target).named_file()
        if other is not None and (other.size_bytes, other.etag) != (file.size_bytes, file.etag):
            return False
        with store_errors(file.uri):
            if other is None:
                strip = self._files._strip_protocol
                # The object that was loaded, or none.
                self._files.cp_file(strip(file.uri), strip(target), CopySourceIfMatch=f'"{file.etag}"')
        self.remove(file)
        return True

    @contextmanager
    def open(self, file: SourceFile) -> Iterator[IO[bytes]]:
        """The bytes of a file, as it was listed.

        Raises:
            FileNotFoundError: It is gone.
            TransientError: It was replaced after it was listed.
            SourceError: The store refuses to give it.
        """
        path = self._files._strip_protocol(file.uri)
        with store_errors(file.uri, missing=True):
            if self.scheme in _S3 and file.etag:
                # With these the object need not be asked for once more, and no other version of it is read.
                stream = self._files.open(path, "rb", block_size=_BLOCK, size=file.size_bytes)
                stream.details = {"name": path, "size": file.size_bytes, "ETag": f'"{file.etag}"', "type": "file"}
                stream.read_kw = {**stream.read_kw, "IfMatch": f'"{file.etag}"'}
            else:
                stream = self._files.open(path, "rb", block_size=0 if self.scheme in _WEB else _BLOCK)
            with stream:
                yield cast("IO[bytes]", stream)


def _settings() -> dict[str, Any]:
    """The ``FSSPEC_S3_*`` variables as they are now: fsspec reads them as it is imported, before ``.env`` perhaps."""
    from fsspec.config import set_conf_env

    found: dict[str, dict[str, Any]] = {}
    set_conf_env(found)
    ours = ("use_listings_cache", "skip_instance_cache")
    return {name: value for name, value in found.get("s3", {}).items() if name not in ours}


def _no_bucket(source: Source) -> SourceError:
    return SourceError(f"source {source.name!r}: there is no such bucket", file=source.uri, hint="Check `uri`.")


def _changed_at(entry: dict[str, Any]) -> datetime | None:
    found = entry.get("LastModified") or entry.get("mtime") or entry.get("created") or entry.get("Last-Modified")
    if isinstance(found, str):
        try:
            return parsedate_to_datetime(found)
        except ValueError:
            return None
    return found if isinstance(found, datetime) else None


@contextmanager
def store_errors(uri: str, *, missing: bool = False) -> Iterator[None]:
    """Turn what a file store raises into ``SourceError``.

    Args:
        uri: What was asked for.
        missing: Whether ``FileNotFoundError`` passes.

    Raises:
        TransientError: The object is no longer the one that was listed.
        SourceError: Anything else.
    """
    try:
        yield
    except PipekitError:
        raise
    except Exception as error:
        if (missing and isinstance(error, FileNotFoundError)) or not _from_store(error, uri):
            raise
        if type(error).__name__ == "FileExpired" or "PreconditionFailed" in str(error) or "pre-condition" in str(error):
            raise replaced(uri) from error
        raise _unreadable(uri, error) from error


def replaced(uri: str) -> TransientError:
    """The error for a file that is another one than was listed."""
    return TransientError(
        f"{uri} was replaced after it was listed", hint="Run again: then the new file is listed and loaded."
    )


def _from_store(error: BaseException, uri: str) -> bool:
    """S3's own classes are known by their package; other file systems raise whatever their clients do."""
    package = type(error).__module__.split(".")[0]
    return isinstance(error, OSError) or package in ("botocore", "aiobotocore", "aiohttp") or scheme_of(uri) not in _S3


# Of all answers those that are about the object and not about the store or the credentials.
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html: archived objects are in another state.
_ABOUT_THE_OBJECT = ("InvalidObjectState", "AccessDenied", "403", "Forbidden")
_WITHOUT_RIGHTS = (
    "If the reader pays, set FSSPEC_S3_REQUESTER_PAYS=true; if the bucket is public, set FSSPEC_S3_ANON=true."
)
_ARCHIVED = f"It is archived (Glacier): restore it or move it away. {SKIP_FILE}"


def _unreadable(uri: str, error: BaseException) -> SourceError:
    code = _code(error)
    if isinstance(error, PermissionError) and (scheme_of(uri) not in _S3 or code in _ABOUT_THE_OBJECT):
        return BadFileError.of(_unreadable_place(uri, error, _ARCHIVED if code == "InvalidObjectState" else None))
    return _unreadable_place(uri, error)


def _code(error: BaseException) -> str:
    """S3's own code of an error."""
    response = getattr(error.__cause__, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


def _said(error: BaseException) -> str:
    """What the place says, with S3's own code: it is what the documentation and search engines know."""
    text = _NUMBER.sub("", str(error)) or type(error).__name__
    code = _code(error)
    return f"{code}: {text}" if code and not code.isdigit() and code not in text else text


def _unreadable_place(uri: str, error: BaseException, remedy: str | None = None) -> SourceError:
    hint = "Check `uri` and the credentials (AWS_PROFILE, AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, ...)."
    if _code(error) in ("AccessDenied", "403") or type(error).__name__ == "NoCredentialsError":
        hint += f" {_WITHOUT_RIGHTS}"
    return SourceError(
        f"cannot be read: {_said(error)}",
        file=uri,
        hint=remedy or hint if scheme_of(uri) in _S3 else "Check `uri`, and that the place can be reached from here.",
    )
