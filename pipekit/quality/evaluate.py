"""Judge suites on a table: one SELECT for what compiles, Great Expectations for the rest, an event for each check."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from pipekit.clock import Moment
from pipekit.errors import ChecksFailed, QueryError, TemplateError, short
from pipekit.events import CheckEvaluated, Emit, Noted
from pipekit.names import Table
from pipekit.quality.compile.registry import COMPILERS, compile_expectation
from pipekit.quality.compile.subject import Plan, Rows, Subject, Values
from pipekit.quality.conditions import parse_text, with_columns
from pipekit.quality.judge import UnevaluableError, Verdict, as_text, failed_to_judge, refused_by_engine
from pipekit.quality.schema import is_custom
from pipekit.quality.suite import Expectation, Suite, merge_suites
from pipekit.sql.fragments import Fragment, fragment, joined
from pipekit.sql.unproven import not_proven
from pipekit.suggestions import nearest
from pipekit.warehouses.contract import SupportsDescribing

if TYPE_CHECKING:
    from pipekit.warehouses.contract import Warehouse


PASSED, FAILED, WARNED, ERROR = "PASSED", "FAILED", "WARNED", "ERROR"

# Arguments of these may name columns that the table lacks: that is what they test.
_ASK_FOR_COLUMNS = frozenset({"expect_column_to_exist", "expect_table_columns_to_match_ordered_list"})

_SPOILT = "the engine refused another check, which ended the transaction before this one; fix that one first"


class _Check(NamedTuple):
    """An expectation of a suite, its columns spelt as the table has them, and its verdict once there is one."""

    suite: Suite
    written: Expectation
    asked: Expectation
    plan: Plan | None = None
    verdict: Verdict | None = None


def evaluate(
    suites: Sequence[Suite],
    table: Table,
    warehouse: Warehouse,
    *,
    step: str,
    emit: Emit,
    shown_as: Table | None = None,
) -> list[CheckEvaluated]:
    """Judge every expectation on the warehouse's own session, so that uncommitted rows count.

    The session's transaction is neither ended nor begun. A failed check does not raise; see ``raise_for_failures``.

    Args:
        suites: What to judge, in this order.
        table: The table.
        warehouse: Whose session to use.
        step: The step's id, for the events.
        emit: Takes a ``CheckEvaluated`` for each expectation, in the order of the suites, and before them a warning
            if functions of a query are not proven equal on the engine.
        shown_as: The table's name in the events, when ``table`` is a helper that will take its place.

    Returns:
        The events, as emitted.

    Raises:
        TransientError: The warehouse was lost; another try may work.
    """
    shown = shown_as or table
    if names := merge_suites(suites).unproven(warehouse.dialect):
        text = f"not proven equal on {warehouse.dialect.name}: {not_proven(names, warehouse.dialect)}"
        emit(Noted(level="WARNING", message=text, step=step))
    # A helper mostly has the columns of the table whose place it will take; the answer to the checks shows whether so.
    asked = warehouse if isinstance(warehouse, SupportsDescribing) and not needs_great_expectations(suites) else None
    presumed = asked is not None and shown != table and asked.presume(table, shown)
    checks = _prepared(suites, table, shown, warehouse)
    verdicts = _verdicts(checks, table, warehouse)
    if asked is not None and presumed and not asked.was_right(table):
        checks = _prepared(suites, table, shown, warehouse)
        verdicts = _verdicts(checks, table, warehouse)
    events = [_event(check.written, verdicts[number], shown, step) for number, check in enumerate(checks)]
    for event in events:
        emit(event)
    return events


def raise_for_failures(results: Sequence[CheckEvaluated], table: Table, kept: str | None = None) -> None:
    """Raise if a critical check failed or any check could not be evaluated.

    Args:
        results: What ``evaluate`` returned.
        table: The table, for the message.
        kept: What was left untouched, for the message.

    Raises:
        ChecksFailed: With each such check, what was observed, counts and sample values.
    """
    failed = [result for result in results if result.status in (FAILED, ERROR)]
    if not failed:
        return
    lines = [f"{table}: {len(failed)} of {len(results)} check{'s' if len(results) > 1 else ''} failed"]
    lines += [line for result in failed for line in _report(result)]
    raise ChecksFailed("\n".join(lines), kept=kept)


def needs_great_expectations(suites: Sequence[Suite]) -> bool:
    """Whether an expectation surely goes through Great Expectations, so that its import is worth starting early."""
    return any(
        suite.engine == "great_expectations" or expectation.type not in COMPILERS
        for suite in suites
        for expectation in suite.expectations
    )


def preload() -> None:
    """Import Great Expectations in the background, so that its seconds pass while tables load."""
    threading.Thread(target=_import_runner, name="import-great-expectations", daemon=True).start()


def _import_runner() -> None:
    from pipekit.quality import gx_runner  # noqa: F401 - the import is the purpose


def _prepared(suites: Sequence[Suite], table: Table, shown: Table, warehouse: Warehouse) -> list[_Check]:
    types = {column.name: column.type for column in warehouse.columns(table)}
    subject = Subject(
        warehouse.quote(table),
        types,
        warehouse.dialect,
        warehouse.quote,
        lambda name: warehouse.quote(Table.parse(name)),
    )
    prepare = _Preparation(shown, types, warehouse.fold, subject)
    return [prepare(suite, expectation) for suite in suites for expectation in suite.expectations]


class _Preparation(NamedTuple):
    table: Table
    types: Mapping[str, str]
    fold: Callable[[str], str]
    subject: Subject

    def __call__(self, suite: Suite, expectation: Expectation) -> _Check:
        check = _Check(suite, expectation, expectation)
        try:
            if not self.types:
                raise UnevaluableError(f"there is no table {self.table}")
            check = check._replace(asked=self._asked(expectation))
            if suite.engine == "great_expectations":
                return check
            subject = self.subject._replace(keys=check.asked.keys)
            return check._replace(plan=compile_expectation(expectation.type, check.asked.kwargs, subject))
        except (UnevaluableError, TemplateError) as error:
            return check._replace(verdict=failed_to_judge(str(error)))

    def _asked(self, expectation: Expectation) -> Expectation:
        keys = tuple(map(self._existing, expectation.keys))
        return replace(expectation, kwargs=self._arguments(expectation), keys=keys)

    def _arguments(self, expectation: Expectation) -> dict[str, Any]:
        kwargs = dict(expectation.kwargs)
        lenient = expectation.type in _ASK_FOR_COLUMNS or is_custom(expectation.type)
        column = self._spelt if lenient else self._existing
        for key in ("column", "column_A", "column_B"):
            if isinstance(kwargs.get(key), str):
                kwargs[key] = column(kwargs[key])
        if isinstance(kwargs.get("column_list"), list):
            kwargs["column_list"] = [column(name) for name in kwargs["column_list"]]
        if isinstance(kwargs.get("column_set"), list):
            kwargs["column_set"] = [self._unquoted(name) for name in kwargs["column_set"]]
        for key in kwargs.keys() - {"row_condition"}:
            kwargs[key] = self._moments(kwargs[key], kwargs.get("column"))
        if kwargs.get("row_condition") is not None and not is_custom(expectation.type):
            kwargs["row_condition"] = self._condition(kwargs["row_condition"])
        return kwargs

    def _moments(self, value: Any, column: Any) -> Any:
        """The run's clock in a value, as it has to be written to be compared with the column."""
        if isinstance(value, list):
            return [self._moments(item, column) for item in value]
        if isinstance(value, dict):
            return {key: self._moments(item, column) for key, item in value.items()}
        if not isinstance(value, Moment):
            return value
        return str(value) if self.subject.dialect.is_zoned(self.types.get(column, "")) else value.without_zone()

    def _condition(self, condition: Any) -> Any:
        condition = parse_text(condition) if isinstance(condition, str) else condition
        if condition is None:
            raise UnevaluableError("row_condition is not a condition")
        return with_columns(condition, self._existing)

    def _spelt(self, name: str) -> str:
        """The column as the table spells it; the name as it is when there is no such column."""
        if name in self.types:
            return name
        return next((column for column in self.types if self.fold(column) == self.fold(name)), name)

    def _existing(self, name: str) -> str:
        spelt = self._spelt(name)
        if spelt not in self.types:
            near = nearest(name, self.types)
            hint = f"did you mean {near}?" if near else f"it has {short(', '.join(self.types), 200)}"
            raise UnevaluableError(f"{self.table} has no column {name}; {hint}")
        return spelt

    def _unquoted(self, name: str) -> str:
        """A name in double quotes is taken to the letter, as Great Expectations does."""
        if len(name) > 2 and name[0] == name[-1] == '"':
            return name[1:-1] if name[1:-1] in self.types else name
        return self._spelt(name)


