"""A whole load through the adapter on whatever connector this Python has; run by ``test_connector_5``.

Usage: ``python client.py TARGET_JSON FOLDER``. Ends 0 if every promise held.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from pathlib import Path

import pyarrow as pa
import snowflake.connector

from pipekit.errors import QueryError
from pipekit.names import Table
from pipekit.source import Column, Source
from pipekit.warehouses.contract import REJECT_COLUMNS, FileLoad
from pipekit.warehouses.snowflake.target import SnowflakeTarget
from pipekit.warehouses.snowflake.warehouse import open_snowflake


def main(target: str, folder: str) -> None:
    """Log in, load with a reject, check, log, roll back, read Arrow."""
    root = Path(folder)
    warehouse = open_snowflake(SnowflakeTarget.model_validate(json.loads(target)), root)
    (root / "a.csv").write_text("b,a\nx,1\ny,1.5\n")
    columns = {"a": "integer", "b": "varchar"}
    source = Source.model_validate({"name": "s", "uri": str(root), "format": {"type": "csv"}, "columns": columns})
    table, rejects = Table(("things",)), Table(("things_rejects",))
    warehouse.create_table(table, source.columns)
    warehouse.create_table(rejects, REJECT_COLUMNS)
    at = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    order = FileLoad(source, warehouse.list_files(source), "reject", False, "run-1", at)
    warehouse.tag({"step": "things"})
    with warehouse.prepare_load(order) as prepared, warehouse.transaction():
        warehouse.truncate(table)
        prepared.copy_into(table)
        prepared.write_rejects(rejects)
    assert warehouse.execute("SELECT * FROM THINGS").rows == [(1, "x")]
    assert warehouse.execute("SELECT SOURCE_LINE, COLUMN_NAME FROM THINGS_REJECTS").rows == [(3, "a")]
    assert warehouse.execute("SELECT B FROM THINGS WHERE A = ?", [1]).scalar() == "x"
    warehouse.create_table(Table(("logs",)), [Column.of("logged_at", "timestamp_tz"), Column.of("message", "varchar")])
    warehouse.insert(Table(("logs",)), ["logged_at", "message"], [(at, "it's"), (None, None)])
    assert warehouse.execute("SELECT LOGGED_AT FROM LOGS WHERE MESSAGE = 'it''s'").scalar() == at
    warehouse.write_arrow(Table(("arrow",)), pa.table({"n": [1, 2]}))
    assert warehouse.read_arrow("SELECT N FROM ARROW ORDER BY N").column(0).to_pylist() == [1, 2]
    assert warehouse.take_query_ids()
    try:
        warehouse.execute("SELECT * FROM NO_SUCH_TABLE")
    except QueryError:
        pass
    else:
        raise AssertionError("a wrong statement is a QueryError")
    warehouse.close()
    print(snowflake.connector.__version__)


if __name__ == "__main__":
    main(*sys.argv[1:])
