"""Formats of values: a mistake in one is reported before anything is opened, and never read and ignored."""

from __future__ import annotations

import pytest

from pipekit.files.checks import check_source
from pipekit.source import Source


def mistakes(form: dict[str, object], column: object) -> list[str]:
    source = Source.model_validate({"name": "s", "uri": "in", "format": form, "columns": {"a": column}})
    return [f"{key}: {text}" for key, text in check_source(source)]


CSV: dict[str, object] = {"type": "csv"}


@pytest.mark.parametrize(
    ("form", "column", "said"),
    [
        (CSV, {"type": "varchar", "format": "percent"}, "columns.a.format: a varchar has no format"),
        (CSV, {"type": "integer", "format": "percents"}, "did you mean 'percent'"),
        (CSV, {"type": "integer", "format": "percent"}, "12% is 0.12, for which integer has no room"),
        (CSV, {"type": "number(20,14)", "format": "percent"}, "a number with 2 to 12 decimals"),
        ({**CSV, "number_format": "percent"}, "number(10,1)", "columns.a: 12% is 0.12"),
        (CSV, {"type": "date", "format": "epoch_seconds"}, "epoch_seconds is for timestamps"),
        ({**CSV, "date_format": "epoch_seconds"}, "date", "format.date_format: epoch_seconds is for timestamps"),
        (CSV, {"type": "timestamp", "format": "epoch_days"}, "is not one of epoch_seconds, epoch_milliseconds"),
        (CSV, {"type": "date", "format": "DD.MM"}, "columns.a.format: 'DD.MM' names no year"),
        (CSV, {"type": "time", "format": "HH24"}, "a time has no format"),
        ({"type": "json"}, {"type": "number(10,2)", "format": "percent"}, "json has a type for such values"),
        ({"type": "parquet"}, {"type": "date", "format": "YYYYMMDD"}, "parquet has a type for such values"),
        ({"type": "parquet"}, {"type": "date", "null_values": "NA"}, "parquet has cells without a value for NULL"),
        (CSV, {"type": "variant", "null_values": ["NA"]}, "columns.a.null_values: a variant has no texts"),
    ],
)
def test_a_format_that_cannot_be_is_refused(form: dict[str, object], column: object, said: str) -> None:
    (found,) = mistakes(form, column)
    assert said in found


@pytest.mark.parametrize(
    ("form", "column"),
    [
        ({**CSV, "number_format": "percent"}, {"type": "integer", "format": "plain"}),
        ({**CSV, "number_format": "percent", "decimal_separator": ","}, "varchar"),
        ({"type": "json"}, {"type": "timestamp_tz", "format": "epoch_milliseconds"}),
        (CSV, {"type": "timestamp", "format": "auto"}),
    ],
)
def test_a_format_that_can_be_is_taken(form: dict[str, object], column: object) -> None:
    assert mistakes(form, column) == []


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"decimal_separator": ";"}, "decimal_separator: ';' is not one of '.', ','"),
        ({"thousands_separator": "x"}, "thousands_separator: 'x' is not one of"),
        ({"thousands_separator": "."}, "'.' is the decimal separator, too"),
        ({"number_format": "acounting"}, "did you mean 'accounting'"),
    ],
)
def test_separators_that_cannot_be_are_refused(keys: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said.replace(".", "[.]")):
        mistakes({**CSV, **keys}, "float")
