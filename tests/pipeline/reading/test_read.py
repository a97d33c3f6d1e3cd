"""The pipeline file: every mistake reported at once with its line, and what a right file means."""

from __future__ import annotations

import copy
import json
import re
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from small_projects import cli, load, problems, project, run_ok, snapshot, write

import pipekit
from pipekit.pipeline.reading.read import read_pipeline
from pipekit.pipeline.reading.tree import read_yaml
from pipekit.plugins.registry import Plugins
from pipekit.project import find_root

REPOSITORY = Path(__file__).resolve().parents[3]
BROKEN = """
name: broken
descripton: typo
vars:
  floor: "{{ env('PIPEKIT_TEST_UNSET') }}"
targets:
  local: {type: duckbd, path: x.duckdb}
sources:
  customers:
    uri: data/
    format: {type: csv, delimeter: ";"}
    columns:
      id: integr
suites:
  ids:
    - expect_column_values_to_be_uniqe: {column: id}
    - expect_column_values_to_not_be_null: {colum: id}
steps:
  - id: load_customers
    type: laod
    source: customers
  - id: second
    type: sql
    template: missing.sql
    timeout: soon
  - id: third
    type: sql
    sql: select {{ var('nothing') }} as x
  - id: third
    type: check
    table: nowhere
    suite: idss
    needs: secnd
"""


def test_a_broken_file_tells_every_mistake_with_its_line_and_touches_nothing(tmp_path: Path) -> None:
    project(tmp_path, BROKEN, templates__misssing="select 1")
    before = snapshot(tmp_path)
    done = cli(tmp_path, "run", "p.yaml", code=2)
    assert snapshot(tmp_path) == before
    assert done.stdout == ""
    assert [line for line in done.stderr.splitlines() if not line.startswith("  ")] == [
        "p.yaml:2: descripton: unknown key; did you mean 'description'?",
        "p.yaml:4: vars.floor: the environment variable PIPEKIT_TEST_UNSET is not set",
        "p.yaml:6: targets.local.type: unknown warehouse 'duckbd'; did you mean 'duckdb'?; one of duckdb, snowflake",
        "p.yaml:10: sources.customers.format.delimeter: unknown key; did you mean 'delimiter'?",
        "p.yaml:12: sources.customers.columns.id: unknown type 'integr'; did you mean 'integer'?",
        "p.yaml:15: suites.ids[0].expect_column_values_to_be_uniqe: unknown expectation"
        " 'expect_column_values_to_be_uniqe'; did you mean 'expect_column_values_to_be_unique'?",
        "p.yaml:16: suites.ids[1].expect_column_values_to_not_be_null.colum: unknown argument 'colum'"
        " of expect_column_values_to_not_be_null; did you mean 'column'?",
        "p.yaml:19: steps.load_customers.type: unknown step type 'laod'; did you mean 'load'?;"
        " one of check, features, load, python, sql",
        "p.yaml:23: steps.second.template: missing.sql: there is no such template; did you mean misssing.sql?",
        "p.yaml:24: steps.second.timeout: 'soon' is not a duration; write 90s, 15m or 2h",
        "p.yaml:27: steps.third.sql: the variable 'nothing' is not set; vars: floor",
        "p.yaml:28: steps.third.id: the id 'third' is taken by the step in line 25",
        "p.yaml:31: steps.third.suite: there is no suite 'idss'; did you mean 'ids'?",
        "p.yaml:32: steps.third.needs: there is no step 'secnd'; did you mean 'second'?",
    ]
    assert cli(tmp_path, "validate", "p.yaml", code=2).stderr == done.stderr


def test_validation_leaves_no_trace_even_where_sql_was_translated(tmp_path: Path) -> None:
    good = "steps:\n  - {id: a, type: sql, sql: select 1 as x}\n"
    path = project(tmp_path, good)
    before = snapshot(tmp_path)
    load(path)
    assert cli(tmp_path, "validate", "p.yaml", code=0).stdout.endswith("1 step, nothing wrong\n")
    assert problems(project(tmp_path, good + "  - {id: b, type: nope}\n"))
    path.write_text("name: p\n" + good)
    assert snapshot(tmp_path) == before


