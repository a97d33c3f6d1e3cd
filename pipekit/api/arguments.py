"""Arguments of the library: one of another type is refused by its name, before anything is opened."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import wraps
from inspect import Parameter, Signature, signature
from numbers import Integral, Real
from os import PathLike
from typing import Any, ParamSpec, TypeVar

from pipekit.errors import ArgumentError, short
from pipekit.suggestions import did_you_mean

P = ParamSpec("P")
T = TypeVar("T")
Kind = tuple[Callable[[Any], bool], str]


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and float(value) >= 0


def _is_count(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= 0


def _are_texts(value: Any) -> bool:
    return isinstance(value, Collection) and _are(str, value) and not isinstance(value, Mapping)


def _are_sinks(value: Any) -> bool:
    return isinstance(value, Sequence) and all(callable(getattr(each, "handle", None)) for each in value)


def _is_mapping(value: Any) -> bool:
    return isinstance(value, Mapping) and _are(str, value)


def _are(kind: type, values: Any) -> bool:
    return all(isinstance(each, kind) for each in values)


_TEXT: Kind = (lambda value: isinstance(value, str), "a text")
_PATH: Kind = (lambda value: isinstance(value, (str, PathLike)), "a path, or a text")
_TEXTS: Kind = (lambda value: isinstance(value, str) or _are_texts(value), "a text, or a list of texts")
_SWITCH: Kind = (lambda value: isinstance(value, bool), "True or False")
_COUNT: Kind = (_is_count, "a whole number, 0 or more")
_MAPPING: Kind = (_is_mapping, "a mapping from names to values")

# A name means the same in every method, but for those that are here with their method.
_KINDS: dict[str, Kind] = {
    **dict.fromkeys(("select", "exclude", "columns"), _TEXTS),
    **dict.fromkeys(("resume", "full_refresh", "failed", "apply", "project_code"), _SWITCH),
    **dict.fromkeys(("limit", "runs", "rows", "count"), _COUNT),
    **dict.fromkeys(("file", "path", "folder"), _PATH),
    **dict.fromkeys(("vars", "options"), _MAPPING),
    **dict.fromkeys(("run_id", "step", "run", "table", "query", "where", "order", "target", "named"), _TEXT),
    **dict.fromkeys(("exporter", "role", "role_arn", "name"), _TEXT),
    "as_of": (lambda value: isinstance(value, str), 'a text of ISO 8601, such as "2024-06-01T00:00:00"'),
    "wait": (_is_number, "a number of seconds, 0 or more"),
    "sinks": (_are_sinks, "a list of sinks, objects with handle(event) and close()"),
    "prune_logs.keep": (lambda value: isinstance(value, timedelta), "a datetime.timedelta"),
    "record.keep": _TEXTS,
    "done": (callable, "a function"),
}


def checked(method: Callable[P, T]) -> Callable[P, T]:
    """The method, which refuses arguments of another type than it can use.

    Raises:
        ArgumentError: When it is called with one.
    """
    expected = signature(method)

    @wraps(method)
    def within(*args: P.args, **kwargs: P.kwargs) -> T:
        _check(method.__name__, expected, args, kwargs)
        return method(*args, **kwargs)

    return within


def _check(method: str, expected: Signature, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    try:
        given = expected.bind(*args, **kwargs).arguments
    except TypeError as error:  # a name that is not there, one too many, one missing: Python's own words name it
        unknown = next((name for name in kwargs if name not in expected.parameters), None)
        near = did_you_mean(unknown, expected.parameters) if unknown else ""
        raise ArgumentError(f"{method}: {error}{near or f'; it is called as {_called(method, expected)}'}") from None
    for name, value in given.items():
        kind = _KINDS.get(f"{method}.{name}") or _KINDS.get(name)
        if kind is None or (value is None and expected.parameters[name].default is None):
            continue
        fits, words = kind
        if not fits(value):
            raise ArgumentError(f"{method}: {name} must be {words}{_or_nothing(expected, name)}, not {_shown(value)}")


def _called(method: str, expected: Signature) -> str:
    """How the method is called: its parameters by name, without their types."""
    parameters = [each for each in expected.parameters.values() if each.name != "self"]
    listed = [each.name if each.default is Parameter.empty else f"{each.name}=..." for each in parameters]
    first = next((at for at, each in enumerate(parameters) if each.kind is Parameter.KEYWORD_ONLY), None)
    if first is not None:
        listed.insert(first, "*")
    return f"{method}({', '.join(listed)})"


def _or_nothing(expected: Signature, name: str) -> str:
    default = expected.parameters[name].default
    return ", or be left out" if default is not Parameter.empty else ""


def _shown(value: Any) -> str:
    """The value's type; and the value where it is short and shows the mistake."""
    if value is None:
        return "None"
    if isinstance(value, (bool, int, float, datetime)):
        return f"{short(value, 40)} ({type(value).__name__})"
    return f"a {type(value).__name__}"
