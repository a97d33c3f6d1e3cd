"""Plugins: found, refused when they clash, and documented: the code in docs/plugins.md is run here."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from small_projects import cli, load, problems, project, query, run_ok, snapshot, write

from pipekit.errors import PluginError
from pipekit.plugins import hooks as hookspecs
from pipekit.plugins.registry import Plugins

DOCS = Path(__file__).resolve().parents[2] / "docs/plugins.md"
HOOKS = sorted(name for name in vars(hookspecs) if name.startswith("pipekit_"))
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
PYTHON = [text for language, text in BLOCKS if language == "python"]
YAML, HOSTS = [text for language, text in BLOCKS if language == "yaml"]
ACME, ORIGINS, LAKE, INI, TEST, MAKE = PYTHON


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_documented_and_shown_in_working_code(hook: str) -> None:
    assert f"| `{hook}(" in DOCS.read_text(encoding="utf-8")
    assert f"def {hook}(" in ACME + LAKE + INI + MAKE
    assert getattr(hookspecs, hook).__doc__


def acme(tmp_path: Path) -> Path:
    return project(tmp_path, YAML, plugins__acme=ACME, plugins__lake=LAKE)


def test_the_documented_step_type_and_template_global_work(tmp_path: Path) -> None:
    run_ok(acme(tmp_path))
    assert query(tmp_path, "select id, amount from orders order by id") == [(1, 150), (2, 70)]
    misspelt = write(tmp_path, "q.yaml", YAML.replace("key: id", "kee: id"))
    assert problems(misspelt) == ["9: steps.orders.kee: unknown key; did you mean 'key'?"]


def test_the_documented_origins_are_lineage(tmp_path: Path) -> None:
    last = "writes=lambda options, project: [options.into],\n"
    assert last in ACME
    text = ORIGINS + "\n\n" + ACME.replace(last, last + "            origins=origins,\n")
    text = "from __future__ import annotations\n\nimport pipekit\n\n\n" + text
    lineage = load(project(tmp_path, YAML, plugins__acme=text, plugins__lake=LAKE)).lineage()
    origin = lineage.origin(lineage.find("orders.amount"))
    assert ({str(ref) for ref in origin.direct}, {str(ref) for ref in origin.indirect}) == (
        {"raw_orders.amount"},
        {"raw_orders.id"},
    )


def test_the_documented_sink_gets_the_events(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = acme(tmp_path)
    path.write_text(YAML.replace("key: id", "key: nope"))
    load(path).run()
    assert capsys.readouterr().out == "ding: orders\n"


def test_the_documented_command_and_its_misspelling(tmp_path: Path) -> None:
    acme(tmp_path)
    assert cli(tmp_path, "greet", "you", code=0).stdout == "hello you\n"
    assert "No such command 'gret'; did you mean 'greet'?" in cli(tmp_path, "gret", code=2).stderr


def test_the_documented_warehouse_opens(tmp_path: Path) -> None:
    acme(tmp_path)
    path = write(tmp_path, "q.yaml", YAML + "targets: {local: {type: lake, path: lake.duckdb}}\n")
    run_ok(path)
    assert (tmp_path / "lake.duckdb").is_file()


def test_the_documented_test_of_a_step_type_passes(tmp_path: Path) -> None:
    acme(tmp_path)
    subprocess.run([sys.executable, "-c", TEST], cwd=tmp_path, check=True, timeout=60)


def plugin(tmp_path: Path, **files: str) -> Plugins:
    for name, text in files.items():
        write(tmp_path, f"plugins/{name}.py", "import pipekit\n" + textwrap.dedent(text))
    return Plugins(tmp_path)


STEP = """
@pipekit.hookimpl
def pipekit_step_types():
    return [pipekit.StepType({name!r}, pipekit.StepOptions, lambda options, context: pipekit.StepResult())]
