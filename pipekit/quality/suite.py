"""Suites as the pipeline file writes them, read and checked without Great Expectations.

A suite is a list of expectations under their Great Expectations names and arguments, or a suite that Great
Expectations exported as JSON: https://docs.greatexpectations.io/docs/core/define_expectations/organize_expectation_suites
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, cast

from pipekit.clock import at_time
from pipekit.quality.custom_sql import QUERY, tables_read, unproven
from pipekit.quality.schema import KEYS, check_arguments, judges_rows, unknown_kind
from pipekit.sql.dialect import Dialect
from pipekit.suggestions import did_you_mean

_OWN = ("severity", "name", KEYS)
SEVERITIES = ("critical", "warning", "info")
ENGINES = ("auto", "great_expectations")
Severity = Literal["critical", "warning", "info"]
Engine = Literal["auto", "great_expectations"]
Place = tuple[str | int, ...]
Problems = list[tuple[Place, str]]
_PARAMETER = "$PARAMETER"
_NO_VARIABLES: Mapping[str, Any] = MappingProxyType({})
_JSON_BOOKKEEPING = frozenset({"id", "meta", "notes", "description", "rendered_content"})


@dataclass(frozen=True)
class Expectation:
    """One expectation.

    Attributes:
        type: Its Great Expectations name, or ``module:Class`` for one of the project's own.
        kwargs: Its arguments.
        severity: What its failure means; only ``critical`` fails a step.
        name: What the log tables call it.
        keys: Columns whose values are shown with a sample, so that its row can be found.
    """

    type: str
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    severity: Severity = "critical"
    name: str | None = None
    keys: tuple[str, ...] = ()

    @property
    def check_name(self) -> str:
        """The given name, or the type with the columns it is about."""
        return self.name or self.type + (f"({', '.join(self.columns)})" if self.columns else "")

    @property
    def column(self) -> str | None:
        """The columns it is about, as one text; ``None`` for the table as a whole."""
        return ", ".join(self.columns) or None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns named by ``column``, ``column_A`` and ``column_B``, or ``column_list``."""
        singles = [self.kwargs[key] for key in ("column", "column_A", "column_B") if key in self.kwargs]
        return tuple(str(name) for name in (singles or self.kwargs.get("column_list") or ()))


class Suite(NamedTuple):
    """A named list of expectations.

    Attributes:
        engine: ``auto`` compiles what it can; ``great_expectations`` sends everything through the library.
    """

    name: str
    expectations: tuple[Expectation, ...]
    engine: Engine = "auto"

    @property
    def reads(self) -> tuple[str, ...]:
        """Other tables that the expectations name, in the order of the file."""
        return tuple(dict.fromkeys(name for item in self.expectations for name in _reads(item)))

    def unproven(self, dialect: Dialect) -> tuple[str, ...]:
        """Functions in its queries whose values are not proven equal on the engine, in upper case, sorted."""
        queries = [item.kwargs.get(QUERY) for item in self.expectations]
        found = {name for query in queries if isinstance(query, str) for name in unproven(query, dialect)}
        return tuple(sorted(found))

    def with_sql(self, changed: Callable[[str], str]) -> Suite:
        """The suite with each query of its own put through ``changed``."""

        def replaced(item: Expectation) -> Expectation:
            query = item.kwargs.get(QUERY)
            return replace(item, kwargs={**item.kwargs, QUERY: changed(query)}) if isinstance(query, str) else item

        return self._replace(expectations=tuple(map(replaced, self.expectations)))

    def at(self, as_of: datetime) -> Suite:
        """The suite with the run's clock in the arguments."""
        return self._replace(expectations=tuple(replace(e, kwargs=at_time(e.kwargs, as_of)) for e in self.expectations))


Scope = Literal["table", "new_rows"]
SCOPES: tuple[Scope, ...] = ("table", "new_rows")


def by_scope(audit: Any) -> dict[Scope, Any]:
    """What each part of an ``audit:`` is judged by: the whole table, the rows of this run, or both.

    Args:
        audit: The value of the key: a suite, or a mapping with ``table`` and ``new_rows``; ``None`` judges nothing.
    """
    if audit is None:
        return {}
    if isinstance(audit, dict) and set(SCOPES) & audit.keys():
        return {scope: audit[scope] for scope in SCOPES if audit.get(scope) is not None}
    return {"table": audit}


