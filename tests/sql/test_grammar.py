"""What DuckDB or the parser takes and Snowflake's grammar does not have is refused, at its place and with a way out."""

from __future__ import annotations

import pytest

from pipekit.errors import TemplateError
from pipekit.sql.semantics import Mistake
from pipekit.sql.translate import translate
from pipekit.warehouses.duckdb.dialect import DUCKDB
from pipekit.warehouses.duckdb.semantics.refusals import Refused

FOREIGN = [
    ("from x", 1, "write SELECT * FROM"),
    ("select 1 as a union all from x", 25, "write SELECT * FROM"),
    ("select a from (from x)", 16, "write SELECT * FROM"),
    ("select distinct from x", 22, "lists no column"),
    ("select a from x limit 5, 10", 17, "LIMIT rows OFFSET start"),
    ("select a from x where a == 1", 25, "write ="),
    ("select a <=> b as c from x", 10, "is not distinct from"),
    ("select a from x where a is 1", 23, "IS before a value"),
    ("select a from x using sample 5", 17, "write SAMPLE"),
    ("select a from x positional join y", 17, "POSITIONAL JOIN"),
    ("select a from x semi join y on x.b = y.b", 27, "WHERE EXISTS"),
    ("select a from x left anti join y on x.b = y.b", 32, "WHERE NOT EXISTS"),
    ("select a from x where a similar to 'b'", 23, "rlike"),
    ("select [i for i in a] as b from x", 9, "transform"),
    ("select a ^ 2 as b from x", 8, "power(a, b)"),
    ("select a & 2 as b from x", 8, "bitand"),
    ("select a << 2 as b from x", 8, "bitshiftleft"),
    ("select distinct on (a) a, b from x", 21, "QUALIFY row_number()"),
    ("select a from x limit 50%", None, "SAMPLE (10)"),
    ("select sum(a) filter (where b > 1) as c from x", 8, "count_if"),
    ("select a from x asof join y on x.t >= y.t", 27, "MATCH_CONDITION"),
    ("select a from x for update", None, "FOR UPDATE"),
    ("select f(a := 1) as b from x", 12, "=>"),
    ("select a::hugeint as b from x", 8, "the type HUGEINT"),
    ("select a::struct(x int) as b from x", 8, "the type STRUCT"),
]
FOREIGN += [
    ("select a into y from x", 8, "set the step's into"),
    ("select array_agg(a order by b) as c from x", 18, "WITHIN GROUP (ORDER BY ...)"),
    ("select any_value(a having max b) as c from x", 18, "max_by"),
    ("select a from x group by a with rollup", 28, "GROUP BY ROLLUP (a, b)"),
    ("select a from x limit 10 by a", 17, "QUALIFY"),
    ("select a from x cross apply (select 1 as b) y", 17, "CROSS JOIN LATERAL"),
    ("select a from x for system_time as of '2024-01-01'", 17, "AT (TIMESTAMP"),
    ("select a is unknown as c from x", 10, "IS NULL"),
    ("select a between symmetric 1 and 2 as c from x", 10, "least(a, b)"),
    ("with a as materialized (select 1 as b) select b from a", 8, "leave MATERIALIZED out"),
    ("select a from x except all select b from y", 17, "keeps each row once"),
    ("select a at time zone 'UTC' as d from x", 10, "convert_timezone"),
    ("select a ->> 'b' as c from x", 10, "a:b::varchar"),
    ("select a div b as f from x", 8, "floor(a / b)"),
    ("select a in unnest(b) as c from x", 8, "array_contains"),
    ("select sum(a) over (order by b groups 1 preceding) as c from x", 8, "only ROWS and RANGE"),
    ("select a as 'b' from x", 13, "a text cannot name a column"),
    ("select 'a' 'b' as c", 12, "write || between them"),
    ("select n'abc' as c", 8, "write '...'"),
    ("select 0x1F as c", 8, "x'...' for binary"),
    ("select 1e as c", 8, "write the exponent"),
    ("select a from x straight_join y on x.b = y.b", 31, "write JOIN"),
]
FINE = [
    "select x.limit a, b from x order by a limit 5",
    "with totals as (select 1 as a), rollup (b) as (select 2) select a as materialized from totals cross join rollup",
    "with cube as (select 1 as at, not true as materialized) select at time, not materialized as b from cube",
    "select a from (x) y where y.a = x'1F' and a = 1e3",
    "select * from (select 5 as jan) unpivot (v for mon in (jan as 'January'))",
    "select a, array_agg(b) within group (order by c) as d, transform(e, y -> 'a') as f from x group by all",
    "select sum(a) over (order by b rows between 1 preceding and current row) as c from x limit 10",
    """select 'a == b' as c, "<=>" as d from x -- a == b, from x""",
    "select a is not distinct from b as c, a is distinct from b as d, a is true as e, a is not null as f from x",
    "select a from x asof join y match_condition (x.t >= y.t) on x.a = y.a",
    "select extract(year from d) as a, a || b as c, f(a => 1) as e from x limit 5 offset 10",
    "select a::map(varchar, int) as b, a::array as c, a::object as d from x sample (10 rows)",
]


@pytest.mark.parametrize(("text", "column", "way_out"), FOREIGN, ids=[text for text, _, _ in FOREIGN])
def test_what_another_dialect_has_is_a_mistake(text: str, column: int | None, way_out: str) -> None:
    with pytest.raises(Mistake) as found:
        translate(text, write=DUCKDB)
    assert found.value.column == column
    assert way_out in f"{found.value.message} {found.value.hint}"


@pytest.mark.parametrize("text", FINE)
def test_what_only_looks_like_it_passes(text: str) -> None:
    translate(text, write=DUCKDB)


@pytest.mark.parametrize("text", ["select a::array(int) as b from x", "select try_cast(a as int[]) as b from x"])
def test_a_cast_of_what_is_in_an_array_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="casts what is in it"):
        translate(text, write=DUCKDB)


def test_a_syntax_error_comes_first() -> None:
    with pytest.raises(TemplateError, match="incomplete"):
        translate("select a == from x where", write=DUCKDB)
