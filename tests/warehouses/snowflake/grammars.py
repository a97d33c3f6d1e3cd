"""Two grammars of Snowflake's SQL beside each other, sqlglot's and sqlfluff's, for the statements that pipekit sends.

sqlfluff takes a good part of a second for each statement. So what it has accepted is written down, as hashes of
statements without their names and values, and only others are parsed again: ``python tests/warehouses/snowflake/grammars.py``
rewrites the list from the golden file.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import sqlglot
from sqlglot.errors import SqlglotError

GOLDEN = Path(__file__).with_name("statements.sql")
ACCEPTED = Path(__file__).with_name("accepted.txt")
# What sqlfluff's grammar lacks: a pattern, what is in its place, and the page that documents the construct.
GAPS = (
    (r"\?", "NULL", "https://docs.snowflake.com/en/developer-guide/sql-api/submitting-requests"),
    (
        r"CREATE TEMPORARY FILE FORMAT",
        "CREATE FILE FORMAT",
        "https://docs.snowflake.com/en/sql-reference/sql/create-file-format",
    ),
    (r"\bTIMESTAMPTZ\b", "TIMESTAMP_TZ", "https://docs.snowflake.com/en/sql-reference/data-types-datetime"),
    (r"\bevent\b", "event_", "https://docs.snowflake.com/en/sql-reference/reserved-keywords"),
    (
        r"(?<=TYPE = PARQUET )NULL_IF = \(\)",
        "NULL_IF = ('')",
        "https://docs.snowflake.com/en/sql-reference/sql/create-file-format",
    ),
    (
        r"^SHOW ROW ACCESS POLICIES IN ACCOUNT",
        "SHOW TABLES",
        "https://docs.snowflake.com/en/sql-reference/sql/show-row-access-policies",
    ),
    (
        r"^SHOW (PRIMARY|IMPORTED|UNIQUE) KEYS\b.*",
        "SHOW TABLES",
        "https://docs.snowflake.com/en/sql-reference/sql/show-primary-keys",
    ),
)
_OTHERS = re.compile(r"""('(?:[^'\\]|''|\\.)*')|("(?:[^"]|"")*")|\b\d+(?:\.\d+)?\b""")


def golden() -> list[str]:
    """The statements of the golden file."""
    return [sql.strip().rstrip(";") for sql in GOLDEN.read_text(encoding="utf-8").split(";\n\n")]


def shape(sql: str) -> str:
    """The statement with one text, one number, and names by their order, so that equal constructs are equal."""
    names: dict[str, str] = {}

    def plain(match: re.Match[str]) -> str:
        if match[1]:
            return match[1] if match[1].startswith(("'@", "'file:")) else "'x'"
        return names.setdefault(match[2], f'"N{len(names)}"') if match[2] else "1"

    return re.sub(r"\s+", " ", _OTHERS.sub(plain, sql)).strip()


def mark(sql: str) -> str:
    """A hash of the shape."""
    return hashlib.sha256(shape(sql).encode()).hexdigest()[:16]


def accepted() -> set[str]:
    """Hashes of shapes that sqlfluff has accepted."""
    return set(ACCEPTED.read_text(encoding="utf-8").split()) if ACCEPTED.is_file() else set()


@cache
def _linter() -> Any:
    from sqlfluff.core import FluffConfig, Linter

    return Linter(config=FluffConfig(overrides={"dialect": "snowflake"}))


def refused_by_sqlfluff(sql: str) -> str | None:
    """What sqlfluff says against a statement, its known gaps apart."""
    text = _OTHERS.sub(lambda match: match[0].replace("?", "") if match[1] or match[2] else match[0], sql)
    for pattern, replacement, _ in GAPS:
        text = re.sub(pattern, replacement, text, flags=re.DOTALL)
    found = _linter().parse_string(text + ";\n").violations
    return str(found[0]) if found else None


def refused_by_sqlglot(sql: str) -> str | None:
    """What sqlglot says against a statement."""
    try:
        sqlglot.parse_one(sql, read="snowflake")
    except SqlglotError as error:
        return str(error)
    return None


def refusals(statements: Iterable[str], known: set[str]) -> dict[str, str]:
    """What either grammar says against the statements; sqlfluff is asked for shapes that are not known."""
    found: dict[str, str] = {}
    seen = set(known)
    for sql in statements:
        wrong = refused_by_sqlglot(sql)
        if wrong is None and mark(sql) not in seen:
            wrong = refused_by_sqlfluff(sql)
            seen.add(mark(sql))
        if wrong:
            found[sql] = wrong
    return found


if __name__ == "__main__":
    wrong = refusals(golden(), set())
    for sql, reason in wrong.items():
        print(f"{reason}\n    {sql[:200]}")
    ACCEPTED.write_text("\n".join(sorted({mark(sql) for sql in golden() if sql not in wrong})) + "\n", encoding="utf-8")
