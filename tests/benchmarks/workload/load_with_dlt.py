"""The two loads of ``bare.sql`` with dlt, which does no modelling; run by ``../peers.py`` with dlt's own Python.

The readers, the Parquet files between, and the rotation of files over two workers are what dlt's pages on the
filesystem source, on DuckDB and on performance advise for speed.
"""

import os
import tempfile

import dlt
from dlt.sources import DltResource
from dlt.sources.filesystem import filesystem, read_csv_duckdb, read_jsonl

DATA = os.environ["WORKLOAD_DATA"]
ROWS = 100_000
CUSTOMERS = {"customer_id": "BIGINT", "age": "BIGINT", "signup_date": "DATE"} | dict.fromkeys(
    ["first_name", "last_name", "email", "gender", "address", "city", "country", "region", "income_band"], "VARCHAR"
)
EVENTS = {"timestamp": "timestamp", "user_id": "bigint", "duration_ms": "bigint"} | dict.fromkeys(
    ["event_id", "event_type", "page_url", "device__type"], "text"
)


def main() -> None:
    """Load both folders of files into tables of their own, beginning without any state."""
    dlt.config["data_writer.buffer_max_items"] = ROWS
    dlt.config["data_writer.file_max_items"] = ROWS
    dlt.config["normalize.workers"] = 2
    with tempfile.TemporaryDirectory() as state:
        pipeline = dlt.pipeline(
            "workload",
            pipelines_dir=state,
            destination=dlt.destinations.duckdb(os.environ["WORKLOAD_DATABASE"]),
            dataset_name="main",
        )
        pipeline.run([customers(), clickstream()], loader_file_format="parquet")


def customers() -> DltResource:
    """CSV, read by DuckDB into Arrow batches."""
    reader = read_csv_duckdb(chunk_size=ROWS, use_pyarrow=True, header=True, dtype=CUSTOMERS, date_format="%Y/%m/%d")
    return (filesystem(f"{DATA}/customers", file_glob="*.csv") | reader).with_name("raw_customer_demographics")


def clickstream() -> DltResource:
    """JSON lines, read by dlt line by line; fields that are not declared become columns too."""
    events = filesystem(f"{DATA}/clickstream", file_glob="*.jsonl") | read_jsonl(chunksize=10_000)
    events.apply_hints(columns={name: {"data_type": kind} for name, kind in EVENTS.items()})
    return events.with_name("raw_clickstream")


if __name__ == "__main__":  # the worker processes import this file
    main()
