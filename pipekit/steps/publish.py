"""How the rows of a query reach a table: the materializations, each with its audit.

Rows are first built beside the table. They are moved in one transaction, or one atomic replacement, after the
audit has passed; on any failure readers go on seeing the old rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, model_validator

from pipekit.errors import QueryError
from pipekit.quality import evaluate, raise_for_failures
from pipekit.source import Names
from pipekit.step import Project, Statement, StepContext, StepOptions
from pipekit.warehouses.base import Table, TableColumn

if TYPE_CHECKING:
    import pyarrow as pa

    from pipekit.quality import Suite


def _table_name(text: str) -> str:
    Table.parse(text)
    return text


TableName = Annotated[str, AfterValidator(_table_name)]
SuiteReference = str | list[Any] | dict[str, Any]
OnSchemaChange = Literal["fail", "add", "ignore"]
Kind = Literal["table", "temporary", "view"]
Materialization = Literal["table", "view", "truncate_load", "append", "merge"]


class Into(StepOptions):
    """The keys of every step that fills a table from rows it makes.

    Attributes:
        into: The table; the step's id if left out.
        materialize: ``table`` is replaced as a whole; ``truncate_load`` keeps the table and its grants;
            ``append`` adds rows not yet there; ``merge`` updates by ``key`` and never deletes; ``view`` holds no rows.
        key: The columns that identify a row.
        since: With ``append``, the column whose greatest value in the table is where new rows begin.
        audit: A suite that must pass before readers see the new rows.
        on_schema_change: What a change of columns does to a table that is kept.
        timestamps: With ``merge``, keep ``created_at`` and ``updated_at`` for each row.
    """

    into: TableName
    materialize: Materialization = "table"
    key: Names = ()
    since: str | None = None
    audit: SuiteReference | None = None
    on_schema_change: OnSchemaChange = "fail"
    timestamps: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> Into:
        mode = self.materialize
        if mode == "merge" and not self.key:
            raise ValueError("materialize: merge needs a key")
        if mode == "append" and not (self.key or self.since):
            raise ValueError("materialize: append needs key or since, so that running it again adds nothing")
        if self.key and mode not in ("merge", "append"):
            raise ValueError(f"key means nothing with materialize: {mode}")
        if self.since and mode != "append":
            raise ValueError(f"since means nothing with materialize: {mode}")
        if self.timestamps and mode != "merge":
            raise ValueError(f"timestamps needs materialize: merge, not {mode}")
        if mode == "view" and self.audit is not None:
            raise ValueError("a view cannot be audited: it holds no rows; check it with a check step")
        if self.on_schema_change != "fail" and mode in ("table", "view"):
            raise ValueError(f"on_schema_change means nothing with materialize: {mode}, which is made anew each time")
        return self


STAMPS = ("created_at", "updated_at")


def publish(context: StepContext, statement: Statement, options: Into) -> int | None:
    """Run a SELECT and let its rows reach ``options.into`` as ``options.materialize`` says.

    Returns:
        Rows written (with ``merge``: inserted or changed); ``None`` for a view.

    Raises:
        QueryError: The statement or the move failed, or a key is NULL or not unique.
        ChecksFailed: The audit failed.
    """
    table = Table.parse(options.into)
    if options.materialize == "view":
        _create(context, table, statement, "view")
        return None
    if options.materialize == "table" and options.audit is None:
        rows = _create(context, table, statement, "table")
        return count_rows(context, table) if rows is None else rows

    def build(scratch: Table, kind: Kind) -> None:
        _create(context, scratch, statement, kind)

    return _publish_built(context, build, options, statement.unique)


def publish_arrow(context: StepContext, data: pa.Table, options: Into) -> int | None:
    """The same for rows that Python made.

    Raises:
        QueryError: See ``publish``.
        ChecksFailed: The audit failed.
    """

    def build(scratch: Table, kind: Kind) -> None:
        context.warehouse.write_arrow(scratch, data, temporary=kind == "temporary")

    return _publish_built(context, build, options)


def _publish_built(
    context: StepContext, build: Callable[[Table, Kind], None], options: Into, unique: Sequence[str] = ()
) -> int:
    table = Table.parse(options.into)
    replacing = _takes_place(context, table, options)
    with scratch_table(context, table) as scratch:
        build(scratch, "table" if replacing else "temporary")
        if options.key:
            refuse_bad_keys(context, scratch, options.key, unique)
        if replacing:
            rows = count_rows(context, scratch)
            audit(context, options.audit, scratch, shown_as=table)
            context.warehouse.replace_table(scratch, table)
            return rows
        return _move(context, scratch, table, options)


def _takes_place(context: StepContext, table: Table, options: Into) -> bool:
    """Whether what is built becomes the table itself. So does the first merge or append: that saves a copy."""
    return options.materialize == "table" or not (options.timestamps or context.warehouse.exists(table))


def _move(context: StepContext, scratch: Table, table: Table, options: Into) -> int:
    warehouse = context.warehouse
    columns = warehouse.columns(scratch)
    if options.timestamps:
        _make_stamped(context, table, scratch)
    names = reconcile(context, table, columns, options.on_schema_change, options.timestamps)
    with warehouse.transaction():
        if options.materialize == "truncate_load":
            warehouse.truncate(table)
            rows = _insert(context, scratch, table, names)
        elif options.materialize == "append":
            rows = _insert(context, scratch, table, names, _only_new(context, table, options))
        else:
            rows = merge(context, scratch, table, names, options.key, timestamps=options.timestamps)
        audit(context, options.audit, table)
    return rows


@contextmanager
def scratch_table(context: StepContext, table: Table) -> Iterator[Table]:
    """A helper table's name; whatever was made under it is dropped at the end."""
    scratch = context.warehouse.scratch(table)
    try:
        yield scratch
    finally:
        context.warehouse.execute(f"DROP TABLE IF EXISTS {context.warehouse.quote(scratch)}")


