"""How many bad records a load may set aside, and those that it did."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import TYPE_CHECKING

from pipekit.errors import SourceError
from pipekit.names import Table
from pipekit.own_tables import LEDGER
from pipekit.source import Source
from pipekit.step import StepContext
from pipekit.steps.ledger import REPLAYED
from pipekit.warehouses.contract import PreparedLoad, Warehouse

if TYPE_CHECKING:
    import pyarrow as pa


def most_rejects(limit: int | str | None, records: int) -> float:
    """The most bad records among ``records`` that ``max_rejects`` allows.

    Raises:
        ValueError: It is neither a count nor a share.
    """
    if limit is None:
        return float("inf")
    text = str(limit).strip()
    share = text.endswith("%")
    try:
        number = float(text.removesuffix("%"))
    except ValueError:
        number = float("nan")
    if isinstance(limit, bool) or not isfinite(number):
        raise ValueError(f"{limit!r} is neither a count (100) nor a share (1%)")
    if share and not 0 <= number <= 100:
        raise ValueError(f"a share is 0% to 100%, and {limit!r} is {'above' if number > 100 else 'below'} it")
    if not share and not (number >= 0 and number.is_integer()):
        raise ValueError(f"a count is a whole number that is not negative, unlike {limit!r}; a share is written 1%")
    return records * number / 100 if share else number


def refuse_too_many(
    context: StepContext,
    prepared: PreparedLoad,
    rejects: Table,
    source: Source,
    limit: int | str | None,
    *,
    needs_row: bool = False,
) -> None:
    """Refuse the load if it has more rejects than allowed; the rejects themselves are kept in ``rejects``.

    Args:
        context: Of the step.
        prepared: The load, whose records are judged.
        rejects: The table of rejected records.
        source: What is loaded.
        limit: The most bad records, a count or a share; any number if ``None``.
        needs_row: Whether a load of which every record is bad is refused, too.

    Raises:
        SourceError: There are too many.
    """
    all_bad = needs_row and prepared.rejected == prepared.records > 0
    if prepared.rejected <= most_rejects(limit, prepared.records) and not all_bad:
        return
    with context.warehouse.transaction():
        prepared.write_rejects(rejects)
    found = f"{prepared.rejected:,} of {prepared.records:,} records are bad"
    why = f"max_rejects is {limit}" if limit is not None else "no row is left to load"
    raise SourceError(
        f"{found}; {why}; the first: {_first(context, rejects)}",
        file=source.uri,
        hint=f"See them in {rejects}, with file, line and reason (run_id {context.run_id}).",
    )


def _first(context: StepContext, rejects: Table) -> str:
    """The first rejected record of the run: its place, and why it is bad."""
    [(file, line, column, reason)] = context.warehouse.execute(
        f"SELECT source_file, source_line, column_name, reason FROM {context.warehouse.quote(rejects)}"
        " WHERE run_id = ? ORDER BY source_file, source_line LIMIT 1",
        (context.run_id,),
    ).rows
    place = ":".join(str(part) for part in (file, line) if part is not None)
    return f"{place}: {f'column {column}: ' if column else ''}{reason}"


def read_rejects(
    warehouse: Warehouse,
    table: Table,
    run_id: str | None,
    limit: int | None,
    replayed: Mapping[str, str] | None = None,
) -> pa.Table:
    """The rejected records of a table's load, the newest first.

    Args:
        warehouse: A session.
        table: The table that the load fills.
        run_id: Only those of this run; all if ``None``.
        limit: The most records; all if ``None``.
        replayed: For a last column ``replayed_by``; see ``replays``.

    Raises:
        QueryError: The load never ran.
    """
    where = " WHERE run_id = ?" if run_id else ""
    most = f" LIMIT {int(limit)}" if limit is not None else ""
    rows = warehouse.read_arrow(
        f"SELECT * FROM {warehouse.quote(table.beside('_rejects'))}{where}"
        f" ORDER BY rejected_at DESC, source_file, source_line{most}",
        (run_id,) if run_id else (),
    )
    if replayed is None:
        return rows
    import pyarrow as pa

    by = [replayed.get(run) for run in rows.column(warehouse.fold("run_id")).to_pylist()]
    return rows.append_column(warehouse.fold("replayed_by"), pa.array(by, pa.string()))


def replays(warehouse: Warehouse, table: Table, pipeline: str, step: str) -> dict[str, str]:
    """For each run whose rejected records were replayed since, the first run that did so.

    A fixed file does not say which records it holds. It is taken for those of the last run that rejected any before
    it, as ``--export`` writes them. It counts as long as its rows are in the table, or those of a later replay of it.
    """
    if not (warehouse.exists(LEDGER) and warehouse.exists(table.beside("_rejects"))):
        return {}
    rejected = warehouse.execute(
        f"SELECT run_id, max(rejected_at) FROM {warehouse.quote(table.beside('_rejects'))} GROUP BY run_id ORDER BY 2"
    ).rows
    done = warehouse.execute(
        f"SELECT run_id, loaded_at, replaced_by FROM {warehouse.quote(LEDGER)}"
        " WHERE pipeline = ? AND step_name = ? AND definition_hash = ? ORDER BY loaded_at",
        (pipeline, step, REPLAYED),
    ).rows
    still = {None, *(run for run, _, _ in done)}
    found: dict[str, str] = {}
    for run, at, replaced_by in done:
        before = [other for other, when in rejected if other != run and when <= at]
        if before and replaced_by in still:
            found.setdefault(before[-1], run)
    return found