def read_suite(
    name: str, data: Any, root: Path, variables: Mapping[str, Any] = _NO_VARIABLES
) -> tuple[Suite | None, Problems]:
    """Read a suite from the value that the pipeline file gives it.

    Args:
        name: The suite's name.
        data: A list of ``{expect_...: arguments}``; or ``{expectations: [...], engine: great_expectations}``; or
            the path of a suite that Great Expectations exported as JSON.
        root: The project's folder; a path is relative to it and stays inside it.
        variables: What ``{$PARAMETER: name}`` stands for, which is how Great Expectations leaves a value open.

    Returns:
        The suite, or ``None`` if there are mistakes; and every mistake as (path inside ``data``, message).
    """
    problems: Problems = []
    fill = _Parameters(variables, problems)
    engine, place, items = _unwrap(fill(data, ()), problems)
    read: list[Expectation] = []
    if isinstance(items, str):
        read = list(_from_file(items, place, root, fill))
    elif isinstance(items, list) and items:
        read = [found for i, item in enumerate(items) if (found := _from_item(item, (*place, i), problems))]
    elif not problems:
        problems.append((place, "a suite is a list of expectations, or the path of a suite exported as JSON"))
    if problems:
        return None, problems
    return Suite(name, tuple(read), engine), []


class _Parameters(NamedTuple):
    """Puts values where a suite names them: ``{$PARAMETER: name}``."""

    variables: Mapping[str, Any]
    problems: Problems

    def __call__(self, value: Any, place: Place) -> Any:
        if isinstance(value, dict) and list(value) == [_PARAMETER]:
            return self._named(value[_PARAMETER], place)
        if isinstance(value, dict):
            return {key: self(item, (*place, key)) for key, item in value.items()}
        return [self(item, (*place, i)) for i, item in enumerate(value)] if isinstance(value, list) else value

    def _named(self, name: Any, place: Place) -> Any:
        found = self.variables.get(name) if isinstance(name, str) else None
        if found is None and name not in self.variables:
            known = ", ".join(sorted(self.variables)) or "there are none"
            self.problems.append((place, f"{_PARAMETER}: the variable {name!r} is not set; vars: {known}"))
        return found


def _unwrap(data: Any, problems: Problems) -> tuple[Engine, Place, Any]:
    if not isinstance(data, dict):
        return "auto", (), data
    for key in data:
        if key not in ("expectations", "engine"):
            near = did_you_mean(str(key), ("expectations", "engine", *SCOPES))
            problems.append(((key,), f"unknown key{near or '; a suite has expectations and engine'}"))
    engine = data.get("engine", "auto")
    if engine not in ENGINES:
        problems.append((("engine",), f"{engine!r} is not an engine; one of {', '.join(ENGINES)}"))
    return engine, ("expectations",), data.get("expectations")


def _from_item(item: Any, place: Place, problems: Problems) -> Expectation | None:
    second = next((key for key in [*item][1:] if str(key).startswith("expect_")), "") if isinstance(item, dict) else ""
    if second:
        problems.append(((*place, second), "a second expectation in one item of the list; begin it with '- '"))
        return None
    if not isinstance(item, dict) or len(item) != 1:
        problems.append((place, "an expectation is written {name: {argument: value}}, one to a list item"))
        return None
    [(kind, arguments)] = item.items()
    arguments = {} if arguments is None else arguments
    if not isinstance(arguments, dict):
        reason = _as_mapping(arguments)
        unknown = unknown_kind(str(kind))
        problems.append(((*place, kind), unknown + (" " if "?" in unknown else "; ") + reason if unknown else reason))
        return None
    kwargs = {key: value for key, value in arguments.items() if key not in _OWN}
    extra = {key: arguments[key] for key in _OWN if key in arguments}
    return _checked(kind, kwargs, extra, (*place, kind), problems)


def _as_mapping(arguments: Any) -> str:
    """How arguments that are not a mapping are written."""
    if isinstance(arguments, list) and len(arguments) > 1 and all(isinstance(name, str) for name in arguments):
        return f"takes one column; write an item for each: {' and '.join(f'{{column: {name}}}' for name in arguments)}"
    [example] = arguments if isinstance(arguments, list) and len(arguments) == 1 else [arguments]
    return f"the arguments are a mapping, such as {{column: {example if isinstance(example, str) else 'customer_id'}}}"


