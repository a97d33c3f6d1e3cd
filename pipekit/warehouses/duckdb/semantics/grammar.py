"""What the parser and DuckDB take and Snowflake's grammar does not have: refused before it runs, on both engines.

https://docs.snowflake.com/en/sql-reference/operators, .../constructs, .../sql/select
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlglot import exp

Found = tuple[Any, str, str]
_OPERATORS: dict[type[Any], tuple[str, str]] = {
    exp.BitwiseAnd: ("the operator &", "write bitand(a, b)"),
    exp.BitwiseOr: ("the operator |", "write bitor(a, b)"),
    exp.BitwiseXor: ("the operator ^", "write bitxor(a, b), or power(a, b)"),
    exp.BitwiseNot: ("the operator ~", "write bitnot(a)"),
    exp.BitwiseLeftShift: ("the operator <<", "write bitshiftleft(a, n)"),
    exp.BitwiseRightShift: ("the operator >>", "write bitshiftright(a, n)"),
    exp.Filter: ("FILTER behind an aggregate", "write sum(iff(condition, a, null)), or count_if(condition)"),
    exp.IntDiv: ("the operator DIV", "write floor(a / b)"),
    exp.HavingMax: ("HAVING MAX inside a call", "write max_by(a, b)"),
    exp.Glob: ("GLOB", "write LIKE, or rlike(a, pattern)"),
    exp.SimilarTo: ("SIMILAR TO", "write LIKE, or rlike(a, pattern)"),
    exp.Comprehension: ("[... for ... in ...]", "write transform(array, x -> ...)"),
    exp.Placeholder: ("the place ? of a value", "write {{ var('name') }}"),
    exp.Lock: ("a lock of rows here", "leave FOR UPDATE out: a step's SQL changes nothing"),
}
_SIGNS = {
    "==": ("the operator ==", "write ="),
    ":=": ("the operator :=", "name an argument with =>"),
    "->>": ("the operator ->>", "write a:b::varchar"),
    "#>": ("the operator #>", "write a:b"),
    "<=>": ("the operator <=>", "write a is not distinct from b"),
}
_TYPES = {"INT128": "HUGEINT", "UINT128": "UHUGEINT", "STRUCT": "STRUCT", "LIST": "LIST"}
# Two words that follow each other, and what to write.
_PAIRS = {
    ("WITH", "ROLLUP"): "write GROUP BY ROLLUP (a, b)",
    ("WITH", "CUBE"): "write GROUP BY CUBE (a, b)",
    ("WITH", "TOTALS"): "write GROUP BY ROLLUP (a, b)",
    ("CROSS", "APPLY"): "write CROSS JOIN LATERAL (select ...)",
    ("OUTER", "APPLY"): "write LEFT JOIN LATERAL (select ...)",
    ("FOR", "SYSTEM_TIME"): "write AT (TIMESTAMP => ...), which DuckDB does not have",
    ("IS", "UNKNOWN"): "write IS NULL",
    ("BETWEEN", "SYMMETRIC"): "write BETWEEN least(a, b) AND greatest(a, b)",
    ("AS", "MATERIALIZED"): "leave MATERIALIZED out",
    ("NOT", "MATERIALIZED"): "leave NOT MATERIALIZED out",
    ("SEARCH", "DEPTH"): "order by a path of one's own",
    ("SEARCH", "BREADTH"): "order by a level of one's own",
    ("EXCEPT", "ALL"): "write EXCEPT, which keeps each row once",
    ("MINUS", "ALL"): "write MINUS, which keeps each row once",
    ("INTERSECT", "ALL"): "write INTERSECT, which keeps each row once",
    ("AT", "TIME"): "write convert_timezone(zone, a)",
    ("USING", "SAMPLE"): "write SAMPLE (10) behind the table",
    ("POSITIONAL", "JOIN"): "number the rows of both and join by that",
}
_SETS = frozenset(("UNION", "EXCEPT", "INTERSECT", "MINUS"))
_IS = (exp.Null, exp.Boolean, exp.Not)


def foreign(tree: Any) -> Iterator[Found]:
    """The constructs of other dialects in a parsed query: the node, what is wrong, and the way out."""
    for node in tree.walk():
        known = _OPERATORS.get(type(node))
        if known is not None and not (isinstance(node, exp.Placeholder) and node.this):
            yield node, f"Snowflake does not have {known[0]}", known[1]
        elif isinstance(node, exp.Select):
            yield from _select(node)
        elif isinstance(node, exp.Join):
            yield from _join(node)
        elif isinstance(node, exp.Cast) and node.to.this.name in _TYPES:
            yield node, f"Snowflake does not have the type {_TYPES[node.to.this.name]}", "write NUMBER, OBJECT or ARRAY"
        elif isinstance(node, exp.Order) and isinstance(node.parent, exp.Anonymous):
            name = str(node.parent.this).lower()
            way_out = f"write {name}(...) WITHIN GROUP (ORDER BY ...), or max_by and the like"
            yield node, f"Snowflake does not have ORDER BY inside {name}(...)", way_out
        elif isinstance(node, exp.WindowSpec) and _other_frame(node):
            yield (
                node.parent,
                "Snowflake does not have such a window: only ROWS and RANGE",
                "leave GROUPS and EXCLUDE out",
            )
        elif isinstance(node, exp.In) and node.args.get("unnest") is not None:
            yield node, "Snowflake does not have IN UNNEST", "write array_contains(a::variant, b)"
        elif isinstance(node, exp.LimitOptions) and (node.args.get("percent") or node.args.get("with_ties")):
            yield (
                node,
                "Snowflake does not have a LIMIT in percent or WITH TIES",
                "write SAMPLE (10), or QUALIFY rank()",
            )
        elif isinstance(node, exp.Is) and not isinstance(node.expression, _IS):
            yield node, "Snowflake does not have IS before a value", "write = , or is not distinct from"
        elif isinstance(node, exp.TableSample) and str(node.args.get("method") or "").upper() == "RESERVOIR":
            yield node, "Snowflake does not have a sample of RESERVOIR", "write SAMPLE (10 ROWS)"


def _other_frame(node: Any) -> bool:
    return str(node.args.get("kind") or "").upper() == "GROUPS" or bool(node.args.get("exclude"))


def _select(node: Any) -> Iterator[Found]:
    distinct = node.args.get("distinct")
    if distinct is not None and distinct.args.get("on") is not None:
        way_out = "write QUALIFY row_number() over (partition by ... order by ...) = 1"
        yield distinct, "Snowflake does not have DISTINCT ON", way_out
    if node.args.get("into") is not None:
        yield node, "SELECT INTO makes a table, which a step does by itself", "leave INTO out, and set the step's into"
    if not node.expressions and not node.args.get("match"):
        yield node, "the SELECT lists no column", "write the columns, or *"


def _join(node: Any) -> Iterator[Found]:
    kind, method = (str(node.args.get(key) or "").upper() for key in ("kind", "method"))
    if kind == "STRAIGHT_JOIN":
        yield node, "Snowflake does not have STRAIGHT_JOIN", "write JOIN"
    elif kind in ("SEMI", "ANTI"):
        word = "EXISTS" if kind == "SEMI" else "NOT EXISTS"
        yield node, f"Snowflake does not have {kind} JOIN", f"write WHERE {word} (select ...)"
    elif method == "ASOF" and node.args.get("match_condition") is None:
        yield node, "ASOF JOIN needs MATCH_CONDITION", "write MATCH_CONDITION (a.at >= b.at) before ON"


def foreign_words(tokens: Sequence[Any], text: str) -> Iterator[tuple[Any, str, str]]:
    """The same of what the parser takes for Snowflake's own: the token, what is wrong, and the way out."""
    words = ["" if token.token_type.name in _QUOTED else token.text.upper() for token in tokens]
    for at, word in enumerate(words):
        before = words[at - 1] if at else "("
        if word in _SIGNS:
            yield tokens[at], f"Snowflake does not have {_SIGNS[word][0]}", _SIGNS[word][1]
        elif word == "FROM" and _begins(words, at):
            yield tokens[at], "a query begins with SELECT, and not with FROM", "write SELECT * FROM"
        elif word == "LIMIT" and _number(words, at + 1) and words[at + 2 : at + 3] == [","]:
            yield tokens[at], "Snowflake does not have LIMIT with two numbers", "write LIMIT rows OFFSET start"
        elif word == "LIMIT" and _number(words, at + 1) and words[at + 2 : at + 3] == ["BY"]:
            yield tokens[at], "Snowflake does not have LIMIT ... BY", "write QUALIFY row_number() over (...) <= 10"
        elif (before, word) in _PAIRS and _is_meant(words, at):
            yield tokens[at - 1], f"Snowflake does not have {before} {word}", _PAIRS[before, word]
    yield from _constants(tokens, words, text)


