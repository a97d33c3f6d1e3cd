"""What the shells complete: in a real bash, zsh and fish, by the script that ``pipekit completion`` prints."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from small_projects import PYTHON, cli, project, write

from pipekit.cli.app import COMMANDS

REPOSITORY = Path(__file__).resolve().parents[2]
HEAVY = ("duckdb", "great_expectations", "snowflake.connector", "sqlglot", "pydantic", "pyarrow", "rich")
SHOP = """
include: [shared.yaml]
sources:
  orders:
    uri: data/
    pattern: "*.csv"
    format: {type: csv}
    columns: {order_id: integer, amount: "number(10,2)"}
steps:
  - {id: load_orders, type: load, source: orders, into: raw_orders, on_error: reject, tags: [early, daily]}
  - {id: load_other, type: load, source: orders, into: raw_other}
  - {id: by_day, type: sql, sql: "select 1 as n", tags: [late]}
  - id: of_customers
    type: features
    from: raw_orders
    entity: order_id
    features: {total: {sql: "sum(amount)"}}
"""
HEADER = '{"event":"RunStarted","run_id":"%s","spec_path":"p.yaml"}\n'


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("shop")
    project(root, SHOP)
    write(root, "shared.yaml", "targets: {nightly: {type: duckdb}, other: {type: duckdb}}\n")
    write(root, "settings/mine.yaml", "a: 1\n")
    write(root, "pipelines/second.yaml", "name: second\nsteps: []\n")
    for run in ("20260101T000000-aa", "20260102T000000-bb"):
        write(root, f".pipekit/runs/delivered/{run}.jsonl", HEADER % run)
    write(root, ".pipekit/runs/delivered/20260103T000000-cc.jsonl", HEADER.replace("p.yaml", "q.yaml") % "x")
    write(root, "bin/pipekit", f"#!{PYTHON}\nfrom pipekit.cli.command import program\nprogram()\n").chmod(0o755)
    return root


def environment(root: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIPEKIT_", "COMP"))}
    return {**kept, "PATH": f"{root / 'bin'}:{kept['PATH']}", "HOME": str(root), "TERM": "dumb", **more}


LINES: Mapping[str, set[str]] = {
    "pipekit rep": {"report"},
    "pipekit run ": {"p.yaml", "pipelines/second.yaml"},
    "pipekit run p.yaml --full": {"--full-refresh"},
    "pipekit run --target ": set(),
    "pipekit run p.yaml --target ": {"nightly", "other"},
    "pipekit run p.yaml --target=ni": {"nightly"},
    "pipekit run p.yaml -s ": {
        *("load_orders", "load_other", "by_day", "of_customers"),
        *("tag:daily", "tag:early", "tag:late"),
    },
    "pipekit plan p.yaml --exclude +by": {"+by_day"},
    "pipekit plan p.yaml --exclude by_day": {"by_day", "by_day+"},
    "pipekit run p.yaml --run-id x --step by": {"by_day"},
    "pipekit rejects p.yaml --step ": {"load_orders"},
    "pipekit runs p.yaml ": {"last", "20260101T000000-aa", "20260102T000000-bb"},
    "pipekit show p.yaml raw_orders": {"raw_orders", "raw_orders_rejects"},
    "pipekit lineage p.yaml of": {"of_customers"},
    "pipekit lineage p.yaml raw_orders.": {"raw_orders.order_id", "raw_orders.amount"},
    "pipekit lineage p.yaml of_customers.": {"of_customers.order_id", "of_customers.total"},
    "pipekit completion ": {"bash", "zsh", "fish"},
}


def test_every_line_is_completed(shop: Path) -> None:
    script = "import os; from pipekit.cli.process import main\nfor line in {lines!r}:\n"
    script += "    os.environ['COMP_LINE'] = line\n    print('LINE', line)\n    try:\n        main()\n"
    script += (
        "    except SystemExit:\n        pass\nimport sys; print('HEAVY', [n for n in {heavy!r} if n in sys.modules])"
    )
    given = environment(shop, _PIPEKIT_COMPLETE="bash_complete", COMP_BREAKS="", PYTHONWARNINGS="ignore")
    text = script.format(lines=list(LINES), heavy=HEAVY)
    done = subprocess.run([PYTHON, "-c", text], cwd=shop, env=given, capture_output=True, text=True, check=True)
    answers = {part.partition("\n")[0]: part.splitlines()[1:] for part in done.stdout.split("LINE ")[1:]}
    proposed = {
        line: {word.removeprefix("plain,") for word in words if word.startswith("plain,")}
        for line, words in answers.items()
    }
    assert proposed == LINES
    assert done.stdout.endswith("HEAVY []\n")


def test_the_commands_are_completed_without_importing_them(shop: Path) -> None:
    script = "from pipekit.cli.process import main\ntry:\n    main()\nexcept SystemExit:\n    pass\n"
    script += "import sys; print([name for name in sys.modules if name in ('pipekit.cli.run', 'yaml')])"
    given = environment(shop, _PIPEKIT_COMPLETE="bash_complete", COMP_LINE="pipekit ")
    done = subprocess.run([PYTHON, "-c", script], cwd=shop, env=given, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [*(f"plain,{name}" for name in COMMANDS), "[]"]


@pytest.mark.parametrize("text", ["steps: [", "- a\n", "steps: 3\n", "steps: [{id: 5}, 6]\ninclude: [../x, 7]\n"])
def test_a_file_that_is_wrong_proposes_nothing_and_says_nothing(tmp_path: Path, text: str) -> None:
    write(tmp_path, "p.yaml", text)
    for line in ("pipekit run p.yaml -s ", "pipekit show p.yaml raw", "pipekit run p.yaml -t "):
        done = cli(tmp_path, _PIPEKIT_COMPLETE="bash_complete", COMP_LINE=line)
        assert (done.stdout.strip(), done.stderr) == ("", "")


def test_no_name_is_read_as_code_or_as_two(tmp_path: Path) -> None:
    ids = r"""["a$(x) `y`;'", "a\tb", "a\nplain,c", "a\u202eb", "a$b:c", 5]"""
    write(tmp_path, "p.yaml", f"steps: [{', '.join(f'{{id: {each}}}' for each in ids[1:-1].split(', '))}]\n")
    done = cli(tmp_path, _PIPEKIT_COMPLETE="bash_complete", COMP_LINE="pipekit run p.yaml -s a", COMP_BREAKS="")
    assert done.stdout.splitlines() == [r"plain,a\$\(x\)\ \`y\`\;\'", r"plain,a\$b:c"]


def typed(root: Path, shell: list[str], *lines: str, until: str, **more: str) -> str:
    """What a shell in a terminal shows after these keys, up to a text."""
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(root)
        os.execvpe(shell[0], shell, environment(root, **more))
    shown = ""
    try:
        for line in lines:
            os.write(terminal, line.encode())
            time.sleep(0.3)
        end = time.monotonic() + 60
        while not re.search(until, shown) and time.monotonic() < end:
            if select.select([terminal], [], [], 0.5)[0]:
                shown += os.read(terminal, 65536).decode(errors="replace")
    finally:
        os.close(terminal)
        os.waitpid(process, 0)
    return shown


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_bash_completes_in_a_terminal(shop: Path) -> None:
    load = 'bind "set enable-bracketed-paste off"; eval "$(pipekit completion bash)"; PS1=READY; echo\n'
    shown = typed(
        shop,
        ["bash", "--norc", "-i"],
        load,
        "echo -pipekit- ; pipekit run p.yaml -t ni\t-s tag:la\t-x +by\t\n",
        until=r"\+by_day",
    )
    assert "-t nightly -s tag:late -x +by_day" in shown


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_completes_in_a_terminal(shop: Path) -> None:
    load = 'autoload -U compinit; compinit -u; eval "$(pipekit completion zsh)"; unsetopt zle_bracketed_paste\n'
    keys = "pipekit run p.yaml -t ni\t-s tag:la\t-x +by\t\n"
    shown = typed(shop, ["zsh", "-f", "-i"], load, keys, until=r"\+by_day")
    assert re.search(r"nightly.*tag:late.*\+by_day", shown, re.DOTALL)


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_completes(shop: Path) -> None:
    tags = {"pipekit run p.yaml -s tag:": {"tag:daily", "tag:early", "tag:late"}}
    for line, expected in (*tags.items(), *list(LINES.items())[4:5]):
        done = subprocess.run(
            ["fish", "--no-config", "-c", f"pipekit completion fish | source; complete -C '{line}'"],
            cwd=shop,
            env=environment(shop),
            capture_output=True,
            text=True,
            check=True,
        )
        assert {word.partition("\t")[0] for word in done.stdout.split("\n") if word} == expected
