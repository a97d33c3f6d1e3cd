"""Columns from the path: a pattern that cannot be is reported before anything is opened; a path is read in one way."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_projects import project, query, run_ok, write

from pipekit.files.checks import check_source
from pipekit.files.path_columns import path_texts
from pipekit.source import Source, SourceFile


def source(path: str, uri: str = "s3://bucket/in/", **more: object) -> Source:
    columns = {"a": "integer", "day": {"type": "varchar", "path": path}}
    return Source.model_validate({"name": "s", "uri": uri, "format": {"type": "csv"}, "columns": columns, **more})


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("file://dt=*/**", "must hold one part in braces"),
        ("file://{a}/{b}/*", "and holds 2"),
        ("file:///dt={date}/*", "begins below `uri`"),
        ("file://../{date}.csv", "are no names"),
    ],
)
def test_a_pattern_that_cannot_be_is_refused(path: str, said: str) -> None:
    ((key, found),) = check_source(source(path))
    assert (key, said in found) == ("columns.day.path", True), found


def test_a_source_needs_a_column_in_its_files() -> None:
    columns = {"day": {"type": "date", "path": "file://{day}.csv"}}
    ((key, found),) = check_source(source("file://{x}.csv", columns=columns))
    assert (key, "at least one must be in the files" in found) == ("columns", True)


@pytest.mark.parametrize(
    ("uri", "file", "path", "text"),
    [
        ("s3://bucket/in/", "s3://bucket/in/2024/a.csv", "file://{year}/*.csv", "2024"),
        ("s3://bucket/in", "s3://bucket/in/x=1%202/y/a.csv", "file://x={x}/", "1 2"),
        ("/data/in", "/data/in/a%20b.csv", "file://{name}.csv", "a%20b"),
        ("/data/in/a.csv", "/data/in/a.csv", "file://{name}.csv", "a"),
        ("https://host/in/a.csv?x=1", "https://host/in/a.csv?x=1", "file://{name}.csv", "a"),
        ("/data/in", "/data/in/[x]/a.csv", "file://{name}/*", "[x]"),
        ("/data/in", "/data/in/p/q/r_7.csv", "file://**/r_{number}.csv", "7"),
    ],
)
def test_the_text_in_a_path(uri: str, file: str, path: str, text: str) -> None:
    assert path_texts(source(path, uri), SourceFile(file, 1)) == [text]


def test_a_run_fills_a_column_from_the_path(tmp_path: Path) -> None:
    write(tmp_path, "in/dt=2024-01-31/a.csv", "id\n1\n")
    write(tmp_path, "in/dt=2024-02-01/a.csv", "id\n2\n")
    text = """
        sources:
          s:
            uri: in
            pattern: "**/*.csv"
            format: {type: csv}
            columns: {dt: {type: date, path: "file://dt={date}/**", nullable: false}, id: integer}
        steps: [{id: t, type: load, source: s, metadata: true, strategy: append}]
        """
    run_ok(project(tmp_path, text))

    assert query(tmp_path, "SELECT dt::VARCHAR, id FROM t ORDER BY id") == [("2024-01-31", 1), ("2024-02-01", 2)]
