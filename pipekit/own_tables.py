"""pipekit's own tables in the warehouse: their names and columns, and what may be done with each."""

from __future__ import annotations

from collections.abc import Mapping

from pipekit.names import Table
from pipekit.source import Column

# What runs did: one row per event of a run, and one per check.
LOG_TABLE = Table(("ingestion_logs",))
LOG_COLUMNS: tuple[Column, ...] = (
    Column.of(
        "log_id",
        "varchar",
        "The key: the run's id and the event's number in it (of a shared run, in its process); sorts by time.",
    ),
    Column.of(
        "run_id", "varchar", "Such as `20260301T123000-1a2b3c4d`, which sorts by time, or the id that a scheduler gave."
    ),
    Column.of("pipeline", "varchar", "The `name` in the pipeline file."),
    Column.of("log_timestamp", "timestamp_tz", "When it happened, in UTC."),
    Column.of("log_level", "varchar", "`INFO`, `WARNING` or `ERROR`."),
    Column.of("step_name", "varchar", "The step's `id`; NULL in rows about the whole run."),
    Column.of("step_type", "varchar", "`load`, `check`, `sql`, `features`, `python`, or a plugin's."),
    Column.of(
        "status", "varchar", "`STARTED`, `SUCCEEDED`, `FAILED`, `SKIPPED`, `UNCHANGED` or `ABANDONED`; NULL in notes."
    ),
    Column.of("message", "varchar", "One sentence."),
    Column.of("records_loaded", "integer", "Rows that the step wrote; NULL where it writes none."),
    Column.of("duration_ms", "integer", "Of the step, all attempts together, or of the run."),
    Column.of("attempt", "integer", "Counts from 1."),
    Column.of("error_details", "varchar", "The error in full: what is wrong, what was kept, what to do next."),
    Column.of("query_ids", "varchar", "A JSON list of the warehouse's own statement ids; NULL where it has none."),
    Column.of("definition_hash", "varchar", "Changes when the step's definition does."),
    Column.of("inputs_hash", "varchar", "Changes when the step's input files do; where a run starts, its clock."),
)
CHECK_TABLE = Table(("dq_check_logs",))
CHECK_COLUMNS: tuple[Column, ...] = (
    Column.of("check_id", "varchar", "The key: the run's id and the event's number in it."),
    Column.of("run_id", "varchar", "As in `ingestion_logs`."),
    Column.of("pipeline", "varchar", "The `name` in the pipeline file."),
    Column.of("step_name", "varchar", "The step that asked."),
    Column.of("table_name", "varchar", "The table that was judged."),
    Column.of("check_name", "varchar", "Identifies the check within its table."),
    Column.of("expectation", "varchar", "Great Expectations' name, such as `expect_column_values_to_be_unique`."),
    Column.of("column_name", "varchar", "NULL for checks of a whole table."),
    Column.of("severity", "varchar", "`critical`, `warning` or `info`."),
    Column.of(
        "status",
        "varchar",
        "`PASSED`; `FAILED`; `WARNED`, a failure of a `warning` or `info`; `ERROR`, it could not be evaluated.",
    ),
    Column.of("result_value", "varchar", "The observed value."),
    Column.of("unexpected_count", "integer", "Values that are not as expected; NULL where values are not counted."),
    Column.of("element_count", "integer", "Values looked at."),
    Column.of("message", "varchar", "What is wrong, in a sentence."),
    Column.of("samples", "varchar", "A JSON list of a few unexpected values; NULL when there are none."),
    Column.of("run_time", "timestamp_tz", "When it was judged, in UTC."),
)

