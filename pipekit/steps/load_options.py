"""The keys of ``type: load``."""

from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from pipekit.materialize.builtin import TRUNCATE_LOAD
from pipekit.materialize.contract import Choice, ColumnNames, Use
from pipekit.materialize.into import Chosen, TableOptions
from pipekit.steps.arrivals import OnChanged
from pipekit.steps.rejects import most_rejects
from pipekit.steps.skips import OnBadFile


class LoadOptions(TableOptions):
    """The keys of a load, beside those of ``TableOptions`` and of its strategy.

    Attributes:
        source: The name of a source.
        strategy: How the rows of the files reach the table: the name of a materialization.
        cluster_by: Columns in whose order the warehouse should keep the table, where it can.
        on_error: ``fail`` at a bad record, or ``reject`` it into ``<table>_rejects``.
        max_rejects: The most bad records to accept: a count, or a share such as ``1%``.
        on_empty: Whether a source without a file, or files without a row, are an error.
        on_bad_file: ``fail`` at a file that cannot be read as a whole (damaged, archived, refused, not what its format
            says), or ``skip`` it: it is reported, is in the ledger with the reason, and is tried again by the next
            run. A bad record does not make a bad file.
        on_changed: What ``append`` does with a file that came again under its name with other content: ``fail``,
            ``replace`` the rows it gave (which needs ``metadata``), or ``add``. If left out, ``replace`` where
            ``metadata`` is on, else ``fail``.
        when: ``changed`` skips the load if files and definition are those of the last one.
        after_load: What becomes of files whose rows are committed: ``move`` or ``delete``; they stay if left out.
        move_to: The place that ``after_load: move`` moves them to.
        metadata: Add ``_source_file``, ``_source_row``, ``_loaded_at`` and ``_run_id`` to each row.
    """

    chosen_by: ClassVar[Use] = "strategy"

    source: str
    strategy: Chosen = Field(default_factory=lambda: Choice(TRUNCATE_LOAD))
    cluster_by: ColumnNames = ()
    on_error: Literal["fail", "reject"] = "fail"
    max_rejects: int | str | None = Field(default=None)
    on_empty: Literal["fail", "allow"] = "fail"
    on_bad_file: OnBadFile = "fail"
    on_changed: OnChanged | None = None
    when: Literal["always", "changed"] = "always"
    after_load: Literal["move", "delete"] | None = None
    move_to: str | None = Field(default=None, min_length=1)
    metadata: bool = False

    @field_validator("max_rejects", mode="before")
    @classmethod
    def _limit(cls, value: Any) -> Any:
        if value is not None:
            most_rejects(value, 0)
        return value

    @model_validator(mode="after")
    def _consistent(self) -> "LoadOptions":
        if self.max_rejects is not None and self.on_error != "reject":
            raise ValueError("max_rejects: needs on_error: reject")
        how = self.choice.how
        if (self.after_load == "move") != (self.move_to is not None):
            raise ValueError("after_load: move and move_to, the place to move to, go together")
        if self.after_load == "delete" and self.on_error == "reject" and not how.once_per_file:
            raise ValueError(
                "after_load: delete with on_error: reject needs strategy: append. A file with rejected records is not"
                f" deleted, and {how.name} would load it again in each run; set after_load: move"
            )
        if self.on_changed is not None and not how.once_per_file:
            raise ValueError(f"on_changed: means nothing with strategy: {how.name}, which reads every file again")
        if self.on_changed == "replace" and not self.metadata:
            raise ValueError("on_changed: replace needs metadata: true, so that rows name the file they are from")
        if self.when == "changed" and how.once_per_file:
            raise ValueError(f"when: changed means nothing with strategy: {how.name}, which never loads a file twice")
        return self
