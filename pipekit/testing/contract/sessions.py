"""What every session of a warehouse does, method by method."""

from __future__ import annotations

import datetime as dt
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import ClassVar

import pyarrow as pa
import pytest
import sqlalchemy

from pipekit.errors import QueryError, WarehouseError
from pipekit.names import Table
from pipekit.source import Column, Source
from pipekit.sql.dialect import Merge
from pipekit.sql.text import quote_text
from pipekit.testing.contract.base import COLUMNS, Contract
from pipekit.warehouses.contract import Warehouse

# What the families of the declared types are called, on every engine.
_FAMILIES = {
    "integer": "number",
    "number(10,2)": "number",
    "float": "float",
    "varchar": "varchar",
    "boolean": "boolean",
    "date": "date",
    "time": "time",
    "timestamp_ntz": "timestamp",
    "timestamp_tz": "timestamp",
    "variant": "variant",
    "binary": "binary",
}


def rows(warehouse: Warehouse, table: Table) -> list[tuple[object, ...]]:
    """All rows, in order."""
    return warehouse.execute(f"SELECT * FROM {warehouse.quote(table)} ORDER BY 1").rows


def fill(warehouse: Warehouse, table: Table, *ids: int) -> None:
    """Insert rows of the columns ``COLUMNS``."""
    warehouse.insert(table, [c.name for c in COLUMNS], [(number, f"n{number}", Decimal("1.25")) for number in ids])


