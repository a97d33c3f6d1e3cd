"""DuckDB's own switches: whatever a statement is, it opens no file but those of loads."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_projects import project, query, run_ok, write

from pipekit import Pipeline, WarehouseError
from pipekit.warehouses.duckdb.warehouse import DuckDBWarehouse

ESCAPES = [
    "SELECT * FROM read_text('{away}/secret.txt')",
    "SELECT * FROM '{away}/a.csv'",
    "SELECT * FROM query('FROM read_csv(''{away}/a.csv'')')",
    "SELECT * FROM glob('{away}/*')",
    "SELECT * FROM read_csv('landing/../{up}/a.csv')",
    "ATTACH '{away}/other.duckdb' AS other",
    "COPY (SELECT 1) TO '{away}/out.csv'",
    "EXPORT DATABASE '{away}/out'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET enable_external_access = true",
    "SET GLOBAL allowed_directories = ['/']",
    "SET temp_directory = '{away}'",
    "SELECT * FROM read_csv('http://127.0.0.1:9/a.csv')",
]
FILE = """
sources: {s: {uri: landing, format: {type: csv}, columns: {id: integer}}}
steps:
  - {id: t, type: load, source: s}
"""


@pytest.mark.parametrize("sql", ESCAPES)
def test_no_statement_opens_another_file(tmp_path: Path, sql: str) -> None:
    root = tmp_path / "home"
    write(root, "landing/a.csv", "id\n1\n")
    write(tmp_path, "away/secret.txt", "canary")
    write(tmp_path, "away/a.csv", "id\n7\n")
    warehouse = Pipeline.from_file(project(root, FILE)).spec.open()

    try:
        with pytest.raises(WarehouseError):
            warehouse.execute(sql.format(away=tmp_path / "away", up="../away"))
        with pytest.raises(WarehouseError):  # nor does another session of the same database
            warehouse.session().execute(sql.format(away=tmp_path / "away", up="../away"))
    finally:
        warehouse.close()
    assert sorted(path.name for path in (tmp_path / "away").iterdir()) == ["a.csv", "secret.txt"]


def test_loads_read_their_files_also_through_links(tmp_path: Path) -> None:
    root = tmp_path / "home"
    write(root, "landing/a.csv", "id\n1\n")
    (root / "landing/b.csv").symlink_to(write(tmp_path, "away/b.csv", "id\n7\n"))
    run_ok(project(root, FILE))

    assert query(root, "SELECT id FROM t ORDER BY id") == [(1,), (7,)]


def test_a_target_that_allows_functions_is_open(tmp_path: Path) -> None:
    write(tmp_path, "away/a.csv", "id\n7\n")
    write(tmp_path, "templates/duckdb/z.sql", f"SELECT id FROM read_csv('{tmp_path / 'away/a.csv'}')")
    steps = "steps: [{id: z, type: sql, template: z.sql}]\n"
    target = "targets: {local: {type: duckdb, path: w.duckdb, allow_file_functions: [read_csv]}}\n"
    run_ok(project(tmp_path, target + steps))
    warehouse = Pipeline.from_file(tmp_path / "p.yaml").spec.open()
    assert isinstance(warehouse, DuckDBWarehouse)
    assert warehouse.execute("SELECT * FROM z").rows == [(7,)]
    warehouse.close()


def test_sealed_twice_in_one_process_reads_what_either_may(tmp_path: Path) -> None:
    """Two readers of one file share DuckDB's settings; the second one's sources are copied then."""
    write(tmp_path, "landing/a.csv", "id\n1\n")
    write(tmp_path, "more/a.csv", "id\n2\n")
    path = project(tmp_path, FILE)
    first = Pipeline.from_file(path).spec.open()
    path.write_text(path.read_text().replace("landing", "more"), encoding="utf-8")
    run_ok(path)
    assert first.execute("SELECT id FROM t").rows == [(2,)]
    with pytest.raises(WarehouseError):
        first.execute(f"SELECT * FROM read_csv('{tmp_path / 'more/a.csv'}')")
    first.close()
