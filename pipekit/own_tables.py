"""pipekit's own tables in the warehouse: their names and columns, and what may be done with each."""

from __future__ import annotations

from collections.abc import Mapping

from pipekit.names import Table
from pipekit.source import Column

# What runs did: one row per event of a run, and one per check.
LOG_TABLE = Table(("ingestion_logs",))
LOG_COLUMNS: tuple[Column, ...] = (
    Column.of(
        "log_id", "varchar", "The run's id and the event's number in it (of a shared run, in its process); the key."
    ),
    Column.of("run_id", "varchar"),
    Column.of("pipeline", "varchar"),
    Column.of("log_timestamp", "timestamp_tz", "When it happened, in UTC."),
    Column.of("log_level", "varchar", "INFO, WARNING or ERROR."),
    Column.of("step_name", "varchar", "NULL in rows about the whole run."),
    Column.of("step_type", "varchar"),
    Column.of("status", "varchar", "STARTED, SUCCEEDED, FAILED, SKIPPED, UNCHANGED or ABANDONED; NULL in notes."),
    Column.of("message", "varchar"),
    Column.of("records_loaded", "integer"),
    Column.of("duration_ms", "integer"),
    Column.of("attempt", "integer"),
    Column.of("error_details", "varchar"),
    Column.of("query_ids", "varchar", "A JSON list; NULL where the warehouse has no such ids."),
    Column.of("definition_hash", "varchar"),
    Column.of("inputs_hash", "varchar"),
)
CHECK_TABLE = Table(("dq_check_logs",))
CHECK_COLUMNS: tuple[Column, ...] = (
    Column.of("check_id", "varchar", "The run's id and the event's number in it; the key."),
    Column.of("run_id", "varchar"),
    Column.of("pipeline", "varchar"),
    Column.of("step_name", "varchar"),
    Column.of("table_name", "varchar"),
    Column.of("check_name", "varchar"),
    Column.of("expectation", "varchar"),
    Column.of("column_name", "varchar"),
    Column.of("severity", "varchar", "critical, warning or info."),
    Column.of("status", "varchar", "PASSED, FAILED, WARNED or ERROR."),
    Column.of("result_value", "varchar"),
    Column.of("unexpected_count", "integer"),
    Column.of("element_count", "integer"),
    Column.of("message", "varchar"),
    Column.of("samples", "varchar", "A JSON list; NULL when there are none."),
    Column.of("run_time", "timestamp_tz", "When it was judged, in UTC."),
)

# The ledger: one row per file and load, written inside the load's own transaction.
LEDGER = Table(("ingestion_files",))
LEDGER_COLUMNS: tuple[Column, ...] = (
    Column.of("run_id", "varchar"),
    Column.of("pipeline", "varchar"),
    Column.of("step_name", "varchar"),
    Column.of("table_name", "varchar"),
    Column.of("uri", "varchar"),
    Column.of("size_bytes", "integer"),
    Column.of("etag", "varchar"),
    Column.of("modified_at", "timestamp_tz"),
    Column.of("rows_loaded", "integer"),
    Column.of("rows_rejected", "integer"),
    Column.of("loaded_at", "timestamp_tz"),
    Column.of("definition_hash", "varchar"),
    Column.of("replaced_by", "varchar"),
    # Ledgers of earlier versions get these by ALTER TABLE.
    Column.of("file_key", "varchar", "By what the file is known: its path in the project, or its URI."),
    Column.of("version", "varchar", "By what an unchanged file is known without being read."),
    Column.of("digest", "varchar", "SHA-256 of its bytes, where they were read here."),
    Column.of("skipped", "varchar", "Why the file was skipped; such a row does not count as a load."),
    Column.of("after_load", "varchar", "move or delete; kept if it was another file by then, or has rejects."),
    Column.of("moved_to", "varchar", "Where the file goes, or went."),
    Column.of("settled_at", "timestamp_tz", "When that was done; NULL while it is still to be done."),
)

# One row per table; appends update it, so that two of them cannot run at the same time.
CLAIMS = Table(("ingestion_claims",))
CLAIM_COLUMNS: tuple[Column, ...] = (Column.of("table_name", "varchar"), Column.of("claims", "integer"))

# One row per feature, written by the steps that compute features.
CATALOG = Table(("feature_catalog",))
CATALOG_COLUMNS: tuple[Column, ...] = (
    Column.of("feature_table", "varchar", "The table that has the feature as a column."),
    Column.of("feature_name", "varchar", "The column; with the table the key."),
    Column.of("description", "varchar", "What it means."),
    Column.of("data_type", "varchar", "Its type, by the same word on every engine."),
    Column.of("source_table", "varchar", "The tables that it is made from."),
    Column.of("transformation", "varchar", "Its expression, with its condition and default, or its template."),
    Column.of("update_frequency", "varchar"),
    Column.of("quality", "varchar", "The share of entities that have a value, unless the file says something else."),
    Column.of("created_at", "timestamp_tz"),
    Column.of("updated_at", "timestamp_tz"),
    # Catalogs of earlier versions get these by ALTER TABLE.
    Column.of("feature_id", "varchar", "The id that the file gives, or the table and the name."),
    Column.of("pipeline", "varchar"),
    Column.of("step_name", "varchar"),
)

# Which run holds which lock, on warehouses that keep run locks.
LOCKS = Table(("pipekit_locks",))
LOCK_COLUMNS: tuple[Column, ...] = (
    Column.of("name", "varchar"),
    Column.of("run_id", "varchar"),
    Column.of("pid", "integer"),
    Column.of("host", "varchar"),
    Column.of("since", "timestamp_tz"),
    Column.of("heartbeat", "timestamp_tz"),
)

READABLE: tuple[Table, ...] = (LOG_TABLE, CHECK_TABLE, LEDGER, CATALOG)
"""Tables that any step may read without a declaration under ``external``."""
RESERVED: tuple[Table, ...] = (LOG_TABLE, CHECK_TABLE, LEDGER, CLAIMS, LOCKS)
"""Tables that no step may write."""
SETUP: Mapping[Table, tuple[Column, ...]] = {
    LOG_TABLE: LOG_COLUMNS,
    CHECK_TABLE: CHECK_COLUMNS,
    LEDGER: LEDGER_COLUMNS,
}
"""Tables that every run writes, so that the setup of an account creates them."""
NEWEST_FIRST: Mapping[Table, str] = {
    LOG_TABLE: "log_timestamp DESC, log_id DESC",
    CHECK_TABLE: "run_time DESC, check_id DESC",
    LEDGER: "loaded_at DESC, uri",
}
"""How ``pipekit show`` orders the tables that grow with every run."""