SQL = "{id: a, type: sql, sql: select 1 as x}"
SOURCE = "sources: {s: {uri: d, format: {type: csv}, columns: {a: date}}}\n"


def steps(*items: str) -> str:
    return "steps:\n" + "".join(f"  - {item}\n" for item in items)


@pytest.mark.parametrize(
    ("pipeline", "expected"),
    [
        # the file
        ("name: p\n", ["steps: is missing"]),
        ("name: p\nsteps:\n", ["steps: must be a list"]),
        ("name: p\nsteps: 5\n", ["2: steps: must be a list"]),
        ("name: p\nsteps: {a: b}\n", ["steps: must be a list"]),
        ("name: p\nsteps: []\n", ["steps: must not be empty"]),
        ("name: p\nsteps: [5]\n", ["2: steps[0]: must be a mapping"]),
        ("name: 5 x\n" + steps(SQL), ["1: name: '5 x' must be letters, digits, _ and -"]),
        ("name: p\nthreads: 0\n" + steps(SQL), ["2: threads: must be at least 1"]),
        ("name: p\nthreds: 2\n" + steps(SQL), ["2: threds: unknown key; did you mean 'threads'?"]),
        ("name: p\nas_of: yesterday\n" + steps(SQL), ["2: as_of: 'yesterday' is not a time; write 2024-07-01"]),
        ("name: p\nname: q\n" + steps(SQL), ["2: name: is given twice; first in line 1"]),
        # targets
        ("name: p\ntarget: prod\n" + steps(SQL), ["2: target: there is no target 'prod'"]),
        ("name: p\ntargets: {prd: {type: duckdb}}\ntarget: prod\n" + steps(SQL), ["did you mean 'prd'?"]),
        ("name: p\ntargets:\n  local: {path: x}\n" + steps(SQL), ["3: targets.local.type: unknown warehouse None"]),
        ("name: p\ntargets:\n  local: {type: duckdb, pth: x}\n" + steps(SQL), ["3: targets.local.pth: unknown key"]),
        ("name: p\ntargets:\n  local: 5\n" + steps(SQL), ["3: targets.local"]),
        ("name: p\ntargets: {a/b: {type: duckdb}}\ntarget: a/b\n" + steps(SQL), ["a target's name is letters"]),
        ("name: p\ntargets:\n  local: {type: duckdb, path: \"{{ env('NOT_SET_AT_ALL') }}\"}\n" + steps(SQL),
         ["3: targets.local.path: the environment variable NOT_SET_AT_ALL is not set"]),
        # sources
        ("name: p\nsources:\n  s: 5\n" + steps(SQL), ["3: sources.s: must hold uri, format and columns"]),
        ("name: p\nsources:\n  s: {uri: d}\n" + steps(SQL), ["sources.s.format: is missing", "sources.s.columns: is missing"]),
        ("name: p\nsources:\n  s: {uri: d, format: {type: xml}, columns: {a: date}}\n" + steps(SQL),
         ["3: sources.s.format.type: unknown format 'xml'; did you mean 'excel'?; one of avro, csv, excel, fixed_width, json, parquet"]),
        ("name: p\nsources:\n  s: {uri: d, format: {type: csv}, columns: {a: number(50)}}\n" + steps(SQL),
         ["3: sources.s.columns.a: 'number(50)': the precision is 1 to 38"]),
        ("name: p\nsources:\n  s: {uri: d, format: {type: csv}, columns: {a: [date]}}\n" + steps(SQL), ["sources.s.columns"]),
        ("name: p\nsources:\n  s: {uri: d, format: {type: csv}, columns: {a: {type: date, nulable: false}}}\n" + steps(SQL),
         ["3: sources.s.columns.a.nulable: unknown key; did you mean 'nullable'?"]),
        ("name: p\nsources:\n  s: {uri: d, format: {type: csv}, columns: {a: date, A: date}}\n" + steps(SQL),
         ["columns.A: is the same column as 'a' above (case does not count)"]),
        ("name: p\nsources:\n  s: {name: t, uri: d, format: {type: csv}, columns: {a: date}}\n" + steps(SQL),
         ["3: sources.s.name: unknown key; the key above is the name"]),
        # suites
        ("name: p\nsuites:\n  s: 5\n" + steps(SQL), ["3: suites.s: a suite is a list of expectations"]),
        ("name: p\nsuites:\n  s:\n    - expect_column_values_to_be_between: {column: a, min: 1}\n" + steps(SQL),
         ["4: suites.s[0].expect_column_values_to_be_between.min: unknown argument 'min'"]),
        ("name: p\nsuites:\n  s:\n    - expect_column_values_to_not_be_null: {column: a, severity: bad}\n" + steps(SQL),
         ["4: suites.s[0].expect_column_values_to_not_be_null.severity: 'bad' is not a severity"]),
        # steps
        (steps("{id: a}"), ["3: steps.a.type: is missing"]),
        (steps("{type: sql, sql: select 1}"), ["3: steps[0].id: is missing"]),
        (steps("{id: 1a, type: sql, sql: select 1}"), ["3: steps.1a.id: '1a' must be letters"]),
        (steps("{id: a, type: [sql]}"), ["3: steps.a.type: must be text"]),
        (steps("{id: a, type: sqll, sql: select 1}"), ["3: steps.a.type: unknown step type 'sqll'; did you mean 'sql'?"]),
        (steps(SQL, "{id: A, type: sql, sql: select 2}"), ["4: steps.A.id: the id 'A' is taken by the step in line 3"]),
        (steps("{id: a, type: sql, sql: select 1, retries: many}"), ["3: steps.a.retries: must be a whole number"]),
        (steps("{id: a, type: sql, sql: select 1, timeout: 0s}"), ["3: steps.a.timeout: '0s' is not a duration"]),
        (steps("{id: a, type: sql, sql: select 1, need: b}"), ["3: steps.a.need: unknown key; did you mean 'needs'?"]),
        (steps("{id: a, type: sql, sql: select 1, needs: b}"), ["3: steps.a.needs: there is no step 'b'"]),
        (steps("{id: a, type: sql, sql: select 1, needs: a}"), ["3: steps.a.needs: a step cannot wait for itself"]),
        (steps("{id: a, type: sql}"), ["3: steps.a: give either template or sql; neither is given"]),
        (steps("{id: a, type: sql, sql: select 1, template: x.sql}"), ["3: steps.a.sql: template is given, too"]),
        (steps("{id: a, type: sql, sql: selekt 1}"), ["3:29: steps.a.sql: the SQL begins with 'selekt'; did you mean 'select'?"]),
        (steps("{id: a, type: sql, sql: 'select 1; select 2'}"), ["3:40: steps.a.sql: a second SELECT begins here"]),
        (steps("{id: a, type: sql, sql: drop table x}"), ["3:29: steps.a.sql: DROP is not allowed; exactly one SELECT is wanted"]),
        (steps("{id: a, type: sql, sql: '{{ nope }}'}"), ["3: steps.a.sql: 'nope' is undefined"]),
        (steps("{id: a, type: sql, template: ../secret.sql}"), ["leads out of the project's templates folder"]),
        (steps("{id: a, type: sql, template: /etc/passwd}"), ["leads out of the project's templates folder"]),
        (steps('{id: a, type: sql, template: "a\\0b"}'), ["is not the name of a file"]),
        (steps(f"{{id: a, type: sql, template: {'x' * 300}}}"), ["is not the name of a file"]),
        (steps("{id: a, type: sql, sql: select 1 as x, materialize: merge}"), ["3: steps.a.materialize: merge needs key"]),
        (steps("{id: a, type: sql, sql: select 1 as x, materialize: append}"), ["append needs key or since"]),
        (steps("{id: a, type: sql, sql: select 1 as x, materialize: tabel}"), ["3: steps.a.materialize: unknown materialize 'tabel'; did you mean 'table'?"]),
        (steps("{id: a, type: sql, sql: select 1 as x, key: x}"), ["3: steps.a.key: materialize is not given, so it is table, which takes no key; write materialize: append or merge, or remove key"]),
        (steps("{id: a, type: sql, sql: select 1 as x, materialize: view, audit: [{expect_column_to_exist: {column: x}}]}"), ["a view cannot be audited"]),
        (steps("{id: a, type: sql, sql: select 1 as x, audit: s}"), ["3: steps.a.audit: there is no suite 's'"]),
        (steps("{id: a, type: sql, sql: select 1 as x, audit: [s, t]}"), ["no suite 's'", "no suite 't'"]),
        (steps("{id: a, type: sql, sql: select 1 as x, audit: [{expect_nothing: {}}]}"),
         ["3: steps.a.audit[0].expect_nothing: unknown expectation"]),
        (steps("{id: a, type: sql, sql: select 1 as x, into: a.b.c.d}"), ["3: steps.a.into: 'a.b.c.d' is not a table name"]),
        (steps("{id: a, type: sql, sql: select * from b}"), ["3:43: steps.a.sql: reads b, which no step makes; if it exists already"]),
        (steps(SQL, "{id: b, type: sql, sql: select * from aa}"), ["4:43: steps.b.sql: reads aa, which no step makes; did you mean 'a'?"]),
        (steps("{id: a, type: sql, sql: select * from w.x.y.z}"), ["3: steps.a"]),
        ("name: p\nexternal: [a.b.c.d]\n" + steps(SQL), ["2: external: 'a.b.c.d' is not a table name"]),
        (steps("{id: a, type: check, table: a.b.c.d, suite: [{expect_column_to_exist: {column: x}}]}"), ["3: steps.a.table: 'a.b.c.d' is not a table name"]),
        (steps("{id: a, type: load, source: s, into: t}"), ["3: steps.a.source: there is no source 's'"]),
        (SOURCE + steps("{id: a, type: load, source: s, strategy: merge}"), ["4: steps.a.strategy: merge needs key"]),
        (SOURCE + steps("{id: a, type: load, source: s, on_error: reject, max_rejects: nan%}"), ["is neither a count (100) nor a share"]),
        (SOURCE + steps("{id: a, type: load, source: s, strategy: merge, key: [aa], cluster_by: [A, other]}"),
         ["4: steps.a.key: the source s declares no column 'aa'; did you mean 'a'?", "4: steps.a.cluster_by: the source s declares no column 'other'"]),
        (SOURCE + steps("{id: a, type: load, source: s, metadata: true, cluster_by: [_run_id]}"), []),
        (SOURCE + steps("{id: a, type: load, source: s, audit: [{expect_column_values_to_be_unique: {column: di}}, {expect_column_to_exist: {column: x}}]}"),
         ["4: steps.a.audit[0].expect_column_values_to_be_unique.column: expect_column_values_to_be_unique: a has no column 'di'"]),
        (SOURCE + steps("{id: a, type: load, source: s, on_schema_change: ignore, audit: [{expect_column_values_to_be_unique: {column: di}}]}"), []),
        (steps("{id: a, type: python, call: nothing:here}"), ["3: steps.a.call: plugins/nothing.py does not exist"]),
        (steps("{id: a, type: python, call: nothing}"), ["3: steps.a.call: 'nothing' is not of the form module:function"]),
        (steps("{id: a, type: python, call: '..:x'}"), ["3: steps.a.call: "]),
        (steps("{id: a, type: features, from: x, entity: id, features: {}}"), ["3: steps.a.features: must not be empty"]),
        (steps("{id: a, type: features, from: x, entity: id, features: {n: {sql: '1', tmplate: y}}}"),
         ["3: steps.a.features.n.tmplate: unknown key; did you mean 'template'?"]),
        (steps("{id: a, type: features, from: x, entity: '', features: {n: {sql: '1'}}}"), ["3: steps.a"]),
        (steps("{id: a, type: sql, sql: select * from b}", "{id: b, type: sql, sql: select * from a}"),
         ["steps wait for each other: a reads what is made or checked by b (line 3)"]),
        (steps("{id: x, type: nope}", "{id: a, type: sql, sql: select 1, needs: b}", "{id: b, type: sql, sql: select 1, needs: a}"),
         ["3: steps.x.type: unknown step type 'nope'", "4: steps.a.needs: steps wait for each other: a needs b (line 4), b needs a (line 5)"]),
    ],
)  # fmt: skip
def test_each_kind_of_mistake(tmp_path: Path, pipeline: str, expected: list[str]) -> None:
    found = problems(project(tmp_path, pipeline))
    assert len(found) == len(expected), found
    for words in expected:
        assert any(words in line for line in found), found


