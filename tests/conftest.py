"""Fixtures that tests of several packages use."""

from __future__ import annotations

from shop import seeded, shop  # noqa: F401 - fixtures
