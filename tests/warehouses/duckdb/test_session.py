"""The DuckDB session: opening, statements, transactions, tables, errors."""

from __future__ import annotations

import datetime as dt
import os
import stat
import subprocess
import sys
import threading
import time
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from pipekit.errors import LockedError, PipekitError, QueryError, SourceError, TransientError, WarehouseError
from pipekit.names import Table
from pipekit.source import Column, Source
from pipekit.warehouses.duckdb.errors import driver_errors, translate_error
from pipekit.warehouses.duckdb.target import DuckDBTarget
from pipekit.warehouses.duckdb.warehouse import DuckDBWarehouse, open_duckdb

T = Table.parse("t")


def columns(**types: str) -> tuple[Column, ...]:
    return tuple(Column.of(name, type_) for name, type_ in types.items())


@pytest.fixture
def filled(warehouse: DuckDBWarehouse) -> DuckDBWarehouse:
    warehouse.create_table(T, columns(n="integer"))
    warehouse.insert(T, ["n"], [(1,), (2,)])
    return warehouse


def leave_halfway(warehouse: DuckDBWarehouse) -> None:
    with warehouse.transaction():
        warehouse.truncate(T)
        raise ZeroDivisionError


def fail_halfway(warehouse: DuckDBWarehouse) -> None:
    with warehouse.transaction():
        warehouse.truncate(T)
        warehouse.execute("SELECT error('no')")


def test_the_file_and_its_folder_are_private(tmp_path: Path, warehouse: DuckDBWarehouse) -> None:
    assert stat.S_IMODE((tmp_path / "db").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "db" / "test.duckdb").stat().st_mode) == 0o600


def test_a_file_that_another_process_holds_names_the_holder(tmp_path: Path) -> None:
    code = f"import duckdb; c = duckdb.connect({str(tmp_path / 'x.duckdb')!r}); print('open', flush=True); input()"
    holder = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout
        assert holder.stdout.readline().strip() == "open"
        with pytest.raises(LockedError, match=f"pid {holder.pid}"):
            open_duckdb(DuckDBTarget(path="x.duckdb"), tmp_path)
    finally:
        holder.communicate("\n")


def test_what_is_no_database_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "x.duckdb").write_text("my letters")
    with pytest.raises(WarehouseError, match="not a valid DuckDB") as raised:
        open_duckdb(DuckDBTarget(path="x.duckdb"), tmp_path)
    assert "choose another `path`" in str(raised.value)
    assert (tmp_path / "x.duckdb").read_text() == "my letters"


