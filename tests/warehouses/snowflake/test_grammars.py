"""Every statement that is sent is one in two grammars of Snowflake's SQL."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from emulator.costs import KINDS, delivery, write_kinds
from emulator.fixtures import S3, EmulatedSnowflake
from projects import BANK, MARKETING, copy_project, pipekit
from shipped.test_pipelines_on_snowflake import AWS, write_keys

from pipekit import Pipeline
from warehouses.snowflake.grammars import GAPS, accepted, golden, refusals, refused_by_sqlfluff


def test_the_golden_statements_are_in_both_grammars() -> None:
    assert refusals(golden(), accepted()) == {}


def test_sqlfluff_sees_what_is_wrong() -> None:
    pytest.importorskip("sqlfluff", reason="an environment older than the lock")
    assert refused_by_sqlfluff("CREATE OR REPLACE TEMPORARY TABLE T (A NUMBER(38,0)) CLUSTERED") is not None
    assert all(page.startswith("https://docs.snowflake.com/en/") for *_, page in GAPS)


@pytest.mark.long
def test_all_statements_of_every_kind_of_step_and_of_the_shipped_pipelines(
    snowflake_account: EmulatedSnowflake,
    s3: S3,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in AWS.items():
        monkeypatch.setenv(name, value)
    uri = s3.upload(delivery(tmp_path / "in", "a", 1), s3.bucket(), "in/").rstrip("/")
    kinds = tmp_path / "kinds"
    kinds.mkdir()
    (kinds / "pyproject.toml").write_text("[tool.pipekit]\n")
    target = snowflake_account.target()
    for _ in range(2):
        assert Pipeline.from_file(write_kinds(kinds, target, uri, KINDS)).run().ok
    project = copy_project(tmp_path / "project")
    write_keys(project / "pipelines/shared/targets.yaml", target)
    write_keys(project / MARKETING, target)
    for path, place in ((MARKETING, "marketing_engagement"), (BANK, "bank_marketing")):
        landing = s3.upload(project / f"pipelines/data/{place}", s3.bucket(), "in/").rstrip("/")
        variable = {f"{place.split('_')[0].upper()}_LANDING": landing}
        done = pipekit(project, "run", path, "--target", "snowflake", **variable, **AWS)
        assert done.returncode == 0, done.stdout + done.stderr
    sent = {s["sql"] for s in snowflake_account.statements()} | set(golden())
    sent = {sql for sql in sent if not re.match(r"PUT 'file://[^/]", sql)}
    wrong = refusals(sorted(sent), set())
    with capsys.disabled():
        print(f"\n{len(sent)} statements; {len(wrong)} are refused by sqlglot or sqlfluff")
    assert wrong == {}
