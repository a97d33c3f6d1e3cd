"""Jinja in the values of a pipeline file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import jinja2

from pipekit.errors import TemplateError
from pipekit.sql.sandbox import RENDERING, Sandbox, env_lookup, failure_reason, plain_value, var_lookup

_WHOLE = re.compile(r"\s*\{\{(?P<expression>(?:(?!\}\}|\{\{).)*)\}\}\s*", re.DOTALL)


class FileValues:
    """Renders the string values of a pipeline file.

    Args:
        variables: What ``var`` finds.
        extra: Further globals, from plugins.
    """

    def __init__(self, variables: Mapping[str, Any], extra: Mapping[str, Any]) -> None:
        self._jinja = Sandbox(undefined=jinja2.StrictUndefined, autoescape=False)
        self._jinja.globals = {**extra, "env": env_lookup, "var": var_lookup(variables)}

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
                return plain_value(self._jinja.compile_expression(whole["expression"], undefined_to_none=False)())
            return self._jinja.from_string(text).render()
        except RENDERING as error:
            raise TemplateError(failure_reason(error)) from error
