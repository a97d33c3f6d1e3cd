"""Logging in to Snowflake, and the settings that are sent with the login."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipekit.errors import PipekitError, WarehouseError
from pipekit.warehouses.snowflake.errors import driver_errors
from pipekit.warehouses.snowflake.target import SECRETS, SnowflakeTarget

# What pipekit relies on; it overrides the defaults of the account and the user. But for time zone, century, and what is
# said below, these are Snowflake's own defaults: https://docs.snowflake.com/en/sql-reference/parameters
_SESSION = {
    "TIMEZONE": "UTC",
    "AUTOCOMMIT": True,
    "QUOTED_IDENTIFIERS_IGNORE_CASE": False,
    "TWO_DIGIT_CENTURY_START": 1970,
    "DATE_INPUT_FORMAT": "AUTO",
    "TIME_INPUT_FORMAT": "AUTO",
    "TIMESTAMP_INPUT_FORMAT": "AUTO",
    "BINARY_INPUT_FORMAT": "HEX",
    "DATE_OUTPUT_FORMAT": "YYYY-MM-DD",
    "TIME_OUTPUT_FORMAT": "HH24:MI:SS",
    "TIMESTAMP_OUTPUT_FORMAT": "YYYY-MM-DD HH24:MI:SS.FF3 TZHTZM",
    "TIMESTAMP_NTZ_OUTPUT_FORMAT": "YYYY-MM-DD HH24:MI:SS.FF3",
    "TIMESTAMP_LTZ_OUTPUT_FORMAT": "",
    "TIMESTAMP_TZ_OUTPUT_FORMAT": "",
    "BINARY_OUTPUT_FORMAT": "HEX",
    "TIMESTAMP_TYPE_MAPPING": "TIMESTAMP_NTZ",
    "TIMESTAMP_DAY_IS_ALWAYS_24H": False,
    "JSON_INDENT": 2,
    "STRICT_JSON_OUTPUT": False,
    "WEEK_START": 0,
    "WEEK_OF_YEAR_POLICY": 0,
    "DEFAULT_NULL_ORDERING": "LAST",
    "ERROR_ON_NONDETERMINISTIC_MERGE": True,
    "ERROR_ON_NONDETERMINISTIC_UPDATE": True,
    # All rows of a listing and a ledger, one statement in a request, and columns that Arrow can be made of.
    "ROWS_PER_RESULTSET": 0,
    "MULTI_STATEMENT_COUNT": 1,
    "PYTHON_CONNECTOR_QUERY_RESULT_FORMAT": "ARROW",
    # A statement ends when its client is gone, so that it holds no lock and overwrites no later run's table.
    "ABORT_DETACHED_QUERY": True,
}
# What a target's session_parameters may change. LOCK_TIMEOUT, in seconds, is 12 hours by default.
# A table that the schema lacks would be looked for in PUBLIC: https://docs.snowflake.com/en/sql-reference/name-resolution
_PREFERRED = {"LOCK_TIMEOUT": 900, "SEARCH_PATH": "$current"}


def connect_arguments(options: SnowflakeTarget, root: Path) -> dict[str, Any]:
    """The arguments of ``snowflake.connector.connect``; keys that the target leaves out are left out."""
    plain = options.model_dump(
        exclude={
            "type",
            "connection",
            "schema_name",
            "storage_integration",
            "session_parameters",
            "allow_file_functions",
        },
        exclude_none=True,
    )
    arguments = {name: value.get_secret_value() if name in SECRETS else value for name, value in plain.items()}
    for name in ("private_key_file", "token_file_path"):
        if name in arguments:
            arguments[name] = str(root / arguments[name])
    named = {"connection_name": options.connection, "schema": options.schema_name}
    arguments |= {name: value for name, value in named.items() if value}
    session = {name.upper(): value for name, value in options.session_parameters.items()}
    fixed = {"paramstyle": "qmark", "application": "pipekit", "arrow_number_to_decimal": True}
    # A session ends after 4 idle hours, and its temporary tables with it.
    fixed |= {"client_session_keep_alive": True}
    # Otherwise each login asks AWS, Azure and Google where this machine runs, and AWS who it is, for up to 0.2 s; only
    # the service's statistics need it.
    fixed |= {"platform_detection_timeout_seconds": 0.0}
    return arguments | fixed | {"session_parameters": _PREFERRED | session | _SESSION}


def connect(options: SnowflakeTarget, root: Path) -> Any:
    """Log in.

    Raises:
        WarehouseError: The login is refused, or its settings are wrong.
        TransientError: The service cannot be reached now.
    """
    import snowflake.connector

    try:
        with driver_errors():
            return snowflake.connector.connect(**connect_arguments(options, root))
    except PipekitError:
        raise
    except (OSError, ValueError, TypeError) as error:  # a key file that is missing or has another passphrase
        raise WarehouseError(
            f"cannot log in to Snowflake: {error}", hint="Check the target's private_key_file and its passphrase."
        ) from error
