"""The step type ``information_value``: which columns of a table tell a yes-or-no target, and how.

Every column is cut into bins: numbers by quantile, text by value, rare values together, missing ones apart. The
weight of evidence of a bin is ln(its share of the positives / its share of the others), half a row being added to
both counts so that an empty one stays finite. The information value of a column is the sum, over its bins, of the
difference of the two shares times that weight. Both, and the rule of thumb for what is strong, are those of
N. Siddiqi, Credit Risk Scorecards, 2006, chapter 6.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import Field

from pipekit import (
    Dialect,
    Into,
    Project,
    QueryError,
    SqlText,
    Statement,
    StepContext,
    StepResult,
    StepType,
    Table,
    TableColumn,
    TableName,
    audit_reads,
    hookimpl,
    literal,
    publish,
)

_TOTALS = """SELECT
        count_if({{ hit }}) AS positives,
        count_if(NOT {{ hit }}) AS negatives
    FROM {{ table }}"""

_BINS = f"""
WITH totals AS (
    {_TOTALS}
),

-- A row for each column and row of the table.
cells AS (
{{{{ cells }}}}
),

ranked AS (
    SELECT
        *,
        rank() OVER (PARTITION BY column_name, amount IS NULL ORDER BY amount NULLS LAST) - 1 AS below,
        count(amount) OVER (PARTITION BY column_name) AS numbers,
        count(*) OVER (PARTITION BY column_name, label) AS alike,
        count(*) OVER (PARTITION BY column_name) AS filled
    FROM cells
),

-- Equal numbers share a rank, so they share a bin.
binned AS (
    SELECT
        column_name,
        amount,
        hit,
        CASE
            WHEN amount IS NOT NULL THEN NULL
            WHEN label IS NULL THEN '(missing)'
            WHEN alike < {{{{ rare_share }}}} * filled THEN '(rare values)'
            ELSE label
        END AS label,
        CASE
            WHEN amount IS NOT NULL
                THEN (below * {{{{ bins }}}} - mod(below * {{{{ bins }}}}, numbers)) / nullif(numbers, 0)
        END AS quantile
    FROM ranked
),

counted AS (
    SELECT
        column_name,
        label,
        min(amount) AS low,
        max(amount) AS high,
        count(*) AS row_count,
        count_if(hit) AS positives,
        count_if(NOT hit) AS negatives
    FROM binned
    GROUP BY column_name, label, quantile
),

shares AS (
    SELECT
        counted.*,
        cast(counted.positives AS DOUBLE) / totals.positives AS positive_share,
        cast(counted.negatives AS DOUBLE) / totals.negatives AS negative_share,
        ln(
            ((counted.positives + 0.5) / cast(totals.positives AS DOUBLE))
            / ((counted.negatives + 0.5) / cast(totals.negatives AS DOUBLE))
        ) AS evidence
    FROM counted
    CROSS JOIN totals
),

-- Rounded before it is summed, so that the order of the sum does not matter.
weighed AS (
    SELECT
        *,
        cast(round((positive_share - negative_share) * evidence, 6) AS NUMBER(12, 6)) AS contribution
    FROM shares
),

summed AS (
    SELECT *, cast(sum(contribution) OVER (PARTITION BY column_name) AS NUMBER(12, 6)) AS information_value
    FROM weighed
)

SELECT
    column_name,
    cast(row_number() OVER (PARTITION BY column_name ORDER BY low NULLS LAST, label NULLS LAST) AS BIGINT) AS bin,
    label,
    low,
    high,
    cast(row_count AS BIGINT) AS row_count,
    cast(positives AS BIGINT) AS positives,
    cast(round(100 * positives / row_count, 2) AS NUMBER(5, 2)) AS positive_percent,
    cast(round(evidence, 4) AS NUMBER(9, 4)) AS weight_of_evidence,
    contribution,
    information_value,
    CASE
        WHEN information_value < 0.02 THEN 'none'
        WHEN information_value < 0.1 THEN 'weak'
        WHEN information_value < 0.3 THEN 'medium'
        ELSE 'strong'
    END AS strength
