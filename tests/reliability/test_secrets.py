"""Canaries: what logs a user in is nowhere in what pipekit writes or shows, whether the run succeeds, fails or breaks."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from emulator.fixtures import EmulatedSnowflake, emulated, s3, snowflake_account  # noqa: F401 - fixtures
from projects import pipekit

from pipekit.warehouses.snowflake.target import SnowflakeTarget
from pipekit.warehouses.snowflake.warehouse import open_snowflake

PASSPHRASE, TOKEN = "canary-passphrase", "canary-token"
PIPELINE = """
name: small
target: there
sources:
  given: {uri: in, format: {type: csv}, columns: {id: integer, name: varchar}}
steps:
  - {id: things, type: load, source: given, audit: [{expect_column_values_to_be_unique: {column: id}}]}
"""
LOGINS: dict[str, dict[str, Any]] = {
    "token": {"authenticator": "oauth", "token": "{{ env('GIVEN_TOKEN') }}"},
    "key": {"private_key_file": "key.p8", "private_key_file_pwd": "{{ env('GIVEN_PASSPHRASE') }}"},
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Two files of which the second breaks the audit, and a private key."""
    root = tmp_path / "project"
    (root / "in").mkdir(parents=True)
    (root / "in/a.csv").write_text("id,name\n1,x\n")
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    kind = serialization.BestAvailableEncryption(PASSPHRASE.encode())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, kind)
    (root / "key.p8").write_bytes(pem)
    (tmp_path / "tmp").mkdir()
    return root


def say_target(project: Path, target: dict[str, Any]) -> None:
    (project / "p.yaml").write_text(f"{PIPELINE}targets: {json.dumps({'there': target})}\n")


def run(
    project: Path, *more: str, passphrase: str = PASSPHRASE, command: str = "run"
) -> subprocess.CompletedProcess[str]:
    given = {"GIVEN_TOKEN": TOKEN, "GIVEN_PASSPHRASE": passphrase, "TMPDIR": str(project.parent / "tmp")}
    return pipekit(project, command, "p.yaml", *more, **given)


def tell_no_secret(project: Path, *written: Any) -> None:
    """Search what was shown, and every file below the project and in its folder for temporary files."""
    ours = ("p.yaml", "key.p8", "canary.py")
    paths = [path for path in project.parent.rglob("*") if path.is_file() and path.name not in ours]
    texts = [
        *map(str, written),
        *(path.read_bytes().decode(errors="replace") for path in paths if path.suffix != ".pyc"),
    ]
    key = [line for line in (project / "key.p8").read_text().splitlines() if len(line) > 20]
    for text in texts:
        assert "canary" not in re.sub(r"canary\.py", "", text)
        assert not [line for line in key if line in text]


def in_the_logs(target: dict[str, Any], project: Path) -> list[str]:
    warehouse = open_snowflake(SnowflakeTarget.model_validate(target), project)
    try:
        tables = ("INGESTION_LOGS", "DQ_CHECK_LOGS", "INGESTION_FILES")
        return [str(warehouse.execute(f"SELECT * FROM {name}").rows) for name in tables]
    finally:
        warehouse.close()


@pytest.mark.parametrize("login", LOGINS)
def test_a_run_tells_no_secret(login: str, project: Path, snowflake_account: EmulatedSnowflake) -> None:  # noqa: F811
    target = snowflake_account.target()
    plain = {key: value for key, value in target.items() if key != "password"}
    say_target(project, plain | LOGINS[login])

    good = run(project, "--json")
    (project / "in/b.csv").write_text("id,name\n1,y\n")
    bad = run(project, "--verbose")

    assert (good.returncode, bad.returncode) == (0, 1), good.stdout + good.stderr + bad.stdout + bad.stderr
    logs = in_the_logs(target, project)
    assert "things" in logs[0]
    tell_no_secret(project, good, bad, *logs)


def test_a_login_that_fails_tells_no_secret(project: Path, snowflake_account: EmulatedSnowflake) -> None:  # noqa: F811
    target = snowflake_account.target(login_timeout=2)
    say_target(project, target | LOGINS["key"])
    wrong = run(project, "--json", passphrase="canary-other")
    snowflake_account.control(faults=[{"match": "^LOGIN", "nth": 0, "what": "status", "status": 403}])
    say_target(project, target | LOGINS["token"])
    refused = run(project, "--verbose")

    assert (wrong.returncode, refused.returncode) == (1, 1)
    assert "private_key_file" in wrong.stdout
    assert "FAILED" in refused.stdout
    tell_no_secret(project, wrong, refused)


def test_a_key_in_the_place_of_its_path_is_refused_and_not_shown(project: Path) -> None:
    key = (project / "key.p8").read_text()
    say_target(project, {"type": "snowflake", "account": "a", "private_key_file": key})

    done = run(project)

    assert done.returncode == 2
    assert "is the path of a file" in done.stderr
    tell_no_secret(project, done)


def test_a_crash_of_the_command_tells_where_but_no_secret(project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool.pipekit]\n")
    (project / "plugins").mkdir()
    (project / "plugins/canary.py").write_text(
        "import os\nimport click\nfrom pipekit import hookimpl\n\n\n"
        "@click.command()\n@click.argument('spec')\ndef explode(spec):\n"
        "    try:\n        int(os.environ['GIVEN_TOKEN'])\n"
        "    except ValueError as error:\n        raise RuntimeError(os.environ['GIVEN_PASSPHRASE']) from error\n\n\n"
        "@hookimpl\ndef pipekit_commands():\n    return [explode]\n"
    )

    done = run(project, command="explode")

    assert done.returncode == 3, done.stdout + done.stderr
    assert "RuntimeError" in done.stderr
    [trace] = (project.parent / "tmp").glob("pipekit-crash-*")
    assert "ValueError" in trace.read_text()
    assert "in explode" in trace.read_text()
    tell_no_secret(project, done)
