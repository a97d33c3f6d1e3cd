"""The tag that each statement carries, as Snowflake's history shows it."""

from __future__ import annotations

import json
from collections.abc import Mapping

_TAG_LIMIT = 2000  # https://docs.snowflake.com/en/sql-reference/parameters#query-tag


def tag_text(tag: Mapping[str, str]) -> str:
    """The tag as JSON; values are cut, the longest first, until it fits."""
    values = dict(tag)
    while len(written := json.dumps(values, ensure_ascii=False, separators=(",", ":"))) > _TAG_LIMIT:
        longest = max(values, key=lambda name: len(values[name]))
        if not values[longest]:
            del values[longest]
            continue
        values[longest] = values[longest][: max(0, len(values[longest]) - (len(written) - _TAG_LIMIT))]
    return written
