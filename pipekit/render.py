"""Jinja, sandboxed: one environment for the values of a pipeline file, one for SQL.

In a file ``env`` and ``var`` may be used. In SQL there is no ``env``, so no credential can be reached; and every
value that is put in becomes a SQL literal, so that text from a variable cannot become SQL. ``| ident`` makes a
quoted identifier of a name.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import jinja2
import jinja2.meta
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from pipekit.errors import TemplateError, short
from pipekit.sql import DIALECT, SqlText, literal
from pipekit.warehouses.base import quote_identifier

_WHOLE = re.compile(r"\s*\{\{(?P<expression>(?:(?!\}\}|\{\{).)*)\}\}\s*", re.DOTALL)
_MOST = 1_000_000
# What goes wrong while a template renders: Jinja's own errors, and those of what it calls.
_RENDERING = (
    jinja2.TemplateError,
    TypeError,
    ValueError,
    ArithmeticError,
    LookupError,
    AttributeError,
    RuntimeError,
    OSError,
    MemoryError,
)
# While SQL is rendered these two stand around each value. Unicode keeps them out of all text.
_OPEN, _CLOSE = "\ufdd0", "\ufdd1"
_VALUE = f"{_OPEN}[^{_CLOSE}]*+{_CLOSE}"
_ANY_VALUE = re.compile(_VALUE)
_JINJA = re.compile(f"{{[{{%#]|[{_OPEN}{_CLOSE}]")

Lookup = Callable[..., Any]


class _Sandbox(ImmutableSandboxedEnvironment):
    """Refuses what could fill the memory as well: ``'a' * 10**9``, ``9**9**9``."""

    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        sized = [value for value in (left, right) if isinstance(value, (str, bytes, list, tuple))]
        numbers = [abs(value) for value in (left, right) if isinstance(value, (int, float))]
        if operator == "**" and max(numbers, default=0) > 64:
            raise SecurityError("such a power is refused")
        if sized and numbers and len(sized[0]) * max(numbers) > _MOST:
            raise SecurityError("such a long text is refused")
        return super().call_binop(context, operator, left, right)


class FileValues:
    """Renders the string values of a pipeline file.

    Args:
        variables: What ``var`` finds.
        extra: Further globals, from plugins.
    """

    def __init__(self, variables: Mapping[str, Any], extra: Mapping[str, Any]) -> None:
        self._jinja = _Sandbox(undefined=jinja2.StrictUndefined, autoescape=False)
        self._jinja.globals = {**extra, "env": _env, "var": var_lookup(variables)}

    def render(self, text: str) -> Any:
        """The value of ``text``; one expression and nothing else keeps the expression's type.

        Raises:
            TemplateError: It does not render.
        """
        if "{{" not in text and "{%" not in text and "{#" not in text:
            return text
        try:
            whole = _WHOLE.fullmatch(text)
            if whole:
                return _plain(self._jinja.compile_expression(whole["expression"], undefined_to_none=False)())
            return self._jinja.from_string(text).render()
        except _RENDERING as error:
            raise TemplateError(_reason(error)) from error


def _plain(value: Any) -> Any:
    """The value of an expression, if a pipeline file could have said it itself."""
    if isinstance(value, jinja2.Undefined):
        str(value)  # raises, with jinja's own message
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if value is not None and not isinstance(value, (str, int, float, Decimal, date)):
        raise TypeError(f"gives a {type(value).__name__}, which is no value; is it called, with ()?")
    return value


def _env(name: str, default: Any = None) -> Any:
    value = os.environ.get(name, default)
    if value is None:
        raise jinja2.UndefinedError(f"the environment variable {name} is not set")
    return value


class Variables(dict[str, Any]):
    """The values that ``var`` finds.

    Attributes:
        used: Names that the file declares or that a template has asked for.
    """

    def __init__(self, given: Mapping[str, Any]) -> None:
        super().__init__(given)
        self.used: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        """The value, or the default."""
        self.used.add(name)
        return super().get(name, default)


def var_lookup(variables: Mapping[str, Any]) -> Lookup:
    """The function that templates call as ``var(name, default)``."""

    def var(name: str, default: Any = None) -> Any:
        value = variables.get(name, default)
        if value is None and name not in variables:
            known = ", ".join(sorted(variables)) or "there are none"
            raise jinja2.UndefinedError(f"the variable {name!r} is not set; vars: {known}")
        return value

    return var


@cache
def _sql_parts(dialect: str) -> re.Pattern[str]:
    """Comments, quoted text, values and the rest. Only Snowflake's strings know a backslash."""
    escape = r"\\.|" if dialect == DIALECT else ""
    comment = rf"--(?:{_VALUE}|[^\n])*+|/\*(?:{_VALUE}|(?!\*/).)*+(?:\*/|\Z)"
    text = rf"'(?:{_VALUE}|''|{escape}[^'])*+(?:'|\Z)|\$\$(?:{_VALUE}|(?!\$\$).)*+(?:\$\$|\Z)"
    name = rf'"(?:{_VALUE}|""|[^"])*+(?:"|\Z)'
    rest = rf"""[^-/'"${_OPEN}]+|."""
    return re.compile(f"(?P<comment>{comment})|(?P<quoted>{text}|{name})|(?P<value>{_VALUE})|{rest}", re.DOTALL)


