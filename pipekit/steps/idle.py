"""Loads that found nothing to do: kept on this machine, so that the next one finds it without a compute cluster.

What is kept says which files were listed, under which definition, and how the table's rows were known by a token that
changes with them. If all three are the same, the ledger was asked before and says the same again. If you edit the
ledger by hand, delete this folder too, or run the load with ``--full-refresh``.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from pipekit.errors import PipekitError
from pipekit.events import UNCHANGED
from pipekit.names import Table
from pipekit.source import Listing
from pipekit.state import file_name, make_private_folder, open_private
from pipekit.step import StepContext, StepResult
from pipekit.steps import arrivals, ledger
from pipekit.steps.load_options import LoadOptions
from pipekit.warehouses.contract import SupportsSuspending


def may_be_idle(options: LoadOptions) -> bool:
    """Whether such a load may have nothing to do; one with ``after_load`` asks the ledger what is to be moved."""
    return options.after_load is None and (options.when == "changed" or options.choice.how.once_per_file)


class Memory:
    """What a load remembers of a listing.

    Args:
        context: The step's context.
        table: The table that is filled.
        listed: The files.
        options: The load's options.
    """

    def __init__(self, context: StepContext, table: Table, listed: Listing, options: LoadOptions) -> None:
        self._context = context
        self._table = table
        self._listed = listed
        self._options = options
        self._token: str | None = None
        if may_be_idle(options) and isinstance(context.warehouse, SupportsSuspending) and not context.full_refresh:
            # Before the ledger is asked: whatever comes after it gives another token.
            self._token = context.warehouse.change_token(table)

    def holds(self) -> bool:
        """Whether nothing was to be done for these files when the table was last as it is now."""
        if self._token is None:
            return False
        try:
            return bool(json.loads(self._path.read_text(encoding="utf-8")) == self._content)
        except (OSError, ValueError):
            return False

    def keep(self) -> None:
        """The ledger says that there is nothing to do."""
        if self._token is None or not all(ledger.version_of(file) for file in self._listed):
            return
        with suppress(OSError):  # the next run asks the ledger
            make_private_folder(self._path.parent)
            with open_private(self._path, "w") as file:
                json.dump(self._content, file)

    def keep_if_done(self, result: StepResult) -> None:
        """Keep the listing if the ledger knows all of it. Files that were skipped as bad are tried again."""
        if self._options.on_bad_file == "skip" or not may_be_idle(self._options):
            return
        if result.status == UNCHANGED:
            self.keep()
            return
        once = self._options.choice.how.once_per_file
        with suppress(PipekitError):  # the rows are in the table, and the next run asks
            after = Memory(self._context, self._table, self._listed, self._options)
            is_loaded = arrivals.all_loaded if once else ledger.is_last_load
            if after._token is not None and is_loaded(self._context, self._table, self._listed):
                after.keep()

    def drop(self) -> None:
        """There is work."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)

    @property
    def _path(self) -> Path:
        context = self._context
        return context.project.state / "idle" / file_name(f"{context.pipeline}.{context.step}")

    @property
    def _content(self) -> dict[str, str | None]:
        context = self._context
        inputs = ledger.hash_of(context, self._listed)
        return {"inputs": inputs, "definition": context.definition_hash, "table": self._token}