@pytest.mark.parametrize(
    ("shared", "expected"),
    [
        ("steps: []\n", "shared.yaml:1: steps: a shared file holds only vars, targets, suites"),
        ("vars: 5\n", "shared.yaml:1: vars: must be a mapping"),
        ("- a\n", "shared.yaml:1: must hold vars, targets, suites"),
        ("vars: {a: 1\n", "shared.yaml:1: not YAML"),
        ("vars:\n  a: \"{{ var('z') }}\"\n", "shared.yaml:2: vars.a: the variable 'z' is not set"),
        ("suites:\n  s:\n    - expect_nothing: {}\n", "shared.yaml:3: suites.s[0].expect_nothing: unknown expectation"),
    ],
)
def test_mistakes_in_shared_files_name_that_file(tmp_path: Path, shared: str, expected: str) -> None:
    path = project(tmp_path, f"include: shared.yaml\nsteps: [{SQL}]\n")
    write(tmp_path, "shared.yaml", shared)
    found = problems(path)
    assert len(found) == 1
    assert expected in found[0]


@pytest.mark.parametrize(
    ("include", "words"),
    [
        ("../outside.yaml", "outside the project"),
        ("/etc/passwd", "outside the project"),
        ("link.yaml", "outside the project"),
        ("gone.yaml", "there is no such file"),
        ("templates", "cannot be read: Is a directory"),
        ('"a\\0b"', "is not the name of a file"),
        ("5", "include"),
        ("{a: b}", "include"),
    ],
)
def test_what_include_refuses(tmp_path: Path, include: str, words: str) -> None:
    root = tmp_path / "project"
    write(tmp_path, "outside.yaml", "vars: {secret: 1}\n")
    path = project(root, f"include: {include}\nsteps: [{SQL}]\n")
    (root / "link.yaml").symlink_to(tmp_path / "outside.yaml")
    found = problems(path)
    assert len(found) == 1
    assert words in found[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- a\n", "p.yaml:1: is a list; a pipeline is a mapping: name: ..., steps: [...]"),
        ("5\n", "p.yaml:1: is a single value; a pipeline is a mapping"),
        ("# nothing\n", "is empty; a pipeline needs a name and steps"),
        (None, "is a folder; name one of its files: x.yaml, y.yml"),
    ],
)
def test_what_is_no_pipeline_file(tmp_path: Path, text: str | None, words: str) -> None:
    path = tmp_path / "p.yaml"
    if text is None:
        write(path, "x.yaml", "")
        write(path, "y.yml", "")
    else:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(pipekit.SpecError, match=re.escape(words)):
        load(path)


