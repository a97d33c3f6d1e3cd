"""Copies of this repository's project in temporary folders, the real ``pipekit`` command, and what it left behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import forked
from database_files import database

REPOSITORY = Path(__file__).resolve().parents[1]
PARTS = ("pipelines", "templates", "plugins", "pyproject.toml")
STAMPED = {"_source_file", "_source_row", "_loaded_at", "_run_id", "created_at", "updated_at"}
MARKETING = "pipelines/marketing_engagement.yaml"
MODELLED = (
    "raw_customer_demographics",
    "raw_clickstream",
    "dim_customer",
    "fact_click_events",
    "click_events_left_out",
    "customer_features",
    "feature_catalog",
)
BANK = "pipelines/bank_marketing.yaml"
WAREHOUSE = ".pipekit/warehouse.duckdb"

_OURS = ("PIPEKIT_", "MARKETING_", "BANK_", "SNOWFLAKE_", "AWS_")


def copy_project(folder: Path, parts: Iterable[str] = PARTS) -> Path:
    """The project's files, and nothing of its state, in a folder of their own."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in parts:
        if (REPOSITORY / name).is_dir():
            shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(REPOSITORY / name, folder / name)
    return folder


def environment(**more: str) -> dict[str, str]:
    """The environment without what would change a pipeline, and with the command on the path."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    path = os.pathsep.join([str(Path(sys.executable).parent), clean.get("PATH", "")])
    return {**clean, "PATH": path, "COLUMNS": "120", **more}


def pipekit(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does, in a process of its own; ``variables`` are added to the environment."""
    given = environment(**variables)
    if forked.suits(given):
        return forked.run(arguments, folder, given, timeout=120)
    return installed(folder, *arguments, **variables)


def installed(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """``pipekit`` by the script that the installation made."""
    command = str(Path(sys.executable).with_name("pipekit"))
    return subprocess.run(
        [command, *arguments],
        cwd=folder,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def query(folder: Path, sql: str, path: str = WAREHOUSE) -> list[tuple[Any, ...]]:
    """Rows from the DuckDB file, read without pipekit."""
    with database(folder / path, read_only=True) as connection:
        return connection.execute(sql).fetchall()


def table_names(folder: Path) -> set[str]:
    """Every table of the DuckDB file."""
    return {name for (name,) in query(folder, "SELECT table_name FROM information_schema.tables")}


def rows(folder: Path, table: str) -> Counter[tuple[Any, ...]]:
    """All rows of a table without the columns that pipekit stamps; with how often each is there."""
    with database(folder / WAREHOUSE, read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        names = [row[0] for row in connection.execute(f'DESCRIBE "{table}"').fetchall()]
        kept = ", ".join(f'"{name}"' for name in names if name.lower() not in STAMPED)
        return Counter(connection.execute(f'SELECT {kept} FROM "{table}"').fetchall())


def contents(folder: Path, tables: Iterable[str]) -> dict[str, Counter[tuple[Any, ...]]]:
    """``rows`` of several tables."""
    return {table: rows(folder, table) for table in tables}
