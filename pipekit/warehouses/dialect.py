"""The few things about the compiled checks in which engines differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipekit.sql.fragments import Fragment


@dataclass(frozen=True)
class Dialect:
    """One engine's spellings and manners.

    Attributes:
        regex: Whether the first ``{}`` holds a match of the second.
        row_text: A row of the subquery named ``pk_row``, as text.
        distinct_rows: Counts the distinct combinations of the columns in the rows that the condition keeps; it
            keeps none with a NULL.
        fragile: Whether a statement that fails spoils the open transaction.
        quantile_digits: To how many digits a quantile may be given.
        mean_is_float: Types of integers whose mean is a float, and exact.
    """

    regex: str
    row_text: str
    distinct_rows: Callable[[Fragment, Sequence[Fragment]], Fragment]
    fragile: bool
    quantile_digits: int = 17
    mean_is_float: frozenset[str] = frozenset()
