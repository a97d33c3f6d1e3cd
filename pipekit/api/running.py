"""Running a pipeline: whole, step by step, or one fixed file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipekit.api.base import PipelineFile, keeping_secrets, several
from pipekit.pipeline.model import PipelineSpec
from pipekit.runs.ids import is_run_id, new_run_id
from pipekit.runs.result import RunResult
from pipekit.runs.resume import EarlierRun
from pipekit.runs.run import RunOptions, run_pipeline
from pipekit.steps.replay import rejecting_load, with_file

if TYPE_CHECKING:
    from pipekit.events import Sink
    from pipekit.sql.origins import Origins


def origins_of_steps(spec: PipelineSpec) -> Mapping[str, Origins]:
    """See ``insight.by_step``; only what reports lineage to others asks for it."""
    from pipekit.insight import by_step

    return by_step.origins_of_steps(spec)


class Running(PipelineFile):
    """What runs a pipeline."""

    @keeping_secrets
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
            full_refresh: Rebuild tables that are kept (``append``, ``merge``, ``truncate_load``) from what their
                sources hold now.

        Raises:
            SpecError: ``select`` or ``exclude`` names no step, or ``resume`` is given beside ``full_refresh``.
            LockedError: Another run holds the lock.
            WarehouseError: The warehouse cannot be opened.
        """
        self._refuse_mixed(resume, full_refresh)
        select, exclude = (several(given) for given in (select, exclude))
        run_id = new_run_id()
        given, spec, reread = self._as_resumed(resume)
        options = RunOptions(select, exclude, sinks, resume, wait, run_id, given.variables, full_refresh, reread)
        return run_pipeline(
            spec, replace(options, plugin_sinks=self._plugins.sinks(spec, run_id), origins=origins_of_steps)
        )

    @keeping_secrets
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
        from pipekit.runs.processes import begin

        select, exclude = (several(given) for given in (select, exclude))
        options = self._shared(new_run_id() if run_id is None else run_id, sinks, wait)
        return begin(self.spec, replace(options, select=select, exclude=exclude, full_refresh=full_refresh))

    @keeping_secrets
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
        from pipekit.runs.processes import run_step

        return run_step(self.spec, step, self._shared(run_id, sinks, wait))

    @keeping_secrets
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
        from pipekit.runs.processes import end

        return end(self.spec, self._shared(run_id, sinks, wait))

    @keeping_secrets
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
        return run_pipeline(spec, RunOptions(select=[load.id], sinks=sinks, origins=origins_of_steps))

    def _shared(self, run_id: str, sinks: Sequence[Sink], wait: float) -> RunOptions:
        if not is_run_id(run_id):
            rule = "a letter or digit of ASCII, then these and . _ : + ~ @ = - only, 128 at most"
            text = f"{run_id!r} cannot be the id of a run: {rule}"
            raise self._mistake(text)
        given, spec = self._given.on(self.spec.target.name), self.spec

        def reread(earlier: EarlierRun) -> PipelineSpec:
            return given.as_before(earlier).read(spec.path, self._plugins)

        options = RunOptions((), (), sinks, False, wait, run_id, given.variables, reread=reread)
        return replace(options, plugin_sinks=self._plugins.sinks(spec, run_id), origins=origins_of_steps)
