"""Jinja, sandboxed: one environment for the values of a pipeline file, one for SQL.

In a file ``env`` and ``var`` may be used. In SQL there is no ``env``, so no credential can be reached; and every
value becomes a SQL literal, so that text from a variable cannot become SQL. ``| ident`` makes a
quoted identifier of a name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import jinja2
import jinja2.meta

from pipekit.errors import TemplateError, short
from pipekit.names import quote_identifier
from pipekit.sql.dialect import PROJECT_SQL, Dialect
from pipekit.sql.places import Place, place_of, without_marks
from pipekit.sql.sandbox import RENDERING, Sandbox, failure_reason
from pipekit.sql.text import SqlText, literal
from pipekit.suggestions import nearest

# Marks around each value while SQL is rendered. They are noncharacters of Unicode, so text does not contain them.
_OPEN, _CLOSE = "\ufdd0", "\ufdd1"
_VALUE = f"{_OPEN}[^{_CLOSE}]*+{_CLOSE}"
_ANY_VALUE = re.compile(_VALUE)
_JINJA = re.compile(f"{{[{{%#]|[{_OPEN}{_CLOSE}]")


# Stands for the run's clock while SQL is rendered and translated, so that a moving clock changes neither the kept
# translation nor a step's definition.
_CLOCK = datetime.fromisoformat("1111-11-11T11:11:11.111111+00:00")
CLOCK = literal(_CLOCK)


def at_clock(sql: str, as_of: datetime) -> str:
    """SQL that was rendered with ``CLOCK``, at a run's own time."""
    return sql.replace(_CLOCK.isoformat(sep=" "), as_of.isoformat(sep=" "))


@cache
def _sql_parts(backslash_escapes: bool) -> re.Pattern[str]:
    """Comments, quoted text, values and the rest."""
    escape = r"\\.|" if backslash_escapes else ""
    comment = rf"--(?:{_VALUE}|[^\n])*+|/\*(?:{_VALUE}|(?!\*/).)*+(?:\*/|\Z)"
    text = rf"'(?:{_VALUE}|''|{escape}[^'])*+(?:'|\Z)|\$\$(?:{_VALUE}|(?!\$\$).)*+(?:\$\$|\Z)"
    name = rf'"(?:{_VALUE}|""|[^"])*+(?:"|\Z)'
    rest = rf"""[^-/'"${_OPEN}]+|."""
    return re.compile(f"(?P<comment>{comment})|(?P<quoted>{text}|{name})|(?P<value>{_VALUE})|{rest}", re.DOTALL)


class SqlTemplates:
    """Finds and renders SQL templates of a project.

    ``templates/<dialect>/x.sql`` is used in place of ``templates/x.sql`` if it exists.

    Args:
        folder: The project's ``templates`` folder.
        dialect: The warehouse's dialect.
        names: What every template may use beside ``as_of``: ``var`` and the plugins' globals.
        written: How a value is written; as a literal, if left out.
    """

    def __init__(
        self,
        folder: Path,
        dialect: Dialect,
        names: Mapping[str, Any],
        written: Callable[[Any, Dialect], SqlText] = literal,
    ) -> None:
        self._folder = folder
        self._dialect = dialect
        self._names = names
        self._written = written

    @cached_property
    def _jinja(self) -> Any:
        return self._environment(PROJECT_SQL)

    @cached_property
    def _native(self) -> Any:
        return self._environment(self._dialect)

    def _environment(self, dialect: Dialect, *extensions: type[Any]) -> Any:
        jinja = Sandbox(
            extensions=extensions,
            loader=jinja2.FunctionLoader(self._load),
            undefined=jinja2.StrictUndefined,
            autoescape=False,
            keep_trailing_newline=True,
            finalize=lambda value: _to_sql(value, self._written, dialect),
        )
        jinja.filters["ident"] = lambda name: SqlText(quote_identifier(str(name), str.upper))
        jinja.globals = dict(self._names)
        return jinja

    def find(self, name: str) -> tuple[Path, Dialect]:
        """The template's file, and the dialect it is written in.

        Raises:
            TemplateError: It does not exist, or the name leads out of the folder.
        """
        base = self._folder.resolve()
        for path, dialect in ((base / self._dialect.name / name, self._dialect), (base / name, PROJECT_SQL)):
            try:
                inside, is_file = path.resolve().is_relative_to(base), path.is_file()
            except (OSError, ValueError) as error:
                raise TemplateError(f"is not the name of a file: {error}", template=short(name)) from error
            if not inside:
                raise TemplateError("leads out of the project's templates folder", template=name)
            if is_file:
                return path, dialect
        raise TemplateError("there is no such template", template=name, hint=self._nearest(name))

    def source(self, name: str) -> str:
        """The text of a template, and of those that it includes, not rendered."""
        return "".join(self._sources(name, {}).values())

    def _sources(self, name: str, texts: dict[str, str]) -> dict[str, str]:
        texts[name] = self.find(name)[0].read_text(encoding="utf-8")
        for other in jinja2.meta.find_referenced_templates(self._jinja.parse(texts[name])):
            if other and other not in texts:
                self._sources(other, texts)
        return texts

    def _nearest(self, name: str) -> str | None:
        near = nearest(name, [path.relative_to(self._folder).as_posix() for path in self._folder.rglob("*.sql")])
        return f"did you mean {near}?" if near else None

    def _load(self, name: str) -> tuple[str, str, Callable[[], bool]]:
        path, _ = self.find(name)
        text = path.read_text(encoding="utf-8")
        # A template is compiled again when its file is another one: that takes a hundred times as long as reading it.
        return text, str(path), lambda: self.find(name)[0] == path and path.read_text(encoding="utf-8") == text

    def render_template(self, name: str, names: Mapping[str, Any]) -> tuple[str, Dialect]:
        """The rendered text of a template, and its dialect.

        Raises:
            TemplateError: It does not exist or does not render; with its line.
        """
        path, dialect = self.find(name)
        jinja = self._jinja if dialect is PROJECT_SQL else self._native
        return self._render(
            lambda: jinja.get_template(name).render(**names), name, dialect, lambda: path.read_text(encoding="utf-8")
        ), dialect

    def render_text(self, text: str, names: Mapping[str, Any]) -> str:
        """Inline SQL, rendered; it is always in the project's SQL.

        Raises:
            TemplateError: It does not render; with its line.
        """
        if not _JINJA.search(text):
            return text  # without a template there is nothing to compile, which takes a millisecond
        return self._render(lambda: self._jinja.from_string(text).render(**names), None, PROJECT_SQL, lambda: text)

    def place(
        self, rendered: str, template: str | None, text: str, names: Mapping[str, Any], at: tuple[int, int]
    ) -> Place | None:
        """Where the author wrote what is at a line and column of rendered SQL; ``None`` if that cannot be found.

        Args:
            rendered: The rendered SQL.
            template: The template's name; ``None`` for inline SQL.
            text: Inline SQL as written.
            names: What was given to it.
            at: Line and column in ``rendered``.
        """
        if template is None and not _JINJA.search(text):
            return Place(None, *at)
        from pipekit.sql.marking import Marking

        dialect = self.find(template)[1] if template is not None else PROJECT_SQL
        jinja = self._environment(dialect, Marking)
        found = jinja.from_string(text) if template is None else jinja.get_template(template)
        marked = self._render(lambda: found.render(**names), template, dialect)
        marking: Any = jinja.extensions[Marking.identifier]
        return place_of(marked, marking.templates, *at) if without_marks(marked) == rendered else None

    @staticmethod
    def _render(render: Callable[[], str], name: str | None, dialect: Dialect, source: Callable[[], str] = str) -> str:
        try:
            return _without_marks(render(), name, dialect)
        except _InQuotesError as error:
            raise _in_quotes(error, source()) from error
        except jinja2.TemplateSyntaxError as error:
            raise TemplateError(failure_reason(error) or "not Jinja", template=name, line=error.lineno) from error
        except RENDERING as error:
            raise TemplateError(failure_reason(error), template=name, line=_line_in_template(error)) from error


