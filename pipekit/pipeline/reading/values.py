"""Jinja in the values of a pipeline file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import jinja2

from pipekit.clock import FILTERS, Clock
from pipekit.errors import TemplateError
from pipekit.sql.dialect import PROJECT_SQL, Dialect
from pipekit.sql.sandbox import RENDERING, Sandbox, env_lookup, failure_reason, plain_value, var_lookup
from pipekit.sql.templates import CLOCK, SqlTemplates
from pipekit.sql.text import SqlText, literal

_WHOLE = re.compile(r"\s*\{\{(?P<expression>(?:(?!\}\}|\{\{).)*)\}\}\s*", re.DOTALL)


_QUANTIFIER = re.compile(r"\{\{\d+(?:,\d*)?\}\}")


class FileValues:
    """Renders the string values of a pipeline file.

    Args:
        variables: What ``var`` finds.
        extra: Further globals, from plugins.
        root: The project's folder, with the templates that a query may include.
    """

    def __init__(self, variables: Mapping[str, Any], extra: Mapping[str, Any], root: Path) -> None:
        self._root = root
        self._jinja = Sandbox(undefined=jinja2.StrictUndefined, autoescape=False, finalize=_marked)
        self._jinja.filters.update(FILTERS)
        self._names = {**extra, "var": var_lookup(variables)}
        self._jinja.globals = {**self._names, "env": env_lookup, "as_of": Clock()}

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
                value = self._jinja.compile_expression(whole["expression"], undefined_to_none=False)()
                return plain_value(_marked(value))
            return self._jinja.from_string(text).render()
        except RENDERING as error:
            raise TemplateError(failure_reason(error)) from error

    def query(self, text: str) -> str:
        """The query of a custom check: values are literals in it, as in all SQL, and ``as_of`` stands for the clock.

        Doubled braces that hold numbers, ``{{3,5}}``, count in a regular expression and are not Jinja.

        Raises:
            TemplateError: It does not render; with its line.
        """
        shielded = _QUANTIFIER.sub(lambda found: f"{{% raw %}}{found[0]}{{% endraw %}}", text)
        return self._queries.render_text(shielded, {"as_of": CLOCK})

    @cached_property
    def _queries(self) -> SqlTemplates:
        return SqlTemplates(self._root / "templates", PROJECT_SQL, self._names, _between_braces)


def _marked(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_marked(item) for item in value]
    return value.marked() if isinstance(value, Clock) else value


def _between_braces(value: Any, dialect: Dialect) -> SqlText:
    """A literal for a text in which a single brace stands for something."""
    return SqlText(literal(value, dialect).replace("{", "{{").replace("}", "}}"))
