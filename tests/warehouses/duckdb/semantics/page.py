"""Writes docs/sql.md: what of Snowflake's SQL is equal on DuckDB, what is refused, what is not proven.

python -m warehouses.duckdb.semantics.page
"""

from __future__ import annotations

import re
from pathlib import Path

from pipekit.warehouses.duckdb.semantics import translation  # noqa: F401 - it brings all rules
from pipekit.warehouses.duckdb.semantics.rules import FUNCTIONS, REFUSED
from warehouses.duckdb.semantics.table import Line, lines

PAGE = Path(__file__).parents[4] / "docs" / "sql.md"

_HEAD = """# SQL: one dialect, one value

<!-- Written by `python -m warehouses.duckdb.semantics.page` in `tests/`; change the table and the program there, not this
page. -->

SQL is written once, in Snowflake's dialect. On Snowflake it runs as it stands; on DuckDB a semantics layer rewrites it,
so that each expression gives the value that Snowflake's documentation states. The truth is a table of
{count:,} expressions with their values and pages, `tests/warehouses/duckdb/semantics/snowflake_sql.tsv`, which is a
test: every line is run on DuckDB.

- What is **equal** has lines in the table.
- What is known to differ and cannot be made equal is **refused** when the file is validated, with line, reason and a way
  out: another spelling, or `templates/duckdb/<name>.sql`, which wins over `templates/<name>.sql` by being there.
- A function that no rule covers is sent as it is, and named once: **not proven equal on DuckDB**.

## Rules that are worth knowing

| about | on DuckDB |
| --- | --- |
| whole numbers | 64 bits, products of columns 128; beyond that an error, never another value |
| division | as exact as Snowflake's: `10 / 3` is `3.333333`; by zero it is an error |
| averages | `avg` has six places more than the numbers; over a window it has three, cut off, as Snowflake's has |
| text of floats | ten digits, as Snowflake's: `(1::float / 3)::varchar` is `0.3333333333` |
| rounding | half away from zero, also of floats and in casts |
| DECFLOAT | the digits of a literal; 18 places of a column, and an error beyond |
| `timestamp_tz` | what is loaded is kept in UTC on both engines, so its day, hour and text agree; sessions are UTC |
| offsets of one's own | `'... +02:00'::timestamp_tz` and `convert_timezone(zone, x)` keep their clock within a query: a day, a part, a text and `dateadd` take it, comparisons take the instant; as a column they are refused, or an error when the text is read: write `convert_timezone('UTC', ...)` or `::timestamp_ntz` |
| text | `varchar(n)` refuses what is longer; keys of `to_json` and `object_construct` are by the alphabet |
| VARIANT, OBJECT, ARRAY | JSON; text of a path has no quotes, arrays count from 0, JSON's null is not NULL |
| numbers in a VARIANT | all digits are kept, also by SQL that takes one out (`v:a::number(38, 20)`, `flatten`, functions of arrays and objects); as an operand of arithmetic, or compared with a number, it is a float: cast it first where more than 15 digits count |
| whole objects | their text and their comparison are by the alphabet of the keys, at whatever depth, as on Snowflake; `parse_json` refuses a key given twice, at whatever depth, and an element left out (`[1, ,2]`, which Snowflake takes); a comma at an array's end gives a null, keys need no quotes |
| nanoseconds | dates and times keep six digits of a second: a constant with more is refused, and a value with more, of a column or of arithmetic, is an error when it is read, never cut; zeros there change nothing |
| text beside numbers | beside a FLOAT a text is read as a float, beside a NUMBER as a number with five places; `'inf'` is a float only; `(a, b) IN ((1, 2))` compares member by member in the same way |
| dates | stay dates unless hours are added; weeks begin on Monday |
| names | a column that is selected twice is refused, and so is one that two tables have |
| reserved words | a column, alias or table called `order`, `start`, `rows` or the like is written `"ORDER"`, in upper case, as on Snowflake; without quotes it is refused |
| types | sources declare theirs, each step's follow; where a table's are not known, values are the same and types may be wider |

## Typed before a run

`pipekit validate`, and a run before it opens anything, types every query from the declared columns of the sources and the
queries before it, on both targets alike. What Snowflake would refuse is reported at file, line and column of the text
as it was written, also inside a template, an included one, or a feature:

```text
templates/orders.sql:6:23: steps.orders.template: unknown column 'custmer' of o; did you mean 'customer'?
```

| found | example |
| --- | --- |
| names | a column or a table's alias that is not there; a column that two tables have; a column selected twice; a table that no step makes |
| types | a date compared with a number; `sum` of a date; `timestamp + 1`; `date::int`; CASE, COALESCE or UNION of a date and a number |
| shape | arms of a UNION with other numbers of columns; a column neither grouped nor aggregated; an aggregate or a window in WHERE; `, LATERAL` left of an outer JOIN |
| other dialects | `==`, `&`, `^`, `<=>`, `FILTER (WHERE ...)`, `DISTINCT ON`, SEMI and ANTI JOIN, `LIMIT 5, 10`, `FROM t` without SELECT, `::hugeint`, `array_agg(a ORDER BY b)`, `EXCEPT ALL`, `AT TIME ZONE`, `a AS 'b'` and 30 more: what DuckDB takes and Snowflake does not have |
| beside SQL | `key`, `since` and other keys that name columns; columns of audits and checks; `row_condition`; custom SQL |

Only what is certain is reported. Text is cast to numbers and dates as Snowflake does it, so `sum` of a text is not a mistake. Not
checked, and named once as a `note` by `validate`: SQL that reads a table whose columns are not known. That is one of `external`, one
of a step type that does not declare its columns (`python`; a plugin declares them by `StepType.columns`), and one with
`on_schema_change: add` or `ignore`. A template of an engine's own dialect is not checked either.

## When a query fails in a run

What only the data can show (a text that is not a number, a division by zero, a date that is none) is reported at line and column
of the SQL as it was rendered, with the value and a way out, on DuckDB too:

```text
sql: line 3, column 3: the text 'abc' is not a whole number
    1 | select
    2 |   id,
    3 |   amount::int as amount
    4 | from raw_orders
try_cast(x as integer) gives NULL then
```

Where DuckDB does not say which part failed, the places that can fail so are named if there are at most three. A path of a
VARIANT that no row has (`v:ordr` for `v:order`) is NULL on both engines and no failure; to ask for it would cost a second
scan, so no run does. A check says it: `expect_column_values_to_not_be_null` on the column that it becomes.

"""


