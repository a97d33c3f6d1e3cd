"""A file format that a plugin brings: the one of docs/plugins.md, on both warehouses."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
import yaml
from emulator.fixtures import S3, EmulatedSnowflake, emulated, s3  # noqa: F401 - fixtures
from jsonschema import Draft202012Validator
from small_projects import cli, load, problems, project, query, run_ok, write

from pipekit.errors import PluginError
from pipekit.plugins.registry import Plugins
from plugins.test_registry import HOSTS, INI

GOOD = "[web]\nport = 80\n[mail]\nport = 25\n"
BAD = "[web]\nport = 80\n[mail]\nport = many\n"


def hosts(tmp_path: Path, text: str = BAD, **keys: object) -> Path:
    """The project of the page, with its file of hosts and other keys for its step."""
    spec = yaml.safe_load(HOSTS)
    spec["steps"][0] |= keys
    write(tmp_path, "hosts.ini", text)
    return project(tmp_path, yaml.safe_dump(spec), plugins__ini=INI)


def test_the_documented_format_loads_and_rejects(tmp_path: Path) -> None:
    run_ok(hosts(tmp_path, metadata=True))
    assert query(tmp_path, "select section, port, _source_row from hosts") == [("web", 80, 1)]
    [(file, line, column, reason, raw)] = query(
        tmp_path, "select source_file, source_line, column_name, reason, raw_record from hosts_rejects"
    )
    assert file.endswith("hosts.ini")
    assert (line, column, reason) == (None, "port", "record 2: 'many' is not an integer of 64 bits")
    assert json.loads(raw) == {"section": "mail", "port": "many"}


def test_a_bad_record_is_named_by_its_number(tmp_path: Path) -> None:
    result = load(hosts(tmp_path, on_error="fail")).run()
    assert "hosts.ini: column port: record 2: 'many' is not an integer" in str(result.errors["hosts"])


def test_a_bad_record_is_named_by_its_line_where_the_format_says_lines(tmp_path: Path) -> None:
    hosts(tmp_path)
    told = INI.replace("pa.record_batch(columns))", "pa.record_batch(columns), lines=pa.array([1, 3]))")
    write(tmp_path, "plugins/ini.py", told)
    assert "1 row" in cli(tmp_path, "run", "p.yaml", "--plain", code=0).stdout
    [found] = query(tmp_path, "select source_line, reason from hosts_rejects")
    assert found == (3, "'many' is not an integer of 64 bits")


def test_a_file_is_loaded_once(tmp_path: Path) -> None:
    path = hosts(tmp_path, GOOD, strategy="append")
    run_ok(path)
    run_ok(path)
    assert query(tmp_path, "select count(*) from hosts") == [(2,)]


def test_packed_files_are_unpacked(tmp_path: Path) -> None:
    path = hosts(tmp_path)
    (tmp_path / "hosts.ini.gz").write_bytes(gzip.compress(GOOD.encode()))
    path.write_text(path.read_text().replace("hosts.ini", "hosts.ini.gz"))
    run_ok(path)
    assert query(tmp_path, "select count(*) from hosts") == [(2,)]


def test_its_keys_are_checked_and_its_name_is_suggested(tmp_path: Path) -> None:
    path = hosts(tmp_path)
    text = path.read_text()
    path.write_text(text.replace("type: ini", "type: inni"))
    [problem] = problems(path)
    assert "sources.hosts.format.type: unknown format 'inni'; did you mean 'ini'?" in problem
    path.write_text(text.replace("type: ini", "type: ini\n      mising: x"))
    [problem] = problems(path)
    assert problem.endswith("sources.hosts.format.mising: unknown key; did you mean 'missing'?")


def test_the_schema_of_the_project_knows_it(tmp_path: Path) -> None:
    path = hosts(tmp_path)
    schema = json.loads(cli(tmp_path, "schema", code=0).stdout)
    validator = Draft202012Validator(schema)
    spec = yaml.safe_load(path.read_text())
    assert list(validator.iter_errors(spec)) == []
    spec["sources"]["hosts"]["format"]["mising"] = "x"
    assert list(validator.iter_errors(spec)) != []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("parser.read_string", "raise ValueError('no [section] here')\n    parser.read_string"), "cannot be read as ini: no [section] here"),
        (('"section": ', '"sektion": '), "'section'"),
    ],
)  # fmt: skip
def test_a_file_that_does_not_fit_leaves_the_table_as_it_was(
    tmp_path: Path, change: tuple[str, str], words: str
) -> None:
    hosts(tmp_path, GOOD)
    cli(tmp_path, "run", "p.yaml", code=0)
    write(tmp_path, "plugins/ini.py", INI.replace(*change))
    done = cli(tmp_path, "run", "p.yaml", "--plain")
    assert done.returncode == 1
    assert words in done.stdout + done.stderr
    assert query(tmp_path, "select count(*) from hosts") == [(2,)]


def test_a_name_that_is_taken_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "plugins/ini.py", INI.replace('"ini"', '"csv"'))
    with pytest.raises(
        PluginError, match=r"the file format 'csv' is claimed by built-in formats and by plugins/ini\.py"
    ):
        _ = Plugins(tmp_path).vocabulary


def test_a_warehouse_that_does_not_load_it_refuses_it(tmp_path: Path) -> None:
    path = hosts(tmp_path)
    lake = """
    import pipekit
    from pipekit.warehouses.duckdb.target import DuckDBTarget

    @pipekit.hookimpl
    def pipekit_warehouses():
        return [pipekit.WarehouseType("lake", DuckDBTarget, None, pipekit.Dialect("duckdb"), lambda o: o.schema_name, formats=("csv",))]
    """
    write(tmp_path, "plugins/lake.py", "\n".join(line[4:] for line in lake.splitlines()))
    path.write_text(path.read_text() + "targets: {local: {type: lake}}\n")
    [problem] = problems(path)
    assert problem.endswith("sources.hosts.format.type: lake does not load the format 'ini'; it loads csv")


def test_it_loads_from_a_bucket_into_snowflake(
    tmp_path: Path,
    emulated: EmulatedSnowflake,  # noqa: F811
    s3: S3,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = hosts(tmp_path, metadata=True)
    uri = s3.upload(tmp_path, s3.bucket(), "in/") + "hosts.ini"
    for key, value in (("ENDPOINT_URL", s3.endpoint), ("ACCESS_KEY_ID", "testing"), ("SECRET_ACCESS_KEY", "testing")):
        monkeypatch.setenv(f"AWS_{key}", value)
    spec = yaml.safe_load(path.read_text())
    spec["sources"]["hosts"]["uri"] = uri
    path.write_text(yaml.safe_dump({**spec, "targets": {"local": emulated.target()}}))
    pipeline = load(path)
    run_ok(path)
    warehouse = pipeline.spec.target.open(tmp_path)
    try:
        rows = warehouse.execute("SELECT section, port, _source_file, _source_row FROM hosts").rows
        assert rows == [("web", 80, uri, 1)]
        [(file, line, column, reason, raw)] = warehouse.execute(
            "SELECT source_file, source_line, column_name, reason, raw_record FROM hosts_rejects"
        ).rows
    finally:
        warehouse.close()
    assert (file, line, column, reason) == (uri, None, "port", "record 2: 'many' is not an integer of 64 bits")
    assert json.loads(raw) == {"section": "mail", "port": "many"}
    assert load(path).run().ok

    spec["sources"]["hosts"]["stage"] = "@landing"
    path.write_text(yaml.safe_dump({**spec, "targets": {"local": emulated.target()}}))
    [problem] = problems(path)
    assert "sources.hosts.stage: ini files are read on this machine" in problem
