"""The reference pages that are made from the code: what validates, runs and reports is what is described."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from reference.code import errors, events, hooks, tables
from reference.commands import commands
from reference.expectations import expectations
from reference.keys import keys

PAGES: Mapping[str, Callable[[], str]] = {
    "keys": keys,
    "expectations": expectations,
    "commands": commands,
    "hooks": hooks,
    "tables": tables,
    "events": events,
    "errors": errors,
}
"""By name; each gives its Markdown."""
