"""Expectations about the table: rows, columns, and queries of the user's own."""

from __future__ import annotations

from pipekit.quality.compile.subject import ALL, Kwargs, Plan, Subject, Values
from pipekit.quality.custom_sql import query_over
from pipekit.quality.judge import MAX_SAMPLES, UnevaluableError, Verdict, by_range
from pipekit.sql.fragments import Fragment


def row_count(kwargs: Kwargs, subject: Subject) -> Plan:
    return Plan((subject.count_rows(subject.where),), lambda values: by_range(values[0], kwargs))


def row_count_equal(kwargs: Kwargs, subject: Subject) -> Plan:
    return Plan((subject.count_rows(subject.where),), lambda values: _equal(values[0], kwargs["value"], "rows"))


def _equal(found: int, wanted: int, what: str) -> Verdict:
    return Verdict(found == wanted, found, message=None if found == wanted else f"{found:,} {what}, not {wanted:,}")


def row_count_other(kwargs: Kwargs, subject: Subject) -> Plan | None:
    if subject.where != ALL:
        return None
    other = Fragment(f"(SELECT count(*) FROM {subject.other(kwargs['other_table_name'])})")

    def judge(values: Values) -> Verdict:
        success = values[0] == values[1]
        message = f"{values[0]:,} rows here, {values[1]:,} in {kwargs['other_table_name']}"
        return Verdict(success, {"self": values[0], "other": values[1]}, message=None if success else message)

    return Plan((subject.count_rows(ALL), other), judge, alone=True)


def column_exists(kwargs: Kwargs, subject: Subject) -> Plan:
    names, name, index = list(subject.types), kwargs["column"], kwargs.get("column_index")
    # Great Expectations takes the index 0 for none given.
    success = names[index : index + 1] == [name] if index else name in names
    missing = f"column {name} is not {f'at position {index}' if index else 'there'}; the table has {', '.join(names)}"
    return _known(Verdict(success, message=None if success else missing))


def _known(verdict: Verdict) -> Plan:
    return Plan((), lambda values: verdict)


def column_count(kwargs: Kwargs, subject: Subject) -> Plan:
    return _known(by_range(len(subject.types), kwargs))


def column_count_equal(kwargs: Kwargs, subject: Subject) -> Plan:
    return _known(_equal(len(subject.types), kwargs["value"], "columns"))


def columns_in_order(kwargs: Kwargs, subject: Subject) -> Plan:
    names, wanted = list(subject.types), kwargs.get("column_list")
    success = wanted is None or names == list(wanted)
    message = None if success else f"the columns are {', '.join(names)}"
    return _known(Verdict(success, names, message=message))


def columns_in_set(kwargs: Kwargs, subject: Subject) -> Plan:
    if "column_set" not in kwargs:
        raise UnevaluableError("it needs column_set")
    names, wanted = set(subject.types), set(kwargs["column_set"])
    extra, missing = sorted(names - wanted), sorted(wanted - names)
    success = not missing and (not extra or not kwargs.get("exact_match", True))
    parts = [f"unexpected: {', '.join(extra)}"] if extra else []
    parts += [f"missing: {', '.join(missing)}"] if missing else []
    return _known(Verdict(success, sorted(names), message=None if success else "; ".join(parts)))


def custom_sql(kwargs: Kwargs, subject: Subject) -> Plan:
    query = query_over(kwargs["unexpected_rows_query"], subject.table, subject.dialect, subject.types)
    shown = subject.dialect.row_text
    found = Fragment(f"(SELECT count(*) FROM ({query}) AS pk_row)")
    samples = f"SELECT {shown} AS pk_text, NULL AS pk_rows FROM ({query}) AS pk_row LIMIT {MAX_SAMPLES}"

    def judge(values: Values) -> Verdict:
        _, count = values
        return Verdict(count == 0, count, message=f"the query found {count:,} rows" if count else None)

    # An aggregate beside the subquery makes the statement return one row.
    return Plan((subject.count_rows(ALL), found), judge, Fragment(samples) if shown else None, alone=True)