"""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def pipekit_step_type(): return []", "plugins/a.py: there is no hook pipekit_step_type; did you mean pipekit_step_types"),
        ("@pipekit.hookimpl\ndef pipekit_before_run(): return []", "there is no hook pipekit_before_run"),
        ("def pipekit_step_types(): return []", "plugins/a.py: pipekit_step_types lacks @pipekit.hookimpl"),
        ("@pipekit.hookimpl\ndef pipekit_sinks(pipelin, run_id): return []", "plugins/a.py: "),
        ("import no_such_module", "plugins/a.py:2: needs the module no_such_module, which is not installed"),
        ("1 / 0", "plugins/a.py:2: raised ZeroDivisionError: division by zero"),
        ("@pipekit.hookimpl\ndef pipekit_step_types(): return {'a': 1}", "pipekit_step_types returned a dict; it must return a list"),
        ("def (", "plugins/a.py:2: invalid syntax\n  2 | def (\n    |     ^"),
        (STEP.format(name="sql"), "the step type 'sql' is claimed by built-in sql and by plugins/a.py"),
        ("@pipekit.hookimpl\ndef pipekit_step_types(): return 1 / 0", "plugins/a.py:3: pipekit_step_types raised ZeroDivisionError"),
        ("@pipekit.hookimpl\ndef pipekit_step_types(): pass", "plugins/a.py: pipekit_step_types returned nothing; it must return a list; docs/plugins.md"),
        ("@pipekit.hookimpl\ndef pipekit_template_globals(): return {'var': len}", "the template global 'var' of plugins/a.py is taken"),
    ],
)  # fmt: skip
def test_what_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(PluginError) as caught:
        _ = plugin(tmp_path, a=text).vocabulary
    assert words in str(caught.value)


def test_two_plugins_that_claim_one_name(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match=r"the step type 'mine' is claimed by plugins/a\.py and by plugins/b\.py"):
        _ = plugin(tmp_path, a=STEP.format(name="mine"), b=STEP.format(name="mine")).vocabulary
    command = "import click\n@pipekit.hookimpl\ndef pipekit_commands(): return [click.Command('run')]\n"
    write(tmp_path, "plugins/a.py", "import pipekit\n" + command)
    (tmp_path / "plugins/b.py").unlink()
    assert "the command 'run' of a plugin is built in" in cli(tmp_path, "other", code=2).stderr


def test_a_refused_plugin_ends_with_2_and_touches_nothing(tmp_path: Path) -> None:
    project(tmp_path, "steps: [{id: a, type: sql, sql: select 1 as x}]\n", plugins__a="def pipekit_sink(): pass\n")
    before = snapshot(tmp_path)
    assert "did you mean pipekit_sinks?" in cli(tmp_path, "run", "p.yaml", code=2).stderr
    assert snapshot(tmp_path) == before
    cli(tmp_path, "run", "p.yaml", "--no-plugins", code=0)


def test_modules_and_names_with_the_prefix_are_no_hooks(tmp_path: Path) -> None:
    plugins = plugin(
        tmp_path, a="import pipekit as pipekit_alias\npipekit_version = 3\n" + STEP.format(name="mine"), _hidden="1 / 0"
    )
    assert "mine" in plugins.vocabulary.step_types
    assert "mine" not in Plugins(tmp_path, project_code=False).vocabulary.step_types


def test_an_installed_plugin_is_found_by_its_entry_point(tmp_path: Path) -> None:
    site = tmp_path / "site"
    write(site, "acme_pipekit.py", "import pipekit\n" + STEP.format(name="installed"))
    write(site, "acme-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    write(site, "acme-1.0.dist-info/entry_points.txt", "[pipekit]\nacme = acme_pipekit\n")
    project(tmp_path, "steps: [{id: a, type: installed}]\n")
    done = cli(tmp_path, "run", "p.yaml", "--plain", code=0, PYTHONPATH=str(site))
    assert "a: SUCCEEDED" in done.stdout
    cli(tmp_path, "run", "p.yaml", "--no-plugins", code=0, PYTHONPATH=str(site))
    write(site, "acme_pipekit.py", "1 / 0\n")
    assert (
        "the installed plugin acme cannot be imported"
        in cli(tmp_path, "validate", "p.yaml", code=2, PYTHONPATH=str(site)).stderr
    )


def test_helpers_beside_a_plugin_are_imported_as_people_write_it(tmp_path: Path) -> None:
    for how in ("from helper import V", "from plugins.helper import V", "from .helper import V", "import helper"):
        root = tmp_path / str(len(how))
        write(root, "plugins/helper.py", "V = 1\n")
        write(root, "plugins/a.py", f"{how}\n")
        Plugins(root)
        assert "helper" not in sys.modules


def test_a_plugin_that_exits_or_leads_out_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "one", "plugins/a.py", "import sys\nsys.exit(0)\n")
    with pytest.raises(PluginError, match=r"plugins/a.py:2: called exit\(0\)"):
        Plugins(tmp_path / "one")
    away = write(tmp_path, "away/a.py", "")
    (tmp_path / "two/plugins").mkdir(parents=True)
    (tmp_path / "two/plugins/a.py").symlink_to(away)
    with pytest.raises(PluginError, match="leads out of the project"):
        Plugins(tmp_path / "two")


@pytest.mark.parametrize("hook", ["step_types", "materializations"])
def test_a_hook_that_returns_something_else_is_named(tmp_path: Path, hook: str) -> None:
    text = f"import pipekit\n\n@pipekit.hookimpl\ndef pipekit_{hook}():\n    return ['mine']\n"
    path = project(tmp_path, "steps: [{id: a, type: sql, sql: select 1 as x}]", plugins__acme=text)
    with pytest.raises(PluginError, match=f"plugins/acme.py: pipekit_{hook} returned the value 'mine', not a "):
        load(path)
