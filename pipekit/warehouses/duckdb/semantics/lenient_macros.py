"""JSON as PARSE_JSON of Snowflake reads it: more than RFC 8259 allows, and other than DuckDB where it allows more too.

By the examples of https://docs.snowflake.com/en/sql-reference/functions/parse_json,
https://docs.snowflake.com/en/sql-reference/functions/try_parse_json and
https://docs.snowflake.com/en/sql-reference/functions/flatten: keys without quotes, TRUE in any case, and a comma before
the end of an array, behind which an element is missing. A missing element in between stays an error, since FLATTEN
leaves it out and a null not.
"""

from __future__ import annotations

# Texts are skipped whole. The end of the document matches as well, so each pass takes what it wrote there off again.
_BEFORE = r'(?s)((?:"(?:[^"\\]|\\.)*"|[^"])*?)'


def _pass(text: str, found: str, written: str, at_end: str) -> str:
    """One replacement outside of texts; ``at_end`` is what ``written`` is if nothing was found."""
    return f"left(regexp_replace({text} || '  ', '{_BEFORE}(?:{found}|$)', '\\1{written}', 'g'), -{len(at_end) + 2})"


def _lenient() -> str:
    text = _pass("x", r"([{,]\s*)([A-Za-z_][A-Za-z0-9_$]*)(\s*:)", r'\2"\3"\4', '""')
    for word in ("true", "false", "null"):
        text = _pass(text, rf"\b(?i:{word})\b", word, word)
    text = _pass(text, r",\s*\]", ",null]", ",null]")
    return _pass(text, r",\s*\}", ",,}", ",,}")  # what Snowflake does with it is not known: no JSON


LENIENT_MACROS: dict[str, tuple[str, str]] = {
    "sf_lenient": ("x", _lenient()),
    "sf_as_json": (
        "x",
        r"CASE WHEN json_valid(x) AND NOT regexp_matches(x, ',\s*[\]}]') THEN x ELSE sf_lenient(x) END",
    ),
}