def test_shared_files_are_merged_and_the_pipeline_wins(tmp_path: Path) -> None:
    write(tmp_path, "one.yaml", "vars: {a: 1, b: 1, c: 1}\ntargets: {local: {type: duckdb, path: one.duckdb}}\n")
    write(tmp_path, "two.yaml", "vars: {b: 2}\nsuites:\n  s: [expect_column_to_exist: {column: x}]\n")
    path = project(
        tmp_path,
        f"include: [one.yaml, two.yaml]\nvars: {{c: 3, d: \"{{{{ var('a') + var('b') }}}}\"}}\nsteps: [{SQL}]\n",
    )
    spec = load(path).spec
    assert dict(spec.variables) == {"a": 1, "b": 2, "c": 3, "d": 3}
    assert set(spec.suites) == {"s"}
    assert spec.target.options.path == "one.duckdb"  # type: ignore[attr-defined]


def test_only_the_chosen_target_is_rendered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"targets:\n  local: {{type: duckdb, path: \"{{{{ env('PK_PATH', 'd.duckdb') }}}}\"}}\n  far: {{type: duckdb, path: \"{{{{ env('PK_FAR') }}}}\"}}\nsteps: [{SQL}]\n"
    path = project(tmp_path, text)
    assert load(path).spec.target.options.path == "d.duckdb"  # type: ignore[attr-defined]
    assert problems(path, target="far") == ["4: targets.far.path: the environment variable PK_FAR is not set"]
    monkeypatch.setenv("PK_FAR", "far.duckdb")
    monkeypatch.setenv("PIPEKIT_TARGET", "far")
    assert load(path).spec.target.options.path == "far.duckdb"  # type: ignore[attr-defined]
    assert load(path, target="local").spec.target.name == "local"