def _verdicts(checks: Sequence[_Check], table: Table, warehouse: Warehouse) -> dict[int, Verdict]:
    verdicts = {number: check.verdict for number, check in enumerate(checks) if check.verdict}
    plans = {number: check.plan for number, check in enumerate(checks) if check.plan}
    aborts = warehouse.dialect.aborts_on_error
    apart = {number for number, plan in plans.items() if plan.query or (plan.alone and aborts)}
    verdicts |= _compiled({number: plan for number, plan in plans.items() if number not in apart}, warehouse)
    verdicts |= _through_gx(
        {n: check.asked for n, check in enumerate(checks) if n not in verdicts | plans}, table, warehouse
    )
    # Measures that the engine may refuse run last: a failure may spoil the transaction.
    spoilt = False
    for number in sorted(apart, key=lambda number: (plans[number].alone, number)):
        found = {number: failed_to_judge(_SPOILT)} if spoilt else _compiled({number: plans[number]}, warehouse)
        spoilt = spoilt or (aborts and bool(found[number].error) and is_spoilt(warehouse))
        verdicts |= found
    return verdicts


def is_spoilt(warehouse: Warehouse) -> bool:
    """Whether a statement that failed has made the session's open transaction refuse every other one."""
    try:
        warehouse.execute("SELECT 1")
    except QueryError:
        return True
    return False


