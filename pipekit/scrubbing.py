"""Secrets in text: known values, and the secret parts of URIs, become ``***``.

Known are the values that a pipeline file took from the environment and those of options that are secrets. Each pipeline
has its own (``keeping``), so that a value that is secret to one does not garble the messages of another. Outside of any
pipeline, as in a ``repr`` or at the end of a command, all of them are hidden.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar
from urllib.parse import quote, quote_plus

E = TypeVar("E", bound=BaseException)

HIDDEN = "***"
_SECRET_NAME = re.compile(r"pass|pwd|secret|token|sig|key|auth|cred|code|jwt|session", re.IGNORECASE)
_HARMLESS = frozenset({"", "true", "false", "yes", "no", "on", "off", "none", "null"})
_SHORT = 8  # a shorter value may be a part of other words
_LONG_PARAMETER = 12

_URI = re.compile(r"""[A-Za-z][A-Za-z0-9+.-]*://[^\s'"<>]+""")
# USER:PASSWORD@ and TOKEN@, but not HOST:PORT/, and not abfss://CONTAINER@ACCOUNT.
_USER = re.compile(r"""(?P<start>://)(?:[^/\s:@'"]*:(?!\d+(?:[/\s?#'"]|$))[^\s@'"]*|[^/\s@'"?#]+(?<!:))@""")
_PLAIN_USER = ("http", "https", "ftp", "sftp", "ssh", "git")
_PARAMETER = re.compile(r"""(?<=[?&])(?P<name>[^=&\s]+)=(?P<value>[^&#\s]*)""")


def looks_secret(name: str) -> bool:
    """Whether what has such a name is a secret."""
    return _SECRET_NAME.search(name) is not None


class Secrets:
    """Values that must not be shown or stored."""

    def __init__(self) -> None:
        self._values: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self._lock = threading.Lock()

    def add(self, values: Iterable[str]) -> None:
        """Hide these values from now on."""
        with self._lock:
            new = {value for value in values if value} - self._values
            if new:
                self._values |= new
                spelt = {text for value in self._values for text in _spellings(value)}
                self._pattern = re.compile("|".join(map(_matching, sorted(spelt, key=len, reverse=True))))

    def scrub(self, text: str) -> str:
        """The text without them."""
        return self._pattern.sub(HIDDEN, text) if self._pattern else text


def _spellings(value: str) -> set[str]:
    """A value as it stands, in a URI, in JSON, in a Python literal, and in the SQL of both kinds of engines."""
    in_sql = {value.replace("'", "''"), value.replace("\\", "\\\\").replace("'", "''")}
    return {value, quote(value, safe=""), quote_plus(value), json.dumps(value)[1:-1], repr(value)[1:-1], *in_sql}


def _matching(value: str) -> str:
    """A short value, or one word, counts only where it is a word of its own: ``a`` is not a part of ``load_data``."""
    alone = len(value) < _SHORT or (len(value) <= _LONG_PARAMETER and value.isalpha())
    return rf"(?<!\w){re.escape(value)}(?!\w)" if alone else re.escape(value)


_KNOWN = Secrets()  # of all pipelines that this process has read
_OWN: ContextVar[Secrets | None] = ContextVar("pipekit_secrets", default=None)


@contextmanager
def keeping(own: Secrets) -> Iterator[Secrets]:
    """Within, ``hide`` adds to these secrets, and ``scrub`` hides these and no others.

    A thread that is started within must run in a copy of the context; else it hides the secrets of all pipelines.
    """
    before = _OWN.set(own)
    try:
        yield own
    finally:
        _OWN.reset(before)


def hide(values: Iterable[str]) -> None:
    """Hide these values from now on: within ``keeping`` in what that pipeline shows and stores, and outside of any."""
    values = list(values)
    _KNOWN.add(values)
    if own := _OWN.get():
        own.add(values)


def hide_environment(value: str) -> None:
    """Hide a value that came from the environment: of a place its secret parts, anything else as a whole.

    A path that exists, a switch and a number of a few digits are not secrets, and hiding them would make texts
    unreadable.
    """
    hide_parts(value)
    if not ("://" in value or value.lower() in _HARMLESS or len(value) < 4 or _is_path(value)):
        hide([value])


