"""Looking at what a pipeline made. Nothing is written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

from pipekit.api.asking import naming_tables, no_table, select
from pipekit.api.base import PipelineFile, keeping_secrets, several
from pipekit.errors import NothingYetError, QueryError, WarehouseError
from pipekit.findings import Finding
from pipekit.names import Table
from pipekit.own_tables import NEWEST_FIRST
from pipekit.pipeline.model import Step
from pipekit.runs.run import RunOptions
from pipekit.steps.load_options import LoadOptions
from pipekit.steps.rejects import read_rejects, replays
from pipekit.steps.replay import rejecting_load
from pipekit.warehouses.contract import Warehouse

if TYPE_CHECKING:
    import pyarrow as pa

    from pipekit.insight.lineage import Lineage
    from pipekit.runs.plan import Plan
    from pipekit.steps.reject_export import RejectGroup

_ORDERED = r"(?i)\border\s+by\b"


class Looking(PipelineFile):
    """What shows the next run, tables, rejected records and the state of a target.

    Attributes:
        notice: What must be known of the last look at the warehouse, such as that a copy was read; else empty.
    """

    notice = ""

    @keeping_secrets
    def read(
        self,
        table: str,
        *,
        columns: str | Sequence[str] = (),
        where: str | None = None,
        order: str | None = None,
        limit: int | None = None,
    ) -> pa.Table:
        """Rows of a table of the target, as Arrow.

        Args:
            table: ``name`` or ``schema.name``.
            columns: Only these, in this order; all if empty. A name may be quoted, as in SQL.
            where: A condition, in Snowflake's SQL.
            order: What comes after ORDER BY, likewise; the newest first in the log tables if left out.
            limit: The most rows; all if left out.

        Raises:
            TemplateError: The condition or the order is not SQL.
            QueryError: There is no such table or column.
        """
        columns = several(columns)
        newest_first = NEWEST_FIRST.get(Table((table.lower(),)))
        plain = not (columns or where or order)
        order = order or newest_first
        if not plain:
            statement = select(self.spec, table, columns, where, order)
        parsed = Table.parse(table)
        with self._look([parsed]) as warehouse, naming_tables(self.spec, warehouse, [parsed]):
            if plain:
                statement = f"SELECT * FROM {warehouse.quote(parsed)}" + (f" ORDER BY {order}" if order else "")
            return warehouse.read_arrow(statement + _limit(limit))

    @keeping_secrets
    def sql(self, query: str, *, limit: int | None = None) -> pa.Table:
        """The rows of a query, as Arrow. It is read as the SQL of a step is: in Snowflake's dialect, of tables only.

        Args:
            query: One SELECT, or WITH ... SELECT.
            limit: The most rows; all if left out.

        Raises:
            TemplateError: It is not one query, or cannot be put into the target's SQL.
            QueryError: The target refuses it.
        """
        from pipekit.sql.result_names import result_names

        statement = self.spec.statement(sql=query.strip().rstrip(";"))
        sql = statement.sql
        with (
            self._look(sorted(statement.reads, key=str)) as warehouse,
            naming_tables(self.spec, warehouse, statement.reads),
        ):
            if limit is not None and not re.search(_ORDERED, query):  # neither engine promises the order of a subquery
                sql = f"SELECT * FROM (\n{sql}\n) AS {warehouse.quote('rows_of_query')}{_limit(limit)}"
            rows = warehouse.read_arrow(sql)
        rows = rows.rename_columns(result_names(statement.text, statement.dialect, rows.column_names))
        return rows.slice(0, limit) if limit is not None else rows

    @keeping_secrets
    def rejects(self, step: str | None = None, *, run_id: str | None = None, limit: int | None = None) -> pa.Table:
        """Records that a load rejected, the newest first, with the run that replayed them since (``replayed_by``).

        A replay is taken for the records of the last run that rejected any before it.

        Args:
            step: The load; may be left out if only one load of the pipeline rejects.
            run_id: Only those of this run.
            limit: The most records; all if left out.

        Raises:
            SpecError: No load fits, or more than one.
            QueryError: The step never ran.
        """
        load = rejecting_load(self.spec, step)
        with self._look() as warehouse:
            table = Table.parse(cast(LoadOptions, load.options).into)
            _refuse_before_a_run(warehouse, load)
            replayed = replays(warehouse, table, self.spec.name, load.id)
            return read_rejects(warehouse, table, run_id, limit, replayed)

    @keeping_secrets
    def lineage(self) -> Lineage:
        """Where the columns of all tables come from, back to the headers of the files. Nothing is opened."""
        from pipekit.insight.tracing import lineage_of

        return lineage_of(self.spec)

    @keeping_secrets
    def plan(
        self,
        *,
        select: str | Sequence[str] = (),
        exclude: str | Sequence[str] = (),
        full_refresh: bool = False,
        resume: bool = False,
    ) -> Plan:
        """What ``run`` would do with the same arguments. Nothing is written: no table, no log, no state.

        Args:
            select, exclude, full_refresh, resume: See ``run``.

        Raises:
            SpecError: ``select`` or ``exclude`` names no step, or ``resume`` is given beside ``full_refresh``.
            WarehouseError: The warehouse cannot be opened.
        """
        from pipekit.runs.plan import plan_pipeline

        self._refuse_mixed(resume, full_refresh)
        given, spec, reread = self._as_resumed(resume)
        options = RunOptions(
            several(select),
            several(exclude),
            resume=resume,
            variables=given.variables,
            full_refresh=full_refresh,
            reread=reread,
        )
        return plan_pipeline(spec, options)

    @keeping_secrets
    def reject_groups(self, step: str | None = None, *, run_id: str | None = None) -> list[RejectGroup]:
        """How many rejected records of a load are open for each column and reason, the most frequent first.

        Those of runs that were replayed since are not counted; see ``rejects``.
        """
        from pipekit.steps.reject_export import group_rejects

        load = rejecting_load(self.spec, step)
        with self._look() as warehouse:
            table = Table.parse(load.options.into)  # type: ignore[attr-defined]
            _refuse_before_a_run(warehouse, load)
            done = replays(warehouse, table, self.spec.name, load.id)
            return group_rejects(warehouse, table, run_id, done)

    @keeping_secrets
    def export_rejects(self, file: str | Path, step: str | None = None, *, run_id: str | None = None) -> int:
        """Write the rejected records of one run to a new file, to be fixed and given to ``replay``.

        Args:
            file: The file, which must not exist.
            step: See ``rejects``.
            run_id: The run; the last one that rejected records if left out.

        Returns:
            How many records it has.

        Raises:
            SourceError: There is none, or records of the format cannot be written back.
            OSError: The file cannot be written.
        """
        from pipekit.steps.reject_export import export_rejects

        load = rejecting_load(self.spec, step)
        options = cast(LoadOptions, load.options)
        with self._look() as warehouse:
            _refuse_before_a_run(warehouse, load)
            source = self.spec.sources[options.source]
            return export_rejects(warehouse, Table.parse(options.into), source, run_id, Path(file))

    @keeping_secrets
    def report(self, *, runs: int = 50) -> str:
        """One HTML page about the pipeline and its runs, that needs nothing besides itself.

        If the warehouse cannot be read, the page says why and shows what the file alone says.

        Args:
            runs: How many runs are looked at, the newest ones.
        """
        from pipekit.insight.report.facts import Facts, facts_of
        from pipekit.insight.report.page import report
        from pipekit.insight.report.subject import Subject
        from pipekit.insight.tracing import lineage_of

        try:
            with self._look() as warehouse:
                facts = facts_of(self.spec, warehouse, runs)
        except WarehouseError as error:
            self.notice = f"no history: {error}"
            facts = Facts(missing=f"No history: {error}")
        return report(Subject(self.spec, lineage_of(self.spec), facts), datetime.now(UTC))

    def doctor(self) -> Iterator[Finding]:
        """Check everything that a run needs of the target, one finding after another; what is wrong ends nothing."""
        from pipekit.doctor import look_at

        yield from look_at(self.spec)

    @contextmanager
    def _look(self, tables: Sequence[Table] = ()) -> Iterator[Warehouse]:
        """The warehouse, to read ``tables`` from."""
        try:
            warehouse, self.notice = self.spec.look()
        except NothingYetError as error:
            if tables:
                raise no_table(self.spec, tables[0]) from error
            raise
        with closing(warehouse):
            yield warehouse


def _limit(rows: int | None) -> str:
    return f" LIMIT {int(rows)}" if rows is not None else ""


def _refuse_before_a_run(warehouse: Warehouse, load: Step) -> None:
    """Refuse to look at the rejects of a load that has never run, so that there is no table of them."""
    if not warehouse.exists(Table.parse(cast(LoadOptions, load.options).into).beside("_rejects")):
        raise QueryError(f"there are no rejects of {load.id} yet: it has not run on this target")
