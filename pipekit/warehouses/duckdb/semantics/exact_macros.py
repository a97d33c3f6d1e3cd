"""Macros that keep every digit of a number in a document.

DuckDB's JSON functions read a number with a fraction as a float and rewrite it, so that one of more than 15 digits
may become another; a VARIANT of Snowflake holds 38, https://docs.snowflake.com/en/sql-reference/data-types-semistructured.
A document without such a number goes through DuckDB's functions as it is, and is searched for one only where a number
with a fraction was found. In others each number with a fraction is first marked as a text, and the mark taken off what
was found.
"""

from __future__ import annotations

MARK = "\ue000"  # is in no document: it is a character for private use
_LONG = "[0-9][0-9.]{16}"
# Texts are skipped whole, so that no number inside one is marked. Zeros at the end are left out, as DuckDB does.
_NUMBER = r'(?s)((?:"(?:[^"\\]|\\.)*"|[^"])*?)(?:(-?[0-9]+\.[0-9]+?)0*([,\]}\s])|$)'
_AT_END = len(f'"{MARK}"')  # the end of the document matches too, and is marked

PART = "sf_part({0}, {1})"
PART_TEXT = "sf_part_text({0}, {1})"
PART_NUMBER = "sf_part_number({0}, {1})"  # what is not a number is as it is
PART_TEXT_ONCE = "sf_part_text_once({0}, {1})"
# In place of a cast of the text at a path to {0}.
WHOLE_OR = (
    "coalesce(TRY_CAST(replace(json_extract_string({{0}}, {{1}}), '.', ' .') AS {0}), "
    "CAST(sf_part_number({{0}}, {{1}}) AS {0}))"
)
FLOAT_TEXT = "json_extract_string({0}, {1})"  # a float has no more digits than DuckDB reads


_FOUND = "json_extract_string(x, p)"
# A text of few digits comes from a number of many only if that has zeros or nines after these digits.
_EXACTLY = (
    f"AND {_FOUND} >= '-' AND (strlen({_FOUND}) > 9 OR contains(CAST(x AS VARCHAR), '0000') "
    f"OR contains(CAST(x AS VARCHAR), '9999')) AND sf_long(x) "
    f"THEN ltrim(json_extract_string(sf_marked(x), p), '{MARK}')"
)

EXACT_MACROS: dict[str, tuple[str, str]] = {
    "sf_long": ("x", f"regexp_matches(CAST(x AS VARCHAR), '{_LONG}')"),
    "sf_marked": (
        "x",
        f"left(regexp_replace(CAST(x AS VARCHAR) || '  ', '{_NUMBER}', '\\1\"{MARK}\\2\"\\3', 'g'), -{_AT_END})",
    ),
    "sf_unmarked": (
        "x",
        f"CAST(regexp_replace(CAST(x AS VARCHAR), '\"{MARK}(-?[0-9.]+)\"', '\\1', 'g') AS JSON)",
    ),
    # The document as one whose numbers DuckDB's functions do not change; what they give is to be unmarked.
    "sf_kept": (
        "x",
        "CASE WHEN contains(CAST(x AS VARCHAR), '.') AND sf_long(x) THEN sf_marked(x) ELSE CAST(x AS VARCHAR) END",
    ),
    # A text as a document without blanks.
    "sf_document": (
        "x",
        "CASE WHEN contains(x, '.') AND sf_long(x) AND json_valid(x) "
        "THEN sf_unmarked(json(sf_marked(x))) ELSE json(x) END",
    ),
    "sf_part": (
        "x, p",
        "CASE WHEN CAST(json_extract(x, p) AS VARCHAR) >= '-' AND contains(CAST(json_extract(x, p) AS VARCHAR), '.') "
        "AND sf_long(x) THEN sf_unmarked(json_extract(sf_marked(x), p)) ELSE json_extract(x, p) END",
    ),
    "sf_part_text": (
        "x, p",
        f"CASE WHEN {_FOUND} < ':' AND contains({_FOUND}, '.') {_EXACTLY} "
        f"WHEN {_FOUND} >= '[' AND ({_FOUND} < '\\' OR {_FOUND} >= '{{') AND json_type(x, p) IN ('OBJECT', 'ARRAY') "
        f"THEN list_transform([sf_part(x, p)], lambda part: sf_json_text(part))[1] ELSE {_FOUND} END",
    ),
    "sf_part_number": ("x, p", f"CASE WHEN contains({_FOUND}, '.') AND {_FOUND} < ':' {_EXACTLY} ELSE {_FOUND} END"),
    # Where DuckDB does not see that it needs an expression once only, as in WHERE, a lambda holds it.
    "sf_part_text_once": (
        "x, p",
        "coalesce(list_transform([json_extract_string(x, p)], lambda e: CASE WHEN (e < ':' AND contains(e, '.')) "
        "OR (e >= '[' AND e < '\\') OR (e >= '{' AND e < '|') THEN NULL ELSE e END)[1], sf_part_text(x, p))",
    ),
    "sf_scalar_text": (
        "x",
        "CASE WHEN CAST(x AS VARCHAR) >= '-' AND contains(CAST(x AS VARCHAR), '.') AND sf_long(x) "
        f"THEN ltrim(sf_marked(x) ->> '$', '{MARK}') ELSE x ->> '$' END",
    ),
    # DuckDB takes the parts of a NULL that it knows beforehand for one value instead of a list, hence the casts.
    "sf_parts": (
        "x, p",
        "CASE WHEN contains(CAST(x AS VARCHAR), '.') AND sf_long(x) THEN list_transform("
        "CAST(json_extract(sf_marked(x), p) AS JSON[]), lambda part: sf_unmarked(part)) "
        "ELSE CAST(json_extract(x, p) AS JSON[]) END",
    ),
    # Of documents; to_json reads and rewrites each.
    "sf_json": (
        "x",
        "CASE WHEN len(x) = 0 THEN CAST('[]' AS JSON) WHEN typeof(x) = 'JSON[]' AND sf_long(CAST(x AS VARCHAR)) THEN "
        "CAST('[' || array_to_string(list_transform(x, lambda part: coalesce(CAST(part AS VARCHAR), 'null')), ',') "
        "|| ']' AS JSON) ELSE to_json(x) END",
    ),
    # Snowflake writes the keys of an object by the alphabet.
    "sf_json_text": (
        "x",
        "CASE WHEN CAST(x AS VARCHAR) < '[' THEN CAST(x AS VARCHAR) "
        "WHEN contains(CAST(x AS VARCHAR), '.') AND sf_long(x) "
        "THEN CAST(sf_unmarked(json_normalize(sf_marked(x))) AS VARCHAR) ELSE CAST(json_normalize(x) AS VARCHAR) END",
    ),
}