FROM summed
"""


class InformationValueOptions(Into):
    """The keys of an information_value step, beside those of ``Into``.

    Attributes:
        table: The table to look at.
        target: Its column that holds the outcome; rows where it is NULL are left out.
        positive: The value of ``target`` that counts as a success; all others are failures.
        columns: Which columns to judge; all others of the table if left out.
        bins: Into how many quantiles numbers are cut, at most.
        rare_share: Text values on a smaller share of the rows than this go into one bin.
    """

    table: TableName
    target: str
    positive: bool | int | str = True
    columns: tuple[str, ...] = ()
    bins: int = Field(default=10, ge=2, le=100)
    rare_share: float = Field(default=0.005, ge=0, lt=1)


def run(options: InformationValueOptions, context: StepContext) -> StepResult:
    """Bin the columns and publish one row a column and bin.

    Raises:
        QueryError: A column is not there, or all rows have the same outcome.
    """
    has = context.warehouse.columns(Table.parse(options.table))
    target = _find([options.target], has, options.table, context)[0]
    others = [column.name for column in has if column is not target]
    columns = _find(options.columns or others, has, options.table, context)
    _refuse_one_outcome(options, _statement(_TOTALS, options, context, columns), context)
    rows = publish(context, _statement(_BINS, options, context, columns), options)
    return StepResult(rows, message=f"{len(columns)} columns of {options.table} against {options.target}")


def _find(wanted: Sequence[str], has: Sequence[TableColumn], table: str, context: StepContext) -> list[TableColumn]:
    by_name = {column.name: column for column in has}
    for name in wanted:
        if context.warehouse.fold(name) not in by_name:
            near = get_close_matches(context.warehouse.fold(name), by_name, n=1)
            raise QueryError(f"{table} has no column {name!r}", hint=f"Did you mean {near[0]!r}?" if near else None)
    return [by_name[context.warehouse.fold(name)] for name in wanted]


def _refuse_one_outcome(options: InformationValueOptions, counts: Statement, context: StepContext) -> None:
    positives, negatives = (int(count or 0) for count in context.execute(counts).rows[0])
    if not positives or not negatives:
        raise QueryError(
            f"{options.table}.{options.target}: {positives} rows are {options.positive!r} and {negatives} are not,"
            " so there is nothing to tell apart",
            hint="Both outcomes are needed; look at positive.",
        )


def _statement(
    sql: str, options: InformationValueOptions, context: StepContext, columns: Sequence[TableColumn]
) -> Statement:
    numeric = [context.warehouse.dialect.family(column.type) in ("number", "float") for column in columns]
    cells = list(zip((column.name for column in columns), numeric, strict=True))
    return context.project.statement(sql=sql, names=_names(options, cells, context.warehouse.quote))


def _names(
    options: InformationValueOptions, columns: Sequence[tuple[str, bool]], quote: Callable[[str | Table], str]
) -> dict[str, Any]:
    """What the templates name; of each column its name, and whether it holds numbers."""
    table, target = quote(Table.parse(options.table)), quote(options.target)
    hit = f"({target} = {literal(options.positive)})"
    source = f"{hit} AS hit FROM {table} WHERE {target} IS NOT NULL"
    return {
        "table": SqlText(table),
        "hit": SqlText(hit),
        "bins": options.bins,
        "rare_share": options.rare_share,
        "cells": SqlText("\nUNION ALL\n".join(_cells(name, numeric, quote, source) for name, numeric in columns)),
    }


def _cells(column: str, numeric: bool, quote: Callable[[str | Table], str], source: str) -> str:
    quoted = quote(column)
    name = literal(column.lower() if column.isupper() else column)
    amount, label = (quoted, "NULL") if numeric else ("NULL", quoted)
    return (
        f"SELECT {name} AS column_name, cast({amount} AS DOUBLE) AS amount, cast({label} AS VARCHAR) AS label, {source}"
    )


def _reads(options: InformationValueOptions, project: Project) -> Iterable[str]:
    return (options.table, *audit_reads(options.audit, project))


def _writes(options: InformationValueOptions, project: Project) -> Iterable[str]:
    return (options.into,)


# The families of the types that are known before a run.
_WORDS = Dialect("snowflake")


def _quoted(name: str | Table) -> str:
    parts = name.parts if isinstance(name, Table) else (name,)
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def _origins(options: InformationValueOptions, project: Project) -> Statement | None:
    """The query that gives the rows, for lineage; the types of the columns are those that they have before a run."""
    known = project.typed_tables(Table.parse(options.table))
    if known is None:
        return None
    wanted = options.columns or [name for name in known if name != options.target.lower()]
    columns = [(name, _WORDS.family(known.get(name.lower(), "")) in ("number", "float")) for name in wanted]
    return project.statement(sql=_BINS, names=_names(options, columns, _quoted))


@hookimpl
def pipekit_step_types() -> list[StepType[InformationValueOptions]]:
    """The ``information_value`` step type."""
    return [StepType("information_value", InformationValueOptions, run, _reads, _writes, origins=_origins)]
