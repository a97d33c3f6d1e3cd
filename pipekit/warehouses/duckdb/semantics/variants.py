"""VARIANT and OBJECT: paths, constructors, types. https://docs.snowflake.com/en/sql-reference/functions-semistructured"""

from __future__ import annotations

import json
import re
from typing import Any

from sqlglot import exp, parse_one

from pipekit.sql.text import quoted
from pipekit.warehouses.duckdb.semantics import casts, literals
from pipekit.warehouses.duckdb.semantics.casts import to_object, to_text, to_variant
from pipekit.warehouses.duckdb.semantics.exact_macros import PART
from pipekit.warehouses.duckdb.semantics.parsing import Source, Template
from pipekit.warehouses.duckdb.semantics.refusals import refuse
from pipekit.warehouses.duckdb.semantics.rewriting import Rewriter, visits
from pipekit.warehouses.duckdb.semantics.rules import Call, Typed, constant, function, make, simple
from pipekit.warehouses.duckdb.semantics.scopes import Columns
from pipekit.warehouses.duckdb.semantics.types import (
    ARRAY,
    BOOL,
    DATE,
    FLOAT,
    INT,
    NTZ,
    OBJECT,
    TEXT,
    TZ,
    VARIANT,
    Type,
    decimal,
)


def step(key: str | int) -> str:
    """One step of a JSON path in DuckDB's spelling."""
    if isinstance(key, int):
        return f"[{key}]"
    return '."' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'


def extract(value: Typed, path: str) -> Typed:
    """The part of a document at a path such as ``."a"[0]``; a path of a path is one path."""
    node = value.node
    if isinstance(node, Template) and node.this == PART and isinstance(node.expressions[1], exp.Literal):
        base, before = node.expressions
        return Typed(_extraction(base, str(before.this) + path), VARIANT)
    return Typed(_extraction(node, "$" + path), VARIANT)


def _extraction(node: Any, path: str) -> Template:
    return Template(this=PART, expressions=[node, exp.Literal.string(path)])


@visits(exp.JSONExtract)
def path(rewriter: Rewriter, node: Any) -> Typed:
    """``v:a.b[0]``."""
    steps = [_path_step(part, node) for part in node.expression.expressions if not isinstance(part, exp.JSONPathRoot)]
    return extract(rewriter.visit(node.this), "".join(steps))


def _path_step(part: Any, node: Any) -> str:
    if isinstance(part, exp.JSONPathKey):
        return step(str(part.this))
    if isinstance(part, exp.JSONPathSubscript) and isinstance(part.this, (int, str)):
        return step(part.this if isinstance(part.this, int) else str(part.this))
    raise refuse(node, "such a step of a path is not known")


@visits(exp.Bracket)
def bracket(rewriter: Rewriter, node: Any) -> Typed:
    """``v['a']`` and ``v[0]``; arrays count from 0."""
    value = rewriter.visit(node.this)
    index = node.expressions[0]
    if isinstance(index, exp.Slice) or (isinstance(index, exp.JSONExtract) and isinstance(index.this, exp.Literal)):
        raise refuse(node, "a slice in brackets is not known", "Use array_slice.")
    return at(value, rewriter.visit(index), constant(index))


def at(value: Typed, index: Typed, known: object) -> Typed:
    """The element of an array or the value of a key."""
    if isinstance(known, (int, str)) and not isinstance(known, bool):
        return extract(value, step(known)) if not isinstance(known, int) or known >= 0 else casts.null_of(VARIANT)
    if index.type.is_number:
        return make("sf_part({0}, CASE WHEN {1} >= 0 THEN CAST({1} AS BIGINT) END)", VARIANT, value, index)
    if index.type.kind == "unknown":
        return make("sf_at({0}, {1})", VARIANT, value, index)
    return make("sf_part({0}, '$.\"' || {1} || '\"')", VARIANT, value, to_text(index))


@visits(exp.Dot)
def dot(rewriter: Rewriter, node: Any) -> Typed:
    """``v['a'].b``."""
    value = rewriter.visit(node.this)
    return extract(value, step(str(node.expression.name)))


@visits(exp.Struct)
def object_constant(rewriter: Rewriter, node: Any) -> Typed:
    """``{'a': 1}``."""
    pairs = []
    for part in node.expressions:
        if part.is_star:
            pairs += all_columns(Call("{*}", part, [part], rewriter))
            continue
        if not isinstance(part, exp.PropertyEQ):
            raise refuse(node, "such a part of an object constant is not known", "Use object_construct(...).")
        key = part.this if isinstance(part.this, exp.Literal) else exp.Literal.string(part.this.name)
        pairs.append((rewriter.visit(key), rewriter.visit(part.expression)))
    return construct(pairs, keep_null=False)


