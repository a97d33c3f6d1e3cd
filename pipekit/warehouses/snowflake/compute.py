"""Which statements need a running warehouse, and so resume one that is suspended.

The others are answered by the service itself, from metadata:
https://docs.snowflake.com/en/user-guide/warehouses-considerations
"""

from __future__ import annotations

import re

_FREE = r"""(?six)\s*(
        SHOW\b | DESC(RIBE)?\b | LIST\b | PUT\b | REMOVE\b | USE\b | BEGIN\b | COMMIT\b | ROLLBACK\b | GRANT\b | DROP\b
      | ALTER\s+(?!TABLE\b.*\bADD\s+SEARCH) | CREATE\b(?!.*\bAS\s+(SELECT|WITH|\())
      | CREATE\s+(OR\s+REPLACE\s+)?VIEW\b
      | SELECT\s+(SYSTEM\$|CURRENT_)\w+\s*\([^()]*\)(\s*,\s*(SYSTEM\$|CURRENT_)\w+\s*\([^()]*\))*\s*$
    )"""


def needs_warehouse(sql: str) -> bool:
    """Whether a statement needs a running warehouse."""
    return not re.match(_FREE, sql)