def test_a_single_expression_keeps_its_type(tmp_path: Path) -> None:
    path = project(
        tmp_path,
        """
        vars: {floor: 5, share: 0.5, names: [a, b], on: true, text: "n {{ var('floor') }}"}
        suites:
          s:
            - expect_table_row_count_to_be_between: {min_value: "{{ var('floor') }}"}
            - expect_column_values_to_be_in_set: {column: x, value_set: "{{ var('names') }}", mostly: "{{ var('share') }}"}
        threads: "{{ var('floor') - 2 }}"
        steps:
          - {id: a, type: sql, sql: select 1 as x}
        """,
    )
    spec = load(path).spec
    assert spec.threads == 3
    assert spec.variables["text"] == "n 5"
    assert spec.suites["s"].expectations[0].kwargs == {"min_value": 5}
    assert spec.suites["s"].expectations[1].kwargs == {"column": "x", "value_set": ["a", "b"], "mostly": 0.5}


def test_variables_use_earlier_ones_and_given_ones_win(tmp_path: Path) -> None:
    path = project(
        tmp_path, f"vars: {{a: x, b: \"{{{{ var('a') }}}}y\", c: \"{{{{ var('b') }}}}z\"}}\nsteps: [{SQL}]\n"
    )
    assert dict(load(path).spec.variables) == {"a": "x", "b": "xy", "c": "xyz"}
    assert dict(load(path, vars={"a": "1"}).spec.variables) == {"a": "1", "b": "1y", "c": "1yz"}
    assert problems(path, vars={"new": "n"}) == ["vars.new: the pipeline neither declares it nor asks for it"]
    later = project(tmp_path, f"vars: {{a: \"{{{{ var('b') }}}}\", b: x}}\nsteps: [{SQL}]\n")
    assert problems(later) == ["2: vars.a: the variable 'b' is not set; vars: there are none"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-07-01", "2024-07-01 00:00:00+00:00"),
        ("2024-07-01 12:30", "2024-07-01 12:30:00+00:00"),
        ("2024-07-01T12:30:00Z", "2024-07-01 12:30:00+00:00"),
        ("2024-07-01T12:30:00+02:00", "2024-07-01 10:30:00+00:00"),
    ],
)
def test_the_clock(tmp_path: Path, text: str, expected: str) -> None:
    path = project(tmp_path, f"as_of: {text}\nsteps: [{SQL}]\n")
    assert str(load(path).spec.as_of) == expected
    assert str(load(path, as_of="2020-01-01").spec.as_of) == "2020-01-01 00:00:00+00:00"
    now = load(project(tmp_path, f"steps: [{SQL}]\n")).spec.as_of
    assert abs(now.timestamp() - time.time()) < 60


