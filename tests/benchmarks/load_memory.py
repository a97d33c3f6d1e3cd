"""Peak memory and time of one load: JSON lines of a given size, through the DuckDB adapter, in a process of its own.

    python tests/benchmarks/load_memory.py 1000 --on-error reject

prints the size, the seconds and the peak resident memory of the whole process.
"""

from __future__ import annotations

import argparse
import random
import resource
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from pipekit.names import Table
from pipekit.source import Source
from pipekit.warehouses.contract import FileLoad
from pipekit.warehouses.duckdb.target import DuckDBTarget
from pipekit.warehouses.duckdb.warehouse import open_duckdb

COLUMNS = {
    "event_id": {"type": "varchar", "nullable": False},
    "event_time": {"type": "timestamp_tz", "path": "timestamp"},
    "user_id": "integer",
    "event_type": "varchar",
    "page_url": "varchar",
    "duration_ms": "integer",
}


def write_events(path: Path, size: int, seed: int = 7) -> None:
    """Write events until the file has ``size`` bytes."""
    dice = random.Random(seed)
    with path.open("w", encoding="utf-8") as file:
        number = 0
        while file.tell() < size:
            lines = [_event(number + offset, dice) for offset in range(5_000)]
            file.write("".join(lines))
            number += len(lines)


def _event(number: int, dice: random.Random) -> str:
    kind = dice.choice(("page_view", "click", "purchase", "add_to_cart"))
    second = number % 86_400
    clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}.{dice.randrange(1000):03}"
    return (
        f'{{"event_id":"{dice.getrandbits(128):032x}","timestamp":"2024-05-{1 + number % 28:02}T{clock}Z",'
        f'"user_id":{dice.randrange(200_000)},"event_type":"{kind}",'
        f'"page_url":"https://shop.example.com/products/{dice.randrange(5_000)}?ref=newsletter",'
        f'"duration_ms":{dice.randrange(60_000)}}}\n'
    )


def load(folder: Path, on_error: str) -> int:
    """Load the folder's files into a new DuckDB file; gives the number of rows."""
    warehouse = open_duckdb(DuckDBTarget(), folder / "project")
    source = Source.model_validate(
        {"name": "events", "uri": str(folder), "pattern": "*.json", "format": {"type": "json"}, "columns": COLUMNS}
    )
    table = Table.parse("events")
    warehouse.create_table(table, source.columns)
    request = FileLoad(source, warehouse.list_files(source), on_error, False, "run", datetime.now(UTC))  # type: ignore[arg-type]
    with warehouse.prepare_load(request) as prepared, warehouse.transaction():
        warehouse.truncate(table)
        rows = sum(file.rows_loaded for file in prepared.copy_into(table))
    warehouse.close()
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("megabytes", type=int)
    parser.add_argument("--on-error", choices=("fail", "reject"), default="fail")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write_events(Path(folder) / "events.json", given.megabytes * 1_000_000)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        started = time.perf_counter()
        rows = load(Path(folder), given.on_error)
        seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"{given.megabytes} MB, {rows} rows, on_error {given.on_error}: {seconds:.2f} s, "
        f"peak {peak / 1024:.0f} MB (before the load {before / 1024:.0f} MB)"
    )


if __name__ == "__main__":
    main()
