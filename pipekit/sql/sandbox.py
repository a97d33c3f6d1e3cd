"""The Jinja sandbox that pipeline files and SQL templates share, and the variables that templates see."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import jinja2
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from pipekit.scrubbing import hide_environment, scrub

_MOST = 1_000_000

# Errors while a template renders: Jinja's own, and those of functions that it calls.
RENDERING = (
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
Lookup = Callable[..., Any]


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, which also refuses expressions that could fill the memory: ``'a' * 10**9``, ``9**9**9``."""

    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        sized = [value for value in (left, right) if isinstance(value, (str, bytes, list, tuple))]
        numbers = [abs(value) for value in (left, right) if isinstance(value, (int, float))]
        if operator == "**" and max(numbers, default=0) > 64:
            raise SecurityError("such a large power is refused")
        if sized and numbers and len(sized[0]) * max(numbers) > _MOST:
            raise SecurityError("such a long text is refused")
        return super().call_binop(context, operator, left, right)


def plain_value(value: Any) -> Any:
    """The value of an expression, if it is one that a pipeline file can hold."""
    if isinstance(value, jinja2.Undefined):
        str(value)  # raises, with jinja's own message
    if isinstance(value, dict):
        return {str(key): plain_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_value(item) for item in value]
    if value is not None and not isinstance(value, (str, int, float, Decimal, date)):
        raise TypeError(f"gives a {type(value).__name__}, which is not a value; is it called, with ()?")
    return value


def env_lookup(name: str, default: Any = None) -> Any:
    given = os.environ.get(name)
    if given is not None:
        hide_environment(given)
    value = default if given is None else given
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

    def __repr__(self) -> str:
        return scrub(super().__repr__())

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


def failure_reason(error: BaseException) -> str:
    if isinstance(error, jinja2.TemplateNotFound):
        return f"there is no template {error.name}"
    return getattr(error, "message", None) or str(error)
