"""What a review against Snowflake's documentation found before there was an account, and what became of it.

W1 to W15 would have broken something on the first day, M1 to M15 might have. Each has its case, the tests that show it on
the emulator, and the resolution. ``probes`` asks a real account the same; none has been asked yet.
"""

from __future__ import annotations

from dataclasses import dataclass

_DOCUMENTED = "warehouses/snowflake/test_as_documented.py"
_COSTS = "warehouses/snowflake/test_costs.py"
_SESSIONS = "reliability/test_sessions.py"


@dataclass(frozen=True)
class Finding:
    """One of them.

    Attributes:
        case: What happens.
        resolution: What pipekit does now.
        shown_by: Tests that were red before, as ``file::name`` below ``tests``.
    """

    case: str
    resolution: str
    shown_by: tuple[str, ...]


FINDINGS = {
    "W1": Finding(
        "the text of dates, times and doubles in a Parquet VARIANT follows the session's output formats and loses digits",
        "typed values go by AS_TIME, AS_TIMESTAMP_NTZ, AS_DOUBLE, and the formats are pinned at login",
        (f"{_DOCUMENTED}::test_parquet_s_times_and_doubles_keep_all_digits",),
    ),
    "W2": Finding(
        "a JSON key that is null in every record counts as a missing one, since COUNT passes over a JSON null",
        "COUNT_IF(... IS NOT NULL)",
        (f"{_DOCUMENTED}::test_a_json_null_is_a_key",),
    ),
    "W3": Finding(
        "a NUMBER with a scale reaches Python as a float",
        "arrow_number_to_decimal at login",
        (f"{_DOCUMENTED}::test_a_scaled_number_reaches_python_with_all_digits",),
    ),
    "W4": Finding(
        "chunks of one result have different types and cannot be joined",
        "chunks are cast to one schema; errors of Arrow are reported as ours",
        (f"{_DOCUMENTED}::test_a_result_in_chunks_is_one_table",),
    ),
    "W5": Finding(
        "the records of a file that has nothing at `root` vanish in FLATTEN",
        "documents without it are counted; the file is refused",
        (f"{_DOCUMENTED}::test_a_file_without_its_root_is_refused",),
    ),
    "W6": Finding(
        "under ON_ERROR = CONTINUE a file that is gone counts as loaded with no row",
        "COPY's result is held against the files that were asked for",
        (f"{_DOCUMENTED}::test_a_named_file_that_is_gone_is_no_loaded_file",),
    ),
    "W7": Finding(
        "input formats of the account or the user make every ISO date bad",
        "all formats that are relied on are pinned at login",
        (f"{_DOCUMENTED}::test_the_formats_of_the_account_change_nothing",),
    ),
    "W8": Finding(
        "a replaced table or view loses grants, policies and tags",
        "COPY GRANTS and COPY TAGS; a table with a masking policy, a row access policy or a stream is not replaced, as far as"
        " the role may see them",
        (
            f"{_DOCUMENTED}::test_rows_that_a_policy_hides_and_changes_that_a_stream_reads_outlive_a_run",
            f"{_DOCUMENTED}::test_grants_outlive_a_replacement",
            f"{_DOCUMENTED}::test_a_masked_column_is_not_unmasked_by_a_run",
        ),
    ),
    "W9": Finding(
        "setup works once, for S3 only, and leaves a placeholder behind",
        "places are added, the provider follows from the sources, nothing is applied without the role",
        (
            f"{_DOCUMENTED}::test_setup_can_be_run_again_for_another_source",
            f"{_DOCUMENTED}::test_setup_leaves_no_placeholder",
            f"{_DOCUMENTED}::test_setup_makes_the_integration_of_the_source_s_cloud",
            f"{_DOCUMENTED}::test_an_integration_is_of_one_cloud",
        ),
    ),
    "W10": Finding(
        "a folder inside the prefix with the prefix's own name stops the load",
        "the known prefix is taken off the names, none is guessed",
        (f"{_DOCUMENTED}::test_a_folder_with_the_name_of_its_prefix_is_another_file",),
    ),
    "W11": Finding(
        "a literal is as wide as it is written, so that a longer one stops the next run",
        "a step with SQL widens such a column, with a warning; texts without a length are one type in every account",
        (
            "steps/test_full_refresh.py::test_a_query_s_longer_literal_widens_its_column",
            f"{_DOCUMENTED}::test_a_text_without_a_length_is_the_same_type_in_every_account",
        ),
    ),
    "W12": Finding(
        "quote characters and delimiters that Snowflake does not take",
        "refused when the file is read; a delimiter beyond ASCII goes by its bytes",
        (
            f"{_DOCUMENTED}::test_marks_that_snowflake_lacks_are_refused_when_the_file_is_read",
            f"{_DOCUMENTED}::test_a_delimiter_beyond_ascii_is_stated_as_bytes",
        ),
    ),
    "W13": Finding(
        "an existing stage with a gs:// or s3a:// source finds no file",
        "the scheme is mapped to what LIST reports",
        (f"{_DOCUMENTED}::test_an_existing_stage_lists_its_own_scheme",),
    ),
    "W14": Finding(
        "a JSON array on one line is fetched whole to see its first character",
        "LEFT($1, n); a line that is too long is refused with the way out",
        (
            f"{_DOCUMENTED}::test_only_the_start_of_a_json_line_comes_to_the_client",
            f"{_DOCUMENTED}::test_a_line_that_is_too_long_to_look_at_says_what_to_do",
        ),
    ),
    "W15": Finding(
        "passwords need a second factor, and a run logs in several times",
        "keys for passcode, MFA token and temporary credentials; a statement is cancelled without a login; the lock, the"
        " log rows and what is earlier share one. Logins themselves are not emulated",
        (
            f"{_COSTS}::test_the_lock_the_log_rows_and_what_is_earlier_share_a_login",
            f"{_DOCUMENTED}::test_logins_keep_what_a_run_needs",
            f"{_COSTS}::test_a_cancelled_statement_needs_no_login",
        ),
    ),
    "M1": Finding(
        "another session may not see a commit yet",
        "steps that depend on one another, by whatever detour, share a session unless READ_CONSISTENCY_MODE is GLOBAL",
        (
            "warehouses/snowflake/test_consistency.py::test_a_step_sees_the_commits_of_those_before_it",
            f"{_DOCUMENTED}::test_doctor_looks_at_read_consistency",
        ),
    ),
    "M2": Finding(
        "appends of one schema wait for one another, since UPDATE locks the table of claims as a whole",
        "they wait, for LOCK_TIMEOUT at most, and go on; a wait that is too long is a transient failure",
        (
            f"{_SESSIONS}::test_appends_wait_for_one_another_and_load_each_file_once",
            f"{_SESSIONS}::test_a_wait_that_is_too_long_is_reported_and_can_be_tried_again",
        ),
    ),
    "M3": Finding(
        "a bad record that the validating COPY does not list is lost without a reject",
        "errors_seen is held against the rejects of each file",
        (f"{_DOCUMENTED}::test_a_bad_record_that_validating_does_not_list_is_not_lost",),
    ),
    "M4": Finding(
        "MATCH_BY_COLUMN_NAME fails on an empty text of a python step",
        'COPY of SELECT $1:"COLUMN"::TYPE',
        (f"{_DOCUMENTED}::test_an_empty_text_of_a_python_step_is_a_text",),
    ),
    "M5": Finding(
        "offsets without a colon and spellings of infinity that Snowflake does not read",
        "they are rewritten before they are cast",
        (f"{_DOCUMENTED}::test_offsets_are_written_as_auto_knows_them",),
    ),
    "M6": Finding(
        "a blank line in a file of JSON lines is an error by the documentation",
        "COPY leaves blank lines out, and so does the look at a first line of JSON; those above a CSV header are left out by"
        " SKIP_HEADER, whichever way rows are numbered after it",
        (
            f"{_DOCUMENTED}::test_a_blank_line_between_json_records_is_left_out_by_copy",
            f"{_DOCUMENTED}::test_no_look_at_a_file_meets_the_blank_lines_above_what_it_looks_for",
        ),
    ),
    "M7": Finding(
        "no active warehouse was taken for a transient failure, and doctor never used it",
        "606 and a resource monitor's stop are final; doctor inserts a row",
        (
            "warehouses/snowflake/test_errors.py::test_transient_errors_are_told_from_final_ones",
            f"{_DOCUMENTED}::test_doctor_looks_at_read_consistency",
        ),
    ),
    "M8": Finding(
        "sessions expire while a python step is busy; the lock was not given back",
        "sessions are kept alive; one that expired is replaced by another login",
        (f"{_SESSIONS}::test_a_run_goes_on_when_its_sessions_expire",),
    ),
    "M9": Finding(
        "a killed client's statement goes on and holds its locks",
        "ABORT_DETACHED_QUERY at login; that the service acts on it only an account can show",
        (f"{_DOCUMENTED}::test_logins_keep_what_a_run_needs",),
    ),
    "M10": Finding(
        "a place without a slash at its end listed the folder above",
        "it is a folder unless its last part has a dot",
        (f"{_DOCUMENTED}::test_a_place_without_a_slash_is_a_folder",),
    ),
    "M11": Finding(
        "setup granted to the login name, and not to SYSADMIN",
        "CURRENT_USER(), SYSADMIN, and --role; names that must be quoted are not tried",
        ("shipped/test_pipelines_on_snowflake.py::test_setup_prints_and_applies_what_an_account_needs",),
    ),
    "M12": Finding(
        "TO_OBJECT raises on anything else, perhaps before the WHERE",
        "AS_OBJECT and AS_ARRAY",
        (f"{_DOCUMENTED}::test_nothing_is_made_an_object_by_a_function_that_raises",),
    ),
    "M13": Finding(
        "s3gov:// and s3china:// were refused, though a stage with credentials reads them",
        "the refusal names the way to such a stage, and a source may name it",
        (
            f"{_DOCUMENTED}::test_a_place_that_needs_credentials_is_refused_with_the_way_to_a_stage",
            f"{_DOCUMENTED}::test_an_existing_stage_lists_its_own_scheme",
        ),
    ),
    "M14": Finding(
        "names of Parquet files with commas; row numbers of Parquet; NULL_IF = () in CREATE STAGE",
        "INFER_SCHEMA's lists are split by the known names; the others a probe asks",
        (f"{_DOCUMENTED}::test_a_comma_in_a_parquet_file_s_name",),
    ),
    "M15": Finding(
        "statements of the lock, the heartbeat and the log tables had no QUERY_TAG",
        "every session of a run is tagged",
        (f"{_SESSIONS}::test_a_run_goes_on_when_its_sessions_expire",),
    ),
}
