"""Words of Snowflake's SQL that name something only in double quotes, and where one stands for a name without them.

https://docs.snowflake.com/en/sql-reference/reserved-keywords
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NOWHERE = _words(
    "ALL ALTER AND ANY AS BETWEEN BY CHECK COLUMN CONNECT CREATE CURRENT DELETE DISTINCT DROP ELSE EXISTS FOLLOWING "
    "FOR FROM GRANT GROUP HAVING ILIKE IN INCREMENT INSERT INTERSECT INTO IS LIKE MINUS NOT NULL OF ON OR ORDER "
    "QUALIFY REGEXP REVOKE RLIKE ROW ROWS SAMPLE SELECT SET SOME START TABLE TABLESAMPLE THEN TO TRIGGER UNION UNIQUE "
    "UPDATE VALUES WHENEVER WHERE WINDOW WITH"
)
"""Reserved for whatever has a name."""
NO_TABLE = _words("CROSS FULL INNER JOIN LATERAL LEFT NATURAL RIGHT USING")
"""Taken as the name of a column, and not as that of a table or as its alias."""
NO_COLUMN = _words("CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER LOCALTIME LOCALTIMESTAMP")
"""Functions without brackets."""
NOT_READ = _words("CASE CAST FALSE TRUE TRY_CAST WHEN")
"""Taken as an alias, and not where a column is read."""
RESERVED = NOWHERE | NO_TABLE | NO_COLUMN | NOT_READ | {"CONSTRAINT"}
"""All of these, and what cannot be a column of CREATE TABLE."""
# What begins an expression, so that behind a comma it is not a name.
_BEGINS = _words("ALL ANY CASE CAST DISTINCT EXISTS FALSE INSERT LEFT NOT NULL RIGHT TRUE TRY_CAST") | NO_COLUMN
_BEFORE_A_NAME = _words("SELECT , . ( AS BY DISTINCT")
_BEHIND_A_NAME = _words(", ) AS FROM = < > <= >= <> != + - / || :: ;") | {""}


def way_out(word: str) -> str:
    """What to write for a reserved word that is meant as a name."""
    return f'write "{word.upper()}" in double quotes and upper case, or take another name'


def unquoted(tree: Any) -> Iterator[tuple[Any, str, str]]:
    """The names in a parsed query that Snowflake takes in quotes only, what is wrong with each, and the way out."""
    from sqlglot import exp

    for name in tree.find_all(exp.Identifier):
        word = str(name.this).upper()
        holder = name.parent
        if (
            name.args.get("quoted")
            or word not in RESERVED
            or not ("line" in name.meta or isinstance(holder, exp.Column))
        ):
            continue  # the argument of IDENTIFIER('...') has no place
        table = isinstance(holder, (exp.Table, exp.TableAlias)) and name.arg_key != "columns"
        table = table or (isinstance(holder, exp.Column) and name.arg_key != "this")
        read = isinstance(holder, exp.Column) and not table
        if word in NOWHERE:
            wrong = not (read and isinstance(holder.parent, exp.Ordered) and word == "ALL")
        elif word in NO_TABLE:
            wrong = table
        elif word in NO_COLUMN:
            wrong = not table and (not read or bool(holder.table))
        else:
            wrong = word in NOT_READ and read
        if wrong:
            text = f"{name.this!r} is a reserved word of Snowflake and cannot name a {'table' if table else 'column'}"
            yield name if "line" in name.meta else holder, text, way_out(word)


def meant_as_a_name(words: Sequence[str], at: int) -> int | None:
    """The place of the reserved word that stands for a name at or before a word that a parser cannot go on with.

    Args:
        words: The words and signs of the text, in upper case; what is in quotes is empty.
        at: The one at which the parser stopped.
    """
    for place in (at, at - 1, at - 2):
        if not 0 < place < len(words) or words[place] not in RESERVED:
            continue
        before, behind = words[place - 1], words[place + 1] if place + 1 < len(words) else ""
        begins = words[place] in _BEGINS and before not in (".", "AS", "(")
        if before in _BEFORE_A_NAME and behind in _BEHIND_A_NAME and not begins:
            return place
    return None
