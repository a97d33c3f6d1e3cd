"""Other connectors, in environments of their own, as clients of the emulator: fakesnow itself needs 4.x."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from emulator.fixtures import EmulatedSnowflake, emulated, s3, snowflake_account  # noqa: F401 - fixtures

CLIENT = Path(__file__).with_name("emulator") / "client.py"
REPOSITORY = Path(__file__).resolve().parents[1]


def run_client(python: str, account: EmulatedSnowflake, folder: Path) -> str:
    """The client's output: the version of its connector."""
    landing = folder / "landing"
    landing.mkdir()
    done = subprocess.run(
        [python, str(CLIENT), json.dumps(account.target()), str(landing)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def test_a_load_on_the_installed_connector(snowflake_account: EmulatedSnowflake, tmp_path: Path) -> None:  # noqa: F811
    assert run_client(sys.executable, snowflake_account, tmp_path).startswith("4.")


@pytest.mark.long
def test_a_load_on_the_connector_of_another_environment(
    snowflake_account: EmulatedSnowflake,  # noqa: F811
    tmp_path: Path,
) -> None:
    python = os.environ.get("PIPEKIT_CLIENT_PYTHON")  # as tests/ranges/check.py says; else one with 5.x is made
    if python is None:
        venv = tmp_path / "venv"
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        python = str(venv / "bin/python")
        needed = ["snowflake-connector-python>=5,<6", "pyarrow", "pydantic>=2.9", "snowflake-sqlalchemy"]
        subprocess.run([python, "-m", "pip", "install", "-q", *needed], check=True)
    assert run_client(python, snowflake_account, tmp_path).startswith(("4.", "5."))