def test_the_project_root_is_the_nearest_folder_that_looks_like_one(tmp_path: Path) -> None:
    deep = tmp_path / "repo/a/b"
    deep.mkdir(parents=True)
    file = deep / "p.yaml"
    assert find_root(file) == deep
    (tmp_path / "templates").mkdir()  # above the git root: not looked at
    (tmp_path / "repo/.git").mkdir()
    assert find_root(file) == deep
    write(tmp_path / "repo", "pyproject.toml", "[tool.other]\n")
    assert find_root(file) == deep
    write(tmp_path / "repo", "pyproject.toml", "[tool.pipekit]\n")
    assert find_root(file) == tmp_path / "repo"
    (tmp_path / "repo/a/plugins").mkdir()
    assert find_root(file) == tmp_path / "repo/a"
    (deep / "templates").mkdir()
    assert find_root(file) == deep


def test_into_defaults_to_the_id(tmp_path: Path) -> None:
    [step] = load(project(tmp_path, f"steps: [{SQL}]\n")).spec.steps
    assert step.options.into == "a"  # type: ignore[attr-defined]


HASHED = """
name: p
vars: {v: 1}
sources:
  s: {uri: d, format: {type: csv}, columns: {a: integer}}
suites:
  q: [expect_column_to_exist: {column: x}]
steps:
  - {id: load_it, type: load, source: s, into: raw}
  - {id: templated, type: sql, template: t.sql, audit: q}
  - {id: inline, type: sql, sql: select 2 as y}
  - {id: called, type: python, call: "code:make"}
"""
FILES = {
    "p.yaml": HASHED,
    "templates/t.sql": "{% include 'part.sql' %}",
    "templates/part.sql": "select 1 as x",
    "plugins/code.py": "def make():\n    return [{'a': 1}]\n",
}


