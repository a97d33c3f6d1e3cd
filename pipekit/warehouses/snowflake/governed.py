"""What belongs to a table and would be lost with another in its place: policies and streams.

Grants and tags are copied (COPY GRANTS, COPY TAGS). These are not, so a table or view that has them is not replaced.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipekit.errors import QueryError
from pipekit.names import Table
from pipekit.warehouses.session import PlainSession
from pipekit.warehouses.snowflake.dialect import text

_HINT = "Use materialize: truncate_load or merge: they keep the table, its policies and its streams."


@dataclass(frozen=True)
class Bound:
    """What the role may see of the account, asked for once before the first replacement of a run.

    Attributes:
        streams: The stream on each table or view, by its full name without quotes.
        has_row_policies: Whether there is any row access policy, so that each table must be asked about.
    """

    streams: dict[str, str] = field(default_factory=dict)
    has_row_policies: bool = False


def refuse_governed(warehouse: PlainSession, table: Table, kind: str, masking: Mapping[str, str], bound: Bound) -> None:
    """Refuse to replace a table or view that has what the new one would not have.

    Args:
        warehouse: The session.
        table: What is to be replaced.
        kind: What will be in its place, ``TABLE`` or ``VIEW``.
        masking: Its masking policies by column.
        bound: What is bound to tables of the account.

    Raises:
        QueryError: It has a masking policy, a row access policy or a stream, which the message names.
    """
    for column, policy in masking.items():
        lost = f"has the masking policy {policy} on {column}, and a new table in its place would have none"
        raise _refusal(table, lost)
    name = warehouse.full_name(table)
    if stream := bound.streams.get(_plain(".".join(name.parts))):
        raise _refusal(table, f"is read by the stream {stream}, which a new table in its place would make stale")
    for policy in _row_policies(warehouse, name, kind) if bound.has_row_policies else ():
        lost = f"has the row access policy {policy}, and a new table in its place would show all rows"
        raise _refusal(table, lost)


def _refusal(table: Table, lost: str) -> QueryError:
    return QueryError(f"{table} {lost}", kept=f"{table} is as it was.", hint=_HINT)


def _row_policies(warehouse: PlainSession, name: Table, kind: str) -> list[str]:
    """https://docs.snowflake.com/en/sql-reference/functions/policy_references"""
    place = f"{warehouse.quote(name.parts[0])}.INFORMATION_SCHEMA" if len(name.parts) > 2 else "INFORMATION_SCHEMA"
    rows = warehouse.execute(
        f"SELECT POLICY_NAME FROM TABLE({place}.POLICY_REFERENCES(REF_ENTITY_NAME => {text(warehouse.quote(name))}, "
        f"REF_ENTITY_DOMAIN => {text(kind)})) WHERE POLICY_KIND = 'ROW_ACCESS_POLICY'"
    ).rows
    return [str(row[0]) for row in rows]


def look_for_bound(warehouse: PlainSession) -> Bound:
    """Ask for streams and row access policies, by two statements that need no warehouse.

    https://docs.snowflake.com/en/sql-reference/sql/show-streams, .../show-row-access-policies
    """
    shown = warehouse.execute("SHOW STREAMS IN ACCOUNT")
    at = {column: index for index, column in enumerate(shown.columns)}
    streams: dict[str, str] = {}
    for row in shown.rows:
        read = [str(row[at["table_name"]]), *str(row[at["base_tables"]] or "").split(",")]
        streams |= {_plain(name): str(row[at["name"]]) for name in read if name.strip()}
    return Bound(streams, _has_row_policies(warehouse))


def _has_row_policies(warehouse: PlainSession) -> bool:
    """Whether there are any; an account of the Standard edition, which cannot have them, says so by an error."""
    try:
        return bool(warehouse.execute("SHOW ROW ACCESS POLICIES IN ACCOUNT").rows)
    except QueryError as error:
        if "Unsupported feature" in error.message:
            return False
        raise


def _plain(name: str) -> str:
    return name.replace('"', "").strip()