class SessionContract(Contract):
    """Statements, tables, transactions and values.

    Attributes:
        slow_statement: A statement that runs for minutes, to be cancelled.
    """

    slow_statement: ClassVar[str] = (
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT count(*) FROM n"
    )

    def test_a_created_table_has_the_declared_columns(self, warehouse: Warehouse, table: Table) -> None:
        found = warehouse.columns(table)
        assert [column.name for column in found] == [warehouse.fold(column.name) for column in COLUMNS]
        assert [column.type for column in found] == [warehouse.type_of(column) for column in COLUMNS]

    def test_every_declared_type_is_what_the_table_says_it_has(self, warehouse: Warehouse) -> None:
        declared = [Column.of(f"c{index}", kind) for index, kind in enumerate(_FAMILIES)]
        made = warehouse.scratch(Table(("types",)))
        warehouse.create_table(made, declared)
        found = [column.type for column in warehouse.columns(made)]
        assert found == [warehouse.type_of(column) for column in declared]
        assert [warehouse.dialect.family(text) for text in found] == list(_FAMILIES.values())

    def test_creating_again_keeps_the_rows(self, warehouse: Warehouse, table: Table) -> None:
        fill(warehouse, table, 1)
        warehouse.create_table(table, COLUMNS)
        assert len(rows(warehouse, table)) == 1

    def test_sessions_that_create_one_table_at_once_both_find_it(self, warehouse: Warehouse) -> None:
        tables = [warehouse.scratch(Table(("shared",))) for _ in range(5)]
        together = threading.Barrier(2, timeout=10)

        def create() -> bool:
            with closing(warehouse.session()) as own:
                for table in tables:
                    together.wait()
                    own.create_table(table, COLUMNS)
                return all(own.exists(table) for table in tables)

        with ThreadPoolExecutor(2) as pool:
            assert [made.result() for made in [pool.submit(create) for _ in range(2)]] == [True, True]

    def test_a_missing_table_has_no_columns(self, warehouse: Warehouse) -> None:
        nothing = Table(("nothing_here",))
        assert not warehouse.exists(nothing)
        assert warehouse.columns(nothing) == []

    def test_a_required_column_refuses_null(self, warehouse: Warehouse) -> None:
        made = warehouse.scratch(Table(("strict",)))
        warehouse.create_table(made, [Column.model_validate({"name": "id", "type": "integer", "nullable": False})])
        with pytest.raises(WarehouseError):
            warehouse.insert(made, ["id"], [(None,)])

    def test_inserted_values_come_back_as_they_were(self, warehouse: Warehouse) -> None:
        kinds = {
            "i": ("integer", 7),
            "n": ("number(10,2)", Decimal("1.25")),
            "f": ("float", 1.5),
            "s": ("varchar", 'it\'s \\ "ü" ?'),
            "b": ("boolean", True),
            "d": ("date", dt.date(2024, 2, 29)),
            "t": ("timestamp_ntz", dt.datetime(2024, 2, 29, 1, 2, 3, 456000)),
            "z": ("timestamp_tz", dt.datetime(2024, 2, 29, 1, 2, 3, tzinfo=dt.timezone(dt.timedelta(hours=2)))),
        }
        made = warehouse.scratch(Table(("values",)))
        warehouse.create_table(made, [Column.of(name, kind) for name, (kind, _) in kinds.items()])
        given = tuple(value for _, value in kinds.values())
        warehouse.insert(made, list(kinds), [given, (None,) * len(kinds)])
        found = warehouse.execute(f"SELECT * FROM {warehouse.quote(made)}").rows
        assert given in found
        assert (None,) * len(kinds) in found

    def test_many_rows_take_few_statements(self, warehouse: Warehouse, table: Table) -> None:
        warehouse.take_query_ids()
        fill(warehouse, table, *range(2_000))
        assert len(warehouse.take_query_ids()) <= 2
        assert warehouse.execute(f"SELECT count(*) FROM {warehouse.quote(table)}").scalar() == 2_000

    def test_parameters_are_bound(self, warehouse: Warehouse, table: Table) -> None:
        fill(warehouse, table, 1, 2)
        sql = f"SELECT {warehouse.quote('name')} FROM {warehouse.quote(table)} WHERE {warehouse.quote('id')} = ?"
        assert warehouse.execute(sql, [2]).scalar() == "n2"

    def test_changed_rows_are_counted(self, warehouse: Warehouse, table: Table) -> None:
        fill(warehouse, table, 1, 2, 3)
        name = warehouse.quote(table)
        key = warehouse.quote("id")
        assert warehouse.execute(f"UPDATE {name} SET {warehouse.quote('name')} = 'x' WHERE {key} > 1").rowcount == 2
        assert warehouse.execute(f"DELETE FROM {name} WHERE {key} = 1").rowcount == 1
        assert warehouse.execute(f"SELECT * FROM {name}").rowcount is None

    def test_a_rolled_back_truncate_brings_the_rows_back(self, warehouse: Warehouse, table: Table) -> None:
        fill(warehouse, table, 1, 2)

        def fail() -> None:
            with warehouse.transaction():
                warehouse.truncate(table)
                fill(warehouse, table, 9)
                assert len(rows(warehouse, table)) == 1
                raise RuntimeError

        with pytest.raises(RuntimeError):
            fail()
        assert [row[0] for row in rows(warehouse, table)] == [1, 2]

    def test_another_session_sees_nothing_before_the_commit(self, warehouse: Warehouse, table: Table) -> None:
        other = warehouse.session()
        try:
            with warehouse.transaction():
                fill(warehouse, table, 1)
                assert rows(other, table) == []
            assert len(rows(other, table)) == 1
        finally:
            other.close()

    def test_merge_inside_a_transaction(self, warehouse: Warehouse, table: Table) -> None:
        new = warehouse.scratch(table)
        warehouse.create_table(new, COLUMNS, temporary=True)
        fill(warehouse, table, 1, 2)
        fill(warehouse, new, 2, 3)
        key, name, rate = (warehouse.quote(column.name) for column in COLUMNS)
        warehouse.execute(f"UPDATE {warehouse.quote(new)} SET {name} = 'new' WHERE {key} = 2")
        merge = Merge(warehouse.quote(table), warehouse.quote(new), [key], [name, rate])
        with warehouse.transaction():
            changed = [warehouse.execute(sql).rowcount or 0 for sql in warehouse.dialect.merge(merge)]
        assert sum(changed) == 2
        assert [row[:2] for row in rows(warehouse, table)] == [(1, "n1"), (2, "new"), (3, "n3")]

    def test_text_literals_are_the_text(self, warehouse: Warehouse) -> None:
        for text in ("it's", "back\\slash", "\\' OR 1=1 --", "ü\n?"):
            assert warehouse.execute(f"SELECT {quote_text(text, warehouse.dialect)}").scalar() == text

    @pytest.mark.parametrize("kind", ["table", "temporary", "view"])
    def test_what_a_query_gives_is_created_or_replaced(self, warehouse: Warehouse, table: Table, kind: str) -> None:
        fill(warehouse, table, 1, 2)
        made = warehouse.scratch(table)
        for where in ("1 = 1", f"{warehouse.quote('id')} = 2"):
            query = f"SELECT * FROM {warehouse.quote(table)} WHERE {where}"
            count = warehouse.create_as(made, query, kind=kind)  # type: ignore[arg-type]
        assert [row[0] for row in rows(warehouse, made)] == [2]
        assert count in (1, None)
        assert warehouse.exists(made)
        warehouse.execute(f"DROP {'VIEW' if kind == 'view' else 'TABLE'} {warehouse.quote(made)}")
        assert not warehouse.exists(made)

    def test_a_table_is_replaced_by_another(self, warehouse: Warehouse, table: Table) -> None:
        fill(warehouse, table, 1)
        for target in (table, warehouse.scratch(Table(("fresh",)))):
            new = warehouse.scratch(table)
            warehouse.create_table(new, COLUMNS)
            fill(warehouse, new, 5, 6)
            warehouse.replace_table(new, target)
            assert [row[0] for row in rows(warehouse, target)] == [5, 6]
            assert not warehouse.exists(new)

    def test_a_wrong_statement_is_a_query_error(self, warehouse: Warehouse) -> None:
        with pytest.raises(QueryError) as raised:
            warehouse.execute("SELECT * FROM no_such_table")
        assert "no_such_table" in str(raised.value).lower()
        assert raised.value.sql

    def test_names_cannot_carry_sql(self, warehouse: Warehouse) -> None:
        evil = 'x"; DROP TABLE things; --'
        made = warehouse.scratch(Table(("evil",)))
        warehouse.create_table(made, [Column.of(evil, "integer")])
        warehouse.insert(made, [evil], [(1,)])
        assert warehouse.columns(made)[0].name == evil

    def test_arrow_goes_in_and_comes_out(self, warehouse: Warehouse) -> None:
        data = pa.table(
            {
                "id": pa.array([1, 2, None], pa.int64()),
                "name": pa.array(["ü", None, "x"], pa.string()),
                "at": pa.array([dt.datetime(2024, 1, 1, tzinfo=dt.UTC)] * 3, pa.timestamp("us", "UTC")),
                "day": pa.array([dt.date(2024, 1, 1)] * 3, pa.date32()),
                "share": pa.array([0.5, 1.5, None], pa.float64()),
            }
        )
        made = warehouse.scratch(Table(("arrow",)))
        warehouse.write_arrow(made, data)
        back = warehouse.read_arrow(f"SELECT * FROM {warehouse.quote(made)} ORDER BY 1 NULLS LAST")
        assert [name.lower() for name in back.column_names] == data.column_names
        assert back.column(0).to_pylist() == [1, 2, None]
        assert back.column(1).to_pylist() == ["ü", None, "x"]
        assert back.column(4).to_pylist() == [0.5, 1.5, None]
        warehouse.write_arrow(made, data.slice(0, 1))
        assert warehouse.execute(f"SELECT count(*) FROM {warehouse.quote(made)}").scalar() == 1

    @pytest.mark.parametrize(
        ("kind", "value", "family"),
        [
            (pa.uint64(), 7, "number"),
            (pa.decimal128(10, 2), Decimal("1.25"), "number"),
            (pa.float32(), 0.5, "float"),
            (pa.bool_(), True, "boolean"),
            (pa.large_string(), "x", "varchar"),
            (pa.dictionary(pa.int8(), pa.string()), "x", "varchar"),
            (pa.large_binary(), b"\x00", "binary"),
            (pa.timestamp("us"), dt.datetime(2024, 1, 1), "timestamp"),
            (pa.list_(pa.int64()), [1], "variant"),
        ],
        ids=str,
    )
    def test_a_column_of_arrow_gets_a_type_of_its_family(
        self, warehouse: Warehouse, kind: pa.DataType, value: object, family: str
    ) -> None:
        made = warehouse.scratch(Table(("arrow",)))
        warehouse.write_arrow(made, pa.table({"c": pa.array([value], kind)}))
        [column] = warehouse.columns(made)
        assert warehouse.dialect.family(column.type) == family

    def test_sqlalchemy_sees_uncommitted_rows_and_cannot_end_the_transaction(
        self, warehouse: Warehouse, table: Table
    ) -> None:
        count = sqlalchemy.text(f"SELECT count(*) FROM {warehouse.quote(table)}")
        with warehouse.transaction():
            fill(warehouse, table, 1, 2)
            engine = warehouse.sqlalchemy_engine()
            with engine.connect() as connection:
                assert connection.execute(count).scalar() == 2
                connection.rollback()
            with engine.begin() as connection:
                assert connection.execute(count).scalar() == 2
            engine.dispose()
        assert len(rows(warehouse, table)) == 2

    def test_files_are_listed_by_pattern_in_name_order(self, warehouse: Warehouse, tmp_path: Path) -> None:
        for name in ("b.csv", "a.csv", "c.txt", ".hidden.csv"):
            (tmp_path / name).write_text("x")
        source = Source.model_validate(
            {
                "name": "s",
                "uri": str(tmp_path),
                "pattern": "*.csv",
                "format": {"type": "csv"},
                "columns": {"a": "integer"},
            }
        )
        assert [file.uri for file in warehouse.list_files(source)] == [str(tmp_path / "a.csv"), str(tmp_path / "b.csv")]

    def test_sessions_run_in_utc(self, warehouse: Warehouse) -> None:
        value = warehouse.execute(f"SELECT CAST('2024-07-01 12:00:00' AS {warehouse.dialect.timestamp_tz})").scalar()
        assert value == dt.datetime(2024, 7, 1, 12, tzinfo=dt.UTC)

    def test_cancel_stops_the_running_statement(self, warehouse: Warehouse) -> None:
        other = warehouse.session()
        failed: list[BaseException] = []

        def work() -> None:
            try:
                other.execute(self.slow_statement)
            except WarehouseError as error:
                failed.append(error)

        other.execute("SELECT 1")
        thread = threading.Thread(target=work)
        thread.start()
        time.sleep(0.3)
        other.cancel()
        thread.join(10)
        other.close()
        assert not thread.is_alive()
        assert failed

    def test_a_closed_session_can_be_closed_again(self, warehouse: Warehouse) -> None:
        other = warehouse.session()
        other.close()
        other.close()
        with pytest.raises(WarehouseError):
            other.execute("SELECT 1")