def _create(context: StepContext, table: Table, statement: Statement, kind: Kind) -> int | None:
    with context.explained(statement):
        return context.warehouse.create_as(table, statement.sql, kind=kind)


def count_rows(context: StepContext, table: Table) -> int:
    """How many rows the table has; answered from metadata by both engines."""
    return int(context.warehouse.execute(f"SELECT count(*) FROM {context.warehouse.quote(table)}").scalar())


def _make_stamped(context: StepContext, table: Table, scratch: Table) -> None:
    warehouse = context.warehouse
    if warehouse.exists(table):
        return
    stamps = "".join(f", CAST(NULL AS TIMESTAMPTZ) AS {warehouse.quote(name)}" for name in STAMPS)
    warehouse.create_as(table, f"SELECT *{stamps} FROM {warehouse.quote(scratch)} WHERE 1 = 0", kind="table")


def reconcile(
    context: StepContext, table: Table, wanted: Sequence[TableColumn], policy: str, timestamps: bool = False
) -> list[str]:
    """Make the table able to take ``wanted``, or refuse. Outside a transaction: it may need DDL.

    Returns:
        The columns to fill, in the engine's case.

    Raises:
        QueryError: The columns differ and ``policy`` does not allow it; the difference is shown.
    """
    has = {column.name: column for column in context.warehouse.columns(table)}
    given = {column.name: column for column in wanted}
    own = {context.warehouse.fold(name) for name in STAMPS} if timestamps else set()
    added = [column for name, column in given.items() if name not in has]
    missing = [column for name, column in has.items() if name not in given and name not in own]
    retyped = [(has[name], column) for name, column in given.items() if name in has and has[name].type != column.type]
    if retyped or (policy == "fail" and (added or missing)):
        hint = _HINT_TYPE if retyped else _HINT
        raise QueryError(_difference(table, added, missing, retyped), kept=f"{table} is as it was.", hint=hint)
    if policy == "add":
        for column in added:
            warehouse = context.warehouse
            name = warehouse.quote(column.name)
            warehouse.execute(f"ALTER TABLE {warehouse.quote(table)} ADD COLUMN {name} {column.type}")
            context.note("WARNING", f"{table}: added the column {column.name} {column.type}")
        return list(given)
    for column in added:
        context.note("WARNING", f"{table}: the new column {column.name} is ignored")
    return [name for name in given if name in has]


_HINT_TYPE = "Change the table by hand (ALTER TABLE), or drop it: then the step makes it anew."
_HINT = (
    "Say on_schema_change: add (new columns are added, missing ones become NULL) or ignore,"
    " or change the table by hand."
)


def _difference(
    table: Table,
    added: Sequence[TableColumn],
    missing: Sequence[TableColumn],
    retyped: Sequence[tuple[TableColumn, TableColumn]],
) -> str:
    lines = [f"{table}: the columns to load are not those of the table"]
    lines += [f"  + {column.name} {column.type}: not in the table" for column in added]
    lines += [f"  - {column.name} {column.type}: in the table only" for column in missing]
    lines += [f"  ~ {old.name}: {old.type} in the table, {new.type} to load" for old, new in retyped]
    return "\n".join(lines)


def _names(context: StepContext, names: Sequence[str], prefix: str = "") -> str:
    return ", ".join(prefix + context.warehouse.quote(name) for name in names)


def _insert(context: StepContext, scratch: Table, table: Table, names: Sequence[str], where: str = "") -> int:
    columns = _names(context, names)
    source, target = context.warehouse.quote(scratch), context.warehouse.quote(table)
    sql = f"INSERT INTO {target} ({columns}) SELECT {columns} FROM {source} AS new{where}"
    return context.warehouse.execute(sql).rowcount or 0


