"""For authors of step types: run one step on a temporary DuckDB database, with the tables that it needs.

run = run_step(my_type, {"table": "orders"}, {"orders": [{"id": 1}, {"id": 2}]})
assert run.rows("result") == [{"n": 2}]
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeAlias

from pipekit.events import Bus, Event
from pipekit.names import Table
from pipekit.pipeline.model import PipelineSpec
from pipekit.pipeline.reading.read import read_pipeline
from pipekit.plugins.registry import Plugins
from pipekit.step import StepResult, StepType
from pipekit.warehouses.contract import Warehouse

if TYPE_CHECKING:
    import pyarrow as pa


Rows: TypeAlias = "list[dict[str, Any]] | pa.Table"


@dataclass
class StepRun:
    """The result of one step, and its database.

    Attributes:
        result: What the step returned.
        events: What it emitted, in order.
        spec: The pipeline of this one step.
        warehouse: The open session.
    """

    spec: PipelineSpec
    warehouse: Warehouse
    result: StepResult = field(default_factory=StepResult)
    events: list[Event] = field(default_factory=list)
    _folder: TemporaryDirectory[str] | None = None

    def rows(self, table: str, order_by: str = "ALL") -> list[dict[str, Any]]:
        """All rows of a table, in the order of ``order_by``; by all columns if left out."""
        name = self.warehouse.quote(Table.parse(table))
        rows: list[dict[str, Any]] = self.warehouse.read_arrow(f"SELECT * FROM {name} ORDER BY {order_by}").to_pylist()
        return rows

    def exists(self, table: str) -> bool:
        """Whether there is such a table."""
        return self.warehouse.exists(Table.parse(table))

    def again(self) -> StepResult:
        """Run the same step once more on the same database.

        Raises:
            PipekitError: Whatever the step raises.
        """
        [step] = self.spec.steps
        bus = Bus("test", [self])
        self.result = step.type.result_of(step.options, self.spec.context(step, "test", self.warehouse, bus.emit))
        return self.result

    def handle(self, event: Event) -> None:
        """Keep an event."""
        self.events.append(event)

    def close(self) -> None:
        """End the session; the database goes with the run."""
        self.warehouse.close()


def run_step(
    step_type: StepType[Any] | str,
    options: Mapping[str, Any],
    tables: Mapping[str, Rows] | None = None,
    *,
    root: Path | None = None,
    file: Mapping[str, Any] | None = None,
) -> StepRun:
    """Validate the options as those of a pipeline file, create the tables, and run the step once.

    Args:
        step_type: The step type, or the name of a built-in one or of one from ``root``.
        options: The step's keys as in a pipeline file; ``id`` is ``step`` unless it is given.
        tables: Tables that exist before, as rows or as Arrow.
        root: A project whose ``templates/`` and ``plugins/`` the step may use.
        file: Further keys of the pipeline file: ``vars``, ``suites``, ``sources``, ``as_of``.

    Raises:
        SpecError: The options are refused.
        PipekitError: Whatever the step raises.
    """
    folder = TemporaryDirectory(prefix="pipekit-test-")
    home = Path(folder.name)
    for part in ("templates", "plugins"):
        if root is not None and (root / part).is_dir():
            shutil.copytree(root / part, home / part)
    spec = _read(home, step_type, options, list(tables or ()), file or {})
    run = StepRun(spec, spec.open(), _folder=folder)
    for name, data in (tables or {}).items():
        run.warehouse.write_arrow(Table.parse(name), _arrow(data))
    run.again()
    return run


def _read(
    home: Path, step_type: StepType[Any] | str, options: Mapping[str, Any], tables: list[str], file: Mapping[str, Any]
) -> PipelineSpec:
    vocabulary = Plugins(home).vocabulary
    if not isinstance(step_type, str):
        types = {**vocabulary.step_types, step_type.name: step_type}
        vocabulary = replace(vocabulary, step_types=types)
    name = step_type if isinstance(step_type, str) else step_type.name
    step = {"id": "step", "type": name, **options}
    content = {"name": "test", "external": tables, "as_of": "2024-07-01", **file, "steps": [step]}
    path = home / "pipeline.yaml"
    path.write_text(json.dumps(content), encoding="utf-8")
    return read_pipeline(path, vocabulary)


def _arrow(data: Any) -> pa.Table:
    import pyarrow as pa

    return data if isinstance(data, pa.Table) else pa.Table.from_pylist(data)