def holds_secret(value: object) -> bool:
    """Whether the value, or a part of it, is hidden."""
    return scrub(str(value)) != str(value)


def texts_in(value: object) -> Iterator[str]:
    """The texts and numbers in a value, which may be a list or a mapping of them."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from texts_in(item)
    else:
        yield str(value)


def digest(value: object, salt: str = "") -> str:
    """What a value that must not be kept can be recognised by: a salt, and a hash that is slow to compute.

    Args:
        value: The value.
        salt: That of an earlier digest; a new one if left out.
    """
    salt = salt or os.urandom(16).hex()
    return f"{salt}:{hashlib.scrypt(repr(value).encode(), salt=bytes.fromhex(salt), n=2**14, r=8, p=1, dklen=16).hex()}"


def is_value_of(known: str, value: object) -> bool:
    """Whether a digest is that of the value."""
    return hmac.compare_digest(known, digest(value, known.partition(":")[0]))


def hide_parts(uri: str) -> None:
    """Hide the password, the keys and the signatures of a URI, also where a driver's message takes them out of it."""
    if "://" in uri:
        hide(_secret_parts(uri))


def _is_path(value: str) -> bool:
    if "\x00" in value or os.sep not in value:
        return False
    return os.path.exists(value) or os.path.isdir(os.path.dirname(value.rstrip(os.sep)))


def _secret_parts(uri: str) -> list[str]:
    user = _USER.search(uri)
    parts = user[0].removeprefix("://").removesuffix("@").split(":", 1) if user else []
    return parts[1:] + [found["value"] for found in _PARAMETER.finditer(uri) if _is_secret(found)]


def _is_secret(found: re.Match[str]) -> bool:
    return len(found["value"]) > _LONG_PARAMETER or looks_secret(found["name"])


def scrub_known(text: str) -> str:
    """The text without known secrets; URIs stay as they are, since in data they are values like others."""
    return (_OWN.get() or _KNOWN).scrub(text)


def scrub(text: str) -> str:
    """The text without known secrets, and without the secret parts of URIs."""
    text = scrub_known(text)
    return _URI.sub(lambda found: uri_without_secrets(found[0]), text) if "://" in text else text


def cleaned(error: E) -> E:
    """The error, without secrets in its own attributes and in the errors that led to it, whose messages a traceback
    shows too: a driver's quotes the statement and the value."""
    todo: list[BaseException | None] = [error]
    seen: set[int] = set()
    while todo:
        each = todo.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        todo += [each.__cause__, each.__context__, *getattr(each, "others", ())]
        each.args = tuple(scrub(value) if isinstance(value, str) else value for value in each.args)
        for name, value in vars(each).items():
            if isinstance(value, str):
                setattr(each, name, scrub(value))
        if isinstance(each, OSError) and isinstance(each.filename, str):
            each.filename = scrub(each.filename)
    return error


def uri_without_secrets(uri: str) -> str:
    """A URI without user, password, and the values of parameters that are secret, as a signature is.

    A long value under another name is replaced by a part of its digest, so that two URIs stay two.
    """
    if "://" not in uri:
        return uri
    scheme = uri.partition("://")[0].lower()
    user = _USER.search(uri)
    if user and (":" in user[0][3:] or scheme in _PLAIN_USER):
        uri = f"{uri[: user.start()]}://{HIDDEN}@{uri[user.end() :]}"
    return _PARAMETER.sub(_without_value, uri)


def _without_value(found: re.Match[str]) -> str:
    if not _is_secret(found) or found["value"].startswith(HIDDEN):
        return found[0]
    known = "" if looks_secret(found["name"]) else hashlib.sha256(found["value"].encode()).hexdigest()[:6]
    return f"{found['name']}={HIDDEN}{known}"


@contextmanager
def clean_errors() -> Iterator[None]:
    """What is raised within holds no secret, nor do the errors that led to it."""
    try:
        yield
    except Exception as error:
        cleaned(error)
        raise