# The ledger: one row per file and load, written inside the load's own transaction.
LEDGER = Table(("ingestion_files",))
LEDGER_COLUMNS: tuple[Column, ...] = (
    Column.of("run_id", "varchar", "As in `ingestion_logs`."),
    Column.of("pipeline", "varchar", "The `name` in the pipeline file."),
    Column.of("step_name", "varchar", "The step that loaded it."),
    Column.of("table_name", "varchar", "The table that it went into."),
    Column.of("uri", "varchar", "Path or URI of the file."),
    Column.of("size_bytes", "integer", "Its size."),
    Column.of("etag", "varchar", "The store's fingerprint of its content; empty for a local file."),
    Column.of("modified_at", "timestamp_tz", "When it was last changed."),
    Column.of("rows_loaded", "integer", "Records that went into the table."),
    Column.of("rows_rejected", "integer", "Records that went into `<table>_rejects`."),
    Column.of("loaded_at", "timestamp_tz", "When it was loaded, in UTC."),
    Column.of("definition_hash", "varchar", "Of the step that loaded it."),
    Column.of(
        "replaced_by",
        "varchar",
        "The run that replaced its rows, by a `truncate_load` or because the file came again; NULL while they count.",
    ),
    # Ledgers of earlier versions get these by ALTER TABLE.
    Column.of("file_key", "varchar", "By what the file is known: its path below the project, or its URI."),
    Column.of("version", "varchar", "By what an unchanged file is known without being read."),
    Column.of("digest", "varchar", "SHA-256 of its bytes, shortened; NULL where they were not read for it."),
    Column.of("skipped", "varchar", "Why it was skipped (`on_bad_file: skip`); NULL for a file that was loaded."),
    Column.of(
        "after_load",
        "varchar",
        "`move` or `delete`; `kept` if it was another file by then, or has rejects.",
    ),
    Column.of("moved_to", "varchar", "Where the file goes, or went."),
    Column.of("settled_at", "timestamp_tz", "When it was moved or deleted; NULL while that is still to be done."),
    Column.of("key_hash", "integer", "A number of `file_key`, by which it is found; NULL in rows of earlier versions."),
)

# One row per table; appends update it, so that two of them cannot run at the same time.
CLAIMS = Table(("ingestion_claims",))
CLAIM_COLUMNS: tuple[Column, ...] = (
    Column.of("table_name", "varchar", "The table that is appended to."),
    Column.of("claims", "integer", "Counts up with every append."),
)

# One row per feature, written by the steps that compute features.
CATALOG = Table(("feature_catalog",))
CATALOG_COLUMNS: tuple[Column, ...] = (
    Column.of("feature_table", "varchar", "The table that has the feature as a column."),
    Column.of("feature_name", "varchar", "The column; with the table the key."),
    Column.of("description", "varchar", "What it means."),
    Column.of("data_type", "varchar", "Its type, by the same word on every engine."),
    Column.of("source_table", "varchar", "The tables that it is made from."),
    Column.of("transformation", "varchar", "Its expression, with its condition and default, or its template."),
    Column.of("update_frequency", "varchar", "How often it is computed, as the file says."),
    Column.of("quality", "varchar", "The share of entities that have a value, unless the file says something else."),
    Column.of("created_at", "timestamp_tz", "When the feature came in, in UTC."),
    Column.of("updated_at", "timestamp_tz", "When it was last changed, in UTC."),
    # Catalogs of earlier versions get these by ALTER TABLE.
    Column.of("feature_id", "varchar", "The id that the file gives, or the table and the name."),
    Column.of("pipeline", "varchar", "The `name` of the pipeline that computes it."),
    Column.of("step_name", "varchar", "The step that computes it."),
)

# Which run holds which lock, on warehouses that keep run locks.
LOCKS = Table(("pipekit_locks",))
LOCK_COLUMNS: tuple[Column, ...] = (
    Column.of("name", "varchar", "What is locked: a pipeline on its target, or a step of a shared run."),
    Column.of("run_id", "varchar", "The run that holds it."),
    Column.of("pid", "integer", "The process of that run."),
    Column.of("host", "varchar", "Where that process is."),
    Column.of("since", "timestamp_tz", "When it took the lock."),
    Column.of("heartbeat", "timestamp_tz", "When it last reported that it is alive."),
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