def _through_gx(expectations: Mapping[int, Expectation], table: Table, warehouse: Warehouse) -> dict[int, Verdict]:
    if not expectations:
        return {}
    from pipekit.quality import gx_runner

    found = gx_runner.run(list(expectations.values()), table, warehouse)
    return dict(zip(expectations, found, strict=True))


def _compiled(plans: Mapping[int, Plan], warehouse: Warehouse) -> dict[int, Verdict]:
    values, verdicts = _measured(plans, warehouse)
    return verdicts | _judged(plans, values, warehouse)


def _measured(plans: Mapping[int, Plan], warehouse: Warehouse) -> tuple[dict[int, Values], dict[int, Verdict]]:
    """The values of each plan's measures, from one statement; if that fails, from one statement per plan."""
    try:
        return _values(plans, warehouse), {}
    except QueryError as error:
        failure = refused_by_engine(error.message)
    if len(plans) == 1:
        return {}, dict.fromkeys(plans, failure)
    values: dict[int, Values] = {}
    verdicts: dict[int, Verdict] = {}
    for number, plan in plans.items():
        own_values, own_verdicts = _measured({number: plan}, warehouse)
        values |= own_values
        verdicts |= own_verdicts
    # If every statement fails now, report the first failure: it broke the session.
    return values, verdicts if values else dict.fromkeys(plans, failure)


