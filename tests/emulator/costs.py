"""What a run costs on Snowflake: its statements, round trips, logins, and the statements that need a warehouse."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pipekit.warehouses.snowflake.compute import needs_warehouse


@dataclass(frozen=True)
class Cost:
    """What was sent.

    Attributes:
        statements: The statements, in order.
        trips: Requests: statements, logins, ends of sessions.
        logins: How many of them are logins.
    """

    statements: tuple[str, ...]
    trips: int = 0
    logins: int = 0

    @property
    def on_warehouse(self) -> tuple[str, ...]:
        """Those that need a warehouse."""
        return tuple(sql for sql in self.statements if needs_warehouse(sql))


_OF_RUN = ('DESCRIBE TABLE "INGESTION_FILES"', "SHOW STREAMS IN ACCOUNT", "SHOW ROW ACCESS POLICIES IN ACCOUNT")


def by_step(sent: Iterable[Mapping[str, Any]], of_run: Sequence[str] = _OF_RUN) -> dict[str, Cost]:
    """The cost of each step; of what belongs to no step under an empty name.

    Args:
        sent: The statements.
        of_run: Those that a run sends once, with whichever step is the first to need them: they count with the run.
    """
    found: dict[str, list[str]] = {}
    for statement in sent:
        step = json.loads(statement["tag"] or "{}").get("step", "") if statement["sql"] not in of_run else ""
        found.setdefault(step, []).append(statement["sql"])
    return {step: Cost(tuple(sqls), len(sqls)) for step, sqls in found.items()}


def of_run(sent: Sequence[Mapping[str, Any]], requests: Sequence[str]) -> Cost:
    """The cost of a whole run."""
    return Cost(tuple(s["sql"] for s in sent), len(requests), requests.count("LOGIN"))


COLUMNS = {"id": {"type": "integer", "nullable": False}, "name": "varchar", "amount": "number(10,2)"}
_AUDIT = [{"expect_column_values_to_be_unique": {"column": "id"}}]
_QUERY = "SELECT id, name, amount FROM loaded"
# A step of each kind. Its id is what the table of costs calls it.
KINDS: tuple[dict[str, Any], ...] = (
    {"id": "loaded", "type": "load", "source": "csv"},
    {"id": "load_audited", "type": "load", "source": "csv", "audit": _AUDIT},
    {"id": "load_rejects", "type": "load", "source": "csv", "on_error": "reject"},
    {"id": "load_append", "type": "load", "source": "csv", "strategy": "append"},
    {"id": "load_merge", "type": "load", "source": "csv", "strategy": "merge", "key": "id"},
    {"id": "load_json", "type": "load", "source": "json"},
    {"id": "load_parquet", "type": "load", "source": "parquet"},
    {"id": "sql_table", "type": "sql", "sql": _QUERY},
    {"id": "sql_audited", "type": "sql", "sql": _QUERY, "audit": _AUDIT},
    {"id": "sql_view", "type": "sql", "sql": _QUERY, "materialize": "view"},
    {"id": "sql_merge", "type": "sql", "sql": _QUERY, "materialize": "merge", "key": "id"},
    {"id": "sql_append", "type": "sql", "sql": _QUERY, "materialize": "append", "key": "id"},
    {"id": "sql_since", "type": "sql", "sql": _QUERY, "materialize": "append", "since": "id"},
    {"id": "sql_truncate_load", "type": "sql", "sql": _QUERY, "materialize": "truncate_load"},
    {
        "id": "features",
        "type": "features",
        "from": "loaded",
        "entity": "id",
        "features": {"spent": {"sql": "sum(amount)", "from": "sql_table"}, "big": {"sql": "spent > 10"}},
    },
    {"id": "checked", "type": "check", "table": "loaded", "suite": _AUDIT},
)


def write_kinds(folder: Path, target: Mapping[str, Any], uri: str, kinds: Sequence[Mapping[str, Any]] = KINDS) -> Path:
    """A pipeline of these steps on files of every format below ``uri``, and what is loaded from them."""
    formats = ("csv", "json", "parquet")
    spec = {
        "name": "kinds",
        "targets": {"snowflake": dict(target)},
        "target": "snowflake",
        "sources": {
            form: {"uri": f"{uri}/{form}/", "format": {"type": form}, "columns": COLUMNS, "pattern": f"*.{form}"}
            for form in formats
        },
        "steps": [dict(kind) for kind in kinds],
    }
    path = folder / "kinds.yaml"
    path.write_text(yaml.safe_dump(spec, sort_keys=False))
    return path


def delivery(folder: Path, name: str, first: int, rows: int = 3) -> Path:
    """A file of each format with rows from ``first`` on."""
    from decimal import Decimal

    import pyarrow as pa
    import pyarrow.parquet as pq

    numbers = range(first, first + rows)
    texts = {
        "csv": "id,name,amount\n" + "".join(f"{n},n{n},{n}.50\n" for n in numbers),
        "json": "".join(json.dumps({"id": n, "name": f"n{n}", "amount": n + 0.5}) + "\n" for n in numbers),
    }
    for form, text in texts.items():
        (folder / form).mkdir(parents=True, exist_ok=True)
        (folder / form / f"{name}.{form}").write_text(text)
    (folder / "parquet").mkdir(exist_ok=True)
    amounts = pa.array([Decimal(f"{n}.50") for n in numbers], pa.decimal128(10, 2))
    table = pa.table({"id": list(numbers), "name": [f"n{n}" for n in numbers], "amount": amounts})
    pq.write_table(table, folder / "parquet" / f"{name}.parquet")
    return folder
