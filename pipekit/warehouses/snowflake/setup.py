"""The statements that prepare a new account, and the findings of ``pipekit doctor``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from pipekit.errors import PipekitError, WarehouseError
from pipekit.files.places import local_path
from pipekit.findings import Finding, files_of, tried
from pipekit.names import Table
from pipekit.source import Column, Source
from pipekit.warehouses.contract import Setup
from pipekit.warehouses.snowflake.dialect import text, type_text
from pipekit.warehouses.snowflake.stages import create_stage, stage_of
from pipekit.warehouses.snowflake.target import SnowflakeTarget
from pipekit.warehouses.snowflake.warehouse import SnowflakeWarehouse, open_snowflake

ROLE_ARN = "arn:aws:iam::000000000000:role/REPLACE-ME"
TENANT = "REPLACE-ME"
_PROVIDERS = {"s3": "S3", "gcs": "GCS", "azure": "AZURE"}
_GRANTS = ("USAGE", "CREATE TABLE", "CREATE VIEW", "CREATE STAGE", "CREATE FILE FORMAT")


def setup_ddl(options: SnowflakeTarget, setup: Setup) -> list[str]:
    """The statements that prepare an account, run by a role such as ACCOUNTADMIN. Each can be run again.

    Args:
        options: The target.
        setup: The sources, of which those on a bucket get their stages; the tables; the role of the integration.
    """
    warehouse = SnowflakeWarehouse(options, Path())
    return [
        *([f"USE ROLE {warehouse.quote(setup.applied_as)}"] if setup.applied_as else []),
        *_places(warehouse),
        *_integration(warehouse, setup),
        *(_table(warehouse, table, columns) for table, columns in setup.tables.items()),
        *(create_stage(warehouse, source, stage_of(warehouse, source)) for source in _on_buckets(setup.sources)),
        *_role(warehouse),
    ]


def _places(warehouse: SnowflakeWarehouse) -> Iterator[str]:
    options, quote = warehouse.options, warehouse.quote
    if options.warehouse:
        size = "WAREHOUSE_SIZE = XSMALL AUTO_SUSPEND = 60 AUTO_RESUME = TRUE INITIALLY_SUSPENDED = TRUE"
        yield f"CREATE WAREHOUSE IF NOT EXISTS {quote(options.warehouse)} {size}"
    if options.database:
        yield f"CREATE DATABASE IF NOT EXISTS {quote(options.database)}"
    if options.database and options.schema_name:
        yield f"CREATE SCHEMA IF NOT EXISTS {_schema(warehouse)}"
        yield f"USE SCHEMA {_schema(warehouse)}"


def _schema(warehouse: SnowflakeWarehouse) -> str:
    parts = (warehouse.options.database, warehouse.options.schema_name)
    return warehouse.quote(Table(tuple(part for part in parts if part)))


def _on_buckets(sources: Sequence[Source]) -> list[Source]:
    """The sources that Snowflake itself reads from a bucket."""
    read_there = (source for source in sources if source.stage is None and source.format.reader is None)
    return [source for source in read_there if local_path(source.uri) is None]


def _integration(warehouse: SnowflakeWarehouse, setup: Setup) -> Iterator[str]:
    """https://docs.snowflake.com/en/sql-reference/sql/create-storage-integration and .../alter-storage-integration"""
    name = warehouse.options.storage_integration
    places = sorted({stage_of(warehouse, source).root_url for source in _on_buckets(setup.sources)})
    if not (name and places):
        return
    schemes = sorted({place.partition("://")[0] for place in places})
    if len(schemes) > 1:
        raise WarehouseError(
            f"the storage integration {name} cannot be for {' and '.join(schemes)} at once",
            hint="An integration is for one cloud. Name existing stages for the others: `stage: '@name'`.",
        )
    yield (
        f"CREATE STORAGE INTEGRATION IF NOT EXISTS {warehouse.quote(name)} TYPE = EXTERNAL_STAGE "
        f"STORAGE_PROVIDER = {text(_PROVIDERS[schemes[0]])} ENABLED = TRUE{_cloud_role(schemes[0], setup)} "
        f"STORAGE_ALLOWED_LOCATIONS = ({', '.join(text(place) for place in places)})"
    )
    yield _allow(warehouse, name, places)