@visits(exp.Array)
def array_constant(rewriter: Rewriter, node: Any) -> Typed:
    """``[1, 2]``."""
    return array_of([rewriter.visit(part) for part in node.expressions])


def array_of(parts: list[Typed]) -> Typed:
    """An ARRAY of the values; NULL is in it as JSON's null."""
    written = [make("coalesce(CAST({0} AS VARCHAR), 'null')", TEXT, to_variant(part)) for part in parts]
    if not parts:
        return make("CAST('[]' AS JSON)", ARRAY)
    places = " || ',' || ".join(f"{{{index}}}" for index in range(len(parts)))
    return make(f"CAST('[' || {places} || ']' AS JSON)", ARRAY, *written)


def construct(pairs: list[tuple[Typed, Typed]], *, keep_null: bool) -> Typed:
    """An OBJECT of keys and values; pairs with NULL are left out unless they are to be kept."""
    parts: list[Typed] = []
    places = []
    if all(literals.literal_text(key) is not None for key, _ in pairs):  # Snowflake keeps keys by the alphabet
        pairs = sorted(pairs, key=lambda pair: str(literals.literal_text(pair[0])))
    for key, value in pairs:
        places.append(_pair(parts, key, value, keep_null=keep_null))
    if not places:
        return make("CAST('{}' AS JSON)", OBJECT)
    return make(f"CAST('{{' || concat_ws(',', {', '.join(places)}) || '}}' AS JSON)", OBJECT, *parts)


def _pair(parts: list[Typed], key: Typed, value: Typed, *, keep_null: bool) -> str:
    text = literals.literal_text(key)
    if text is None:
        parts.append(to_text(key))
        name = f"CAST(to_json({{{len(parts) - 1}}}) AS VARCHAR) || ':'"
    else:
        name = quoted(json.dumps(text, ensure_ascii=False) + ":")
    parts.append(make("CAST({0} AS VARCHAR)", TEXT, to_variant(value)))
    place = f"{{{len(parts) - 1}}}"
    return f"{name} || coalesce({place}, 'null')" if keep_null else f"{name} || {place}"


