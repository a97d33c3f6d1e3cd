"""How much more than its file compressed data may be."""

from __future__ import annotations

MOST_RATIO = 900  # gzip cannot do more than 1032
_FREE_SIZE = 1 << 30


def is_bomb(unpacked: int, packed: int) -> bool:
    """Whether so many bytes, from a file of so many, are not data but a decompression bomb."""
    return unpacked > _FREE_SIZE and unpacked > MOST_RATIO * max(packed, 1)
