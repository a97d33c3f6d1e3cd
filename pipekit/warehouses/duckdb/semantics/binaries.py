"""Functions of texts that count the bytes of a BINARY, and give one, where they are given one.

https://docs.snowflake.com/en/sql-reference/functions-string: DuckDB has few of them for BLOB, so they work on the
hexadecimal digits, two for each byte.
"""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from pipekit.warehouses.duckdb.semantics import operators, texts  # noqa: F401 - their rules are the others here
from pipekit.warehouses.duckdb.semantics.rewriting import VISITORS, Rewriter
from pipekit.warehouses.duckdb.semantics.rules import FUNCTIONS, Call, Rule, Typed, make
from pipekit.warehouses.duckdb.semantics.types import BINARY, BOOL, INT

_START = "sf_start(hex({0}), CASE WHEN {1} > 0 THEN 2 * {1} - 1 ELSE 2 * {1} END)"
# Places by bytes, since the digits of one byte may end in those that the next begins with.
_PLACE = (
    "(CASE WHEN {0} IS NOT NULL AND {1} IS NOT NULL THEN coalesce(list_position(list_transform("
    "range(octet_length({1}) + 1), lambda i: substr(hex({1}), 2 * i + 1, length(hex({0})))), hex({0})), 0) END)"
)
_FORMS: dict[tuple[str, int], tuple[str, Any]] = {
    ("LEFT", 2): ("unhex(left(hex({0}), 2 * sf_not_negative({1})))", BINARY),
    ("RIGHT", 2): ("unhex(right(hex({0}), 2 * sf_not_negative({1})))", BINARY),
    ("SUBSTR", 2): (f"unhex(substr(hex({{0}}), {_START}))", BINARY),
    ("SUBSTR", 3): (f"unhex(substr(hex({{0}}), {_START}, 2 * sf_not_negative({{2}})))", BINARY),
    ("REVERSE", 1): ("unhex(array_to_string(list_reverse(regexp_extract_all(hex({0}), '..')), ''))", BINARY),
    ("CHARINDEX", 2): (f"CAST({_PLACE} AS BIGINT)", INT),
    ("CONTAINS", 2): (f"({_PLACE.replace('{0}', '{2}').replace('{1}', '{0}').replace('{2}', '{1}')} > 0)", BOOL),
}
_REFUSED = ("CHARINDEX", "INSERT", "REPLACE", "TRANSLATE", "SPLIT_PART")


def _of_binaries(rule: Rule) -> Rule:
    def either(call: Call) -> Typed:
        binary = [part.type.kind == "binary" for part in call.args()]
        if not any(binary):
            return rule(call)
        if call.name == "CONCAT" and all(binary):
            return make("(" + " || ".join(f"{{{index}}}" for index in range(len(call))) + ")", BINARY, *call.args())
        form = _FORMS.get((call.name.removesuffix("ING"), len(call)))
        if form is not None and (binary[0] and (form[1] is BINARY or all(binary))):
            parts = [part if is_binary else call.as_kind(index, "int") for index, part, is_binary in _each(call)]
            return make(form[0], form[1], *parts)
        if call.name in _REFUSED:
            raise call.refuse("of a BINARY is not known on DuckDB", "Use its text: hex_encode(...).")
        return rule(call)

    return either


def _each(call: Call) -> list[tuple[int, Typed, bool]]:
    return [(index, part, part.type.kind == "binary") for index, part in enumerate(call.args())]


for _name in ("LEFT", "RIGHT", "SUBSTR", "SUBSTRING", "REVERSE", "CONTAINS", "CONCAT", *_REFUSED):
    FUNCTIONS[_name] = _of_binaries(FUNCTIONS[_name])


_text_position = VISITORS[exp.StrPosition]


def _either_position(rewriter: Rewriter, node: Any) -> Typed:
    """POSITION, which the parser knows by itself."""
    whole, part = rewriter.visit(node.this.copy()), rewriter.visit(node.args["substr"].copy())
    if whole.type.kind == part.type.kind == "binary" and node.args.get("position") is None:
        return make(f"CAST({_PLACE} AS BIGINT)", INT, part, whole)
    return _text_position(rewriter, node)


VISITORS[exp.StrPosition] = _either_position
