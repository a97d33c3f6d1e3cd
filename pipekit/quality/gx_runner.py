"""Great Expectations itself, over a session that is already open. The only file that imports it.

Its import takes seconds and most of what it does goes through SQLAlchemy, which would end the session's
transaction: ``Warehouse.sqlalchemy_engine`` is an engine that cannot.
"""

from __future__ import annotations

import copy
import importlib
import json
import os
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import great_expectations as gx
from sqlalchemy.exc import SQLAlchemyError

from pipekit.names import Table
from pipekit.quality.judge import MAX_KEYS, MAX_SAMPLES, Verdict, as_text, failed_to_judge, refused_by_engine

if TYPE_CHECKING:
    import sqlalchemy

    from pipekit.quality.suite import Expectation
    from pipekit.warehouses.contract import Warehouse


# Great Expectations reads this when it is imported: no usage statistics are sent.
os.environ["GX_ANALYTICS_ENABLED"] = "false"

# It keeps one context for the whole process, so two threads must not validate at once.
_one_at_a_time = threading.Lock()


def version() -> str:
    """The version that is installed."""
    return str(gx.__version__)


def core_expectations() -> Iterator[tuple[str, Mapping[str, Any], bool]]:
    """Name, JSON Schema, and whether SQL can judge it, of every expectation that the library brings."""
    from great_expectations.expectations.registry import (
        get_expectation_impl,
        list_registered_expectation_implementations,
    )

    for name in sorted(list_registered_expectation_implementations()):
        implementation = get_expectation_impl(name)
        if implementation.__module__.startswith("great_expectations."):  # importing a project's own registers it too
            yield name, json.loads(implementation.schema_json()), _has_sql(implementation)


def _has_sql(implementation: Any) -> bool:
    from great_expectations.expectations.registry import _registered_metrics

    metric = getattr(implementation, "map_metric", None)
    if not metric or hasattr(implementation, "_validate_sqlalchemy"):
        return True
    providers = _registered_metrics.get(f"{metric}.condition", {}).get("providers", {})
    return "SqlAlchemyExecutionEngine" in providers


def run(expectations: Sequence[Expectation], table: Table, warehouse: Warehouse) -> list[Verdict]:
    """Judge the expectations on the warehouse's own session, and leave its transaction alone.

    Args:
        expectations: Their columns already spelt as the table has them.
        table: What to judge.
        warehouse: Whose session to use.

    Returns:
        The verdicts, in the order of the expectations.
    """
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            engine = warehouse.sqlalchemy_engine()
            expectations = [_named_for(engine, each) for each in expectations]
            batch = _batch(engine, Table(tuple(map(warehouse.fold, table.parts))))
        except (gx.exceptions.GreatExpectationsError, ConnectionError, SQLAlchemyError) as error:
            return [refused_by_engine(_without_sql(str(error)))] * len(expectations)
        return _apart(batch, expectations, _validate(batch, expectations))


def _named_for(engine: sqlalchemy.Engine, expectation: Expectation) -> Expectation:
    """Compound uniqueness looks its columns up by SQLAlchemy's own names: on Snowflake those in lower case."""
    normalize = getattr(engine.dialect, "normalize_name", None)
    if normalize is None or expectation.type != "expect_compound_columns_to_be_unique":
        return expectation
    names = [normalize(name) for name in expectation.kwargs["column_list"]]
    return replace(expectation, kwargs={**expectation.kwargs, "column_list": names})


def _apart(batch: Any, expectations: Sequence[Expectation], verdicts: dict[int, Verdict]) -> list[Verdict]:
    """Judge failed expectations again, one by one: one failing metric fails all metrics of its statement.

    Great Expectations cannot show the keys of every expectation; then it is judged without them.
    """
    for position in [position for position, verdict in verdicts.items() if verdict.error]:
        for keys in dict.fromkeys([expectations[position].keys, ()]):
            again = _validate(batch, [replace(expectations[position], keys=keys)])[0]
            if not again.error:
                verdicts[position] = again
                break
    return [verdicts[position] for position in range(len(expectations))]


def _batch(engine: sqlalchemy.Engine, table: Table) -> Any:
    context = gx.get_context(mode="ephemeral", project_config=_in_memory())
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    url = engine.url.render_as_string(hide_password=False)
    source = context.data_sources.add_sql(
        "session", connection_string=url, create_temp_table=False, kwargs=_engine_arguments(engine, url)
    )
    _teach_dialect(source.get_execution_engine(), engine)
    schema = ".".join(table.parts[:-1]) or None
    asset = source.add_table_asset("table", table_name=table.name, schema_name=schema)
    return asset.add_batch_definition_whole_table("all").get_batch()


def _engine_arguments(engine: sqlalchemy.Engine, url: str) -> dict[str, Any]:
    """What makes Great Expectations' own engine use the one connection of ``engine``, and reset nothing on it."""
    from great_expectations.execution_engine import sqlalchemy_execution_engine
    from sqlalchemy.pool import StaticPool

    arguments = {
        "creator": lambda: engine.raw_connection().driver_connection,
        "paramstyle": engine.dialect.paramstyle,
        "pool_reset_on_return": None,
    }
    # For some engines it passes StaticPool itself, and SQLAlchemy refuses the argument twice.
    if sqlalchemy_execution_engine._dialect_requires_persisted_connection(connection_string=url):
        return arguments
    return {**arguments, "poolclass": StaticPool}


