"""The cases of a load: what each promises, as data."""

from pipekit.testing.contract.cases.case import AB, CSV, JSON, PARQUET, UTC, LoadCase, Reject, Row, csv_case, json_case
from pipekit.testing.contract.cases.csv_broken_cases import CSV_BROKEN_CASES
from pipekit.testing.contract.cases.csv_cases import CSV_CASES
from pipekit.testing.contract.cases.foreign_cases import FOREIGN_CASES
from pipekit.testing.contract.cases.json_broken_cases import JSON_BROKEN_CASES
from pipekit.testing.contract.cases.json_cases import JSON_CASES, JSON_VALUE_CASES
from pipekit.testing.contract.cases.line_end_cases import LINE_END_CASES
from pipekit.testing.contract.cases.packed_cases import PACKED_CASES
from pipekit.testing.contract.cases.parquet_cases import PARQUET_CASES
from pipekit.testing.contract.cases.printed_cases import PRINTED_CASES
from pipekit.testing.contract.cases.value_cases import VALUE_CASES
from pipekit.testing.contract.cases.way_cases import WAY_CASES

CASES = (
    *CSV_CASES,
    *CSV_BROKEN_CASES,
    *PACKED_CASES,
    *FOREIGN_CASES,
    *PRINTED_CASES,
    *VALUE_CASES,
    *WAY_CASES,
    *LINE_END_CASES,
    *JSON_CASES,
    *JSON_VALUE_CASES,
    *JSON_BROKEN_CASES,
    *PARQUET_CASES,
)

__all__ = ["AB", "CASES", "CSV", "JSON", "PARQUET", "UTC", "LoadCase", "Reject", "Row", "csv_case", "json_case"]
