"""What an operator of a pipeline does beside running it: prepare an account, keep the log tables."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pipekit.api.base import PipelineFile, keeping_secrets
from pipekit.errors import PluginError, Problem, SpecError
from pipekit.own_tables import SETUP
from pipekit.runs.sync import SyncReport, sync
from pipekit.warehouses.contract import Setup

if TYPE_CHECKING:
    from pipekit.runs.prune import PruneReport


class Operating(PipelineFile):
    """What prepares accounts and keeps the log tables."""

    @keeping_secrets
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

    @keeping_secrets
    def sync_logs(self) -> SyncReport:
        """Write log rows of earlier runs that are missing from the log tables.

        Raises:
            WarehouseError: The warehouse does not take the rows.
        """
        with closing(self.spec.open()) as warehouse:
            return sync(self.spec.state / "runs", warehouse, self.spec.target.name, pipeline=self.name)

    @keeping_secrets
    def prune_logs(self, keep: timedelta | None = None) -> PruneReport:
        """Delete old rows of this pipeline from the log tables and, where nothing needs them, from the ledger.

        Args:
            keep: How far back rows are kept; the file's ``logs.keep`` if left out.

        Raises:
            SpecError: Neither says how long.
            WarehouseError: The rows cannot be deleted.
        """
        from pipekit.runs.prune import prune

        keep = keep or self.spec.keep_logs
        if keep is None:
            text = "set how long rows are kept: logs: {keep: 90d} in the file, or keep='90d' here (--keep 90d)"
            raise SpecError([Problem(str(self.spec.path), 0, "logs", text)])
        with closing(self.spec.target.open(self.spec.root)) as warehouse:
            return prune(warehouse, self.name, datetime.now(UTC) - keep)
