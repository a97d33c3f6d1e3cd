"""Macros over JSON: lists of an array's elements, objects that are put together again, FLATTEN's rows."""

from __future__ import annotations

_ROW = "'key': NULL::VARCHAR, 'path': NULL::VARCHAR, 'index': NULL::BIGINT, 'value': NULL::JSON"


VARIANT_MACROS: dict[str, tuple[str, str]] = {
    "sf_variant": (
        "x",
        "CASE WHEN typeof(x) = 'JSON' THEN CAST(CAST(x AS VARCHAR) AS JSON) "
        "WHEN typeof(x) IN ('DATE', 'TIME', 'TIMESTAMP', 'TIMESTAMP WITH TIME ZONE') THEN to_json(sf_text(x)) "
        "WHEN starts_with(typeof(x), 'DECIMAL') THEN sf_decimal_json(x) ELSE to_json(x) END",
    ),
    "sf_at": (
        "x, k",
        "CASE WHEN typeof(k) = 'VARCHAR' THEN sf_part(x, '$.\"' || k || '\"') "
        "WHEN TRY_CAST(k AS BIGINT) >= 0 THEN sf_part(x, '$[' || TRY_CAST(k AS BIGINT) || ']') END",
    ),
    "sf_typeof_any": (
        "x",
        "CASE WHEN x IS NULL THEN NULL WHEN typeof(x) IN ('DATE', 'TIME', 'DOUBLE', 'BOOLEAN', 'VARCHAR') "
        "THEN typeof(x) "
        "WHEN typeof(x) = 'TIMESTAMP' THEN 'TIMESTAMP_NTZ' WHEN typeof(x) = 'TIMESTAMP WITH TIME ZONE' "
        "THEN 'TIMESTAMP_TZ' WHEN typeof(x) = 'BLOB' THEN 'BINARY' ELSE sf_typeof(sf_variant(x)) END",
    ),
    "sf_parse_json": (
        "x",
        "CASE WHEN strlen(x) > 30 THEN CASE WHEN trim(x) = '' THEN NULL ELSE sf_document(sf_as_json(x)) END "
        "WHEN trim(x) = '' THEN NULL WHEN lower(trim(x)) = 'null' THEN CAST('null' AS JSON) WHEN regexp_full_match(x, "
        "' *-?[0-9.]+[eE][+-]?[0-9]+ *') THEN CAST(trim(x) AS JSON) ELSE sf_document(sf_as_json(x)) END",
    ),
    # DuckDB's VARIANT holds each key once, at whatever depth, so a document that has more of them there has one twice.
    # A macro writes its argument out at each use, and documents are nested in documents; a lambda holds it once.
    "sf_keys": (
        "x",
        r"""length(regexp_replace(CAST(x AS VARCHAR), '"(?:[^"\\]|\\.)*"|[^:"]+', '', 'g'))""",
    ),
    "sf_once_each": ("x", "CAST(CAST(CAST(sf_kept(x) AS JSON) AS VARIANT) AS JSON)"),
    "sf_doubled": (
        "x",
        "CASE WHEN contains(substr(CAST(x AS VARCHAR), 2), '{') THEN sf_keys(x) > sf_keys(sf_once_each(x)) "
        "ELSE len(json_keys(x)) > list_unique(json_keys(x)) END",
    ),
    "sf_parse_strictly": (
        "x",
        "list_transform([x], lambda e: CASE WHEN sf_doubled(e) THEN "
        "CAST('duplicate object attribute in ' || CAST(e AS VARCHAR) AS JSON) ELSE e END)[1]",
    ),
    "sf_try_strictly": ("x", "list_transform([x], lambda e: CASE WHEN sf_doubled(e) THEN NULL ELSE e END)[1]"),
    "sf_parse_last": (
        "x",
        "list_transform([x], lambda e: CASE WHEN sf_doubled(e) THEN sf_unmarked(sf_once_each(e)) ELSE e END)[1]",
    ),
    "sf_typeof": (
        "x",
        "CASE json_type(x) WHEN 'UBIGINT' THEN 'INTEGER' WHEN 'BIGINT' THEN 'INTEGER' WHEN 'NULL' THEN 'NULL_VALUE' "
        "WHEN 'DOUBLE' THEN CASE WHEN contains(lower(CAST(x AS VARCHAR)), 'e') THEN 'DOUBLE' "
        "WHEN contains(CAST(x AS VARCHAR), '.') THEN 'DECIMAL' ELSE 'INTEGER' END ELSE json_type(x) END",
    ),
    "sf_sortable": (
        "x",
        "{'rank': CASE WHEN TRY_CAST(x AS DOUBLE) IS NULL OR json_type(x) = 'VARCHAR' THEN 1 ELSE 0 END, "
        "'number': CASE WHEN json_type(x) <> 'VARCHAR' THEN TRY_CAST(x ->> '$' AS DOUBLE) END, "
        "'whole': CASE WHEN json_type(x) <> 'VARCHAR' THEN TRY_CAST(CAST(x AS VARCHAR) AS DECIMAL(38,0)) END, "
        "'more': CASE WHEN sf_long(x) AND json_type(x) = 'DOUBLE' THEN "
        "nullif(rtrim(split_part(CAST(x AS VARCHAR), '.', 2), '0'), '') END, "
        "'text': CASE WHEN json_type(x) IN ('UBIGINT', 'BIGINT', 'DOUBLE') THEN NULL ELSE sf_json_text(x) END}",
    ),
    "sf_list": ("x", "CASE WHEN json_type(x) = 'ARRAY' THEN sf_parts(x, '$[*]') END"),
    "sf_texts": ("x", "list_transform(sf_list(x), lambda e: sf_scalar_text(e))"),
    "sf_variant_text": (
        "x",
        "CASE WHEN json_type(x) IN ('OBJECT', 'ARRAY') THEN sf_json_text(x) ELSE sf_scalar_text(x) END",
    ),
    "sf_get_ignore_case": (
        "x, k",
        "sf_part(x, '$.\"' || coalesce(list_filter(json_keys(x), lambda e: e = k)[1], "
        "list_sort(list_filter(json_keys(x), lambda e: lower(e) = lower(k)))[1]) || '\"')",
    ),
    "sf_entries": ("x", "CASE WHEN x IS NOT NULL THEN list_zip(json_keys(x), sf_parts(x, '$.*')) END"),
    "sf_to_array": (
        "x",
        "CASE WHEN json_type(x) = 'ARRAY' THEN x WHEN x IS NOT NULL AND json_type(x) <> 'NULL' THEN json_array(x) END",
    ),
    "sf_object": (
        "entries",
        "CAST('{' || array_to_string(list_transform(entries, lambda e: CAST(to_json(e[1]) AS VARCHAR) || ':' || "
        "CAST(e[2] AS VARCHAR)), ',') || '}' AS JSON)",
    ),
    "sf_map_cat": (
        "x, y",
        "sf_object(list_concat(list_filter(sf_entries(x), lambda e: NOT list_contains(json_keys(y), e[1])), "
        "sf_entries(y)))",
    ),
    "sf_object_delete": ("x, ks", "sf_object(list_filter(sf_entries(x), lambda e: NOT list_contains(ks, e[1])))"),
    "sf_object_pick": ("x, ks", "sf_object(list_filter(sf_entries(x), lambda e: list_contains(ks, e[1])))"),
    "sf_object_insert": (
        "x, k, v, again",
        "CASE WHEN x IS NULL OR k IS NULL THEN NULL WHEN list_contains(json_keys(x), k) AND NOT again "
        "THEN CAST('duplicate field key ' || k AS JSON) "
        "WHEN v IS NULL THEN sf_object_delete(x, [k]) ELSE sf_object(list_concat("
        "list_filter(sf_entries(x), lambda e: e[1] <> k), list_zip([k], [v]))) END",
    ),
    # FLATTEN
    "sf_flatten": ("x, mode, prefix", "sf_rows(x, x, mode, prefix)"),
    "sf_rows": (
        "x, base, mode, prefix",
        "CASE WHEN json_type(x) = 'ARRAY' AND mode <> 'OBJECT' THEN list_transform(sf_parts(x, '$[*]'), "
        "lambda e, i: {'key': NULL::VARCHAR, 'path': prefix || '[' || (i - 1) || ']', 'index': CAST(i - 1 AS "
        "BIGINT), "
        "'value': e, 'this': CAST(base AS JSON)}) "
        "WHEN json_type(x) = 'OBJECT' AND mode <> 'ARRAY' THEN list_transform(sf_entries(x), "
        "lambda e: {'key': e[1], 'path': CASE WHEN prefix = '' THEN sf_step(e[1]) ELSE prefix || '.' || "
        "sf_step(e[1]) END, "
        "'index': NULL::BIGINT, 'value': e[2], 'this': CAST(base AS JSON)}) ELSE [] END",
    ),
    "sf_step": ("k", "CASE WHEN regexp_full_match(k, '[A-Za-z_][A-Za-z0-9_$]*') THEN k ELSE '[''' || k || ''']' END"),
    "sf_or_one_row": (
        "found, x, prefix",
        "CASE WHEN len(found) > 0 THEN found WHEN x IS NULL THEN [{" + _ROW + ", 'this': NULL::JSON}] "
        "ELSE [{'key': NULL::VARCHAR, 'path': prefix, 'index': NULL::BIGINT, 'value': NULL::JSON, 'this': x}] END",
    ),
    # Arrays
    "sf_array_slice": (
        "x, first, last",
        "sf_json(sf_list(x)[CASE WHEN first < 0 THEN greatest(json_array_length(x) + first, 0) + 1 ELSE "
        "first + 1 END:"
        "CASE WHEN last < 0 THEN greatest(json_array_length(x) + last, 0) ELSE last END])",
    ),
    "sf_array_repeat": (
        "x, n",
        "CASE WHEN n IS NULL THEN NULL ELSE sf_json(list_transform(range(CAST(n AS BIGINT)), lambda e: "
        "coalesce(x, CAST('null' AS JSON)))) END",
    ),
    # DuckDB leaves a list that is NULL out.
    "sf_array_cat": (
        "x, y",
        "CASE WHEN x IS NOT NULL AND y IS NOT NULL THEN sf_json(list_concat(sf_list(x), sf_list(y))) END",
    ),
    "sf_array_append": ("x, v", "CASE WHEN x IS NOT NULL THEN sf_json(list_append(sf_list(x), v)) END"),
    "sf_array_prepend": ("x, v", "CASE WHEN x IS NOT NULL THEN sf_json(list_prepend(v, sf_list(x))) END"),
    "sf_array_insert": (
        "x, place, v",
        "sf_json(CASE WHEN x IS NULL OR place IS NULL THEN NULL WHEN place <= json_array_length(x) THEN "
        "list_concat(list_concat(sf_list(x)[1:sf_place(x, place)], [v]), "
        "sf_list(x)[sf_place(x, place) + 1:]) ELSE list_concat(list_concat(sf_list(x), "
        "list_transform(range(CAST(place - "
        "json_array_length(x) AS BIGINT)), lambda e: CAST('null' AS JSON))), [v]) END)",
    ),
    "sf_place": (
        "x, place",
        "CASE WHEN place < 0 THEN greatest(CAST(json_array_length(x) AS BIGINT) + place, 0) ELSE place END",
    ),
    "sf_array_remove_at": (
        "x, place",
        "CASE WHEN place IS NOT NULL THEN sf_json(list_concat(sf_list(x)[1:sf_place(x, place)], "
        "sf_list(x)[sf_place(x, place) + 2:])) END",
    ),
    "sf_sorted": (
        "items",
        "list_transform(list_sort(list_transform(items, lambda e: {'k': sf_sortable(e), 'v': e})), lambda e: e.v)",
    ),
    "sf_nulls": ("items", "list_filter(items, lambda e: json_type(e) = 'NULL')"),
    "sf_not_nulls": ("items", "list_filter(items, lambda e: json_type(e) <> 'NULL')"),
    "sf_array_sort": (
        "x, ascending, nulls_first",
        "sf_json(CASE WHEN x IS NULL THEN NULL "
        "WHEN nulls_first THEN list_concat(sf_nulls(sf_list(x)), sf_directed(x, ascending)) "
        "ELSE list_concat(sf_directed(x, ascending), sf_nulls(sf_list(x))) END)",
    ),
    "sf_directed": (
        "x, ascending",
        "CASE WHEN ascending THEN sf_sorted(sf_not_nulls(sf_list(x))) "
        "ELSE list_reverse(sf_sorted(sf_not_nulls(sf_list(x)))) END",
    ),
    "sf_numbered": (
        "items",
        "list_transform(items, lambda e, i: {'e': e, 'n': len(list_filter(items[1:i], lambda o: o = e))})",
    ),
    "sf_array_intersection": (
        "x, y",
        "CASE WHEN y IS NOT NULL THEN sf_json(list_transform(list_filter(sf_numbered(sf_list(x)), lambda p: "
        "len(list_filter(sf_list(y), lambda o: o = p.e)) >= p.n), lambda p: p.e)) END",
    ),
    "sf_array_except": (
        "x, y",
        "CASE WHEN y IS NOT NULL THEN sf_json(list_transform(list_filter(sf_numbered(sf_list(x)), lambda p: "
        "len(list_filter(sf_list(y), lambda o: o = p.e)) < p.n), lambda p: p.e)) END",
    ),
    "sf_first_of_each": (
        "items",
        "list_transform(list_filter(sf_numbered(items), lambda p: p.n = 1), lambda p: p.e)",
    ),
    "sf_array_to_string": (
        "x, separator",
        "CASE WHEN x IS NULL OR separator IS NULL THEN NULL ELSE array_to_string(list_transform(sf_list(x), "
        "lambda e: coalesce(sf_scalar_text(e), '')), separator) END",
    ),
    "sf_array_union": (
        "arrays",
        "list_transform([arrays], lambda held: sf_json(flatten(list_transform(sf_first_of_each(flatten(held)), "
        "lambda v: list_transform(range(list_max(list_transform(held, lambda a: len(list_filter(a, lambda e: e = "
        "v))))), lambda i: v)))))[1]",
    ),
    "sf_array_flatten": (
        "x",
        "CASE WHEN len(sf_nulls(sf_list(x))) > 0 THEN NULL WHEN len(list_filter(sf_list(x), lambda e: json_type(e) <> "
        "'ARRAY')) > 0 THEN CAST('array_flatten: not an array of arrays' AS JSON) "
        "ELSE sf_json(flatten(list_transform(sf_list(x), lambda e: sf_list(e)))) END",
    ),
    "sf_arrays_to_object": ("ks, vs", "sf_object(list_zip(sf_texts(ks), sf_list(vs)))"),
}


# JSON as PARSE_JSON of Snowflake reads it: more than RFC 8259 allows, and other than DuckDB where it allows more too.
#
# By the examples of https://docs.snowflake.com/en/sql-reference/functions/parse_json,
# https://docs.snowflake.com/en/sql-reference/functions/try_parse_json and
# https://docs.snowflake.com/en/sql-reference/functions/flatten: keys without quotes, TRUE in any case, a comma before
# the end of an array, behind which an element is missing. A missing element in between stays an error, since FLATTEN
# leaves it out and a null not.
#
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