@pytest.mark.parametrize(
    ("name", "old", "new", "changed"),
    [
        ("p.yaml", "name: p", "# a comment\nname: p\ndescription: new", set()),
        ("p.yaml", "{id: inline,", "{id: inline, tags: [t], retries: 5,", set()),
        ("p.yaml", "a: integer", "a: float", {"load_it"}),
        ("p.yaml", "uri: d", "uri: e", {"load_it"}),
        ("p.yaml", "into: raw", "into: raw2", {"load_it"}),
        ("p.yaml", "column: x", "column: y", {"templated"}),
        ("p.yaml", "select 2", "select 3", {"inline"}),
        ("p.yaml", "v: 1", "v: 2", {"inline", "templated"}),
        ("templates/t.sql", "{% inc", "-- new\n{% inc", {"templated"}),
        ("templates/part.sql", "1", "7", {"templated"}),
        ("plugins/code.py", "1", "7", {"called"}),
    ],
)
def test_the_definition_hash_changes_with_what_defines_a_step(
    tmp_path: Path, name: str, old: str, new: str, changed: set[str]
) -> None:
    def hashes() -> dict[str, str]:
        return {step.id: step.definition_hash for step in load(tmp_path / "p.yaml").spec.steps}

    for file, text in FILES.items():
        write(tmp_path, file, text)
    before = hashes()
    assert hashes() == before
    write(tmp_path, name, FILES[name].replace(old, new))
    after = hashes()
    assert {step for step in before if before[step] != after[step]} == changed


