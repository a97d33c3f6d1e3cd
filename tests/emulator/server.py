"""The emulator's HTTP server: ``python server.py`` prints its port and serves until it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import glob
import gzip
import itertools
import json
import os
import re
import socket
import sys
import time
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import duckdb
import fakesnow.server as fake
import uvicorn
from declared import send_declared_types
from fakesnow.cursor import FakeSnowflakeCursor
from fakesnow.instance import FakeSnow
from parsing import parse_once
from results import in_chunks, send_small_numbers
from session import Account, Connection, leave_lengths_to_declared, mend_null_timestamps, quoted
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from walking import quicken


@dataclass
class Fault:
    """What shall go wrong.

    Attributes:
        nth: With which matching request, from 1; 0 is every one.
        match: A regular expression that the statement holds; a login is ``LOGIN``, the end of a session ``CLOSE``.
        when: ``before`` it takes effect, or ``after``.
        what: ``drop`` the connection, answer with ``status``, or ``delay`` by ``seconds``.
        times: How often, once it begins; a request that the connector repeats counts.
        lasting: Repetitions of a request that went wrong go wrong too, so that the connector gives up.
    """

    nth: int = 1
    match: str = ""
    when: str = "before"
    what: str = "drop"
    status: int = 503
    seconds: float = 0.0
    times: int = 1
    lasting: bool = False
    seen: int = 0
    hit: list[str] = field(default_factory=list)


@dataclass
class State:
    """What a test set, and what was sent since it last looked."""

    latency: float = 0.0
    faults: list[Fault] = field(default_factory=list)
    statements: list[dict[str, Any]] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    answers: dict[str, bytes] = field(default_factory=dict)
    running: dict[str, str] = field(default_factory=dict)
    chunk_rows: int = 0
    chunks: dict[str, bytes] = field(default_factory=dict)
    expired: set[str] = field(default_factory=set)


STATE = State()
ACCOUNT = Account()
NUMBERS = itertools.count(1000)


async def login(request: Request) -> Response:
    """Log in, with the faults that a test set."""
    await asyncio.sleep(STATE.latency)
    fault = _fault("LOGIN", request)
    if fault and fault.when == "before" and (broken := await _break(request, fault)):
        return broken
    answer = await _login(request)
    return (fault and fault.when == "after" and await _break(request, fault)) or answer


async def _login(request: Request) -> Response:
    """fakesnow's answer, and what connector 5.x wants besides."""
    answer = json.loads((await fake.login_request(request)).body)
    token, number = answer["data"]["token"], next(NUMBERS)
    settings = (await _sent(request))["data"].get("SESSION_PARAMETERS") or {}
    fake.sessions[token].begin_session(ACCOUNT, number, settings)
    answer["data"] |= {
        "sessionId": number,
        "masterToken": f"master-{token}",
        "validityInSeconds": 36_000,
        "masterValidityInSeconds": 144_000,
        "displayUserName": "EMULATED",
        "firstLogin": False,
        "healthCheckInterval": 45,
        "newClientForUpgrade": None,
        "remMeToken": None,
        "remMeValidityInSeconds": 0,
        "idToken": None,
        "idTokenValidityInSeconds": 0,
        "mfaToken": None,
        "mfaTokenValidityInSeconds": 0,
        "responseData": None,
    }
    answer["data"]["parameters"].append({"name": "CLIENT_TELEMETRY_ENABLED", "value": False})
    return JSONResponse(answer)


async def _sent(request: Request) -> Any:
    body = await request.body()
    return json.loads(gzip.decompress(body) if request.headers.get("Content-Encoding") == "gzip" else body)


async def query(request: Request) -> Response:
    """Run a statement once, however often it is sent, with the faults that a test set."""
    sent = await _sent(request)
    sql, request_id = sent["sqlText"], request.query_params.get("requestId", "")
    await asyncio.sleep(STATE.latency)
    entry = _record(request, sent, sql, request_id)
    fault = _fault(sql, request)
    if fault and fault.when == "before" and (broken := await _break(request, fault)):
        return broken
    if fake.to_token(request) in STATE.expired:
        return _refused_session("390112", "Session expired.")
    began = time.monotonic()
    STATE.running[request_id] = fake.to_token(request)
    try:
        answer = STATE.answers.get(request_id) or await _run(request)
    finally:
        STATE.running.pop(request_id, None)
    entry["ms"] = round(1000 * (time.monotonic() - began))
    STATE.answers[request_id] = answer
    if fault and fault.when == "after" and (broken := await _break(request, fault)):
        return broken
    return Response(answer, media_type="application/json")


async def renew(request: Request) -> Response:
    """An expired session is not renewed: the master token has expired too."""
    return _refused_session("390114", "Authentication token has expired.  The user must authenticate again.")


