"""The SQLAlchemy engine over an open session: it reads and writes there, and never ends the transaction."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from pipekit.warehouses.duckdb import sqlalchemy as duckdb_sqlalchemy
from pipekit.warehouses.duckdb.warehouse import DuckDBWarehouse


@pytest.fixture
def engine(warehouse: DuckDBWarehouse) -> sa.Engine:
    warehouse.execute('CREATE TABLE numbers AS SELECT i AS n, i * 2 AS "the.double" FROM range(25000) AS r(i)')
    warehouse.execute("BEGIN")
    warehouse.execute("INSERT INTO numbers VALUES (-1, -2)")
    return warehouse.sqlalchemy_engine()


def test_uncommitted_rows_are_seen_and_stay_uncommitted(engine: sa.Engine, warehouse: DuckDBWarehouse) -> None:
    with engine.begin() as connection:
        assert connection.execute(sa.text("SELECT min(n) FROM numbers")).scalar() == -1
        connection.rollback()
    with engine.connect() as connection:
        connection.execute(sa.text("DELETE FROM numbers WHERE n = 0"))
        connection.commit()
    engine.dispose()
    warehouse.execute("ROLLBACK")
    assert warehouse.execute("SELECT min(n) FROM numbers").scalar() == 0


def test_a_long_result_is_read_whole(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        result = connection.execute(sa.text("SELECT n FROM numbers ORDER BY n"))
        assert result.fetchone() == (-1,)
        assert len(result.fetchmany(12000)) == 12000
        assert len(result.fetchall()) == 25001 - 12001


def test_the_first_rows_survive_a_later_statement_and_the_rest_is_no_silence(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        result = connection.execute(sa.text("SELECT n FROM numbers"))
        connection.execute(sa.text("SELECT 1"))
        assert len(result.fetchmany(duckdb_sqlalchemy.BUFFERED_ROWS)) == duckdb_sqlalchemy.BUFFERED_ROWS
        with pytest.raises(DBAPIError, match="later statement"):
            result.fetchone()


def test_tables_and_columns_are_found(engine: sa.Engine, warehouse: DuckDBWarehouse) -> None:
    warehouse.execute("CREATE SCHEMA crm")
    warehouse.execute("CREATE VIEW crm.all_numbers AS SELECT * FROM numbers")
    inspector = sa.inspect(engine)
    assert [column["name"] for column in inspector.get_columns("numbers")] == ["n", "the.double"]
    assert str(inspector.get_columns("all_numbers", schema="crm")[0]["type"]) == "BIGINT"
    database = warehouse.execute("SELECT current_database()").scalar()
    assert inspector.has_table("all_numbers", schema=f"{database}.crm")
    assert not inspector.has_table("numbers", schema="crm")
    assert "numbers" in inspector.get_table_names()
    assert "crm" in inspector.get_schema_names()
    assert inspector.get_view_names(schema="crm") == ["all_numbers"]