def _cloud_role(scheme: str, setup: Setup) -> str:
    given = setup.cloud_role
    if given and (scheme == "gcs" or given.startswith("arn:") == (scheme == "azure")):
        wanted = {"gcs": "no role", "azure": "--azure-tenant"}.get(scheme, "--aws-role-arn")
        raise WarehouseError(f"{given!r} is not for the places of this pipeline, which are {scheme}: it takes {wanted}")
    if scheme == "gcs":  # Snowflake makes a service account of its own
        return ""
    if scheme == "azure":
        return f" AZURE_TENANT_ID = {text(setup.cloud_role or TENANT)}"
    return f" STORAGE_AWS_ROLE_ARN = {text(setup.cloud_role or ROLE_ARN)}"


_ALLOW = "ALTER STORAGE INTEGRATION"
_REPLACES = "/* replaces the list: keep the places of other pipelines, which DESCRIBE INTEGRATION shows */"


def _allow(warehouse: SnowflakeWarehouse, name: str, places: Sequence[str]) -> str:
    allowed = ", ".join(text(place) for place in places)
    return f"{_ALLOW} {warehouse.quote(name)} SET STORAGE_ALLOWED_LOCATIONS = ({allowed}) {_REPLACES}"


def _allow_more(warehouse: SnowflakeWarehouse, name: str, places: Sequence[str]) -> str:
    """The statement that allows these places beside those that the integration allows already."""
    result = warehouse.execute(f"DESCRIBE INTEGRATION {warehouse.quote(name)}")
    at = {column: index for index, column in enumerate(result.columns)}
    known = {row[at["property"]]: row[at["property_value"]] for row in result.rows}
    old = [place.strip() for place in str(known.get("STORAGE_ALLOWED_LOCATIONS") or "").split(",") if place.strip()]
    return _allow(warehouse, name, [*old, *(place for place in places if place not in old)])


def _table(warehouse: SnowflakeWarehouse, table: Table, columns: Sequence[Column]) -> str:
    body = ", ".join(f"{warehouse.quote(column.name)} {type_text(column)}" for column in columns)
    return f"CREATE TABLE IF NOT EXISTS {warehouse.quote(table)} ({body})"


def _role(warehouse: SnowflakeWarehouse) -> Iterator[str]:
    options, quote = warehouse.options, warehouse.quote
    if not options.role:
        return
    role = quote(options.role)
    yield f"CREATE ROLE IF NOT EXISTS {role}"
    if options.warehouse:
        yield f"GRANT USAGE ON WAREHOUSE {quote(options.warehouse)} TO ROLE {role}"
    if options.database and options.schema_name:
        yield f"GRANT USAGE ON DATABASE {quote(options.database)} TO ROLE {role}"
        yield f"GRANT {', '.join(_GRANTS)} ON SCHEMA {_schema(warehouse)} TO ROLE {role}"
        for kind in ("TABLES", "STAGES"):
            yield f"GRANT ALL ON ALL {kind} IN SCHEMA {_schema(warehouse)} TO ROLE {role}"
    if options.storage_integration:
        yield f"GRANT USAGE ON INTEGRATION {quote(options.storage_integration)} TO ROLE {role}"
    yield f"GRANT ROLE {role} TO ROLE SYSADMIN"
    if options.user:
        yield f"GRANT ROLE {role} TO USER {quote(options.user)}"


def apply(options: SnowflakeTarget, statements: Sequence[str], root: Path) -> None:
    """Run the statements in a session without the database, schema, warehouse and role, which may not exist yet.

    An integration goes on allowing what it allows, and the role goes to the user who is logged in, whose name may be
    spelled otherwise than its login.

    Raises:
        WarehouseError: A statement is refused; those before it have run. Or a value is missing; then none has.
    """
    if any("REPLACE-ME" in statement for statement in statements):
        raise WarehouseError(
            "the storage integration needs the cloud's role: it would be made with a placeholder",
            kept="Nothing was run.",
            hint="Give --aws-role-arn with the ARN of the AWS role, or --azure-tenant with the tenant's id.",
        )
    bare = options.model_copy(update={"database": None, "schema_name": None, "warehouse": None, "role": None})
    warehouse = open_snowflake(bare, root)
    try:
        for statement in statements:
            warehouse.execute(_as_found(warehouse, options, statement))
    finally:
        warehouse.close()


def _as_found(warehouse: SnowflakeWarehouse, options: SnowflakeTarget, statement: str) -> str:
    """A statement with what only the account knows."""
    if statement.startswith(_ALLOW):
        places = re.findall(r"'((?:[^']|'')*)'", statement.partition("STORAGE_ALLOWED_LOCATIONS")[2])
        return _allow_more(warehouse, str(options.storage_integration), [place.replace("''", "'") for place in places])
    granted, to_user, _ = statement.partition(" TO USER ")
    if to_user and granted.startswith("GRANT ROLE"):
        user = str(warehouse.execute("SELECT CURRENT_USER()").scalar())
        return f'{granted}{to_user}"{user.replace(chr(34), chr(34) * 2)}"'
    return statement


