"""Hostile names, links, traps and other users: nothing gets where it does not belong."""

from __future__ import annotations

import gzip
import json
import os
import resource
import stat
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from small_projects import PIPEKIT, PYTHON, cli, project, query, run, run_ok, write

from pipekit import SpecError

HOSTILE = [
    "x'); DROP TABLE kept; --",
    'x"; DROP TABLE kept; --',
    "x\\'; DROP TABLE kept; --",
    "$$; DROP TABLE kept; $$",
    "{{ env('HOME') }}",
    "?, %s :1 @x",
    "a*b[0-9]",
    "\u202egnp.exe \N{PILE OF POO}",
]


def one_step(options: str, columns: dict[str, str], form: str = "csv") -> str:
    source = {"uri": "landing", "format": {"type": form}, "columns": columns}
    keep = "  - {id: kept, type: sql, sql: select 1 as x}\n"
    return f"sources: {{s: {json.dumps(source, ensure_ascii=False)}}}\nsteps:\n{keep}  - {{id: t, type: load, source: s, {options}}}\n"


@pytest.mark.parametrize("how", ["on_error: reject", "strategy: append, metadata: true"])
def test_names_of_files_carry_no_sql(tmp_path: Path, how: str) -> None:
    """Through the reader, the metadata columns, the rejects, the ledger and the logs."""
    for name in HOSTILE:
        write(tmp_path, f"landing/{name}.csv", "id\n1\n" + ("x\n" if "reject" in how else ""))
    path = project(tmp_path, one_step(how, {"id": "integer"}))
    (tmp_path / "p.yaml").write_text(path.read_text(encoding="utf-8"), encoding="utf-8")

    run_ok(path)

    uris = {str(tmp_path / "landing" / f"{name}.csv") for name in HOSTILE}
    assert {uri for (uri,) in query(tmp_path, "SELECT uri FROM ingestion_files")} == uris
    named = "source_file FROM t_rejects" if "reject" in how else "_source_file FROM t"
    assert {uri for (uri,) in query(tmp_path, f"SELECT {named}")} == uris
    assert query(tmp_path, "SELECT x FROM kept") == [(1,)]


@pytest.mark.parametrize("form", ["csv", "json"])
def test_headers_and_keys_carry_no_sql(tmp_path: Path, form: str) -> None:
    """As declared columns, with a merge by one of them and a check of another."""
    names = [name for name in HOSTILE if "{{" not in name]  # that would be rendered, as in any value of the file
    if form == "csv":
        header = ",".join('"' + name.replace('"', '""') + '"' for name in names)
        write(tmp_path, "landing/a.csv", header + "\n" + ",".join("1" for _ in names) + "\n")
    else:
        write(tmp_path, "landing/a.json", json.dumps(dict.fromkeys(names, 1)) + "\n")
    check = {"expect_column_values_to_not_be_null": {"column": names[1]}}
    how = f"strategy: merge, key: {json.dumps(names[0])}, audit: [{json.dumps(check)}]"
    path = project(tmp_path, one_step(how, dict.fromkeys(names, "integer"), form))

    for _ in range(2):
        run_ok(path)

    assert query(tmp_path, "SELECT * FROM t") == [(1,) * len(names)]
    assert query(tmp_path, "SELECT x FROM kept") == [(1,)]


@pytest.mark.parametrize("form", ["csv", "json"])
def test_what_is_not_declared_is_told_and_not_run(tmp_path: Path, form: str) -> None:
    odd = HOSTILE[0]
    text = f'id,"{odd}"\n1,2\n' if form == "csv" else json.dumps({odd: 1}) + "\n"
    write(tmp_path, f"landing/a.{form}", text)

    result = run(project(tmp_path, one_step("when: always", {"id": "integer"}, form)))

    assert not result.ok
    assert "id" in str(result.errors["t"]) or odd in str(result.errors["t"])
    assert query(tmp_path, "SELECT x FROM kept") == [(1,)]


@pytest.mark.parametrize("name", HOSTILE[:4])
def test_names_of_tables_and_steps_carry_no_sql(tmp_path: Path, name: str) -> None:
    write(tmp_path, "landing/a.csv", "id\n1\n")
    into = project(tmp_path, one_step(f"into: {json.dumps(name)}", {"id": "integer"}))
    with suppress(SpecError):  # a name that cannot be one is refused; any other is only a name
        run(into)
        assert query(tmp_path, "SELECT x FROM kept") == [(1,)]
    text = into.read_text(encoding="utf-8").replace("id: t,", f"id: {json.dumps(name)},")
    into.write_text(text, encoding="utf-8")
    with pytest.raises(SpecError):
        run(into)


def test_links_among_source_files_are_followed(tmp_path: Path) -> None:
    elsewhere = write(tmp_path, "elsewhere/b.csv", "id\n7\n")
    write(tmp_path, "home/landing/a.csv", "id\n1\n")
    (tmp_path / "home/landing/b.csv").symlink_to(elsewhere)
    run_ok(project(tmp_path / "home", one_step("when: always", {"id": "integer"})))

    assert query(tmp_path / "home", "SELECT id FROM t ORDER BY id") == [(1,), (7,)]


