"""Translations are kept from run to run."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pipekit.sql.cache import Translations
from pipekit.warehouses.duckdb.dialect import DUCKDB
from pipekit.warehouses.snowflake.dialect import SNOWFLAKE


def files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*")) if folder.exists() else []


def test_looking_up_writes_nothing_and_keeping_does(tmp_path: Path) -> None:
    store = tmp_path / "state/sql"
    translations = Translations(store)
    translations.translate("select 1 as x", write=DUCKDB)
    assert files(tmp_path) == []
    translations.keep()
    assert len(files(store)) == 1
    translations.translate("select 1 as x", write=DUCKDB)
    translations.translate("select 1 as x", write=SNOWFLAKE)
    translations.keep()
    assert len(files(store)) == 2
    translations.translate("select 1 as x", write=replace(DUCKDB, version="2"))
    translations.keep()
    assert len(files(store)) == 3


def test_kept_translations_need_no_sqlglot(tmp_path: Path) -> None:
    text = "with c as (select * from a.b) select iff(x, 1, 2) as y from c"
    first = Translations(tmp_path)
    expected = first.translate(text, write=DUCKDB)
    first.keep()
    script = (
        "import sys; from pathlib import Path; from pipekit.sql.cache import Translations\n"
        "from pipekit.warehouses.duckdb.dialect import DUCKDB\n"
        f"t = Translations(Path({str(tmp_path)!r})).translate({text!r}, write=DUCKDB)\n"
        "print('sqlglot' in sys.modules, t.sql, sorted(map(str, t.reads)), sep='|')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.rstrip("\n") == f"False|{expected.sql}|['a.b']"


@pytest.mark.parametrize("damage", ["", "{", "[]", "null", '{"sql": "x"}', '{"sql": "x", "reads": 5}', "\x00\xff"])
def test_a_damaged_store_is_harmless(tmp_path: Path, damage: str) -> None:
    translations = Translations(tmp_path)
    expected = translations.translate("select iff(true, 1, 2)", write=DUCKDB)
    translations.keep()
    [path] = files(tmp_path)
    path.write_text(damage, encoding="latin-1")
    again = Translations(tmp_path)
    assert again.translate("select iff(true, 1, 2)", write=DUCKDB) == expected
    again.keep()
    assert json.loads(path.read_text())["sql"] == expected.sql


def test_a_store_that_cannot_be_written_is_harmless(tmp_path: Path) -> None:
    (tmp_path / "sql").write_text("a file is in the way")
    translations = Translations(tmp_path / "sql")
    assert translations.translate("select 1", write=DUCKDB).sql
    translations.keep()
