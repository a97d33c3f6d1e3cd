"""Tables that stay in the warehouse when a load gets another one: ``plan`` names them."""

from __future__ import annotations

from pathlib import Path

from small_projects import cli, project, run_ok, write

SOURCE = 'sources:\n  s: {uri: data, pattern: "*.csv", format: {type: csv}, columns: {a: integer}}\n'
LEFT = "is left over"


def _made(root: Path, steps: str, name: str = "shop", file: str = "p.yaml") -> Path:
    path = project(root, f"name: {name}\n{SOURCE}steps:\n{steps}")
    if file != "p.yaml":
        path = path.rename(root / file)
    return path


def test_a_table_that_a_renamed_load_leaves_is_named_by_plan_until_it_is_gone(tmp_path: Path) -> None:
    write(tmp_path, "data/a.csv", "a\n1\n")
    run_ok(_made(tmp_path, "  - {id: old_orders, type: load, source: s}\n"))
    assert LEFT not in cli(tmp_path, "plan", "p.yaml", code=0).stdout

    path = _made(tmp_path, "  - {id: orders, type: load, source: s}\n")

    told = " ".join(cli(tmp_path, "plan", "p.yaml", code=0).stdout.split())
    assert "the table old_orders is left over: old_orders of this pipeline loaded it, and no step makes it now" in told
    run_ok(path)
    assert "the table old_orders is left over" in " ".join(cli(tmp_path, "plan", "p.yaml", code=0).stdout.split())
    run_ok(_made(tmp_path, '  - {id: old_orders, type: sql, sql: "select 1 as a"}\n'))
    assert "the table old_orders" not in " ".join(cli(tmp_path, "plan", "p.yaml", code=0).stdout.split())


def test_a_table_that_another_pipeline_loads_is_not_left_over(tmp_path: Path) -> None:
    write(tmp_path, "data/a.csv", "a\n1\n")
    run_ok(_made(tmp_path, "  - {id: orders, type: load, source: s}\n"))
    run_ok(_made(tmp_path, "  - {id: orders, type: load, source: s}\n", "other", "other.yaml"))
    _made(tmp_path, "  - {id: more, type: load, source: s}\n")

    assert LEFT not in cli(tmp_path, "plan", "p.yaml", code=0).stdout