def _constants(tokens: Sequence[Any], words: Sequence[str], text: str) -> Iterator[Found]:
    """Texts and numbers as other dialects write them."""
    of_pivots = "PIVOT" in words or "UNPIVOT" in words  # there AS takes a text
    for at, token in enumerate(tokens):
        kind, before = token.token_type.name, tokens[at - 1].token_type.name if at else ""
        if kind == "STRING" and before == "STRING":
            yield token, "Snowflake does not join two texts that follow each other", "write || between them"
        elif kind == "STRING" and words[at - 1] == "AS" and not of_pivots:
            yield token, "a text cannot name a column", f'write as {token.text}, or as "{token.text}"'
        elif kind == "NATIONAL_STRING":
            yield token, "Snowflake does not have N'...'", "write '...'"
        elif kind == "HEX_STRING" and text[token.start : token.start + 2].lower() == "0x":
            yield token, "Snowflake does not have 0x...", "write a number, or x'...' for binary"
        elif kind == "NUMBER" and token.text[-1:].lower() == "e":
            yield token, f"{token.text!r} is not a number", "write the exponent, as in 1e3"


def _number(words: Sequence[str], at: int) -> bool:
    return at < len(words) and words[at].isdigit()


def _is_meant(words: Sequence[str], at: int) -> bool:
    """Whether the second word of a pair is not a name, as in ``WITH totals AS (...)`` or ``SELECT at time``."""
    behind, wanted = (words[at + 1] if at + 1 < len(words) else ""), _FOLLOWED.get(words[at])
    return behind == wanted if wanted else words[at - 1] != "WITH" or behind not in ("AS", "(")


_FOLLOWED = {"MATERIALIZED": "(", "DEPTH": "FIRST", "BREADTH": "FIRST", "TIME": "ZONE", "SYSTEM_TIME": "AS"}


def _begins(words: Sequence[str], at: int) -> bool:
    """Whether a query would begin with the word at a place."""
    if at == 0 or words[at - 1] == "(":
        return words[at + 1 : at + 2] not in ([")"], [","])
    first = at - 2 if words[at - 1] == "ALL" else at - 1
    return words[first] in _SETS and words[first - 1] not in ("AS", ".")


_QUOTED = frozenset(("STRING", "IDENTIFIER", "RAW_STRING", "HEX_STRING"))
