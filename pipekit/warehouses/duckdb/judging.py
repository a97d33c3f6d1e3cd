"""SQL that judges records: the values of their columns, and the first of these that is bad."""

from __future__ import annotations

from pipekit.warehouses.duckdb.plan import Plan

BROKEN = -1
"""What is bad of a record that is none."""


def judged_rows(each: Plan, relation: str, which_file: int | str) -> str:
    """SELECT of a record's values, its number, which column is bad (0: none, -1: the record), and SQL of the file."""
    values = ", ".join(f"{c.value} AS v{position}" for position, c in enumerate(each.conversions))
    inner = f"SELECT *, {values} FROM {relation}"
    names = ", ".join(f"v{position}" for position in range(len(each.conversions)))
    everything = [BROKEN, *range(1, len(each.conversions) + 1)]
    return f"SELECT {names}, number, {_first_bad(each, everything)} AS bad, {which_file} FROM ({inner})"


def _first_bad(each: Plan, columns: list[int]) -> str:
    tests = ["WHEN broken THEN -1"] if BROKEN in columns else []
    for which in sorted(set(columns) - {BROKEN}):
        tests.append(f"WHEN {each.conversions[which - 1].bad(f'v{which - 1}')} THEN {which}")
    return f"CASE {' '.join(tests)} ELSE 0 END"


def bad_only(each: Plan, relation: str, columns: list[int], more: str) -> str:
    """SELECT of number, first bad column, its value as read, and the column ``more``, of the bad records."""
    used = sorted(set(columns) - {BROKEN})
    values = "".join(f", {each.conversions[which - 1].value} AS v{which - 1}" for which in used)
    picked = " ".join(f"WHEN {which} THEN ({each.conversions[which - 1].source})::VARCHAR" for which in used)
    value = f"CASE bad {picked} END" if picked else "NULL"
    inner = f"SELECT *{values} FROM {relation}"
    judged = f"SELECT *, {_first_bad(each, columns)} AS bad FROM ({inner})"
    return f"SELECT number, bad, {value}, {more} FROM ({judged}) WHERE bad <> 0"
