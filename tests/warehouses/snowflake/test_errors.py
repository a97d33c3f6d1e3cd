"""The connector's errors: all known, and transient ones separated from final ones."""

from __future__ import annotations

import inspect

import pytest
from emulator.fixtures import S3, EmulatedSnowflake, emulated, s3, snowflake_account  # noqa: F401 - fixtures

from pipekit.warehouses.snowflake.errors import CLASSES, is_transient


def test_every_error_class_of_the_connector_is_judged() -> None:
    from snowflake.connector import errors

    defined = {
        name
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.Error) and kind.__module__ == errors.__name__
    }
    assert defined <= set(CLASSES)


@pytest.mark.parametrize(
    ("kind", "errno", "sqlstate", "expected"),
    [
        ("ServiceUnavailableError", 290503, None, True),
        ("ProgrammingError", 625, "57014", True),
        ("ProgrammingError", 604, "57014", False),
        ("DatabaseError", 250001, "08001", False),  # the login is refused
        ("OperationalError", 250001, "08001", True),  # the network is down
        ("DatabaseError", 250002, "08003", True),
        ("ProgrammingError", 1003, "42000", False),
        ("ProgrammingError", 2003, "02000", False),
        ("ProgrammingError", 90001, "40001", True),
        ("OperationalError", 253003, None, True),
        ("ForbiddenError", 290403, None, False),
        ("ProgrammingError", 606, "57P03", False),  # no active warehouse
        ("ProgrammingError", 90073, "57P03", False),  # a resource monitor has suspended it
    ],
)
def test_transient_errors_are_told_from_final_ones(kind: str, errno: int, sqlstate: str | None, expected: bool) -> None:
    assert is_transient(kind, errno, sqlstate) == expected