@pytest.mark.parametrize("pattern", ["../*.csv", "/etc/*", "a/../../*"])
def test_a_pattern_does_not_climb(tmp_path: Path, pattern: str) -> None:
    write(tmp_path, "secret.csv", "id\n7\n")
    write(tmp_path, "landing/a.csv", "id\n1\n")
    path = project(tmp_path, one_step("when: always", {"id": "integer"}))
    path.write_text(path.read_text().replace('"landing"', f'"landing", "pattern": "{pattern}"'), encoding="utf-8")

    try:
        assert not run(path).ok
    except SpecError:
        return
    assert query(tmp_path, "SELECT count(*) FROM information_schema.tables WHERE table_name = 't'") in ([(0,)], [(1,)])


def _users(mode: int) -> bool:
    return not mode & (stat.S_IRWXG | stat.S_IRWXO)


def test_what_is_written_is_the_owners_alone(tmp_path: Path) -> None:
    """With the umask that most systems have, and the state's folder made before by somebody who thought nothing of it."""
    write(tmp_path, "landing/a.csv", "id\n1\nx\n")
    project(tmp_path, one_step("on_error: reject", {"id": "integer"}))
    (tmp_path / "plugins").mkdir()
    write(tmp_path, "plugins/look.py", _LOOK)
    (tmp_path / ".pipekit").mkdir(mode=0o755)
    (tmp_path / "logs").mkdir(mode=0o755)
    command = subprocess.run([*PIPEKIT, "run", "p.yaml"], cwd=tmp_path, capture_output=True, check=False, umask=0o022)
    assert command.returncode == 0, command.stdout + command.stderr

    during = json.loads((tmp_path / "seen.json").read_text())
    after = {str(path): path.stat().st_mode for path in _files(tmp_path)}
    assert any(name.endswith(".log") for name in after)
    assert any(name.endswith(".duckdb") for name in after)
    open_to_others = [name for name, mode in {**during, **after}.items() if not _users(mode)]
    assert open_to_others == []


def test_a_library_user_gets_private_files_and_keeps_the_umask(tmp_path: Path) -> None:
    """Also in a folder that others can read, and with sessions in several threads."""
    write(tmp_path, "landing/a.csv", "id\n1\nx\n")
    path = project(tmp_path, one_step("on_error: reject", {"id": "integer"}))
    write(tmp_path, "plugins/look.py", _LOOK)
    (tmp_path / ".pipekit").mkdir(mode=0o755)
    code = (
        "import os, pathlib, pipekit\n"
        f"pipekit.Pipeline.from_file({str(path)!r}).run().raise_for_status()\n"
        "print(oct(os.umask(0o22)))\n"
    )
    done = subprocess.run([PYTHON, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True, umask=0o022)
    assert done.stdout == "0o22\n"
    during = json.loads((tmp_path / "seen.json").read_text())
    assert any(name.endswith(".wal") for name in during)
    assert [name for name, mode in during.items() if not _users(mode)] == []


def _files(root: Path) -> list[Path]:
    return [path for part in (".pipekit", "logs") for path in (root / part).rglob("*") if path.is_file()]


_LOOK = """
import json
from pathlib import Path
from pipekit import hookimpl

class Looks:
    seen = {}
    def handle(self, event):
        for part in (".pipekit", "logs"):
            for path in Path(part).rglob("*"):
                if path.is_file():
                    self.seen[str(path)] = path.stat().st_mode
    def close(self):
        Path("seen.json").write_text(json.dumps(self.seen))

@hookimpl
def pipekit_sinks(pipeline, run_id):
    return [Looks()]
"""


@pytest.mark.long
def test_a_file_that_unpacks_to_hundreds_of_megabytes_takes_little_memory(tmp_path: Path) -> None:
    size = 400 << 20
    (tmp_path / "landing").mkdir()
    with gzip.open(tmp_path / "landing/a.csv.gz", "wb", compresslevel=1) as file:
        file.write(b"id\n")
        for _ in range(size >> 20):
            file.write(b"\n" * (1 << 20))
    project(tmp_path, one_step("on_empty: allow", {"id": "integer"}))

    peak = _peak(tmp_path)
    write(tmp_path, "landing/a.csv.gz", "")
    (tmp_path / "landing/a.csv.gz").write_bytes(gzip.compress(b"id\n1\n"))

    assert peak - _peak(tmp_path) < size // 2


def _peak(root: Path) -> int:
    """The most memory, in bytes, of a run in a process of its own."""
    process = subprocess.Popen([*PIPEKIT, "run", "p.yaml"], cwd=root, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode in (0, 1)
    assert isinstance(used, resource.struct_rusage)
    return used.ru_maxrss * 1024


def test_without_plugins_no_code_of_the_project_is_run(tmp_path: Path) -> None:
    write(tmp_path, "plugins/evil.py", "from pathlib import Path\nPath('ran').touch()\n")
    project(tmp_path, "steps: [{id: t, type: sql, sql: select 1 as x}]")

    for command in (["run", "p.yaml", "--no-plugins"], ["validate", "p.yaml", "--no-plugins"]):
        cli(tmp_path, *command, code=0)
        assert not (tmp_path / "ran").exists()
    cli(tmp_path, "run", "p.yaml", code=0)
    assert (tmp_path / "ran").exists()
