"""``type: python``: tables in, a table or a frame out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from engines import Project

from pipekit.errors import ChecksFailed, PipekitError, QueryError, SpecError
from pipekit.testing.steps import StepRun, run_step

CODE = """
import pandas
import polars
import pyarrow as pa

from .lib.helpers import double

ROWS = [{"id": 1, "x": "a"}, {"id": 2, "x": None}]


def arrow(): return pa.Table.from_pylist(ROWS)
def batch(): return pa.RecordBatch.from_pylist(ROWS)
def reader(): return pa.RecordBatchReader.from_batches(batch().schema, [batch()])
def dicts(): return ROWS
def pandas_frame(): return pandas.DataFrame(ROWS, index=[5, 6])
def polars_frame(): return polars.DataFrame(ROWS)
def polars_lazy(): return polars.LazyFrame(ROWS)


def total(people, events, *, factor=1, **more):
    names = people.column_names + events.column_names
    return [{"n": sum(people["id"].to_pylist()) * factor, "names": ",".join(names), "more": str(more)}]


def doubled(people): return [{"id": double(row["id"])} for row in people.to_pylist()]
def same(people): return people
def fails(): return 1 / 0
def empty(): return []
def none(): return None
def number(): return 5
def series(): return pandas.Series([1])
def nanoseconds(): return pa.table({"at": pa.array([1700000000123456000, None], pa.timestamp("ns"))})
def zoned(): return pandas.DataFrame({"at": pandas.to_datetime(["2024-05-01 10:00:00.5+02:00"])})
def too_fine(): return pa.table({"at": pa.array([1700000000123456789], pa.timestamp("ns"))})
def mixed(): return [{"id": 1}, {"id": "x"}]
def wrong(): return double(1, 2)
def refuses():
    raise SystemExit(3)