_NOT_REFUSED = """## Known to differ, and not refused

DuckDB keeps these values in another way, and a query's text does not show that they occur; or the documentation does not
say what the value is.

| construct | Snowflake | DuckDB |
|---|---|---|
| NULL in an array, as in `array_construct(1, null)[1]` | SQL's NULL | JSON's null: `is null` is false; `coalesce(is_null_value(x), true)` is true on both |
| `object_construct` with a key twice | not documented; accounts are said to refuse it | both are kept |
| `true + 1`, and other arithmetic of booleans | not documented | `true` is 1 |
| text of a float from 1e10 on | not documented | 15 digits |
| `upper('\u00df')` | not documented | `\u1e9e` |

"""


def page() -> str:
    """The text of the page."""
    table = lines()
    parts = [_HEAD.format(count=len(table) // 100 * 100)]
    parts.append("## Equal\n\n" + _wrapped(proven(table)) + "\n\n")
    parts.append(
        "Operators, casts, CASE, LIKE, BETWEEN, IN, paths, FLATTEN, SPLIT_TO_TABLE, GENERATOR, VALUES, PIVOT, UNPIVOT, "
    )
    parts.append("SAMPLE,\nASOF JOIN, CONNECT BY, QUALIFY and recursive queries have lines of their own.\n\n")
    parts.append("## Refused\n\n| functions | reason | way out |\n| --- | --- | --- |\n")
    parts += [
        f"| {', '.join(f'`{name.lower()}`' for name in names)} | {reason} | {way or 'a template'} |\n"
        for (reason, way), names in _by_reason().items()
    ]
    parts.append(
        "\nRefused too: COLLATE with anything but binary order, time travel, MATCH_RECOGNIZE, PIVOT with ANY or a subquery, casts to\nARRAY(type) and OBJECT(key type), a format or a path that is not a constant,\n"
    )
    parts.append("seeds of random numbers and of samples, and `seq` of FLATTEN behind another table.\n\n")
    parts.append(_NOT_REFUSED)
    parts.append("## Covered by a rule, without a line of its own\n\n" + _wrapped(unproven(table)) + "\n\n")
    parts.append(
        "## Not proven\n\nEvery other function. It is sent to DuckDB by its own name and named in a warning.\n"
    )
    return "".join(parts)


def _by_reason() -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for name, why in sorted(REFUSED.items()):
        found.setdefault(why, []).append(name)
    return found


def proven(table: list[Line]) -> list[str]:
    """Functions with a rule and a line."""
    called = _called(table)
    return sorted(name for name in FUNCTIONS if name not in REFUSED and name in called)


def unproven(table: list[Line]) -> list[str]:
    """Functions with a rule and no line: other names of those above, mostly."""
    called = _called(table)
    return sorted(name for name in FUNCTIONS if name not in REFUSED and name not in called)


def _called(table: list[Line]) -> set[str]:
    return {name.upper() for line in table for name in re.findall(r"([A-Za-z_0-9$]+)\s*\(", line.expression)}


def _wrapped(names: list[str]) -> str:
    import textwrap

    text = ", ".join(f"`{name.lower()}`" for name in names)
    return textwrap.fill(text, 118, break_long_words=False, break_on_hyphens=False)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
