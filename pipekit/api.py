"""pipekit as a library: a pipeline that can be validated, run and inspected."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from pydantic import ValidationError

from pipekit.doctor import look_at
from pipekit.errors import PluginError, Problem, SpecError
from pipekit.export.contract import Exported, ExportError
from pipekit.export.pipeline import exported
from pipekit.findings import Finding
from pipekit.given import Given, read_dotenv
from pipekit.names import Table
from pipekit.own_tables import NEWEST_FIRST, SETUP
from pipekit.pipeline.model import OrderedStep, PipelineSpec
from pipekit.pipeline.reading.checking import explain
from pipekit.plugins.registry import Plugins
from pipekit.project import find_root
from pipekit.runs import processes
from pipekit.runs.ids import is_run_id, new_run_id
from pipekit.runs.prune import PruneReport, prune
from pipekit.runs.result import RunResult
from pipekit.runs.resume import EarlierRun, last_target
from pipekit.runs.run import RunOptions, run_pipeline
from pipekit.runs.sync import SyncReport, sync
from pipekit.scrubbing import Secrets, clean_errors, hide, keeping, looks_secret
from pipekit.steps.rejects import read_rejects
from pipekit.steps.replay import rejecting_load, with_file
from pipekit.warehouses.contract import Setup

if TYPE_CHECKING:
    import pyarrow as pa

    from pipekit.events import Sink


P = ParamSpec("P")
T = TypeVar("T")


def _keeping_secrets(
    method: Callable[Concatenate[Pipeline, P], T],
) -> Callable[Concatenate[Pipeline, P], T]:
    """The method, in which what is secret to this pipeline is hidden, and nothing of another one."""

    @wraps(method)
    def within(pipeline: Pipeline, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with keeping(pipeline._secrets), clean_errors():
            return method(pipeline, *args, **kwargs)

    return within


def _several(given: str | Sequence[str]) -> Sequence[str]:
    return (given,) if isinstance(given, str) else tuple(given)


class Pipeline:
    """A valid pipeline file.

    Attributes:
        spec: Everything the file says, rendered and validated.
    """

    def __init__(
        self, spec: PipelineSpec, plugins: Plugins, given: Given | None = None, secrets: Secrets | None = None
    ) -> None:
        self.spec = spec
        self._plugins = plugins
        self._given = given or Given()
        self._secrets = secrets or Secrets()

    @classmethod
    def from_file(
        cls,
        path: str | Path,
        *,
        target: str | None = None,
        vars: Mapping[str, Any] | None = None,
        as_of: str | None = None,
        project_code: bool = True,
    ) -> Pipeline:
        """Read and validate a pipeline file. Nothing is opened or written.

        The project's ``.env`` is read first; what the environment says already wins.

        Args:
            path: The file.
            target: A target of the file; its own choice, or ``PIPEKIT_TARGET``, if left out.
            vars: Values that win over the file's ``vars``.
            as_of: The run's clock, ISO 8601; the file's, or now, if left out.
            project_code: Whether the project's ``plugins/`` may be imported.

        Raises:
            SpecError: Every mistake in the file, each with its line.
            PluginError: A plugin cannot be used.
        """
        path = Path(path)
        if not path.is_file():
            raise SpecError([Problem(str(path), 0, "", "there is no such file")])
        root = find_root(path)
        read_dotenv(root)
        given = Given(target or os.environ.get("PIPEKIT_TARGET"), dict(vars or {}), as_of)
        with keeping(Secrets()) as secrets, clean_errors():
            hide(str(value) for name, value in given.variables.items() if looks_secret(name))
            plugins = Plugins(root, project_code=project_code)
            return cls(given.read(path, plugins), plugins, given, secrets)

    @property
    def name(self) -> str:
        """The pipeline's name."""
        return self.spec.name

    @_keeping_secrets
    def run(
        self,
        *,
        select: str | Sequence[str] = (),
        exclude: str | Sequence[str] = (),
        sinks: Sequence[Sink] = (),
        resume: bool = False,
        wait: float = 0.0,
        full_refresh: bool = False,
    ) -> RunResult:
        """Run it. A failed step is reported in the result, not raised.

        Args:
            select: Steps to run: one or several of an id, ``tag:NAME``, ``+id``, ``id+``; all if empty.
            exclude: Steps not to run, likewise.
            sinks: Listeners beside the log file, the run's JSON lines and the log tables.
            resume: Leave out what the last run finished, if that run failed or was killed. Its target, variables,
                clock and selection count again, where this run is given none.
            wait: Seconds to wait for another run of this pipeline and target.
            full_refresh: Make tables that are kept (``append``, ``merge``, ``truncate_load``) anew, from what their
                sources hold now.

        Raises:
            SpecError: ``select`` or ``exclude`` names no step.
            LockedError: Another run holds the lock.
            WarehouseError: The warehouse cannot be opened.
        """
        select, exclude = (_several(given) for given in (select, exclude))
        run_id = new_run_id()
        given, spec = self._given, self.spec
        if resume and given.target is None:
            given = replace(given, target=last_target(spec.state / "runs", spec.name))
            spec = given.read(spec.path, self._plugins) if given.target not in (None, spec.target.name) else spec

        def reread(earlier: EarlierRun) -> PipelineSpec:
            return given.on(spec.target.name).as_before(earlier).read(spec.path, self._plugins)

        attached = [*sinks, *self._plugins.sinks(spec, run_id)]
        options = RunOptions(select, exclude, attached, resume, wait, run_id, given.variables, full_refresh, reread)
        return run_pipeline(spec, options)

    @_keeping_secrets
    def begin(
        self,
        run_id: str | None = None,
        *,
        select: str | Sequence[str] = (),
        exclude: str | Sequence[str] = (),
        sinks: Sequence[Sink] = (),
        wait: float = 0.0,
        full_refresh: bool = False,
    ) -> str:
        """Open a run whose steps are processes of their own, and return its id; see ``run_step`` and ``end``.

        Args:
            run_id: The id, if the caller chooses it. A run of this id that is open, or was the last one, goes on.
            select, exclude, sinks, full_refresh: See ``run``.
            wait: Seconds to wait for another run of this pipeline and target.
            full_refresh: See ``run``.

        Raises:
            SpecError: The id cannot be used, or ``select`` or ``exclude`` names no step.
            LockedError: Another run is running, or is open.
            WarehouseError: The warehouse cannot be opened.
        """
        select, exclude = (_several(given) for given in (select, exclude))
        options = self._shared(new_run_id() if run_id is None else run_id, sinks, wait)
        return processes.begin(self.spec, replace(options, select=select, exclude=exclude, full_refresh=full_refresh))

    @_keeping_secrets
    def run_step(self, run_id: str, step: str, *, sinks: Sequence[Sink] = (), wait: float = 0.0) -> RunResult:
        """Run one step of an open run, with its clock and variables. A failed step is reported, not raised.

        Args:
            run_id: The run, from ``begin``.
            step: The step's id.
            sinks: See ``run``.
            wait: Seconds to wait for a process that has the warehouse's file, or that runs the step.

        Raises:
            SpecError: There is no such run or step.
            LockedError: What it waits for did not end in time, or a step that it needs has not ended.
            WarehouseError: The warehouse cannot be opened.
        """
        return processes.run_step(self.spec, step, self._shared(run_id, sinks, wait))

    @_keeping_secrets
    def end(self, run_id: str, *, sinks: Sequence[Sink] = (), wait: float = 0.0) -> RunResult:
        """End an open run: SUCCEEDED if all its steps are done. One that has ended stays as it is.

        Args:
            run_id: The run, from ``begin``.
            sinks: See ``run``.
            wait: Seconds to wait for steps that are running.

        Raises:
            SpecError: There is no such run.
            LockedError: A step is running.
            WarehouseError: The warehouse cannot be opened.
        """
        return processes.end(self.spec, self._shared(run_id, sinks, wait))

    def _shared(self, run_id: str, sinks: Sequence[Sink], wait: float) -> RunOptions:
        if not is_run_id(run_id):
            rule = "a letter or digit of ASCII, then these and . _ : + ~ @ = - only, 128 at most"
            text = f"{run_id!r} cannot be the id of a run: {rule}"
            raise self._mistake(text)
        given, spec = self._given.on(self.spec.target.name), self.spec

        def reread(earlier: EarlierRun) -> PipelineSpec:
            return given.as_before(earlier).read(spec.path, self._plugins)

        attached = [*sinks, *self._plugins.sinks(spec, run_id)]
        return RunOptions((), (), attached, False, wait, run_id, given.variables, reread=reread)

    def order(self) -> tuple[OrderedStep, ...]:
        """The steps, in file order, each with the steps that it waits for. Nothing is opened."""
        return self.spec.order

    @_keeping_secrets
    def export(self, exporter: str, options: Mapping[str, Any] | None = None) -> str:
        """The pipeline as the file of a tool that starts its steps.

        Args:
            exporter: The tool, such as ``stepfunctions``.
            options: What ``pipekit export NAME --help`` lists, by name.

        Raises:
            SpecError: There is no such exporter, an option cannot be used, or a secret would be in the file.
        """
        known = self._plugins.exporters()
        if exporter not in known:
            raise self._mistake(f"there is no exporter {exporter!r}; the exporters are {', '.join(sorted(known))}")
        try:
            chosen = known[exporter].options.model_validate(dict(options or {}))
        except ValidationError as error:
            first = error.errors()[0]
            name = "-".join(str(part) for part in first["loc"]).replace("_", "-")
            why = explain(first, list(known[exporter].options.model_fields))
            raise self._mistake(f"export {exporter}: --{name}: {why}") from error
        try:
            return known[exporter].write(chosen, self.exported())
        except ExportError as error:
            raise self._mistake(str(error)) from error

    def exported(self) -> Exported:
        """What exporters see of the pipeline.

        Raises:
            SpecError: It was given a secret variable, which would be in the file.
        """
        for name in self._given.variables:
            if looks_secret(name):
                raise self._mistake(f"--var {name} would be in the exported file; give it to the runs by env('...')")
        return exported(self.spec, self._given.variables, self._given.as_of)

    def _mistake(self, text: str) -> SpecError:
        return SpecError([Problem(str(self.spec.path), 0, "", text)])

    def doctor(self) -> Iterator[Finding]:
        """Check everything that a run needs of the target, one finding after another; what is wrong ends nothing."""
        yield from look_at(self.spec)

    @_keeping_secrets
    def setup(self, *, role_arn: str | None = None, apply: bool = False, role: str | None = None) -> list[str]:
        """The statements that prepare a new account for this pipeline; with ``apply`` they are also run.

        Args:
            role_arn: The cloud role of a storage integration: on AWS its ARN, on Azure the tenant's id.
            apply: Run them, in order; the first that is refused ends it.
            role: The role that runs them; the user's default if left out.

        Raises:
            PluginError: The target's warehouse needs no account.
            WarehouseError: A statement is refused.
        """
        spec, kind = self.spec, self.spec.target.type
        if kind.setup is None or kind.apply is None:
            raise PluginError(f"the target {spec.target.name} ({kind.name}) needs no setup; choose one with --target")
        wanted = Setup(list(spec.sources.values()), SETUP, cloud_role=role_arn, applied_as=role)
        statements = kind.setup(spec.target.options, wanted)
        if apply:
            kind.apply(spec.target.options, statements, spec.root)
        return statements

    @_keeping_secrets
    def sync_logs(self) -> SyncReport:
        """Write log rows of earlier runs that are missing from the log tables.

        Raises:
            WarehouseError: The warehouse does not take the rows.
        """
        with closing(self.spec.open()) as warehouse:
            return sync(self.spec.state / "runs", warehouse, self.spec.target.name, pipeline=self.name)

    @_keeping_secrets
    def prune_logs(self, keep: timedelta | None = None) -> PruneReport:
        """Delete old rows of this pipeline from the log tables and, where nothing needs them, from the ledger.

        Args:
            keep: How far back rows are kept; the file's ``logs.keep`` if left out.

        Raises:
            SpecError: Neither says how long.
            WarehouseError: The rows cannot be deleted.
        """
        keep = keep or self.spec.keep_logs
        if keep is None:
            text = "say how long rows are kept: logs: {keep: 90d} in the file, or --keep 90d"
            raise SpecError([Problem(str(self.spec.path), 0, "logs", text)])
        with closing(self.spec.target.open(self.spec.root)) as warehouse:
            return prune(warehouse, self.name, datetime.now(UTC) - keep)

    @_keeping_secrets
    def rejects(self, step: str | None = None, *, run_id: str | None = None, limit: int | None = None) -> pa.Table:
        """Records that a load rejected, the newest first.

        Args:
            step: The load; may be left out if only one load of the pipeline rejects.
            run_id: Only those of this run.
            limit: The most records; all if left out.

        Raises:
            SpecError: No load fits, or more than one.
            QueryError: The step never ran.
        """
        load = rejecting_load(self.spec, step)
        with closing(self.spec.open()) as warehouse:
            return read_rejects(warehouse, Table.parse(load.options.into), run_id, limit)  # type: ignore[attr-defined]

    @_keeping_secrets
    def replay(self, file: str | Path, step: str | None = None, *, sinks: Sequence[Sink] = ()) -> RunResult:
        """Load a fixed file into the table of a load, beside the rows that are there; by key if the load merges.

        The same file is not loaded twice. The load's next run reads its source as always, so fix the file there too.

        Args:
            file: A file in the format of the load's source.
            step: The load; may be left out if only one load of the pipeline rejects.
            sinks: Further listeners.

        Raises:
            SpecError: No load fits, or more than one.
        """
        load = rejecting_load(self.spec, step)
        spec = with_file(self.spec, load, Path(file).resolve())
        return run_pipeline(spec, RunOptions(select=[load.id], sinks=sinks))

    @_keeping_secrets
    def read(self, table: str, *, limit: int | None = None) -> pa.Table:
        """Rows of a table of the target, as Arrow.

        Args:
            table: ``name`` or ``schema.name``.
            limit: The most rows; all if left out.

        Raises:
            QueryError: There is no such table.
        """
        newest_first = NEWEST_FIRST.get(Table((table.lower(),)))
        order = f" ORDER BY {newest_first}" if newest_first else ""
        with closing(self.spec.open()) as warehouse:
            return warehouse.read_arrow(f"SELECT * FROM {warehouse.quote(Table.parse(table))}{order}{_limit(limit)}")


def _limit(rows: int | None) -> str:
    return f" LIMIT {int(rows)}" if rows is not None else ""
