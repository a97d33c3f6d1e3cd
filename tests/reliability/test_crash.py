"""A run that is killed at any moment leaves every table wholly old or wholly new, and the next run is simply right."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
from emulator.fixtures import EmulatedSnowflake, emulated, s3  # noqa: F401 - fixtures

from reliability.crash import Ground, Moment, events
from reliability.small import (
    APPENDING_PROJECT,
    AUDITED_PROJECT,
    BANK_PROJECT,
    BRIEF_PROJECT,
    MARKETING_PROJECT,
    REPLACING_PROJECT,
    RESENT_PROJECT,
    Project,
)

PROJECTS = {project.name: project for project in (MARKETING_PROJECT, APPENDING_PROJECT, RESENT_PROJECT)}
SEED = 20240701
PARTS = 24  # each of some minutes, with moments of every kind


@pytest.fixture(scope="module")
def grounds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ground]:
    return {name: Ground(project, tmp_path_factory.mktemp(name)) for name, project in PROJECTS.items()}


def everywhere(ground: Ground) -> list[Moment]:
    """Every event, both sides of every statement, and as many moments in between."""
    chance = random.Random(SEED)
    told = [Moment("event", n) for n in range(1, len(ground.told) + 1)]
    sent = [Moment(side, n) for n in range(1, ground.ended.statements + 1) for side in ("before", "after")]
    times = [Moment("time", chance.randint(1, ground.ended.milliseconds + 50)) for _ in range(len(told) + len(sent))]
    return told + sent + times


def some(ground: Ground, count: int) -> list[Moment]:
    """A few of them, of every kind; the same ones each time."""
    return sorted(random.Random(SEED).sample(everywhere(ground), count), key=lambda moment: (moment.kind, moment.n))


def kill_and_go_on(ground: Ground, moment: Moment) -> bool:
    """Kill a run, look, run again, look. Says whether the process was killed before its end."""
    ground.restore()
    before = set(events(ground.root))
    killed = ground.run(moment).killed
    halfway = ground.contents()
    for table, rows in halfway.items():
        assert rows in (ground.old[table], ground.new[table]), f"{moment}: {table} is neither old nor new"
    told = {run: lines for run, lines in events(ground.root).items() if run not in before}
    ended = any(line["event"] == "RunFinished" for lines in told.values() for line in lines)

    assert not ground.run(Moment("none", 0)).killed

    assert ground.contents() == ground.new, f"{moment}: the next run made other tables"
    assert set(ground.rejects()) <= set(ground.rejected), f"{moment}: a part of the rejects"
    _logs_are_whole(ground, moment, told, abandoned=bool(told) and not ended)
    _nothing_is_left(ground)
    return killed


def _logs_are_whole(ground: Ground, moment: Moment, told: dict[str, list[dict]], *, abandoned: bool) -> None:
    logged = Counter(log for (log,) in ground.read("SELECT log_id FROM ingestion_logs"))
    checked = Counter(check for (check,) in ground.read("SELECT check_id FROM dq_check_logs"))
    for run, lines in told.items():
        for line in lines:
            where = checked if line["event"] == "CheckEvaluated" else logged
            if line["event"] not in ("FileLoaded", "StepProgressed"):
                assert where[f"{run}-{line['seq']:06d}"] == 1, f"{moment}: {line} is not in the log tables, or twice"
        ends = ground.read(f"SELECT status FROM ingestion_logs WHERE run_id = '{run}' AND step_name IS NULL")
        assert (("ABANDONED",) in ends) == abandoned, f"{moment}: {ends}"
    assert max((*logged.values(), *checked.values())) == 1


def _nothing_is_left(ground: Ground) -> None:
    here = "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
    tables = {name.lower() for (name,) in ground.read(here)}
    assert not {name for name in tables if "__pipekit" in name}
    assert not list((ground.root / ".pipekit/runs").glob("*.jsonl"))


@pytest.mark.parametrize(("name", "kills"), [("marketing", 3), ("appending", 3), ("resent", 2)])
def test_killed_at_some_moments(grounds: dict[str, Ground], name: str, kills: int) -> None:
    killed = [kill_and_go_on(grounds[name], moment) for moment in some(grounds[name], kills)]

    assert sum(killed) >= kills * 3 // 4  # the others had ended before their moment came


def test_killed_between_the_delete_and_the_insert_of_a_part(tmp_path: Path) -> None:
    ground = Ground(REPLACING_PROJECT, tmp_path)
    for table in REPLACING_PROJECT.tables:
        assert kill_and_go_on(ground, Moment("after", 1, f'DELETE FROM "{table}"')), table


@pytest.mark.long
@pytest.mark.parametrize("name", PROJECTS)
def test_killed_everywhere(grounds: dict[str, Ground], name: str, capsys: pytest.CaptureFixture[str]) -> None:
    moments = everywhere(grounds[name])
    killed = [kill_and_go_on(grounds[name], moment) for moment in moments]

    with capsys.disabled():
        print(f"\n{name}: {sum(killed)} runs killed, {len(moments) - sum(killed)} had ended before")
    assert sum(killed) >= 100


# Snowflake -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "project",
    [pytest.param(BRIEF_PROJECT, id="brief", marks=pytest.mark.long), pytest.param(RESENT_PROJECT, id="resent")],
)
def test_killed_on_snowflake(emulated: EmulatedSnowflake, tmp_path: Path, project: Project) -> None:  # noqa: F811
    ground = Ground(project, tmp_path, emulated.target, lambda: emulated.control(end_sessions=True))
    moments = [moment for moment in everywhere(ground) if moment.kind != "time"]  # those that surely come

    assert kill_and_go_on(ground, random.Random(SEED).choice(moments))


def test_killed_between_the_delete_and_the_insert_of_a_part_on_snowflake(
    emulated: EmulatedSnowflake,  # noqa: F811
    tmp_path: Path,
) -> None:
    ground = Ground(REPLACING_PROJECT, tmp_path, emulated.target, lambda: emulated.control(end_sessions=True))
    assert kill_and_go_on(ground, Moment("after", 1, 'DELETE FROM "SALES"'))


def test_the_helper_of_an_audited_table_that_a_killed_run_left_is_dropped_on_snowflake(
    emulated: EmulatedSnowflake,  # noqa: F811
    tmp_path: Path,
) -> None:
    ground = Ground(AUDITED_PROJECT, tmp_path, emulated.target, lambda: emulated.control(end_sessions=True))
    assert kill_and_go_on(ground, Moment("after", 1, 'CREATE OR REPLACE TABLE "WORDS__PIPEKIT_'))


@pytest.mark.long
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize(
    "project", [RESENT_PROJECT, MARKETING_PROJECT, BANK_PROJECT], ids=["resent", "marketing", "bank"]
)
def test_killed_often_on_snowflake(
    emulated: EmulatedSnowflake,  # noqa: F811
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    project: Project,
    part: int,
) -> None:
    ground = Ground(project, tmp_path, emulated.target, lambda: emulated.control(end_sessions=True))
    moments, killed = everywhere(ground)[part::PARTS], 0
    for number, moment in enumerate(moments, 1):
        killed += kill_and_go_on(ground, moment)
        with capsys.disabled():
            print(f"\n{project.name}, part {part}: {killed} of {number} runs killed", flush=True)
    assert killed >= len(moments) // 2


LOST = {
    "before": {"what": "drop", "when": "before"},
    "after": {"what": "drop", "when": "after"},
    "before, for good": {"what": "drop", "when": "before", "lasting": True},
    "after, for good": {"what": "drop", "when": "after", "lasting": True},
}


@pytest.mark.long
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("project", [MARKETING_PROJECT, BANK_PROJECT], ids=["marketing", "bank"])
def test_requests_of_a_shipped_pipeline_are_lost(
    emulated: EmulatedSnowflake,  # noqa: F811
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    project: Project,
    part: int,
) -> None:
    ground = Ground(
        project, tmp_path, lambda: emulated.target(network_timeout=2), lambda: emulated.control(end_sessions=True)
    )
    outcomes: Counter[str] = Counter()
    for n in range(part + 1, ground.ended.statements + 1, PARTS):
        how = list(LOST)[(n + n // PARTS) % len(LOST)]
        outcomes[lose_and_go_on(ground, emulated, n, how)] += 1
        with capsys.disabled():
            print(
                f"\n{project.name}, request {n} of {ground.ended.statements} lost {how}: {dict(outcomes)}", flush=True
            )
    assert outcomes.total()


def lose_and_go_on(ground: Ground, account: EmulatedSnowflake, n: int, how: str) -> str:
    """Lose a request of a run, look, run again, look. Says how the first run ended."""
    ground.restore()
    account.control(reset=True, faults=[{"nth": n, **LOST[how]}])
    failed = ground.run(Moment("none", 0), may_end=(1,)).killed
    account.control(reset=True)
    for table, rows in ground.contents().items():
        assert rows in (ground.old[table], ground.new[table]), f"{n} {how}: {table} is neither old nor new"
        assert failed or rows == ground.new[table], f"{n} {how}: success was reported, {table} is old"
    assert not ground.run(Moment("none", 0)).killed
    assert ground.contents() == ground.new, f"{n} {how}: the next run made other tables"
    _nothing_is_left(ground)
    return "failed clearly" if failed else "ended right"
