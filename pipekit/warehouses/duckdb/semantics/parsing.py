"""Reading Snowflake's text and writing DuckDB's.

Functions stay calls by name: what one means is said by the rules here alone, so that no value depends on which version
of sqlglot is installed. A ``Template`` is a piece of DuckDB's SQL with places for parts that are parsed.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.dialects.snowflake import Snowflake
from sqlglot.tokens import TokenType

from pipekit.sql.text import quoted

_PLACE = re.compile(r"\{(\d+|over)\}")
# Plain names that DuckDB takes as columns only in quotes, and Snowflake mostly without.
_QUOTED = frozenset(
    {
        "anti",
        "asc",
        "asof",
        "at",
        "authorization",
        "binary",
        "by",
        "check",
        "collation",
        "concurrently",
        "create",
        "cross",
        "desc",
        "describe",
        "end",
        "false",
        "freeze",
        "full",
        "glob",
        "group",
        "ilike",
        "in",
        "inner",
        "is",
        "isnull",
        "join",
        "lambda",
        "lateral",
        "left",
        "like",
        "natural",
        "notnull",
        "null",
        "outer",
        "overlaps",
        "pivot",
        "pivot_longer",
        "pivot_wider",
        "positional",
        "qualify",
        "right",
        "semi",
        "show",
        "similar",
        "summarize",
        "tablesample",
        "true",
        "unpack",
        "unpivot",
        "verbose",
    }
)  # fmt: skip
MARK = "\ufdd4{},{}\ufdd5"  # a place, line and column; noncharacters of Unicode
COMMA = "comma"  # the mark of a join that is written with one
_KEPT_SYNTAX = ("CAST", "TRY_CAST", "EXTRACT", "POSITION", "TRIM")


class Source(Snowflake):  # type: ignore[misc]
    """Snowflake's grammar, with functions left as calls by name."""

    class Parser(Snowflake.Parser):  # type: ignore[misc]
        """See ``Source``."""

        FUNCTIONS: ClassVar[dict[str, Any]] = {}
        FUNCTION_PARSERS: ClassVar = {
            name: parse for name, parse in Snowflake.Parser.FUNCTION_PARSERS.items() if name in _KEPT_SYNTAX
        }

        def _parse_join(self, *args: Any, **named: Any) -> Any:
            """A join; one that is written with a comma is marked, since its tree is that of JOIN."""
            comma, begins = self._curr, self._next
            join = super()._parse_join(*args, **named)
            if join is not None and comma is not None and comma.token_type == TokenType.COMMA:
                join.meta[COMMA] = True
                if isinstance(join.this, exp.Lateral):
                    join.update_positions(begins)
            return join


class Template(exp.Expression, exp.Func):  # type: ignore[misc]
    """DuckDB's SQL for a construct: text in which ``{0}`` is the first of the parts.

    ``{over}`` is the window of an aggregate; it is empty where there is none. The text binds as tightly as a call.
    """

    arg_types: ClassVar = {"this": True, "expressions": False, "over": False, "aggregate": False}


class Target(DuckDB):  # type: ignore[misc]
    """DuckDB's dialect, with templates."""

    class Generator(DuckDB.Generator):  # type: ignore[misc]
        """See ``Target``."""

        TRANSFORMS: ClassVar = {
            kind: write
            for kind, write in DuckDB.Generator.TRANSFORMS.items()
            if kind not in (exp.Select, exp.Lateral, exp.Literal)
        }

        RESERVED_KEYWORDS: ClassVar = DuckDB.Generator.RESERVED_KEYWORDS | _QUOTED

        TRANSFORMS[Template] = lambda self, expression: self.template_sql(expression)

        def template_sql(self, expression: Template) -> str:
            """The text with its parts."""
            return _PLACE.sub(lambda match: self._part(expression, match[1]), str(expression.this))

        def _part(self, expression: Template, place: str) -> str:
            if place == "over":
                over = expression.args.get("over")
                return self.sql(over) if over is not None else ""
            part = expression.expressions[int(place)]
            text = self.sql(part)
            return f"({text})" if _loose(part) else text

        def identifier_sql(self, expression: Any) -> str:
            """A name; with its place behind it where that is wanted."""
            text = str(super().identifier_sql(expression))
            meta = expression.meta
            if "marked" not in meta:
                return text
            return text + MARK.format(meta["line"], meta["col"] - (meta["end"] - meta["start"]))

        def lateral_sql(self, expression: Any) -> str:
            """LATERAL with a query or a template in it."""
            inner = self.sql(expression, "this")
            alias = self.sql(expression, "alias")
            return f"LATERAL {inner}" + (f" AS {alias}" if alias else "")

        def literal_sql(self, expression: Any) -> str:
            """Text in quotes; a backslash is a plain character in DuckDB."""
            text = str(expression.this)
            if not expression.is_string:
                return text
            if self.pretty:  # else a line's end inside a text would be indented
                text = text.replace("\n", self.SENTINEL_LINE_BREAK)
            return quoted(text)


def _loose(part: Any) -> bool:
    """Whether the part binds less tightly than a call, so that it needs parentheses inside a template."""
    return isinstance(part, (exp.Binary, exp.Not, exp.Neg, exp.Between, exp.In, exp.Case)) and not isinstance(
        part, (exp.Dot, exp.Func)
    )


def template(text: str, *parts: Any) -> Template:
    """A template with its parts."""
    return Template(this=text, expressions=list(parts), aggregate="{over}" in text)


def holds_aggregate(node: Any) -> bool:
    """Whether an aggregate is in it: then DuckDB does not yet know its type where it chooses among overloads."""
    return any(part.args.get("aggregate") for part in node.find_all(Template))


def write(tree: Any) -> str:
    """The DuckDB text of a rewritten query."""
    return str(Target.Generator(dialect=Target, pretty=True, comments=False).generate(tree, copy=False))
