"""The settings of a Snowflake target. Importing this costs no driver."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from pipekit.names import Table, fold
from pipekit.source import Names
from pipekit.suggestions import did_you_mean

AUTHENTICATORS = (
    "snowflake",
    "externalbrowser",
    "snowflake_jwt",
    "oauth",
    "oauth_authorization_code",
    "oauth_client_credentials",
    "username_password_mfa",
    "programmatic_access_token",
    "pat_with_external_session",
    "workload_identity",
)
"""What the connector takes (``SnowflakeConnection.__config``), in any case; an address of Okta begins with https://."""
SECRETS = ("password", "token", "private_key_file_pwd", "passcode")


class SnowflakeTarget(BaseModel):
    """A target of type ``snowflake``. Keys left out come from ``connection``, or from the user's defaults.

    Attributes:
        connection: A name in ``connections.toml``; other keys override it.
        account: The account's identifier, ``organization-account``.
        user: The login name.
        password: For a login by password.
        passcode: The code of a second factor, for a login by password.
        passcode_in_password: The code is at the end of the password.
        client_request_mfa_token: Keep the second factor's token on this machine, so that it is asked for once; with
            ``authenticator: username_password_mfa``.
        client_store_temporary_credential: Keep the token of a login in the browser on this machine.
        private_key_file: For a login by key pair; relative to the project's root.
        private_key_file_pwd: The key file's passphrase.
        authenticator: ``externalbrowser``, ``oauth``, ``programmatic_access_token``, ``workload_identity``, ...
        token: For ``oauth`` and ``programmatic_access_token``.
        token_file_path: A file that holds the token.
        workload_identity_provider: ``AWS``, ``AZURE``, ``GCP`` or ``OIDC``, for ``workload_identity``.
        role, warehouse, database, schema_name: Where and as whom the session works (``schema`` in the file).
        storage_integration: For stages that pipekit makes on a bucket.
        host, port, protocol: For a private link or a test server.
        login_timeout: Seconds to log in.
        network_timeout: Seconds for one request, retries included; the connector's own default if left out.
        session_parameters: Set at login; the time zone is always UTC.
        allow_file_functions: Functions with which SQL may reach files, such as ``get_presigned_url``, and ``stage``
            for ``@stage`` in FROM.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, populate_by_name=True, hide_input_in_errors=True, defer_build=True
    )

    type: Literal["snowflake"] = "snowflake"
    connection: str | None = None
    account: str | None = None
    user: str | None = None
    password: SecretStr | None = None
    passcode: SecretStr | None = None
    passcode_in_password: bool | None = None
    client_request_mfa_token: bool | None = None
    client_store_temporary_credential: bool | None = None
    private_key_file: str | None = None
    private_key_file_pwd: SecretStr | None = None
    authenticator: str | None = None
    token: SecretStr | None = None
    token_file_path: str | None = None
    workload_identity_provider: str | None = None
    role: str | None = None
    warehouse: str | None = None
    database: str | None = None
    schema_name: str | None = Field(default=None, alias="schema")
    storage_integration: str | None = None
    host: str | None = None
    port: int | None = None
    protocol: Literal["https", "http"] | None = None
    login_timeout: int = Field(default=60, gt=0)
    network_timeout: int | None = Field(default=None, gt=0)
    session_parameters: dict[str, str | int | bool] = {}
    allow_file_functions: Names = ()

    @model_validator(mode="after")
    def _reachable(self) -> "SnowflakeTarget":
        if not (self.connection or self.account):
            raise ValueError("give `account` (organization-account) or `connection` (a name in connections.toml)")
        # A run logs in once per thread: without a stored token each login would ask a person.
        if self.authenticator == "username_password_mfa" and not self.client_request_mfa_token:
            raise ValueError(
                "username_password_mfa needs `client_request_mfa_token: true`: a run logs in more than once"
            )
        return self

    @field_validator("authenticator")
    @classmethod
    def _is_known(cls, value: str | None) -> str | None:
        if value is None or value.lower() in AUTHENTICATORS or value.lower().startswith("https://"):
            return value
        if "okta" in value.lower():
            raise ValueError("give the address of the Okta account: authenticator: https://NAME.okta.com")
        known = f"one of {', '.join(AUTHENTICATORS)}, or https://NAME.okta.com"
        raise ValueError(f"Snowflake knows no authenticator {value!r}{did_you_mean(value, AUTHENTICATORS)}; {known}")

    @field_validator("private_key_file", "token_file_path")
    @classmethod
    def _is_path(cls, value: str | None) -> str | None:
        # Paths appear in messages, where a private key must never appear.
        if value and ("\n" in value or "PRIVATE KEY" in value):
            raise ValueError("is the path of a file, not its content")
        return value

    def dataset(self, table: Table, root: Path) -> tuple[str, str]:
        """OpenLineage's name of a table: https://openlineage.io/docs/spec/naming. Parts that the target leaves to the
        user's defaults are left out."""
        place = (self.database, self.schema_name)[: 3 - len(table.parts)]
        parts = [self.column(part) for part in (*place, *table.parts) if part]
        return f"snowflake://{self.account or self.connection}", ".".join(parts)

    def column(self, name: str) -> str:
        """A name in the case of an account."""
        return fold(name, str.upper)
