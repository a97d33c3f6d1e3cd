"""The walk over a query: which columns each of its columns is computed from, and which decide about its rows."""

from __future__ import annotations

import time

import pytest

from pipekit.names import Table
from pipekit.sql.flow.query import origins_of
from pipekit.sql.origins import ROWS, Ref, UnknownOrigin
from pipekit.sql.semantics import ColumnTypes

TABLES: dict[str, ColumnTypes] = {
    "t": {"a": "BIGINT", "b": "BIGINT", "c": "VARCHAR", "v": "VARIANT"},
    "u": {"a": "BIGINT", "d": "BIGINT", "e": "VARCHAR"},
    "k": {"id": "BIGINT", "name": "VARCHAR"},
    "crm.t": {"z": "BIGINT", "odd.name": "BIGINT"},
}


def known(table: Table) -> ColumnTypes | None:
    return TABLES.get(str(table))


def unique(table: Table) -> tuple[frozenset[str], ...]:
    return (frozenset(["id"]),) if str(table) == "k" else ()


def followed(query: str) -> dict[str, tuple[str, str]]:
    """Column to its direct and indirect columns, as texts."""

    def text(refs: frozenset[Ref]) -> str:
        return " ".join(sorted(str(ref) for ref in refs if ref.column != ROWS))

    found = origins_of(query, "snowflake", known, unique)
    return {name: (text(origin.direct), text(origin.indirect)) for name, origin in found.columns.items()}


@pytest.mark.parametrize(
    ("query", "columns"),
    [
        # Expressions
        ("select a as k, k + 1 as l, 1 as one from t", {"k": ("t.a", ""), "l": ("t.a", ""), "one": ("", "")}),
        ("select case when a > 1 then c end as x from t", {"x": ("t.a t.c", "")}),
        ("select v:a.b::varchar as p from t", {"p": ("t.v", "")}),
        ("select row_number() over (partition by b order by c) as n from t", {"n": ("t.b t.c", "")}),
        (
            'select "A", "odd.name" as o from crm.t as x join t on z = "a"',
            {"a": ("t.a", "crm.t.z"), "o": ("crm.t.odd.name", "crm.t.z t.a")},
        ),
        ("select * exclude (b, v) from t", {"a": ("t.a", ""), "c": ("t.c", "")}),
        ("select crm.t.z from crm.t", {"z": ("crm.t.z", "")}),
        # Rows
        ("select a from t where b > 1", {"a": ("t.a", "t.b")}),
        ("select a from t where exists (select 1 from u where u.a = t.a and d > 1)", {"a": ("t.a", "u.a u.d")}),
        ("select b from t where a in (select a from u)", {"b": ("t.b", "t.a u.a")}),
        ("select (select max(d) from u where u.a = t.a) as m from t", {"m": ("u.d", "t.a u.a")}),
        ("select a from t order by b", {"a": ("t.a", "")}),
        ("select a from t order by b limit 3", {"a": ("t.a", "t.b")}),
        ("select distinct a, c from t", {"a": ("t.a", "t.c"), "c": ("t.c", "t.a")}),
        ("select a from t start with b = 1 connect by prior a = b", {"a": ("t.a", "t.b")}),
        # Joins: by a column that identifies a row on the right no row is added or lost
        ("select b, d from t left join u using (a)", {"b": ("t.b", "t.a u.a"), "d": ("u.d", "t.a u.a")}),
        ("select b, name from t left join k on k.id = t.a", {"b": ("t.b", ""), "name": ("k.name", "k.id t.a")}),
        ("select b, name from t join k on k.id = t.a", {"b": ("t.b", "k.id t.a"), "name": ("k.name", "k.id t.a")}),
        ("select b, d from t full join u on u.a = t.a", {"b": ("t.b", "t.a u.a"), "d": ("u.d", "t.a u.a")}),
        (
            "select b, n from t left join (select a, count(*) as n from u where d > 1 group by a) g on g.a = t.a",
            {"b": ("t.b", ""), "n": ("", "t.a u.a u.d")},
        ),
        ("select b, m from t cross join (select max(d) as m from u) as one", {"b": ("t.b", ""), "m": ("u.d", "")}),
        ("select t.b, f.value as x from t, lateral flatten(input => t.v) f", {"b": ("t.b", "t.v"), "x": ("t.v", "")}),
        # Groups
        ("select a, sum(b) as s from t group by a", {"a": ("t.a", ""), "s": ("t.b", "t.a")}),
        ("select a, count(*) as n from t group by all having max(b) > 1", {"a": ("t.a", "t.b"), "n": ("", "t.a t.b")}),
        ("select count(*) as n, max(b) as m from t where c = 'x'", {"n": ("", "t.c"), "m": ("t.b", "t.c")}),
        (
            "select t.a, count(*) as n, max(b) as m from t left join u on u.a = t.a group by t.a",
            {"a": ("t.a", ""), "n": ("", "t.a u.a"), "m": ("t.b", "t.a")},
        ),
        # QUALIFY: what decides which row is kept
        (
            "select a, b, c, v from t qualify row_number() over (partition by a order by b, c) = 1",
            {"a": ("t.a", ""), "b": ("t.b", "t.a"), "c": ("t.c", "t.a t.b"), "v": ("t.v", "t.a t.b t.c")},
        ),
        ("select a from t qualify row_number() over (order by b) < 3", {"a": ("t.a", "t.b")}),
        # Set operations, by position
        ("select a, c from t union all select d, 'x' as d from u", {"a": ("t.a u.d", ""), "c": ("t.c", "")}),
        ("select a from t except select d from u", {"a": ("t.a", "u.d")}),
        (
            "with recursive r as (select a, b as n from t union all select r.n, u.d from r join u on u.a = r.a)"
            " select a, n from r",
            {"a": ("t.a t.b u.d", "u.a"), "n": ("t.b u.d", "t.a u.a")},
        ),
        ("select * from t unpivot (w for x in (a, b))", dict.fromkeys(["c", "v", "x", "w"], ("t.a t.b t.c t.v", ""))),
        ("select q.a from nowhere q", {"a": ("nowhere.a", "")}),
    ],
)
def test_each_column_has_its_origins(query: str, columns: dict[str, tuple[str, str]]) -> None:
    assert followed(query) == columns


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("select * from nowhere", r"it selects \* of a table whose columns are not known"),
        ("select $1 as x from t", r"a column by its position, such as \$1, cannot be followed"),
        (
            "select * from t match_recognize(order by b measures last(c) as l pattern (x+) define x as b > 1)",
            "MATCH_RECOGNIZE",
        ),
        ("select x from p, q", "it is not known which table the column x belongs to"),
    ],
)
def test_what_cannot_be_followed_is_said(query: str, why: str) -> None:
    with pytest.raises(UnknownOrigin, match=why):
        followed(query)


def test_a_wide_query_takes_a_moment() -> None:
    sums = ", ".join(f"sum(iff(b > {number}, a, 0)) as s{number}" for number in range(15))
    query = f"with g as (select c, {sums} from t group by c) select t.a, g.* from t left join g on g.c = t.c"
    followed(query)
    start = time.process_time()
    followed(query)
    assert time.process_time() - start < 0.1
