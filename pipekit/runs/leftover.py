"""Tables that a pipeline once loaded and no longer makes: they stay when a step gets another table, or is removed."""

from __future__ import annotations

from collections.abc import Iterator

from pipekit.names import Table
from pipekit.own_tables import LEDGER
from pipekit.pipeline.model import PipelineSpec
from pipekit.warehouses.contract import Warehouse


def tables_left(spec: PipelineSpec, warehouse: Warehouse) -> Iterator[str]:
    """A sentence for each such table that is still there. Only loads are known: the ledger names no other tables.

    One that another pipeline loads, too, is not left over.

    Raises:
        WarehouseError: The ledger cannot be read.
    """
    if not warehouse.exists(LEDGER):
        return
    made = {
        warehouse.full_name(Table.parse(name)) for step in spec.steps for name in step.type.writes(step.options, spec)
    }
    sql = f"SELECT DISTINCT table_name, step_name, pipeline FROM {warehouse.quote(LEDGER)}"
    loaded: dict[Table, list[tuple[str, str]]] = {}
    for name, step, pipeline in warehouse.execute(sql).rows:
        loaded.setdefault(warehouse.full_name(Table.parse(name)), []).append((step, pipeline))
    for table, by in sorted(loaded.items(), key=lambda each: each[0].parts):
        if table not in made and {pipeline for _, pipeline in by} == {spec.name} and warehouse.exists(table):
            steps = ", ".join(sorted({step for step, _ in by}))
            yield (
                f"the table {table.name.lower()} is left over: {steps} of this pipeline loaded it, and no step makes it"
                " now; drop it if nothing reads it"
            )
