"""SQL for whether a text is JSON by the letter of RFC 8259, which DuckDB's ``json_valid`` is not.

It takes ``NaN``, ``Infinity``, a comma before a bracket, and one key twice.
"""

from __future__ import annotations

from pipekit.sql.text import quoted

BLANK = r"[ \t\r\n]*"
BACKSLASH = "\\"  # a key with an escape may be another one, spelt otherwise
KEYS = r'"((?:[^"\\]|\\.)*)"' + BLANK + ":"
_STRING = r'"(?:[^"\\]|\\.)*"'
_LAX = rf"(?i)nan|inf|,{BLANK}[\]}}]"


def has_doubtful_keys(document: str) -> str:
    """SQL for whether keys of a document are spelt alike, at whatever depth, or may be alike."""
    keys = f"regexp_extract_all({document}, {quoted(KEYS)}, 1)"
    return f"(len({keys}) > len(list_distinct({keys})) OR contains(array_to_string({keys}, ''), {quoted(BACKSLASH)}))"


def is_strict(document: str) -> str:
    """SQL for whether a text that DuckDB takes for JSON is JSON; never NULL."""
    lax = f"regexp_matches(regexp_replace({document}, {quoted(_STRING)}, '0', 'g'), {quoted(_LAX)})"
    doubtful = f"CASE WHEN json_valid({document}) AND {has_doubtful_keys(document)} THEN {document} END"
    twice = (
        f"EXISTS (SELECT 1 FROM json_tree({doubtful}) AS node WHERE node.key IS NOT NULL "
        "GROUP BY node.parent, node.key HAVING count(*) > 1)"
    )
    return f"NOT coalesce({lax}, false) AND NOT {twice}"


def has_exponent(raw: str) -> str:
    """Whether JSON text may be a number with an exponent."""
    return f"contains(lower({raw}), 'e') AND NOT contains({raw}, '\"')"


def decimals_of(raw: str) -> str:
    """SQL of the decimals that a number with an exponent has when it is written without; NULL for other JSON."""
    behind = f"strlen(rtrim(regexp_extract({raw}, '[.]([0-9]*)', 1), '0'))"
    zeros = f"strlen(regexp_extract({raw}, '(0*)(?:[.]0*)?[eE]', 1))"  # at the end of a whole number
    exponent = f"TRY_CAST(regexp_extract({raw}, '[eE](.*)', 1) AS INTEGER)"
    return f"CASE WHEN {behind} = 0 THEN -{zeros} ELSE {behind} END - {exponent}"