def _in_memory() -> Any:
    """A configuration without the folder for HTML pages that Great Expectations makes by default."""
    from great_expectations.data_context.types.base import DataContextConfig, InMemoryStoreBackendDefaults

    stores = InMemoryStoreBackendDefaults(init_temp_docs_sites=False)
    return DataContextConfig(store_backend_defaults=stores, analytics_enabled=False)


def _teach_dialect(execution_engine: Any, engine: sqlalchemy.Engine) -> None:
    """Great Expectations writes regular expressions and LIKE only for dialects that it knows by name."""
    model = getattr(engine.dialect, "speaks_like", None)
    if model is None:
        return
    from great_expectations.expectations import type_comparison

    execution_engine.dialect_module = importlib.import_module(f"sqlalchemy.dialects.{model}")
    type_comparison.CASE_INSENSITIVE_DIALECTS |= {engine.dialect.name}


def _validate(batch: Any, expectations: Sequence[Expectation]) -> dict[int, Verdict]:
    verdicts: dict[int, Verdict] = {}
    accepted = []
    for position, expectation in enumerate(expectations):
        try:
            accepted.append(_domain_object(expectation, position))
        except (ImportError, AttributeError, TypeError, ValueError, gx.exceptions.GreatExpectationsError) as error:
            verdicts[position] = failed_to_judge(f"Great Expectations refuses it: {error}")
    for keys in dict.fromkeys(expectations[each.meta["pos"]].keys for each in accepted):
        some = [each for each in accepted if expectations[each.meta["pos"]].keys == keys]
        suite = gx.ExpectationSuite(name="suite", expectations=some)
        shape: dict[str, Any] = {"result_format": "SUMMARY", "partial_unexpected_count": MAX_SAMPLES}
        if keys:
            shape = {**shape, "partial_unexpected_count": MAX_KEYS, "unexpected_index_column_names": list(keys)}
        results = batch.validate(suite, result_format=shape).to_json_dict()["results"]
        # The results are not in the order of the suite.
        verdicts.update({result["expectation_config"]["meta"]["pos"]: _verdict(result, keys) for result in results})
    return verdicts


def _domain_object(expectation: Expectation, position: int) -> Any:
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    kwargs, meta = copy.deepcopy(dict(expectation.kwargs)), {"pos": position}
    if ":" not in expectation.type:
        return ExpectationConfiguration(
            type=expectation.type, kwargs=kwargs, meta=meta, severity=expectation.severity
        ).to_domain_obj()
    module, _, name = expectation.type.partition(":")
    return getattr(importlib.import_module(module), name)(**kwargs, meta=meta, severity=expectation.severity)


def _verdict(result: Mapping[str, Any], keys: Sequence[str]) -> Verdict:
    error = _exception(result.get("exception_info") or {})
    if error:
        return refused_by_engine(error)
    found = result["result"]
    rows = found.get("partial_unexpected_index_list") or []
    samples = found.get("partial_unexpected_list") or found.get("partial_missing_list") or []
    return Verdict(
        success=bool(result["success"]),
        observed=found.get("observed_value"),
        unexpected_count=found.get("unexpected_count", found.get("missing_count")),
        element_count=found.get("element_count"),
        message=None if result["success"] else _message(found),
        samples=tuple(_keyed(row, keys) for row in rows[:MAX_KEYS] if keys)
        or tuple(str(as_text(value)) for value in samples[:MAX_SAMPLES]),
    )


def _keyed(row: Mapping[str, Any], keys: Sequence[str]) -> str:
    """A row as compiled checks show it: its keys, and its value."""
    by = ", ".join(f"{name}={'NULL' if row.get(name) is None else as_text(row[name])}" for name in keys)
    values = [as_text(value) or "NULL" for name, value in row.items() if name not in keys]
    return f"{by}: {', '.join(values)}" if any(value != "NULL" for value in values) else by


def _exception(info: Mapping[str, Any]) -> str | None:
    """The message of a failed evaluation; the report is flat, or keyed by the metric that failed."""
    reports = [info] if "raised_exception" in info else list(info.values())
    for report in reports:
        if report.get("raised_exception"):
            return _without_sql(report.get("exception_message") or "no reason given")
    return None


def _without_sql(message: str) -> str:
    """Without the statement and the links that SQLAlchemy adds."""
    return message.split("\n[SQL", maxsplit=1)[0].strip()


def _message(found: Mapping[str, Any]) -> str:
    if found.get("unexpected_count") and found.get("element_count"):
        return f"{found['unexpected_count']:,} of {found['element_count']:,} are unexpected"
    if found.get("missing_count") or found.get("unexpected_count"):
        return f"{found.get('unexpected_count') or 0:,} unexpected values, {found.get('missing_count') or 0:,} missing"
    return f"observed {as_text(found.get('observed_value'))}"