def _values(plans: Mapping[int, Plan], warehouse: Warehouse) -> dict[int, Values]:
    queries = {number: plan.query for number, plan in plans.items() if plan.query}
    listed = {number: tuple(warehouse.execute(*query).rows) for number, query in queries.items()}
    return listed | _scan({number: plan for number, plan in plans.items() if number not in queries}, warehouse)


def _scan(plans: Mapping[int, Plan], warehouse: Warehouse) -> dict[int, Values]:
    """Every distinct measure once, in one SELECT."""
    keys = {number: [_key(measure) for measure in plan.measures] for number, plan in plans.items()}
    measures = {_key(measure): measure for plan in plans.values() for measure in plan.measures}
    found: dict[Any, Any] = {}
    if measures:
        [table] = {plan.table for plan in plans.values()}
        sql = joined(", ", [fragment(f"{{}} AS pk_{n}", measure) for n, measure in enumerate(measures.values())])
        [row] = warehouse.execute(f"SELECT {sql.text} FROM {table}", sql.params).rows
        found = dict(zip(measures, row, strict=True))
    return {number: tuple(found[key] for key in wanted) for number, wanted in keys.items()}


def _key(measure: Fragment) -> tuple[str, str]:
    return measure.text, repr(measure.params)  # 1 and True are equal, but not in SQL


def _judged(plans: Mapping[int, Plan], values: Mapping[int, Values], warehouse: Warehouse) -> dict[int, Verdict]:
    verdicts = {number: _judge(plans[number].judge, found) for number, found in values.items()}
    follow_ups = {
        number: plan.follow_up
        for number, plan in plans.items()
        if number in verdicts and plan.follow_up and not verdicts[number].success and not verdicts[number].error
    }
    for number, rows in _followed_up(follow_ups, warehouse).items():
        verdicts[number] = plans[number].final(values[number], rows)
    return verdicts


def _judge(judge: Callable[[Values], Verdict], values: Values) -> Verdict:
    try:
        return judge(values)
    except UnevaluableError as error:
        return failed_to_judge(str(error))


def _followed_up(queries: Mapping[int, Fragment], warehouse: Warehouse) -> dict[int, Rows]:
    """The rows of all follow-ups, from one statement."""
    if not queries:
        return {}
    parts = [
        fragment(f"SELECT {number} AS pk_check, pk_text, pk_rows FROM ({{}}) AS pk_{number}", query)
        for number, query in queries.items()
    ]
    sql = joined(" UNION ALL ", parts)
    rows = warehouse.execute(sql.text, sql.params).rows
    return {number: [row[1:] for row in rows if row[0] == number] for number in queries}


def _event(expectation: Expectation, verdict: Verdict, table: Table, step: str) -> CheckEvaluated:
    return CheckEvaluated(
        step=step,
        table=str(table),
        check_name=expectation.check_name,
        expectation=expectation.type,
        column=expectation.column,
        severity=expectation.severity,
        status=_status(expectation, verdict),
        result_value=_result(verdict),
        unexpected_count=verdict.unexpected_count,
        element_count=verdict.element_count,
        message=f"could not be evaluated: {verdict.error}" if verdict.error else verdict.message,
        samples=tuple(short(sample) for sample in verdict.samples),
    )


def _status(expectation: Expectation, verdict: Verdict) -> str:
    if verdict.error:
        return ERROR
    if verdict.success:
        return PASSED
    return FAILED if expectation.severity == "critical" else WARNED


def _result(verdict: Verdict) -> str | None:
    if verdict.observed is None and verdict.element_count is not None:
        return f"{verdict.unexpected_count or 0} of {verdict.element_count} unexpected"
    return as_text(verdict.observed)


def _report(result: CheckEvaluated) -> list[str]:
    lines = [f"  {result.check_name}: {result.message or result.result_value or result.status}"]
    if result.samples:
        lines.append(f"    for example: {', '.join(result.samples)}")
    return lines
