"""Functions in Python for what SQL cannot say, a column at a time."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import re
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import duckdb

_REGISTERING = threading.Lock()


def register(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Give the connection the function of this name, unless the database has it."""
    function, takes, gives = _FUNCTIONS[name]
    options: dict[str, Any] = {"type": "arrow", "null_handling": "special"}
    with _REGISTERING:
        try:
            connection.create_function(name, function, list(takes), gives, **options)
        except (duckdb.NotImplementedException, duckdb.CatalogException) as error:
            if "already" not in str(error):
                raise


def _digest(name: str) -> Callable[[Any], Any]:
    def digests(column: Any) -> Any:
        import pyarrow as pa

        texts = (None if text is None else hashlib.new(name, text.encode()).hexdigest() for text in column.to_pylist())
        return pa.array(texts, pa.string())

    return digests


def _parse_urls(column: Any, permissive: Any) -> Any:
    import pyarrow as pa

    pairs = zip(column.to_pylist(), permissive.to_pylist(), strict=True)
    return pa.array((None if url is None else parse_url(url, bool(lenient)) for url, lenient in pairs), pa.string())


def parse_url(url: str, permissive: bool) -> str:
    """The parts of a URL as JSON. https://docs.snowflake.com/en/sql-reference/functions/parse_url"""
    parts = urlsplit(url)
    if not parts.scheme or ("://" not in url and parts.scheme not in _WITHOUT_HOST):
        if permissive:
            return json.dumps({"error": "scheme not specified"})
        raise ValueError(f"Error parsing URL: scheme not specified: {url}")
    pairs = [pair.partition("=") for pair in parts.query.split("&")] if parts.query else []
    found = {
        "fragment": parts.fragment or None,
        "host": re.sub(r":\d*$", "", parts.netloc) or None,
        "parameters": {key: value for key, _, value in pairs} or None,
        "path": parts.path.removeprefix("/") if parts.path else None,
        "port": str(parts.port) if parts.port is not None else None,
        "query": parts.query or None,
        "scheme": url[: len(parts.scheme)],
    }
    return json.dumps(found, ensure_ascii=False)


def _parse_ips(column: Any) -> Any:
    import pyarrow as pa

    return pa.array((None if text is None else parse_ip(text) for text in column.to_pylist()), pa.string())


def parse_ip(text: str) -> str:
    """The parts of an address as JSON. https://docs.snowflake.com/en/sql-reference/functions/parse_ip

    Raises:
        ValueError: It is not an address.
    """
    host, _, size = text.partition("/")
    found = ipaddress.ip_interface(text)
    address, network = int(found.ip), found.network
    parts: dict[str, Any] = {"family": found.version, "host": host, "ip_type": "inet", "snowflake$type": "ip_address"}
    if found.version == 4:
        parts |= {"ip_fields": [address, 0, 0, 0], "ipv4": address}
        ends: dict[str, Any] = {"ipv4_range_end": int(network[-1]), "ipv4_range_start": int(network[0])}
    else:
        parts |= {
            "ip_fields": [address >> shift & 0xFFFFFFFF for shift in (96, 64, 32, 0)],
            "hex_ipv6": f"{address:032X}",
        }
        ends = {"hex_ipv6_range_end": f"{int(network[-1]):032X}", "hex_ipv6_range_start": f"{int(network[0]):032X}"}
    if size:
        parts |= {**ends, "netmask_prefix_length": network.prefixlen}
    return json.dumps(parts, sort_keys=True)


_WITHOUT_HOST = ("mailto", "tel", "urn", "news")
_TEXT = ("VARCHAR",)
_FUNCTIONS: dict[str, tuple[Callable[..., Any], tuple[str, ...], str]] = {
    "sf_sha224": (_digest("sha224"), _TEXT, "VARCHAR"),
    "sf_sha384": (_digest("sha384"), _TEXT, "VARCHAR"),
    "sf_sha512": (_digest("sha512"), _TEXT, "VARCHAR"),
    "sf_ip_parts": (_parse_ips, _TEXT, "VARCHAR"),
    "sf_url_parts": (_parse_urls, ("VARCHAR", "INTEGER"), "VARCHAR"),
}