@function("OBJECT_CONSTRUCT", "OBJECT_CONSTRUCT_KEEP_NULL")
def object_construct(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/object_construct"""
    keep = call.name.endswith("KEEP_NULL")
    if len(call) == 1 and call.raw[0].is_star:
        return construct(all_columns(call), keep_null=keep)
    if len(call) % 2:
        raise call.refuse("keys and values come in pairs")
    parts = call.args()
    return construct(list(zip(parts[::2], parts[1::2], strict=True)), keep_null=keep)


def all_columns(call: Call) -> list[tuple[Typed, Typed]]:
    """The columns that ``*`` as the first argument means, each after its name."""
    node = call.raw[0]
    star = node if isinstance(node, exp.Star) else node.this
    scope = call.rewriter.scope
    source = scope.source(node.table) if isinstance(node, exp.Column) else None
    columns = source.columns if source is not None else scope.all_columns()
    if columns is None:
        raise call.refuse("* needs the columns, and those of a table here are not known", "Name the columns.")
    columns, table = _chosen(star, columns), (node.table if isinstance(node, exp.Column) else "") or None
    return [
        (Typed(exp.Literal.string(name.upper()), TEXT), Typed(exp.column(name, table=table), kind))
        for name, kind in columns.items()
    ]


def _chosen(star: Any, columns: Columns) -> Columns:
    """The columns that ILIKE and EXCLUDE leave."""
    out = {part.name.lower() for part in star.args.get("except_") or star.args.get("except") or []}
    ilike = star.args.get("ilike")
    if ilike is not None:
        pattern = re.escape(str(ilike.this)).replace("%", ".*").replace("_", ".")
        out |= {name for name in columns if not re.fullmatch(pattern, name, re.IGNORECASE)}
    return {name: kind for name, kind in columns.items() if name not in out}


@function("GET", "GET_IGNORE_CASE")
def get(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/get"""
    if call.name == "GET":
        return at(call.arg(0), call.arg(1), constant(call.raw[1]))
    return make("sf_get_ignore_case({0}, {1})", VARIANT, call.arg(0), call.as_kind(1, "text"))


@function("GET_PATH", "JSON_EXTRACT_PATH_TEXT")
def get_path(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/get_path"""
    text = constant(call.raw[1])
    if not isinstance(text, str):
        raise call.refuse("a path that is not a constant is not known", "Use get(...).")
    value = call.arg(0)
    found = extract(value, path_text(call, text)[1:])
    return to_text(found) if call.name.startswith("JSON") else found


def path_text(call: Call, text: str) -> str:
    """A path in Snowflake's spelling as DuckDB's."""
    try:
        node = parse_one(f"v:{text}" if not text.startswith("[") else f"v{text}", read=Source)
    except Exception as error:
        raise call.refuse(f"{text!r} is not a path") from error
    return "$" + "".join(_steps(call, node))


def _steps(call: Call, node: Any) -> list[str]:
    if isinstance(node, exp.Bracket):
        known = constant(node.expressions[0])
        if not isinstance(known, (int, str)):
            raise call.refuse("such a step of a path is not known")
        return [*_steps(call, node.this), step(known)]
    if isinstance(node, exp.Dot):
        return [*_steps(call, node.this), step(node.expression.name)]
    if isinstance(node, exp.JSONExtract):
        found = [_path_step(p, node) for p in node.expression.expressions if not isinstance(p, exp.JSONPathRoot)]
        return [*_steps(call, node.this), *found]
    return []


_STATIC = {
    "int": "INTEGER",
    "huge": "INTEGER",
    "float": "DOUBLE",
    "text": "VARCHAR",
    "bool": "BOOLEAN",
    "date": "DATE",
    "time": "TIME",
    "ntz": "TIMESTAMP_NTZ",
    "tz": "TIMESTAMP_TZ",
    "zoned": "TIMESTAMP_TZ",
    "binary": "BINARY",
}


@function("TYPEOF")
def typeof(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/typeof"""
    raw = call.raw[0]
    if isinstance(raw, exp.Cast) and raw.to.this.name == "VARIANT":
        inner = call.rewriter.visit(raw.this)
    elif isinstance(raw, exp.Anonymous) and str(raw.this).upper() == "TO_VARIANT":
        inner = call.rewriter.visit(raw.expressions[0])
    else:
        inner = call.arg(0)
    if inner.type.kind in _STATIC:
        return make(f"(CASE WHEN {{0}} IS NULL THEN NULL ELSE '{_STATIC[inner.type.kind]}' END)", TEXT, inner)
    if inner.type.kind == "unknown":
        return make("sf_typeof_any({0})", TEXT, inner)
    return make("sf_typeof({0})", TEXT, to_variant(inner))


simple(
    {
        "CHECK_JSON": [
            (
                "text",
                "(CASE WHEN {0} IS NULL OR json_valid({0}) THEN CAST(NULL AS VARCHAR) "
                "ELSE CAST(json('no JSON, and what Snowflake says of it is not known: ' || {0}) AS VARCHAR) END)",
                TEXT,
            )
        ],
        "TO_JSON": [("variant", "sf_json_text({0})", TEXT)],
        "STRIP_NULL_VALUE": [("variant", "(CASE WHEN json_type({0}) <> 'NULL' THEN {0} END)", VARIANT)],
        "OBJECT_KEYS": [("variant", "to_json(list_sort(json_keys({0})))", ARRAY)],
        "IS_ARRAY": [("variant", "(json_type({0}) = 'ARRAY')", BOOL)],
        "IS_OBJECT": [("variant", "(json_type({0}) = 'OBJECT')", BOOL)],
        "IS_VARCHAR IS_CHAR": [("variant", "(json_type({0}) = 'VARCHAR')", BOOL)],
        "IS_BOOLEAN": [("variant", "(json_type({0}) = 'BOOLEAN')", BOOL)],
        "IS_INTEGER": [("variant", "(sf_typeof({0}) = 'INTEGER')", BOOL)],
        "IS_DECIMAL": [("variant", "(sf_typeof({0}) IN ('INTEGER', 'DECIMAL'))", BOOL)],
        "IS_DOUBLE IS_REAL": [("variant", "(sf_typeof({0}) IN ('INTEGER', 'DECIMAL', 'DOUBLE'))", BOOL)],
        "AS_ARRAY": [("variant", "(CASE WHEN json_type({0}) = 'ARRAY' THEN {0} END)", ARRAY)],
        "AS_OBJECT": [("variant", "(CASE WHEN json_type({0}) = 'OBJECT' THEN {0} END)", OBJECT)],
        "AS_VARCHAR AS_CHAR": [("variant", "(CASE WHEN json_type({0}) = 'VARCHAR' THEN {0} ->> '$' END)", TEXT)],
        "AS_BOOLEAN": [("variant", "(CASE WHEN json_type({0}) = 'BOOLEAN' THEN ({0} ->> '$') = 'true' END)", BOOL)],
        "AS_INTEGER": [("variant", "(CASE WHEN sf_typeof({0}) = 'INTEGER' THEN CAST({0} ->> '$' AS BIGINT) END)", INT)],
        "AS_DOUBLE AS_REAL": [
            (
                "variant",
                "(CASE WHEN sf_typeof({0}) IN ('INTEGER', 'DECIMAL', 'DOUBLE') THEN CAST({0} ->> '$' AS DOUBLE) END)",
                FLOAT,
            )
        ],
        "OBJECT_SIZE": [("variant", "len(json_keys({0}))", INT)],
    }
)


_STRICTLY = {False: "sf_parse_strictly({0})", True: "sf_try_strictly({0})"}


@function("PARSE_JSON", "TRY_PARSE_JSON")
def parse_json(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/parse_json"""
    parameter, tries = call.word(1) if len(call) > 1 else "s", call.name.startswith("TRY")
    if parameter not in ("d", "s"):
        raise call.refuse("the second argument is 'd' or 's'")
    text, keys = "sf_parse_json({0})", _STRICTLY[tries] if parameter == "s" else "sf_parse_last({0})"
    if tries:
        text = "(CASE WHEN json_valid(sf_as_json({0})) OR lower(trim({0})) = 'null' THEN sf_parse_json({0}) END)"
    return make(keys.replace("{0}", text), VARIANT, call.as_kind(0, "text"))


@function("TO_OBJECT", "TO_ARRAY")
def to_semi(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/to_array"""
    return casts.to_kind(call.arg(0), "array" if call.name == "TO_ARRAY" else "object")


@function("AS_DECIMAL", "AS_NUMBER")
def as_decimal(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/as_decimal-number"""
    sizes = [constant(part) for part in call.raw[1:]]
    precision, scale = (sizes + [38, 0][len(sizes) :])[:2] if sizes else (38, 0)
    kind = decimal(int(precision or 38), int(scale or 0))
    text = (
        f"(CASE WHEN sf_typeof({{0}}) IN ('INTEGER', 'DECIMAL') THEN CAST(sf_scalar_text({{0}}) AS {kind.duckdb}) END)"
    )
    return make(text, kind, call.as_kind(0, "variant"))


def _never_from_json(result: Type, check: bool) -> Any:
    """Dates and times are text once they are JSON, so IS_DATE and AS_DATE are known of plain values only."""

    def rule(call: Call) -> Typed:
        raw = call.raw[0]
        inner = call.rewriter.visit(raw.this) if isinstance(raw, exp.Cast) and raw.to.this.name == "VARIANT" else None
        if isinstance(raw, exp.Anonymous) and str(raw.this).upper() == "TO_VARIANT":
            inner = call.rewriter.visit(raw.expressions[0])
        value = inner or call.arg(0)
        if value.type.is_semi or value.type.kind == "unknown":
            raise call.refuse("a VARIANT on DuckDB is JSON, which has no dates and times", "Cast it with ::date.")
        fits = value.type.kind == result.kind
        if check:
            return make(f"(CASE WHEN {{0}} IS NULL THEN NULL ELSE {str(fits).lower()} END)", BOOL, value)
        return value if fits else casts.null_of(result)

    return rule


for _name, _result in {
    "DATE": DATE,
    "TIME": Type("time"),
    "TIMESTAMP_NTZ": NTZ,
    "TIMESTAMP_LTZ": TZ,
    "TIMESTAMP_TZ": TZ,
    "BINARY": Type("binary"),
}.items():
    function(f"IS_{_name}")(_never_from_json(_result, True))
    function(f"AS_{_name}")(_never_from_json(_result, False))
function("IS_DATE_VALUE")(_never_from_json(DATE, True))


@function("OBJECT_INSERT")
def object_insert(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/object_insert"""
    update = call.as_kind(3, "bool") if len(call) > 3 else make("false", BOOL)
    parts = (to_object(call.arg(0)), call.as_kind(1, "text"), call.as_kind(2, "variant"), update)
    return make("sf_object_insert({0}, {1}, {2}, {3})", OBJECT, *parts)


@function("OBJECT_DELETE", "OBJECT_PICK", "MAP_DELETE", "MAP_PICK")
def object_delete(call: Call) -> Typed:
    """https://docs.snowflake.com/en/sql-reference/functions/object_delete, also of a MAP"""
    name = f"sf_{call.name.lower().replace('map_', 'object_')}"
    if len(call) == 2 and call.arg(1).type.is_semi:
        return make(f"{name}({{0}}, sf_texts({{1}}))", OBJECT, to_object(call.arg(0)), call.arg(1))
    keys = [to_text(part) for part in call.args()[1:]]
    places = ", ".join(f"{{{index}}}" for index in range(1, len(keys) + 1))
    return make(f"{name}({{0}}, [{places}])", OBJECT, to_object(call.arg(0)), *keys)
