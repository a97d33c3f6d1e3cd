"""What a query reaches besides tables: files, stages, the network, settings, and statements that change data.

SQL of a project reads tables only. Otherwise a pipeline file from elsewhere could read any file of its user.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from pipekit.errors import TemplateError, short
from pipekit.sql.dialect import Dialect
from pipekit.sql.places import line_and_column

STAGE = "stage"
"""The name under which a target may allow ``@stage`` in FROM."""

# DuckDB: https://duckdb.org/docs/current/sql/functions/overview, https://duckdb.org/docs/current/data/overview
# Snowflake: https://docs.snowflake.com/en/sql-reference/functions-file, .../functions-system
_READERS = (
    r"(read|sniff|scan|pragma|duckdb|sqlite|postgres|mysql|http)_\w+|\w+_(scan|metadata)|st_read\w*|glob|query|query_table"
    r"|directory|infer_schema|getenv|current_setting|write_log|which_secret|load_aws_credentials"
    r"|get_presigned_url|build_(scoped|stage)_file_url|get_(stage_location|relative_path|absolute_path)"
    r"|(try_)?to_file|(ai_|snowflake\.cortex\.)?parse_document|system\$(?!typeof$)\w+"
)
_FILE = r"[/\\:*?\[\]]|\.(csv|tsv|txt|json[l5]?|ndjson|parquet|arrow|xlsx?|avro|duckdb|db|sqlite\d?|gz|zst)$"


class OutsideError(TemplateError):
    """A query that reaches more than tables."""


def refuse_outside(tree: Any, text: str, dialect: Dialect, allowed: Collection[str]) -> None:
    """Refuse a query that reaches anything besides tables.

    Args:
        tree: The parsed query.
        text: The query as written.
        dialect: The dialect it was written in.
        allowed: Functions, in lower case, and ``stage``, that the target allows all the same.

    Raises:
        OutsideError: It does.
    """
    for name, node in (*_statements(tree), *_sources(tree, dialect), *_calls(tree)):
        if name == "":
            raise OutsideError(f"{node.key.upper()} inside a query: SQL of a project reads tables and changes nothing")
        if name not in allowed:
            raise _outside(name, node, text)


def _outside(name: str, node: Any, text: str) -> OutsideError:
    """The error, with the author's own spelling and its place where they can be found."""
    way_out = "load the file with a source and a load step, then read the table"
    if name != "file":
        way_out += f"; or allow it: allow_file_functions: [{name}] at the target in use"
    shown, begin = short(node, 60), r"@" if name == STAGE else rf"\b{re.escape(name)}\s*\("
    found = None if name == "file" else re.search(begin, text, re.IGNORECASE)
    line = column = None
    if found is not None:
        line, column = line_and_column(text, found.start())
        shown = shown.replace(name.upper(), found[0].rstrip(" (")) if name != STAGE else shown
    reason = f"{shown}: SQL of a project reads tables, never files, stages or settings"
    return OutsideError(reason, line=line, column=column, hint=way_out)


def _statements(tree: Any) -> Iterator[tuple[str, Any]]:
    from sqlglot import exp

    changing = (exp.DML, exp.DDL, exp.Drop, exp.Command, exp.Copy, exp.Attach, exp.Detach, exp.Pragma, exp.Set, exp.Use)
    for node in tree.find_all(*changing):
        if not isinstance(node, exp.Query):
            yield "", node


def _sources(tree: Any, dialect: Dialect) -> Iterator[tuple[str, Any]]:
    """What is in FROM and is not a table."""
    from sqlglot import exp

    for node in tree.find_all(exp.Table, exp.TableFromRows, exp.Summarize, exp.Describe):
        this = node.this
        if isinstance(this, exp.Anonymous) and str(this.this).upper() == "TABLE" and len(this.expressions) == 1:
            this = this.expressions[0]
        if isinstance(this, exp.Func) and not isinstance(this, exp.DynamicIdentifier):
            name = _name(this)
            known = dialect.table_functions
            if re.fullmatch(_READERS, name) or (known is not None and name not in known):
                yield name, this
        elif isinstance(this, exp.DirectoryStage) or (isinstance(this, exp.Var) and this.name.startswith("@")):
            yield STAGE, this
        elif isinstance(this, exp.Literal):
            yield (STAGE if this.name.startswith("@") else "file"), this
        elif isinstance(node, exp.Table) and any(
            re.search(_FILE, part.name, re.I) for part in node.parts if part.args.get("quoted")
        ):
            yield "file", node


def _calls(tree: Any) -> Iterator[tuple[str, Any]]:
    from sqlglot import exp

    for node in tree.find_all(exp.Func):
        name = _name(node)
        if re.fullmatch(_READERS, name) and not isinstance(node.parent, exp.Table):
            yield name, node


def _name(call: Any) -> str:
    from sqlglot import exp

    if isinstance(call, exp.Anonymous):
        return str(call.name).lower()
    return str(call.sql_name()).lower()