def _checked(kind: Any, kwargs: Any, extra: dict[str, Any], place: Place, problems: Problems) -> Expectation | None:
    now = at_time(kwargs, datetime.now(UTC))
    found: Problems = [((*place, *inside), text) for inside, text in check_arguments(str(kind), now)]
    severity = extra.get("severity", "critical")
    if severity not in SEVERITIES:
        found.append(
            (
                (*place, "severity"),
                f"{severity!r} is not a severity;"
                f" one of {', '.join(SEVERITIES)}{did_you_mean(str(severity), SEVERITIES)}",
            )
        )
    label = extra.get("name")
    if label is not None and not (isinstance(label, str) and label):
        found.append(((*place, "name"), "the name of a check is a text"))
    keys = extra.get(KEYS)
    found += [((*place, KEYS), text) for text in _key_problems(str(kind), keys)]
    problems.extend(found)
    return None if found else Expectation(str(kind), kwargs, cast(Severity, severity), label, tuple(keys or ()))


def _key_problems(kind: str, keys: Any) -> Iterator[str]:
    if keys is not None and not (isinstance(keys, list) and keys and all(isinstance(name, str) for name in keys)):
        yield "a list of columns by which a row is found, such as [id]"
    elif keys and not judges_rows(kind):
        yield f"means nothing for {kind}, which judges no single rows"


def _from_file(text: str, place: Place, root: Path, fill: _Parameters) -> Iterator[Expectation]:
    problems = fill.problems
    document = _load(text, place, root, problems)
    if document is None:
        return
    for number, item in enumerate(document.get("expectations", [])):
        found: Problems = []
        expectation = _from_json(fill._replace(problems=found)(item, ()), found)
        problems.extend((place, f"{text}: expectations[{number}]{_dotted(at)}: {message}") for at, message in found)
        if expectation:
            yield expectation


def _load(text: str, place: Place, root: Path, problems: Problems) -> dict[str, Any] | None:
    path = (root / text).resolve()
    if not text.endswith(".json"):
        problems.append((place, f"{text!r} is neither a list of expectations nor the path of a .json file"))
    elif not path.is_relative_to(root.resolve()):
        problems.append((place, f"{text!r} is outside the project"))
    elif not path.is_file():
        meant = "a suite is a list of expectations, or the path of an exported one"
        problems.append((place, f"there is no file {text} in the project; {meant}"))
    else:
        return _parse(path, text, place, problems)
    return None


def _parse(path: Path, text: str, place: Place, problems: Problems) -> dict[str, Any] | None:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        problems.append((place, f"{text}: cannot be read: {error}"))
        return None
    if isinstance(document, dict) and isinstance(document.get("expectations"), list) and document["expectations"]:
        return document
    problems.append((place, f"{text}: a suite exported by Great Expectations has a list named expectations"))
    return None


def _from_json(item: Any, problems: Problems) -> Expectation | None:
    if not isinstance(item, dict):
        problems.append(((), "an expectation is an object with type and kwargs"))
        return None
    kind = item.get("type") or item.get("expectation_type")
    unknown = set(item) - _JSON_BOOKKEEPING - {"type", "expectation_type", "kwargs", "severity"}
    for key in sorted(unknown):
        problems.append(((key,), f"unknown key {key!r}"))
    given, ours = item.get("kwargs") or {}, ("batch_id", "severity", "result_format")
    kwargs = {key: value for key, value in given.items() if key not in ours}
    extra = {"severity": item["severity"]} if item.get("severity") else {}
    shape = given.get("result_format")
    if isinstance(shape, dict) and shape.get(KEYS) and judges_rows(str(kind)):
        extra[KEYS] = shape[KEYS]
    return _checked(kind, kwargs, extra, (), problems)


def _dotted(place: Place) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)


def _reads(expectation: Expectation) -> Iterator[str]:
    other = expectation.kwargs.get("other_table_name")
    if other:
        yield str(other)
    query = expectation.kwargs.get(QUERY)
    if query:
        yield from tables_read(query)


def merge_suites(suites: Sequence[Suite]) -> Suite:
    """Several suites as one, judged in one scan; Great Expectations judges all if one of them asks for it."""
    engines = {suite.engine for suite in suites}
    return Suite(
        name="+".join(suite.name for suite in suites),
        expectations=tuple(expectation for suite in suites for expectation in suite.expectations),
        engine="great_expectations" if "great_expectations" in engines else "auto",
    )