def _to_sql(value: Any, written: Callable[[Any, Dialect], SqlText], dialect: Dialect) -> SqlText:
    if isinstance(value, jinja2.Undefined):
        str(value)  # raises, with jinja's own message
    text = written(value, dialect)
    if _OPEN in text or _CLOSE in text:
        raise TypeError(
            "SQL that a template made (a macro, a set block) cannot be put in as a value; put it into a template of its"
            " own, with {% with x = ... %}{% include 'part.sql' %}{% endwith %}"
        )
    return SqlText(f"{_OPEN}{text}{_CLOSE}")


class _InQuotesError(TemplateError):
    """A value is inside quotes of the SQL."""


_BRINGS_ITS_OWN = "leave the quotes out, a value brings its own"
_IN_QUOTES = r"""'(?:[^'\n{]|'')*(\{\{[^}]*\}\})(?:[^'\n]|'')*'|"[^"\n{]*(\{\{[^}]*\}\})[^"\n]*\""""


def _in_quotes(error: _InQuotesError, source: str) -> TemplateError:
    """The error at the expression that the author wrote, if it is found in the line."""
    rows = source.splitlines()
    found = re.search(_IN_QUOTES, rows[error.line - 1]) if error.line and error.line <= len(rows) else None
    if found is None:
        return error
    written, way_out = found[1] or found[2], _BRINGS_ITS_OWN
    if found[2]:
        way_out = f"for a name write {written[:-2].rstrip()} | ident }}}}"
    elif len(found[0]) > len(written) + 2:
        way_out += f"; texts are joined with ||, as in 'a-' || {written}"
    reason = f"{written} is inside quotes; {way_out}"
    return TemplateError(reason, template=error.template, line=error.line, column=found.start() + 1)


def _without_marks(text: str, template: str | None, dialect: Dialect) -> str:
    """The SQL without the marks around values. Values are left out of comments, and refused inside quotes.

    The value's own quotes would end the quotes, and its line breaks the comment; the rest would be read as SQL.
    """
    parts = []
    for match in _sql_parts(dialect.backslash_escapes).finditer(text):
        part = match[0]
        if match["quoted"] and _OPEN in part:
            line = text.count("\n", 0, match.start()) + part[: part.index(_OPEN)].count("\n") + 1
            raise _InQuotesError(f"a value is inside quotes; {_BRINGS_ITS_OWN}", template=template, line=line)
        parts.append(_ANY_VALUE.sub("", part) if match["comment"] else part[1:-1] if match["value"] else part)
    return "".join(parts)


def _line_in_template(error: BaseException) -> int | None:
    """The line of the template: Jinja puts template lines into tracebacks, and the last such frame is the place."""
    line, frame = None, error.__traceback__
    while frame is not None:
        name = frame.tb_frame.f_code.co_filename
        if name == "<template>" or name.endswith(".sql"):
            line = frame.tb_lineno
        frame = frame.tb_next
    return line
