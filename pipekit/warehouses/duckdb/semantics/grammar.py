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
    exp.Glob: ("GLOB", "write LIKE, or rlike(a, pattern)"),
    exp.SimilarTo: ("SIMILAR TO", "write LIKE, or rlike(a, pattern)"),
    exp.Comprehension: ("[... for ... in ...]", "write transform(array, x -> ...)"),
    exp.Placeholder: ("the place ? of a value", "write {{ var('name') }}"),
    exp.Lock: ("a lock of rows here", "leave FOR UPDATE out: a step's SQL changes nothing"),
}
_SIGNS = {
    "==": ("the operator ==", "write ="),
    ":=": ("the operator :=", "name an argument with =>"),
    "<=>": ("the operator <=>", "write a is not distinct from b"),
}
_TYPES = {"INT128": "HUGEINT", "UINT128": "UHUGEINT", "STRUCT": "STRUCT", "LIST": "LIST"}
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


def _select(node: Any) -> Iterator[Found]:
    distinct = node.args.get("distinct")
    if distinct is not None and distinct.args.get("on") is not None:
        way_out = "write QUALIFY row_number() over (partition by ... order by ...) = 1"
        yield distinct, "Snowflake does not have DISTINCT ON", way_out
    if not node.expressions and not node.args.get("match"):
        yield node, "the SELECT lists no column", "write the columns, or *"


def _join(node: Any) -> Iterator[Found]:
    kind, method = (str(node.args.get(key) or "").upper() for key in ("kind", "method"))
    if kind in ("SEMI", "ANTI"):
        word = "EXISTS" if kind == "SEMI" else "NOT EXISTS"
        yield node, f"Snowflake does not have {kind} JOIN", f"write WHERE {word} (select ...)"
    elif method == "ASOF" and node.args.get("match_condition") is None:
        yield node, "ASOF JOIN needs MATCH_CONDITION", "write MATCH_CONDITION (a.at >= b.at) before ON"


def foreign_words(tokens: Sequence[Any]) -> Iterator[tuple[Any, str, str]]:
    """The same of what the parser takes for Snowflake's own: the token, what is wrong, and the way out."""
    words = ["" if token.token_type.name in _QUOTED else token.text.upper() for token in tokens]
    for at, word in enumerate(words):
        before = words[at - 1] if at else "("
        if word in _SIGNS:
            yield tokens[at], f"Snowflake does not have {_SIGNS[word][0]}", _SIGNS[word][1]
        elif word == "FROM" and _begins(words, at):
            yield tokens[at], "a query begins with SELECT, and not with FROM", "write SELECT * FROM"
        elif word == "LIMIT" and words[at + 2 : at + 3] == [","]:
            yield tokens[at], "Snowflake does not have LIMIT with two numbers", "write LIMIT rows OFFSET start"
        elif word == "SAMPLE" and before == "USING":
            yield tokens[at], "Snowflake does not have USING SAMPLE", "write SAMPLE (10) behind the table"
        elif word == "JOIN" and before == "POSITIONAL":
            yield tokens[at - 1], "Snowflake does not have POSITIONAL JOIN", "number the rows of both and join by that"


def _begins(words: Sequence[str], at: int) -> bool:
    """Whether a query would begin with the word at a place."""
    if at == 0 or words[at - 1] == "(":
        return words[at + 1 : at + 2] not in ([")"], [","])
    first = at - 2 if words[at - 1] == "ALL" else at - 1
    return words[first] in _SETS and words[first - 1] not in ("AS", ".")


_QUOTED = frozenset(("STRING", "IDENTIFIER", "RAW_STRING", "HEX_STRING"))