class SqlTemplates:
    """Finds and renders SQL templates of a project.

    ``templates/<dialect>/x.sql`` wins over ``templates/x.sql`` by being there.

    Args:
        folder: The project's ``templates`` folder.
        dialect: The warehouse's dialect.
        names: What every template may use beside ``as_of``: ``var`` and the plugins' globals.
    """

    def __init__(self, folder: Path, dialect: str, names: Mapping[str, Any]) -> None:
        self._folder = folder
        self._dialect = dialect
        self._names = names

    @cached_property
    def _jinja(self) -> Any:
        return self._environment(DIALECT)

    @cached_property
    def _native(self) -> Any:
        return self._environment(self._dialect)

    def _environment(self, dialect: str) -> Any:
        jinja = _Sandbox(
            loader=jinja2.FunctionLoader(self._load),
            undefined=jinja2.StrictUndefined,
            autoescape=False,
            keep_trailing_newline=True,
            finalize=lambda value: _to_sql(value, dialect),
        )
        jinja.filters["ident"] = lambda name: SqlText(quote_identifier(str(name), str.upper))
        jinja.globals = dict(self._names)
        return jinja

    def find(self, name: str) -> tuple[Path, str]:
        """The template's file, and the dialect it is written in.

        Raises:
            TemplateError: There is none, or the name leads out of the folder.
        """
        base = self._folder.resolve()
        for path, dialect in ((base / self._dialect / name, self._dialect), (base / name, DIALECT)):
            try:
                inside, found = path.resolve().is_relative_to(base), path.is_file()
            except (OSError, ValueError) as error:
                raise TemplateError(f"is no name of a file: {error}", template=short(name)) from error
            if not inside:
                raise TemplateError("leads out of the project's templates folder", template=name)
            if found:
                return path, dialect
        raise TemplateError("there is no such template", template=name, hint=self._nearest(name))

    def source(self, name: str) -> str:
        """The text of a template, and of those that it includes, as they stand."""
        return "".join(self._sources(name, {}).values())

    def _sources(self, name: str, found: dict[str, str]) -> dict[str, str]:
        found[name] = self.find(name)[0].read_text(encoding="utf-8")
        for other in jinja2.meta.find_referenced_templates(self._jinja.parse(found[name])):
            if other and other not in found:
                self._sources(other, found)
        return found

    def _nearest(self, name: str) -> str | None:
        from difflib import get_close_matches

        known = [path.relative_to(self._folder).as_posix() for path in self._folder.rglob("*.sql")]
        near = get_close_matches(name, known, n=1)
        return f"did you mean {near[0]}?" if near else None

    def _load(self, name: str) -> tuple[str, str, Callable[[], bool]]:
        path, _ = self.find(name)
        return path.read_text(encoding="utf-8"), str(path), lambda: False

    def render_template(self, name: str, names: Mapping[str, Any]) -> tuple[str, str]:
        """The rendered text of a template, and its dialect.

        Raises:
            TemplateError: It is not there or does not render; with its line.
        """
        _, dialect = self.find(name)
        jinja = self._jinja if dialect == DIALECT else self._native
        return self._render(lambda: jinja.get_template(name).render(**names), name, dialect), dialect

    def render_text(self, text: str, names: Mapping[str, Any]) -> str:
        """Inline SQL, rendered; it is always in Snowflake's dialect.

        Raises:
            TemplateError: It does not render; with its line.
        """
        if not _JINJA.search(text):
            return text  # compiling it costs a millisecond, and most short SQL is plain
        return self._render(lambda: self._jinja.from_string(text).render(**names), None, DIALECT)

    @staticmethod
    def _render(render: Callable[[], str], name: str | None, dialect: str) -> str:
        try:
            return _without_marks(render(), name, dialect)
        except jinja2.TemplateSyntaxError as error:
            raise TemplateError(error.message or "not Jinja", template=name, line=error.lineno) from error
        except _RENDERING as error:
            raise TemplateError(_reason(error), template=name, line=_line_in_template(error)) from error


def _to_sql(value: Any, dialect: str) -> SqlText:
    if isinstance(value, jinja2.Undefined):
        str(value)  # raises, with jinja's own message
    text = literal(value, dialect)
    if _OPEN in text or _CLOSE in text:
        raise TypeError("SQL that a template made (a macro, a set block) cannot be put in as a value")
    return SqlText(f"{_OPEN}{text}{_CLOSE}")


def _without_marks(text: str, template: str | None, dialect: str) -> str:
    """The SQL without the marks around values: bare where SQL stands, left out of comments, refused inside quotes.

    In quotes the value's own would end them, and in a comment its line breaks would; what follows would be SQL.
    """
    parts = []
    for match in _sql_parts(dialect).finditer(text):
        part = match[0]
        if match["quoted"] and _OPEN in part:
            line = text.count("\n", 0, match.start()) + part[: part.index(_OPEN)].count("\n") + 1
            raise TemplateError(
                "a value stands inside quotes; leave the quotes out, it brings its own", template=template, line=line
            )
        parts.append(_ANY_VALUE.sub("", part) if match["comment"] else part[1:-1] if match["value"] else part)
    return "".join(parts)


def _line_in_template(error: BaseException) -> int | None:
    """Jinja rewrites its tracebacks so that they name template lines; the last such frame is the place."""
    line, frame = None, error.__traceback__
    while frame is not None:
        name = frame.tb_frame.f_code.co_filename
        if name == "<template>" or name.endswith(".sql"):
            line = frame.tb_lineno
        frame = frame.tb_next
    return line


def _reason(error: BaseException) -> str:
    if isinstance(error, jinja2.TemplateNotFound):
        return f"there is no template {error.name}"
    return getattr(error, "message", None) or str(error)