def _refused_session(code: str, message: str) -> Response:
    return JSONResponse({"data": {}, "code": code, "message": message, "success": False})


def _record(request: Request, sent: dict[str, Any], sql: str, request_id: str) -> dict[str, Any]:
    token = fake.to_token(request)
    number = fake.sessions[token].number if token in fake.sessions else 0
    tag = (sent.get("parameters") or {}).get("QUERY_TAG")
    entry = {"sql": sql, "session": number, "tag": tag, "repeated": request_id in STATE.answers}
    STATE.statements.append(entry)
    return entry


async def _run(request: Request) -> bytes:
    try:
        response = await fake.query_request(request)
    except Exception as error:  # noqa: BLE001 - a binding that fakesnow cannot read, say
        return _refusal(f"{type(error).__name__}: {error}")
    if response.status_code in (200, 401):
        if not STATE.chunk_rows:
            return bytes(response.body)
        answer = json.loads(response.body)
        STATE.chunks |= in_chunks(answer, STATE.chunk_rows, f"{request.url.scheme}://{request.url.netloc}/emulator")
        return json.dumps(answer).encode()
    return _refusal(json.loads(response.body)["message"])  # the result could not be described


def _refusal(message: str) -> bytes:
    code = {"errorCode": "100132", "sqlState": "P0000"}
    return json.dumps({"data": code, "code": "100132", "message": message, "success": False}).encode()


def _fault(sql: str, request: Request) -> Fault | None:
    STATE.requests.append(sql)
    told = request.query_params
    request_id = told.get("requestId") or told.get("request_id") or request.headers.get("Authorization", "")
    for fault in STATE.faults:
        if request_id in fault.hit:
            return fault
        if re.search(fault.match, sql, re.IGNORECASE):
            fault.seen += 1
            if fault.nth == 0 or fault.nth <= fault.seen < fault.nth + fault.times:
                fault.hit += [request_id] if fault.lasting else []
                return fault
    return None


async def _break(request: Request, fault: Fault) -> Response | None:
    await asyncio.sleep(fault.seconds)
    if fault.what == "delay":
        return None
    if fault.what == "status":
        return JSONResponse({"message": "emulated failure"}, status_code=fault.status)
    return Dropped(request)


class Forgetful(dict[str, Any]):
    """No result is kept: no test asks for one by its id, and thousands of trees make each collection of garbage slow."""

    def __setitem__(self, key: str, value: Any) -> None:
        pass


class Dropped(Response):
    """No answer: the connection is closed."""

    def __init__(self, request: Request) -> None:
        super().__init__()
        self._transport = request.scope["transport"]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self._transport.abort()


async def session(request: Request) -> Response:
    """Keep alive, or end the session."""
    token = fake.to_token(request)
    ending = request.query_params.get("delete")
    fault = _fault("CLOSE", request) if ending else None
    if fault and fault.when == "before" and (broken := await _break(request, fault)):
        return broken
    if ending and token in fake.sessions:
        await run_in_threadpool(fake.sessions[token].end_session)
    answer = await fake.session(request)
    return (fault and fault.when == "after" and await _break(request, fault)) or answer


async def abort(request: Request) -> Response:
    """Stop a statement by its request."""
    wanted = (await _sent(request)).get("requestId", "")
    STATE.requests.append("ABORT")
    token = STATE.running.get(wanted)
    if token in fake.sessions:
        fake.sessions[token].stop()
    return JSONResponse({"data": None, "code": None, "message": None, "success": True})


async def control(request: Request) -> Response:
    """What tests say: latency, faults, a schema to make, that clients are gone; GET gives the statements since the last reset."""
    if request.method == "GET":
        return JSONResponse(STATE.statements)
    told = await request.json()
    if told.get("reset"):
        STATE.latency, STATE.faults, STATE.statements, STATE.requests = 0.0, [], [], []
        STATE.chunk_rows, ACCOUNT.parameters, ACCOUNT.late = 0, {}, 0.0
    STATE.chunk_rows = told.get("chunk_rows", STATE.chunk_rows)
    ACCOUNT.late = told.get("late", ACCOUNT.late)
    ACCOUNT.parameters |= told.get("parameters", {})
    STATE.latency = told.get("latency", STATE.latency)
    STATE.faults += [Fault(**fault) for fault in told.get("faults", [])]
    if told.get("end_sessions") or told.get("expire_sessions"):
        STATE.expired |= fake.sessions.keys() if told.get("expire_sessions") else set()
        for token in list(fake.sessions):
            await run_in_threadpool(fake.sessions.pop(token).end_session)
    if name := told.get("schema"):
        await run_in_threadpool(_make_schema, *name)
    if names := told.get("drop"):
        await run_in_threadpool(_drop_schemas, names)
    counted = {name: len(getattr(STATE, name)) for name in ("answers", "chunks", "expired")}
    faults = [asdict(fault) for fault in STATE.faults]
    return JSONResponse({**vars(STATE), "faults": faults, **counted})  # `asdict` would copy every statement


