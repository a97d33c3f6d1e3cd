"""What Snowflake does otherwise than the contract, by the names of tests and the ids of cases, with the causes."""

from __future__ import annotations

from pipekit.testing.contract import Variations

SNOWFLAKE = {
    "test_cancel_stops_the_running_statement": "a statement that runs long is spelled otherwise here; see tests/warehouses/snowflake",
    "csv_comments": "Snowflake's CSV has no comment lines; validate refuses the key",
    "csv_comments_are_whole_lines": "Snowflake's CSV has no comment lines; validate refuses the key",
    "csv_null_values": "NULL_IF cannot tell a quoted value from an unquoted one: a quoted NULL is NULL too",
    "csv_quoted_null_that_is_bad": "NULL_IF cannot tell a quoted value from an unquoted one: a quoted NULL is NULL too",
    "csv_bad_line_after_quoted_newlines": "METADATA$FILE_ROW_NUMBER counts records, not the lines of a quoted newline",
    "json_small_numbers_with_an_exponent": "the text of a VARIANT's number has the exponent, so that it is bad",
    "json_values_integer": "a VARIANT keeps 1.0 and 1e3 as the integers 1 and 1000, so lines 4 and 6 are good",
    "parquet_decimals_of_more_than_38_digits": "a NUMBER has at most 38 digits, and its reader says so for each record",
    "parquet_column_of_nulls_alone": "INFER_SCHEMA gives it a type, and that it is empty is not reported",
    **{
        f"parquet_times_{name}": "its own types keep nanoseconds"
        for name in ("in_nanoseconds_and_utc", "with_nanoseconds", "of_96_bits", "of_96_bits_with_nanoseconds")
    },
    "csv_delimiter_of_two_characters_and_quotes": "METADATA$FILE_ROW_NUMBER counts records, not the lines of a quoted newline",
    "csv_header_again_below_an_empty_line": "METADATA$FILE_ROW_NUMBER does not count the empty lines that COPY leaves out",
    "csv_bad_record_below_an_empty_line": "METADATA$FILE_ROW_NUMBER does not count the empty lines that COPY leaves out",
    "csv_empty_line_in_one_column": "COPY passes over an empty line or refuses it, so here it is a bad record",
    "csv_footer": "COPY cannot leave out the last lines; validate refuses the key",
    "csv_footer_of_a_packed_file": "COPY cannot leave out the last lines; validate refuses the key",
    "csv_footer_behind_a_carriage_return": "COPY cannot leave out the last lines; validate refuses the key",
    "csv_footer_of_old_macs": "COPY cannot leave out the last lines; validate refuses the key",
    "csv_footer_of_old_macs_with_a_line_feed": "COPY cannot leave out the last lines; validate refuses the key",
}
# What the emulator cannot do, and Snowflake can.
EMULATOR = {
    "csv_values_number(38,0)_": "fakesnow keeps NUMBER(38,0) in 64 bits",
    "csv_two_digit_years": "DuckDB, in which the emulator computes, has another first year",
    "json_numbers_keep_their_digits": "the emulator's VARIANT is DuckDB's JSON, which holds a fraction as a float",
    "json_refused_numbers_keep_their_digits": "the emulator's VARIANT is DuckDB's JSON, which holds a fraction as a float",
    "json_lenient_keeps_digits_as_text": "the emulator's VARIANT is DuckDB's JSON, which holds a fraction as a float",
    "json_no_numbers_of_ieee": "its own parser says what JSON is; the emulator's takes NaN",
    "json_element_of_an_array_without_a_comma": "its own parser says what JSON is; the emulator's needs no commas",
    "json_comma_before_a_bracket": "its own parser says what JSON is; the emulator's takes the comma",
    "json_key_twice_below": "the emulator looks for keys given twice at the top alone",
    "parquet_count_of_a_duration": "the emulator reads Parquet with pyarrow, which makes a length of time of it",
    "parquet_end_of_the_day": "the emulator reads Parquet with pyarrow, which makes midnight of 24:00:00",
    "json_key_twice_above": "ALLOW_DUPLICATE = FALSE refuses it, which the emulator does not look at",
}
BROKEN_DOCUMENTS = (
    "json_a_bad_element_of_an_array",
    "json_broken_documents_over_lines",
    *(
        f"json_element_of_an_array_{name}"
        for name in (
            "with_a_lost_quote",
            "with_a_lost_quote_at_the_end",
            "with_a_lost_quote_and_a_bracket",
            "with_no_quotes",
            "with_no_end",
            "with_no_beginning",
            "with_two_ends",
            "with_a_list_inside",
            "that_is_not_utf_8",
        )
    ),
)
VARIATIONS = Variations(
    # COPY tells that fields are missing or too many, not how many there are.
    words={"1 field": "fewer fields", "3 fields": "more fields", "4 fields": "more fields"},
    refuses={
        # COPY gives up the rest of a file at its first broken document.
        **dict.fromkeys(BROKEN_DOCUMENTS, ("a.json:", "was not read", "on_bad_file: skip")),
        "json_document_over_lines_among_lines": ("a.json",),
        "csv_return_inside_a_value": ("a.csv:2", "carriage return"),
        "csv_return_where_no_value_is_quoted": ("a.csv:2", "carriage return"),
        "csv_another_table_below_delimiters": ("a.csv:5", "a line of delimiters alone", "a file of its own"),
        "csv_narrower_table_with_a_title_below_delimiters": ("a.csv:6", "a line of delimiters alone"),
        "csv_another_table_below_an_empty_line": ("a.csv:5", "an empty line", "a file of its own"),
        "csv_header_again_below_delimiters_and_another_table": ("a.csv:7", "an empty line"),
        "csv_another_table_above_many_lines_of_delimiters": ("a.csv:33", "a line of delimiters alone"),
        "csv_another_table_below_one_record_and_delimiters": ("a.csv:4", "a line of delimiters alone"),
        "csv_another_table_below_one_record_and_an_empty_line_without_a_line_end": ("a.csv:4", "an empty line"),
        "csv_another_table_below_titles_that_are_records": ("a.csv:6", "an empty line"),
        "csv_another_table_below_a_line_of_blanks": ("a.csv",),
        "csv_another_table_with_values_of_the_same_types_below_delimiters": ("a.csv:4",),
        "csv_another_table_with_values_of_the_same_types": ("a.csv:5", "an empty line"),
        "csv_another_table_below_its_title": ("a.csv:6", "an empty line"),
        "csv_quote_closed_inside_the_value_of_another_record": ("a.csv:2", "quote"),
        "csv_quote_closed_inside_a_value_that_may_hold_it": ("a.csv:2", "quote"),
        "csv_quote_closed_at_the_end_of_another_value": ("a.csv:2",),
        "csv_returns_among_line_feeds": ("a.csv:2",),
        "csv_returns_alone": ("a.csv:1", "carriage return", "Convert the line ends"),
        "csv_two_returns_at_the_end_of_a_line": ("a.csv:2", "carriage return", "convert the line ends"),
        "csv_two_returns_at_the_end_of_a_line_where_no_value_is_quoted": ("a.csv:2", "carriage return"),
        "csv_two_returns_at_the_end_of_a_line_where_a_quote_may_be_text": ("a.csv:3", "carriage return"),
        "csv_line_feed_before_carriage_return": ("a.csv:2", "carriage return"),
        "csv_line_feed_before_carriage_return_and_numbers": ("a.csv:2", "carriage return"),
        "csv_empty_line_above_the_header": ("a.csv:1", "`skip_lines`"),
        "csv_empty_line_above_one_column": ("a.csv:1", "`skip_lines`"),
        "csv_line_feed_in_a_name_above_lines_of_windows": ("a.csv:1", "line break inside a quoted name"),
        "csv_skipped_line_of_old_macs": (
            "a.csv",
            "`skip_lines: 1`",
        ),  # SKIP_HEADER skips lines that end with a line feed
        "csv_xz": ("a.csv.xz", "does not read xz"),
        "csv_xz_in_two_streams_with_padding": ("a.csv.xz", "does not read xz"),
        "csv_zip": ("zip", "does not read zip"),
        "csv_zip_with_what_an_archiver_adds": ("zip", "does not read zip"),
        "csv_quote_inside_an_unquoted_value": ("a.csv:2", "quote inside"),
        "csv_quote_at_the_end_of_an_unquoted_value": ("a.csv:4", "quote inside"),
        "csv_blank_before_a_quote": ("a.csv:2", "quote inside"),
        "csv_byte_order_mark_in_the_middle": ("a.csv:3", "byte order mark"),
        "csv_escape_before_other_characters": ("a.csv:2", "escape"),
        "csv_quote_never_closed": ("a.csv:3", "quote"),
        "csv_quote_closed_by_the_next_one": ("a.csv:2", "quote"),
        "csv_quote_inside_with_a_delimiter_of_two_characters": ("a.csv:2", "quote inside"),
    },
)