def test_messages_show_the_file_as_the_user_sees_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = project(tmp_path, "nope: 1\nsteps: [{id: a, type: sql, sql: select 1}]\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(pipekit.SpecError, match=r"^p\.yaml:2: nope: unknown key"):
        load(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert "there is no such file" in cli(tmp_path, "validate", "gone.yaml", code=2).stderr
    assert (
        "empty; a pipeline needs a name and steps"
        in cli(write(tmp_path, "e.yaml", "").parent, "validate", "e.yaml", code=2).stderr
    )


def test_no_plugins_refuses_code_of_the_project(tmp_path: Path) -> None:
    text = "steps: [{id: a, type: python, call: 'code:make'}]\n"
    path = project(tmp_path, text, plugins__code="open(__file__ + '.ran', 'w').close()\ndef make(): return []\n")
    assert problems(path, project_code=False) == [
        "2: steps.a.call: code:make is code of the project, which --no-plugins forbids"
    ]
    assert not (tmp_path / "plugins/code.py.ran").exists()
    load(path)
    assert (tmp_path / "plugins/code.py.ran").exists()


def many(count: int, needs_before: bool = True) -> str:
    lines = [
        f"  - {{id: s{n}, type: sql, sql: 'select {n} as x'"
        + (f", needs: s{n - 1}" if n and needs_before else "")
        + "}"
        for n in range(count)
    ]
    return "steps:\n" + "\n".join(lines) + "\n"


def test_ten_thousand_steps_are_refused(tmp_path: Path) -> None:
    started = time.monotonic()
    [line] = problems(project(tmp_path, many(10_000)))
    print(f"10,000 steps refused in {time.monotonic() - started:.2f} s")
    assert "steps: List should have at most 5000 items" in line


def test_a_thousand_steps(tmp_path: Path) -> None:
    path = project(tmp_path, many(1000))
    run_ok(path, select=["s0"])  # keeps the translations
    started = time.monotonic()
    pipeline = load(path)
    print(f"1,000 steps validated warm in {time.monotonic() - started:.2f} s")
    assert len(pipeline.spec.steps) == 1000


# Random files -------------------------------------------------------------------------------------------------

WORDS = st.sampled_from(
    [
        "name", "steps", "id", "type", "sql", "load", "check", "features", "python", "table", "suite", "audit", "source", "into", "from", "entity", "template",
        "materialize", "merge", "key", "needs", "tags", "vars", "targets", "target", "local", "duckdb", "path", "include", "external", "as_of", "columns",
        "format", "csv", "json", "uri", "integer", "suites", "expectations", "features", "args", "call", "inputs", "retries", "timeout", "severity",
        "expect_column_values_to_be_unique", "column", "select 1 as x", "select * from a", "{{ var('x') }}", "{{ 1 + }}",
        "{% if %}", "{{ '' ['a'] }}", "a.b.c.d", "..", "-1", "90s", "", " ", "x.sql", "a:b", "{{ ((", "1%", "'", '"', "\u00e9",
    ]
)  # fmt: skip
SCALARS = st.one_of(WORDS, st.integers(-10, 10**6), st.floats(), st.booleans(), st.none(), st.text(max_size=8))
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(WORDS, inner, max_size=5)),
    max_leaves=20,
)
RELAXED = settings(
    max_examples=50,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
VOCABULARY = Plugins().vocabulary
SHIPPED = read_yaml(REPOSITORY / "pipelines/marketing_engagement.yaml", "p.yaml").plain()


def attempt(path: Path) -> None:
    """A SpecError, or a pipeline; nothing else may come out."""
    with suppress(pipekit.SpecError):
        read_pipeline(path, VOCABULARY)


@RELAXED
@given(
    tree=st.dictionaries(WORDS, TREES, max_size=8),
    listed=st.lists(st.dictionaries(WORDS, TREES, max_size=6), max_size=3),
)
def test_any_tree_is_a_pipeline_or_a_spec_error(tmp_path: Path, tree: dict[str, Any], listed: list[Any]) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(json.dumps({"name": "p", "steps": listed, **tree}))
    attempt(path)


@RELAXED
@given(data=st.data())
def test_any_mutation_of_a_shipped_pipeline_is_a_pipeline_or_a_spec_error(tmp_path: Path, data: st.DataObject) -> None:
    tree = copy.deepcopy(SHIPPED)
    for _ in range(data.draw(st.integers(1, 3))):
        node: Any = tree
        while True:
            keys = list(node) if isinstance(node, dict) else list(range(len(node)))
            if not keys:
                break
            key = data.draw(st.sampled_from(keys))
            if not isinstance(node[key], (dict, list)) or data.draw(st.integers(0, 3)) == 0:
                node[key] = data.draw(TREES)
                break
            node = node[key]
    (tmp_path / "templates/marketing").mkdir(parents=True, exist_ok=True)
    path = tmp_path / "p.yaml"
    path.write_text(json.dumps(tree))
    attempt(path)


@RELAXED
@given(text=st.text(max_size=200), raw=st.binary(max_size=60))
def test_any_bytes_are_a_pipeline_or_a_spec_error(tmp_path: Path, text: str, raw: bytes) -> None:
    path = tmp_path / "p.yaml"
    path.write_bytes(b"name: p\n" + text.encode("utf-8", "surrogatepass") + raw)
    attempt(path)


def test_no_step_writes_the_tables_of_pipekit(tmp_path: Path) -> None:
    path = project(tmp_path, "steps:\n  - {id: ingestion_logs, type: sql, sql: select 1 as a}\n")
    assert [line for line in problems(path) if "belongs to pipekit" in line]


@pytest.mark.parametrize("as_of", ["", "9999-12-31T23:59:59-05:00"])
def test_a_clock_that_is_no_time_is_refused(tmp_path: Path, as_of: str) -> None:
    path = project(tmp_path, "steps:\n  - {id: a, type: sql, sql: select 1 as a}\n")
    assert [line for line in problems(path, as_of=as_of) if "is not a time" in line]


def test_a_target_that_is_not_chosen_has_a_known_type(tmp_path: Path) -> None:
    text = "targets: {local: {type: duckdb}, far: {type: postgres}}\nsteps: [{id: a, type: sql, sql: select 1 as a}]\n"
    assert [line for line in problems(project(tmp_path, text)) if "unknown warehouse 'postgres'" in line]