async def chunk(request: Request) -> Response:
    """A later part of a result."""
    return Response(STATE.chunks[request.path_params["name"]], headers={"Content-Encoding": "gzip"})


def _make_schema(database: str, schema: str) -> None:
    cursor = fake.shared_fs.connect().cursor()
    with ACCOUNT.making:
        known = {
            name for (name,) in cursor._duck_conn.execute("SELECT database_name FROM duckdb_databases()").fetchall()
        }
        if database not in known:
            FakeSnowflakeCursor.execute(cursor, f"CREATE DATABASE {database}", server=True)
        cursor._duck_conn.execute(f'CREATE SCHEMA IF NOT EXISTS "{database}"."{schema}"')


def _drop_schemas(names: list[tuple[str, str]]) -> None:
    """Drop what a test is done with: each statement that asks for a table looks through all there are."""
    with ACCOUNT.making:
        for name in names:
            with contextlib.suppress(duckdb.Error):  # a session that a test left in a transaction still has it
                fake.shared_fs.duck_conn.cursor().execute(f"DROP SCHEMA IF EXISTS {quoted(name)} CASCADE")


def app() -> Starlette:
    """fakesnow's application with this module's routes in the place of its own."""
    import fakesnow.fakes

    fakesnow.fakes.FakeSnowflakeConnection = Connection  # what an instance makes its sessions of
    quicken()
    parse_once()
    mend_null_timestamps()
    leave_lengths_to_declared()
    send_small_numbers()
    send_declared_types()
    # A login makes nothing: a database that is not there is not the session's.
    fake.shared_fs = FakeSnow(create_database_on_connect=False, create_schema_on_connect=False)
    fake.shared_fs.results_cache = Forgetful()
    fake.shared_fs.duck_conn.execute("SET threads = 1")  # for a few rows others only cost time
    read_binding = fake.from_binding
    fake.from_binding = lambda binding: (
        Decimal(binding["value"]) if binding["type"] == "FIXED" and "." in binding["value"] else read_binding(binding)
    )
    stage_info = fake.gcs_stage_info

    def with_overwrite(request: Request, expression: Any, data: Any) -> dict[str, Any]:
        data["overwrite"] = True  # what pipekit says in each PUT; fakesnow does not pass it on
        # Connector 5.x uploads to the URL of this answer; 4.x asks again for each file of a pattern.
        data["src_locations"] = glob.glob(data["src_locations"][0]) or data["src_locations"]
        more = {"region": "us-east-1", "endPoint": None, "storageAccount": None, "path": ""}  # connector 5.x
        return {**stage_info(request, expression, data), **more, "isClientSideEncrypted": False}

    fake.gcs_stage_info = with_overwrite
    own = {
        "/session/v1/login-request": login,
        "/queries/v1/query-request": query,
        "/queries/v1/abort-request": abort,
        "/session/token-request": renew,
        "/session": session,
    }
    kept = [route for route in fake.app.routes if getattr(route, "path", "") not in own]
    routes = [Route(path, endpoint, methods=["POST"]) for path, endpoint in own.items()]
    told = [Route("/emulator", control, methods=["GET", "POST"]), Route("/emulator/{name}", chunk)]
    return Starlette(routes=[*routes, *told, *kept])


def with_transport(inner: Any) -> Any:
    """The application, told each request's transport; uvicorn's ``send`` is a method of what holds it."""

    async def outer(scope: Any, receive: Any, send: Any) -> None:
        scope["transport"] = send.__self__.transport
        await inner(scope, receive, send)

    return outer


class Server(uvicorn.Server):
    """Ends with its process. uvicorn's own wakes up ten times a second to see whether it shall end."""

    async def main_loop(self) -> None:
        """Serve, and do nothing else."""
        await self.on_tick(0)
        await asyncio.Event().wait()

    def handle_exit(self, sig: int, frame: Any) -> None:
        """End at once: no test needs what is left."""
        os._exit(0)


def main() -> None:
    """Serve on a free port of this machine."""
    # asyncio turns Nagle's algorithm off only for a socket that says it is TCP; with it each answer takes 40 ms more.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    print(listener.getsockname()[1], flush=True)
    gc.freeze()  # what is imported stays
    gc.set_threshold(10_000, 20, 20)  # each statement makes thousands of nodes, and few of them are in circles
    Server(uvicorn.Config(with_transport(app()), log_level="critical", lifespan="off", proxy_headers=False)).run(
        sockets=[listener]
    )


if __name__ == "__main__":
    main()