def _only_new(context: StepContext, table: Table, options: Into) -> str:
    quote = context.warehouse.quote
    conditions = []
    if options.key:
        same = " AND ".join(f"old.{quote(name)} = new.{quote(name)}" for name in options.key)
        conditions.append(f"NOT EXISTS (SELECT 1 FROM {quote(table)} AS old WHERE {same})")
    if options.since:
        column = quote(options.since)
        newest = f"(SELECT max({column}) FROM {quote(table)})"
        conditions.append(f"(new.{column} > {newest} OR {newest} IS NULL)")
    return " WHERE " + " AND ".join(conditions)


def refuse_bad_keys(context: StepContext, table: Table, key: Sequence[str], unique: Sequence[str] = ()) -> None:
    """Make sure that the key is neither NULL nor given twice among the new rows.

    Args:
        context: The step's context.
        table: What holds the new rows.
        key: The columns of the key.
        unique: Columns by which the rows differ for sure; within the key they spare a look at every value.

    Raises:
        QueryError: It is; with a few of the keys.
    """
    columns = _names(context, key)
    nulls = " OR ".join(f"{context.warehouse.quote(name)} IS NULL" for name in key)
    fold = context.warehouse.fold
    known = unique and {fold(name) for name in unique} <= {fold(name) for name in key}
    which = f"WHERE {nulls} GROUP BY {columns}" if known else f"GROUP BY {columns} HAVING count(*) > 1 OR {nulls}"
    bad = context.warehouse.execute(
        f"SELECT {columns}, count(*) FROM {context.warehouse.quote(table)} {which} ORDER BY count(*) DESC LIMIT 5"
    ).rows
    if bad:
        shown = "; ".join(f"{', '.join(map(str, row[:-1]))} ({row[-1]} rows)" for row in bad)
        raise QueryError(
            f"the key ({', '.join(key)}) is NULL or not unique among the new rows: {shown}",
            kept="Nothing was written.",
            hint="Mend the source, or make a query give one row a key: QUALIFY row_number() OVER (...) = 1.",
        )


def move_rows(context: StepContext, source: Table, table: Table, names: Sequence[str], key: Sequence[str]) -> int:
    """Merge the rows of a helper table into ``table`` by ``key``, or insert them all if there is none.

    Raises:
        QueryError: A key is NULL or given twice among the new rows.
    """
    if not key:
        return _insert(context, source, table, names)
    refuse_bad_keys(context, source, key)
    return merge(context, source, table, names, key, timestamps=False)


def merge(
    context: StepContext, source: Table, table: Table, names: Sequence[str], key: Sequence[str], *, timestamps: bool
) -> int:
    """Insert the rows whose key is new and update those that differ; nothing is deleted.

    Returns:
        Rows inserted or updated; a row that is already the same is neither.
    """
    quote = context.warehouse.quote
    keys = {context.warehouse.fold(name) for name in key}
    others = [name for name in names if context.warehouse.fold(name) not in keys]
    same = " AND ".join(f"old.{quote(name)} = new.{quote(name)}" for name in key)
    differs = " OR ".join(f"old.{quote(name)} IS DISTINCT FROM new.{quote(name)}" for name in others)
    assignments = [f"{quote(name)} = new.{quote(name)}" for name in others]
    columns, values = _names(context, names), _names(context, names, "new.")
    if timestamps:
        now = "CURRENT_TIMESTAMP"
        assignments.append(f"{quote('updated_at')} = {now}")
        columns += f", {_names(context, STAMPS)}"
        values += f", {now}, {now}"
    update = f" WHEN MATCHED AND ({differs}) THEN UPDATE SET {', '.join(assignments)}" if others else ""
    sql = (
        f"MERGE INTO {quote(table)} AS old USING {quote(source)} AS new ON {same}{update}"
        f" WHEN NOT MATCHED THEN INSERT ({columns}) VALUES ({values})"
    )
    return context.warehouse.execute(sql).rowcount or 0


def audit(context: StepContext, reference: Any, table: Table, shown_as: Table | None = None) -> None:
    """Judge ``table`` with the suite that ``reference`` means, on this very session.

    Args:
        context: The step's context.
        reference: The value of ``audit:``; ``None`` judges nothing.
        table: What is judged.
        shown_as: The name for messages, when ``table`` is a helper.

    Raises:
        ChecksFailed: A critical check failed or could not be evaluated.
    """
    if reference is None:
        return
    shown = shown_as or table
    suite: Suite = context.project.suite(reference)
    results = evaluate([suite], table, context.warehouse, step=context.step, emit=context.emit, shown_as=shown)
    raise_for_failures(results, shown, kept=f"{shown} still holds the rows it had before.")


def audit_reads(reference: Any, project: Project) -> Iterable[str]:
    """Tables beside the judged one that the suite of an ``audit:`` looks at."""
    return project.suite(reference).reads if reference is not None else ()