def doctor(options: SnowflakeTarget, sources: Sequence[Source], root: Path) -> Iterator[Finding]:
    """Check everything that a run needs, one item at a time; without a login no other can be seen."""
    warehouse = open_snowflake(options, root)
    try:
        login = tried("login", lambda: _session(warehouse), "Check account, user and credentials of the target.")
        yield login
        if not login.ok:
            for name in ("privileges", *(f"source {source.name}" for source in sources)):
                yield Finding(name, False, "not checked, since the login failed")
            return
        yield from _settings(warehouse)
        yield tried("privileges", lambda: _makes_all(warehouse), "Run `pipekit snowflake setup`, as ACCOUNTADMIN.")
        yield _consistency(warehouse)
        yield from _reach(warehouse, sources)
    finally:
        warehouse.close()


def _session(warehouse: SnowflakeWarehouse) -> str:
    return f"as {warehouse.execute('SELECT CURRENT_USER()').scalar() or warehouse.options.user}"


def _settings(warehouse: SnowflakeWarehouse) -> Iterator[Finding]:
    options = warehouse.options
    for name, wanted in {"warehouse": options.warehouse, "role": options.role}.items():
        if wanted:
            use = f"USE {name.upper()} {warehouse.quote(wanted)}"
            remedy = f"Create the {name}, or grant it to the user; see `pipekit snowflake setup`."
            yield tried(name, lambda use=use, wanted=wanted: _done(warehouse, use, wanted), remedy)  # type: ignore[misc]
    try:
        current = warehouse.execute("SELECT CURRENT_DATABASE(), CURRENT_SCHEMA()").rows[0]
    except PipekitError as error:
        yield Finding("database", False, error.message.splitlines()[0])
        return
    for name, value in zip(("database", "schema"), current, strict=True):
        yield Finding(
            name,
            value is not None,
            value or f"it does not exist: set `{name}` in the target, or run `pipekit snowflake setup`",
        )


def _done(warehouse: SnowflakeWarehouse, sql: str, said: str) -> str:
    warehouse.execute(sql)
    return said


def _makes_all(warehouse: SnowflakeWarehouse) -> str:
    """Make and drop one of each kind; the INSERT is what needs the warehouse."""
    name = warehouse.quote(warehouse.scratch(Table(("pipekit_doctor",))))
    warehouse.execute(f"CREATE TABLE {name} (ID NUMBER(38,0))")
    try:
        warehouse.execute(f"INSERT INTO {name} (ID) VALUES (1)")
        view = warehouse.quote(warehouse.scratch(Table(("pipekit_doctor",))))
        warehouse.execute(f"CREATE VIEW {view} AS SELECT ID FROM {name}")
        warehouse.execute(f"DROP VIEW {view}")
        for kind in ("STAGE", "FILE FORMAT"):
            helper = warehouse.quote(warehouse.scratch(Table(("pipekit_doctor",))))
            warehouse.execute(f"CREATE TEMPORARY {kind} {helper}")
    finally:
        warehouse.execute(f"DROP TABLE {name}")
    return "tables, views, stages and file formats can be created, and rows inserted"


_CONSISTENCY = "ALTER ACCOUNT SET READ_CONSISTENCY_MODE = 'GLOBAL'"


def _consistency(warehouse: SnowflakeWarehouse) -> Finding:
    """No failure: a run keeps steps that depend on one another in one session unless the mode is GLOBAL."""
    try:
        mode = warehouse.read_consistency()
    except PipekitError as error:
        mode = f"not known ({error.message.splitlines()[0]})"
    if mode == "GLOBAL":
        return Finding("read consistency", True, "GLOBAL: a commit is visible to every session at once")
    text = f"{mode}: steps that depend on one another run in one session, one after another; to run them side by side"
    return Finding("read consistency", True, f"{text}, let an account administrator run: {_CONSISTENCY}")


def _reach(warehouse: SnowflakeWarehouse, sources: Sequence[Source]) -> Iterator[Finding]:
    integration = warehouse.options.storage_integration
    if integration:
        sql = f"DESCRIBE INTEGRATION {warehouse.quote(integration)}"
        remedy = "Create it, and grant USAGE on it to the role; see docs/snowflake.md."
        yield tried("storage integration", lambda: _done(warehouse, sql, integration), remedy)
    for source in sources:
        place, listing = source.stage or source.uri, partial(warehouse.list_files, source)
        yield files_of(source.name, place, listing, "Check its `uri`.")
