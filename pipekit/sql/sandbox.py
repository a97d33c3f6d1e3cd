"""The Jinja sandbox that pipeline files and SQL templates share, and the variables that templates see."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache, wraps
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from pipekit.scrubbing import hide_environment, scrub
from pipekit.suggestions import did_you_mean

_MOST = 1_000_000
_WIDTH = r"[%:{][^\s}]{0,8}\d{7,}"

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


class _Code(CodeGenerator):
    """Jinja's compiler; ``~`` calls ``Sandbox.joined``."""

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:
        self.write("environment.joined((")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, which also refuses what could fill the memory: ``'a' * 10**9``, ``9**9**9``.

    Operators, filters and methods are given no larger numbers than ``_MOST``, and give no longer texts.
    """

    code_generator_class = _Code
    intercepted_binops = frozenset({"*", "**", "+", "%"})

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.filters = {name: _bounded(function) for name, function in self.filters.items()}

    def call(self, context: Any, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call what a template calls."""
        of = getattr(getattr(function, "__wrapped__", function), "__self__", None)
        if isinstance(of, str):
            _refuse_large([*args, *kwargs.values()])
            name = getattr(function, "__name__", "")
            if name in ("replace", "join", "expandtabs"):
                _refuse_growth(of, args)
            elif name in ("format", "format_map"):
                _refuse_wide(of)
        return _not_long(super().call(context, function, *args, **kwargs))

    def joined(self, parts: Sequence[Any]) -> str:
        """The value of ``a ~ b``."""
        texts = [str(part) for part in parts]
        _refuse_longer(sum(map(len, texts)))
        return "".join(texts)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "%" and isinstance(left, str):
            _refuse_wide(left)
            _refuse_large(right if isinstance(right, (list, tuple)) else [right])
        if operator == "+" and isinstance(left, (str, list, tuple)) and isinstance(right, (str, list, tuple)):
            _refuse_longer(len(left) + len(right))
        sized = [value for value in (left, right) if isinstance(value, (str, bytes, list, tuple))]
        numbers = [abs(value) for value in (left, right) if isinstance(value, (int, float))]
        if operator == "**" and max(numbers, default=0) > 64:
            raise SecurityError("such a large power is refused")
        if sized and numbers and len(sized[0]) * max(numbers) > _MOST:
            raise SecurityError("such a long text is refused")
        return super().call_binop(context, operator, left, right)


@cache
def _bounded(function: Any) -> Any:
    """A filter that is given no large number, and gives no long text. Jinja's marks on the function stay."""

    @wraps(function)
    def bounded(*args: Any, **kwargs: Any) -> Any:
        texts = [value for value in args if isinstance(value, str)]
        if function.__name__ == "do_format" and texts:
            _refuse_wide(texts[0])
        if function.__name__ not in ("do_default", "do_min", "do_max", "do_sum"):
            _refuse_large([*args[1:], *kwargs.values()])
        if function.__name__ == "do_replace" and len(texts) > 1:
            _refuse_growth(texts[0], texts[1:])
        return _not_long(function(*args, **kwargs))

    return bounded


def _refuse_wide(form: str) -> None:
    """Refuse a format such as ``%999999999d``."""
    if re.search(_WIDTH, form):
        raise SecurityError("such a large width is refused")


def _refuse_large(values: Iterable[Any]) -> None:
    """Refuse a number that may be a width."""
    for value in values:
        if isinstance(value, (int, float)) and abs(value) > _MOST:
            raise SecurityError("such a large number is refused")


def _refuse_growth(text: str, parts: Sequence[Any]) -> None:
    longest = max((len(part) for part in parts if isinstance(part, (str, list, tuple))), default=0)
    _refuse_longer((len(text) + 1) * max(longest, 8))


def _refuse_longer(length: int) -> None:
    if length > 10 * _MOST:
        raise SecurityError("such a long text is refused")


def _not_long(value: Any) -> Any:
    if isinstance(value, (str, list, tuple)):
        _refuse_longer(len(value))
    return value


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
    if isinstance(name, jinja2.Undefined):
        str(name)  # raises, with jinja's own message: env(NAME) without quotes
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
            near = did_you_mean(str(name), variables, otherwise=f"; vars: {known}")
            raise jinja2.UndefinedError(f"the variable {name!r} is not set{near}")
        return value

    return var


_OF_OTHERS = {
    "ref": "write the table's name alone: the order of the steps follows from it",
    "source": "write the name of the table that a load step makes",
    "config": "such settings are keys of the step in the pipeline file",
    "is_incremental": "materialize: merge, or append with since, selects which rows are new",
    "this": "write the table's name",
}
"""What people write who come from dbt, and what stands here in its place."""
_IN_QUOTES = "text is written in quotes, a variable is {{ var('name') }}"


def failure_reason(error: BaseException) -> str:
    if isinstance(error, jinja2.TemplateNotFound):
        return f"there is no template {error.name}"
    said = getattr(error, "message", None) or str(error)
    if isinstance(error, jinja2.UndefinedError) and said.endswith("is undefined"):
        name = said.partition("'")[2].partition("'")[0]
        if name in _OF_OTHERS:
            return f"there is no function {name}; {_OF_OTHERS[name]}"
        if near := did_you_mean(said.partition("'")[2].partition("'")[0], ("var", "env", "as_of"), alike=0.75):
            return said + near
        wants = f"name is written in quotes: {{{{ env('{name}') }}}}" if name.isupper() else _IN_QUOTES
        return f"{said}; a {wants}"
    if "end of print statement" in said:
        return "{{ is not closed by }}"
    return f"{said}; an expression ends with }}}}" if said.startswith("unexpected '}'") else said