"""
PEOPLE = [{"id": 1}, {"id": 2}]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("project")
    (root / "plugins/pack/lib").mkdir(parents=True)
    (root / "plugins/code.py").write_text(CODE)
    (root / "plugins/lib").mkdir()
    (root / "plugins/lib/helpers.py").write_text("def double(x): return 2 * x\n")
    (root / "plugins/pack/inner.py").write_text("def make(): return [{'id': 7}]\n")
    (root / "plugins/_syntax.py").write_text("def (:\n")
    (root / "plugins/_needs.py").write_text("import no_such_module_at_all\n")
    return root


def python(root: Path, call: str, tables: Any = None, **options: Any) -> StepRun:
    return run_step("python", {"call": call, "into": "t", **options}, tables, root=root)


@pytest.mark.parametrize("name", ["arrow", "batch", "reader", "dicts", "pandas_frame", "polars_frame", "polars_lazy"])
def test_what_a_function_may_return(root: Path, name: str) -> None:
    run = python(root, f"code:{name}")
    assert run.rows("t") == [{"id": 1, "x": "a"}, {"id": 2, "x": None}]
    assert run.result.rows == 2


@pytest.mark.parametrize(("name", "kind"), [("nanoseconds", "TIMESTAMP"), ("zoned", "TIMESTAMP WITH TIME ZONE")])
def test_times_of_nanoseconds_are_kept_with_six_digits(root: Path, name: str, kind: str) -> None:
    run = python(root, f"code:{name}")
    assert run.warehouse.execute('SELECT DISTINCT typeof("at") FROM t').rows == [(kind,)]


def test_inputs_and_arguments(root: Path) -> None:
    tables = {"people": PEOPLE, "Events": [{"When": 1, "emp.var": 2}]}
    run = python(root, "code:total", tables, inputs=["people", "events"], args={"factor": 10, "other": "x"})
    assert run.rows("t") == [{"n": 30, "names": "id,When,emp.var", "more": "{'other': 'x'}"}]


def test_modules_of_packages_and_of_each_other(root: Path) -> None:
    assert python(root, "pack.inner:make").rows("t") == [{"id": 7}]
    assert python(root, "code:doubled", {"people": PEOPLE}, inputs="people").rows("t") == [{"id": 2}, {"id": 4}]


@pytest.mark.parametrize(
    "options",
    [{"materialize": "merge", "key": "id"}, {"materialize": "append", "key": "id"}, {"materialize": "truncate_load"},
     {"audit": [{"expect_column_values_to_be_unique": {"column": "id"}}]}],
    ids=str,
)  # fmt: skip
def test_materializations(root: Path, options: dict[str, Any]) -> None:
    run = python(root, "code:same", {"people": PEOPLE}, inputs=["people"], **options)
    run.again()
    assert run.rows("t") == PEOPLE


def test_a_failed_audit_keeps_the_old_rows(root: Path) -> None:
    audit = [{"expect_column_values_to_be_unique": {"column": "id"}}]
    run = python(root, "code:same", {"people": PEOPLE}, inputs=["people"], audit=audit)
    run.warehouse.execute("insert into people values (2)")
    with pytest.raises(ChecksFailed):
        run.again()
    assert run.rows("t") == PEOPLE


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("fails", r"code:fails raised ZeroDivisionError: division by zero \(.*code\.py:\d+\)"),
        (
            "none",
            "code:none returned nothing; it must return an Arrow table, a pandas or polars frame, or a list of dicts",
        ),
        ("number", "returned a int"),
        ("empty", "returned a list"),
        ("series", "returned a Series"),
        ("mixed", "code:mixed returned rows that make no table"),
        ("too_fine", "code:too_fine returned nanoseconds in 'at', and a table keeps six digits of a second"),
        ("wrong", "code:wrong raised TypeError"),
        ("doubled", "missing a required argument: 'people'"),
        ("refuses", r"code:refuses called exit\("),
    ],
)
def test_what_goes_wrong_in_a_function(root: Path, name: str, words: str) -> None:
    with pytest.raises(PipekitError, match=words) as caught:
        python(root, f"code:{name}")
    assert type(caught.value) is (SpecError if name == "doubled" else PipekitError)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("gone:x", "plugins/gone.py does not exist"),
        ("code:gone", "has no function 'gone'"),
        ("code:ROWS", "has no function 'ROWS'"),
        ("code", "is not of the form module:function"),
        ("pack.gone:x", "plugins/pack/gone.py does not exist"),
        ("_syntax:x", "_syntax.py:1: invalid syntax"),
        ("_needs:x", "needs the module no_such_module_at_all, which is not installed"),
    ],
)
def test_mistakes_are_told_before_the_run(root: Path, call: str, words: str) -> None:
    with pytest.raises(SpecError, match=words):
        python(root, call)


def test_an_input_that_is_gone_at_run_time(root: Path) -> None:
    run = python(root, "code:same", {"people": PEOPLE}, inputs=["people"])
    run.warehouse.execute("drop table people")
    with pytest.raises(QueryError, match="people"):
        run.again()


@pytest.mark.parametrize("on", ["snowflake"], indirect=True)
def test_what_a_killed_run_left_of_the_table_is_dropped_on_snowflake(on: Project) -> None:
    (on.root / "plugins").mkdir()
    (on.root / "plugins/code.py").write_text("def rows(): return [{'id': 1}]\n")
    on.execute('CREATE TABLE "NUMBERS__PIPEKIT_0123456789AB" (ID NUMBER(38,0))')
    on.execute('CREATE TABLE "OTHERS__PIPEKIT_0123456789AB" (ID NUMBER(38,0))')
    on.ok("steps:\n  - {id: numbers, type: python, call: 'code:rows', into: numbers}\n")
    assert on.execute("SELECT * FROM NUMBERS") == [(1,)]
    left = on.execute("SELECT table_name FROM information_schema.tables WHERE table_name LIKE '%PIPEKIT_0%'")
    assert left == [("OTHERS__PIPEKIT_0123456789AB",)]
