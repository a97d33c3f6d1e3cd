"""Config-driven pipelines: files in S3 or on disk become trusted tables in Snowflake or DuckDB.

    import pipekit

    result = pipekit.Pipeline.from_file("pipelines/marketing_engagement.yaml").run()
    result.raise_for_status()

Names are imported when they are first used, so that ``import pipekit`` costs next to nothing.
"""

from __future__ import annotations

# As type checkers know it: `typing` is slow to import, and Ctrl-C is handled only after this module.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pipekit.api import Pipeline
    from pipekit.errors import (
        ArgumentError,
        ChecksFailed,
        LockedError,
        PipekitError,
        PluginError,
        Problem,
        QueryError,
        SourceError,
        SpecError,
        TemplateError,
        TransientError,
        VersionError,
        WarehouseError,
    )
    from pipekit.events import (
        CheckEvaluated,
        Event,
        FileLoaded,
        FileSkipped,
        KilledRun,
        Noted,
        RunFinished,
        RunJoined,
        RunLeft,
        RunStarted,
        Sink,
        StepFinished,
        StepProgressed,
        StepStarted,
    )
    from pipekit.export.contract import Exported, ExportedStep, Exporter
    from pipekit.formats.base import FileFormat, FormatType, Records
    from pipekit.formats.columns import BadValue, column_of
    from pipekit.inference.infer import Doubt, Hints, Inferred, infer
    from pipekit.materialize.contract import Choice, ColumnNames, Materialization, Move
    from pipekit.materialize.into import Into, TableName
    from pipekit.materialize.publish import audit, audit_reads, publish, publish_arrow
    from pipekit.materialize.rows import refuse_bad_keys
    from pipekit.names import Table
    from pipekit.plugins.hooks import hookimpl
    from pipekit.runs.result import RunResult
    from pipekit.source import Column, Source
    from pipekit.sql.dialect import PLAIN_FAMILIES, Dialect, delete_using, families, update_and_insert
    from pipekit.sql.origins import Origin, Origins, Ref
    from pipekit.sql.text import SqlText, literal
    from pipekit.step import Project, Statement, StepContext, StepOptions, StepResult, StepType
    from pipekit.warehouses.borrowed import BorrowedConnection, borrowed_engine
    from pipekit.warehouses.contract import LockHolder, Result, TableColumn, WarehouseType
    from pipekit.warehouses.plain import PlainWarehouse

__version__ = "0.1.0"

_HOMES = {
    "pipekit.api": "Pipeline",
    "pipekit.runs.result": "RunResult",
    "pipekit.errors": (
        "ArgumentError BadFileError ChecksFailed LockedError PipekitError PluginError Problem QueryError SourceError"
        " SpecError TemplateError TransientError VersionError WarehouseError"
    ),
    "pipekit.events": (
        "CheckEvaluated Event FileLoaded FileSkipped KilledRun Noted RunFinished RunJoined RunLeft RunStarted Sink"
        " StepFinished StepProgressed StepStarted"
    ),
    "pipekit.export.contract": "Exported ExportedStep Exporter",
    "pipekit.inference.infer": "Doubt Hints Inferred infer",
    "pipekit.materialize.contract": "Choice ColumnNames Materialization Move",
    "pipekit.materialize.into": "Into TableName",
    "pipekit.materialize.publish": "audit audit_reads publish publish_arrow",
    "pipekit.materialize.rows": "refuse_bad_keys",
    "pipekit.formats.base": "FileFormat FormatType Records",
    "pipekit.formats.columns": "BadValue column_of",
    "pipekit.plugins.hooks": "hookimpl",
    "pipekit.names": "Table",
    "pipekit.source": "Column Source",
    "pipekit.sql.dialect": "PLAIN_FAMILIES Dialect delete_using families update_and_insert",
    "pipekit.sql.origins": "Origin Origins Ref",
    "pipekit.sql.text": "SqlText literal",
    "pipekit.step": "Project Statement StepContext StepOptions StepResult StepType",
    "pipekit.warehouses.borrowed": "BorrowedConnection borrowed_engine",
    "pipekit.warehouses.contract": "LockHolder Result TableColumn WarehouseType",
    "pipekit.warehouses.plain": "PlainWarehouse",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = [
    "PLAIN_FAMILIES",
    "ArgumentError",
    "BadFileError",
    "BadValue",
    "BorrowedConnection",
    "CheckEvaluated",
    "ChecksFailed",
    "Choice",
    "Column",
    "ColumnNames",
    "Dialect",
    "Doubt",
    "Event",
    "Exported",
    "ExportedStep",
    "Exporter",
    "FileFormat",
    "FileLoaded",
    "FileSkipped",
    "FormatType",
    "Hints",
    "Inferred",
    "Into",
    "KilledRun",
    "LockHolder",
    "LockedError",
    "Materialization",
    "Move",
    "Noted",
    "Origin",
    "Origins",
    "PipekitError",
    "Pipeline",
    "PlainWarehouse",
    "PluginError",
    "Problem",
    "Project",
    "QueryError",
    "Records",
    "Ref",
    "Result",
    "RunFinished",
    "RunJoined",
    "RunLeft",
    "RunResult",
    "RunStarted",
    "Sink",
    "Source",
    "SourceError",
    "SpecError",
    "SqlText",
    "Statement",
    "StepContext",
    "StepFinished",
    "StepOptions",
    "StepProgressed",
    "StepResult",
    "StepStarted",
    "StepType",
    "Table",
    "TableColumn",
    "TableName",
    "TemplateError",
    "TransientError",
    "VersionError",
    "WarehouseError",
    "WarehouseType",
    "audit",
    "audit_reads",
    "borrowed_engine",
    "column_of",
    "delete_using",
    "families",
    "hookimpl",
    "infer",
    "literal",
    "publish",
    "publish_arrow",
    "refuse_bad_keys",
    "update_and_insert",
]


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'pipekit' has no attribute {name!r}")
    return getattr(__import__(home, fromlist=[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