def test_a_path_that_cannot_be_made_or_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WarehouseError, match="cannot make the folder"):
        open_duckdb(DuckDBTarget(path="file/x.duckdb"), tmp_path)
    (tmp_path / "folder").mkdir()
    with pytest.raises(WarehouseError, match="is a folder"):
        open_duckdb(DuckDBTarget(path="folder"), tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anything")
def test_a_read_only_file(tmp_path: Path) -> None:
    open_duckdb(DuckDBTarget(path="x.duckdb"), tmp_path).close()
    (tmp_path / "x.duckdb").chmod(0o400)
    with pytest.raises(WarehouseError, match="read-only"):
        open_duckdb(DuckDBTarget(path="x.duckdb"), tmp_path)


def test_a_file_named_like_its_schema_is_no_riddle(tmp_path: Path) -> None:
    for _ in range(2):  # made, and opened again
        opened = open_duckdb(DuckDBTarget(path="crm.duckdb", schema="crm"), tmp_path)
        opened.create_table(Table.parse("crm.t"), columns(n="integer"))
        assert opened.execute("SELECT count(*) FROM crm.t").scalar() == 0
        assert opened.session().execute("SELECT count(*) FROM t").scalar() == 0
        opened.close()


def test_sessions_run_in_utc_and_give_times_with_their_zone(filled: DuckDBWarehouse) -> None:
    for session in (filled, filled.session()):
        found = session.execute("SELECT '2024-06-01 12:00:00'::TIMESTAMPTZ, current_setting('TimeZone')").rows[0]
        assert found == (dt.datetime(2024, 6, 1, 12, tzinfo=dt.UTC), "UTC")


def test_results(filled: DuckDBWarehouse) -> None:
    assert filled.execute("SELECT n AS Count FROM t WHERE n > ?", (1,)).rowcount is None
    assert filled.execute("UPDATE t SET n = n + 1").rowcount == 2
    found = filled.execute("SELECT n, 'x' AS b FROM t ORDER BY n")
    assert (found.columns, found.rows) == (("n", "b"), [(2, "x"), (3, "x")])


@pytest.mark.parametrize(
    ("mixed", "written"),
    [
        ((1, 2.5), ("1", "2.5")),
        ((Decimal("1.10"), Decimal("2.555")), ("1.10", "2.555")),
        ((True, 7), ("true", "7")),
        ((dt.datetime(2024, 1, 1), dt.date(2024, 1, 2)), ("2024-01-01 00:00:00", "2024-01-02")),
        (({"a": 1}, {"b": 2}), ("{'a': 1}", "{'b': 2}")),
        (("x", None), ("x", None)),
    ],
    ids=str,
)
@pytest.mark.parametrize("times", [1, 200])
def test_values_of_several_types_are_inserted_as_they_are(
    warehouse: DuckDBWarehouse, mixed: tuple[object, ...], written: tuple[str | None, ...], times: int
) -> None:
    warehouse.create_table(T, columns(n="integer", v="varchar"))
    warehouse.insert(T, ["n", "v"], [(number, value) for _ in range(times) for number, value in enumerate(mixed)])
    assert warehouse.execute("SELECT v FROM t ORDER BY n").rows == [(text,) for text in written for _ in range(times)]


def test_a_transaction_is_all_or_nothing(filled: DuckDBWarehouse) -> None:
    with pytest.raises(ZeroDivisionError):
        leave_halfway(filled)
    assert filled.execute("SELECT count(*) FROM t").scalar() == 2
    with filled.transaction():
        filled.truncate(T)
        assert filled.session().execute("SELECT count(*) FROM t").scalar() == 2, "others see the old rows"
    assert filled.execute("SELECT count(*) FROM t").scalar() == 0


def test_a_failed_statement_loses_the_transaction_but_not_the_session(filled: DuckDBWarehouse) -> None:
    with pytest.raises(QueryError, match="no"):
        fail_halfway(filled)
    assert filled.execute("SELECT count(*) FROM t").scalar() == 2


def test_closing_rolls_back_and_may_be_done_twice(tmp_path: Path, filled: DuckDBWarehouse) -> None:
    other = filled.session()
    open_transaction = other.transaction()
    open_transaction.__enter__()
    other.truncate(T)
    other.close()
    other.close()
    assert filled.execute("SELECT count(*) FROM t").scalar() == 2


def test_a_write_conflict_is_transient(filled: DuckDBWarehouse) -> None:
    other = filled.session()
    with filled.transaction():
        filled.execute("UPDATE t SET n = 5")
        with pytest.raises(TransientError, match="onflict"), other.transaction():
            other.execute("UPDATE t SET n = 6")
    assert filled.execute("SELECT DISTINCT n FROM t").rows == [(5,)]


def test_a_running_statement_can_be_cancelled(filled: DuckDBWarehouse) -> None:
    timer = threading.Timer(0.2, filled.cancel)
    started = time.monotonic()
    timer.start()
    with pytest.raises(WarehouseError, match="stopped"):
        filled.execute("SELECT sum(a.range * b.range) FROM range(100000000) a, range(100000) b")
    assert time.monotonic() - started < 10
    assert filled.execute("SELECT 1").scalar() == 1


def test_tables(filled: DuckDBWarehouse) -> None:
    assert filled.exists(Table.parse("T"))
    assert not filled.exists(Table.parse("other"))
    assert filled.columns(Table.parse("other")) == []
    filled.create_table(
        Table.parse("crm.odd"), columns(**{"Plain": "integer", "emp.var.rate": "number(3,1)", 'a"b': "variant"})
    )
    found = filled.columns(Table.parse("crm.odd"))
    assert [(column.name, column.type) for column in found] == [
        ("plain", "BIGINT"),
        ("emp.var.rate", "DECIMAL(3,1)"),
        ('a"b', "JSON"),
    ]


def test_arrow_goes_both_ways(warehouse: DuckDBWarehouse) -> None:
    data = pa.table(
        {"n": [1, None], "at": pa.array([dt.datetime(2024, 1, 1, tzinfo=dt.UTC), None], pa.timestamp("us", "UTC"))}
    )
    warehouse.write_arrow(T, data)
    warehouse.write_arrow(T, data)
    assert (
        warehouse.read_arrow("SELECT * FROM t WHERE n = ? OR n IS NULL ORDER BY n", (1,)).to_pylist()
        == data.to_pylist()
    )


@pytest.mark.parametrize("name", ["t", "crm.t"])
def test_helper_tables(warehouse: DuckDBWarehouse, name: str) -> None:
    table = Table.parse(name)
    helper, built = warehouse.scratch(table), warehouse.scratch(table)
    warehouse.write_arrow(helper, pa.table({"n": [1]}), temporary=True)
    assert warehouse.execute(f"SELECT n FROM {warehouse.quote(helper)}").rows == [(1,)]
    assert not warehouse.session().exists(helper), "a temporary table is the session's own"
    for rows in ([1], [1, 2]):
        warehouse.write_arrow(built, pa.table({"n": rows}))
        warehouse.replace_table(built, table)
    assert warehouse.execute(f"SELECT count(*) FROM {warehouse.quote(table)}").scalar() == 2
    assert not warehouse.exists(built)


def test_helpers_of_a_killed_process_are_removed(tmp_path: Path) -> None:
    code = (
        "import os; from pathlib import Path; import pyarrow as pa\n"
        "from pipekit.names import Table\nfrom pipekit.warehouses.duckdb.warehouse import open_duckdb\n"
        "from pipekit.warehouses.duckdb.target import DuckDBTarget\n"
        f"w = open_duckdb(DuckDBTarget(path='x.duckdb'), Path({str(tmp_path)!r}))\n"
        "w.write_arrow(w.scratch(Table(('t',))), pa.table({'n': [1]}))\n"
        "w.files_folder.mkdir(parents=True)\nos.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code], check=False)
    opened = open_duckdb(DuckDBTarget(path="x.duckdb"), tmp_path)
    assert opened.execute("SELECT count(*) FROM duckdb_tables()").scalar() == 0
    assert list((tmp_path / "x.duckdb.files").iterdir()) == []
    opened.close()


def test_every_exception_of_the_driver_becomes_ours() -> None:
    kinds = [kind for kind in vars(duckdb).values() if isinstance(kind, type) and issubclass(kind, duckdb.Error)]
    assert len(kinds) > 25
    for kind in kinds:
        with pytest.raises(PipekitError), driver_errors():
            raise kind("anything")
    assert isinstance(translate_error(duckdb.IOException("No space left on device")), WarehouseError)
    assert "disk is full" in str(translate_error(duckdb.IOException("No space left on device")))
    for kind in (duckdb.CatalogException, duckdb.ConstraintException, duckdb.ParserException, duckdb.DataError):
        assert isinstance(translate_error(kind("x")), QueryError)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux")
def test_a_full_disk_keeps_the_rows(filled: DuckDBWarehouse) -> None:
    with pytest.raises(WarehouseError) as raised:
        filled.execute("COPY (SELECT * FROM range(1000000)) TO '/dev/full' (FORMAT csv)")
    assert "disk is full" in str(raised.value)
    assert filled.execute("SELECT count(*) FROM t").scalar() == 2


def source(folder: Path, pattern: str = "*.csv") -> Source:
    return Source.model_validate(
        {"name": "s", "uri": str(folder), "pattern": pattern, "format": {"type": "csv"}, "columns": {"a": "integer"}}
    )


def test_listing(tmp_path: Path, warehouse: DuckDBWarehouse) -> None:
    folder = tmp_path / "in"
    (folder / "deep" / "er").mkdir(parents=True)
    for name in ("b.csv", "a.csv", "a.txt", ".hidden.csv", "deep/c.csv", "deep/er/d.csv", "x[1].csv"):
        (folder / name).write_bytes(b"a\n1\n")
    (tmp_path / "elsewhere.csv").write_bytes(b"a\n")
    (folder / "link.csv").symlink_to(tmp_path / "elsewhere.csv")
    (folder / "deep" / "loop").symlink_to(folder)

    def names(pattern: str) -> list[str]:
        return [str(Path(file.uri).relative_to(folder)) for file in warehouse.list_files(source(folder, pattern))]

    assert names("*.csv") == ["a.csv", "b.csv", "link.csv", "x[1].csv"]
    assert names("**/[cd].csv") == ["deep/c.csv", "deep/er/d.csv"]
    assert names("deep/*.csv") == ["deep/c.csv"]
    assert names("?.csv") == ["a.csv", "b.csv"]
    assert names("[!b].*") == ["a.csv", "a.txt"]
    assert names("x[[]1].csv") == ["x[1].csv"]
    assert names("nothing") == []
    (one,) = warehouse.list_files(source(folder / "a.csv", "*.other"))
    assert (one.size_bytes, one.uri) == (4, str(folder / "a.csv"))
    with pytest.raises(SourceError, match="no such folder"):
        warehouse.list_files(source(tmp_path / "nowhere"))
