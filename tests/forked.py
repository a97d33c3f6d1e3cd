"""The ``pipekit`` command in a process of its own, forked from one that has imported it.

A process of Python that imports pipekit, DuckDB, sqlglot and the connector needs one to two seconds for that, a test's
own work a tenth. Everything else is as for a user: the folder, the environment, the output and the exit code. What
starting costs, signals, and what is imported when, are tested by real processes (``tests/cli``).
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

# All that commands of tests import, also what real ones import late. pandas comes with a table of DuckDB as Arrow.
_IMPORTED = """pipekit.api pipekit.cli.process pipekit.cli.run pipekit.cli.scheduled pipekit.cli.show pipekit.cli.admin
pipekit.cli.runs pipekit.cli.test pipekit.cli.infer pipekit.cli.table_view pipekit.cli.source_lines pipekit.cli.command
pipekit.steps.check pipekit.steps.features pipekit.steps.load pipekit.steps.python pipekit.steps.sql
pipekit.formats.avro pipekit.formats.excel pipekit.formats.fixed_width pipekit.pipeline.written pipekit.trials.run
pipekit.trials.recording pipekit.trials.appending encodings.unicode_escape encodings.utf_8_sig importlib.resources.readers
pipekit.inference.infer pipekit.insight.tracing pipekit.runs.plan pipekit.runs.processes pipekit.quality.judge
pipekit.sql.translate pipekit.sql.wording pipekit.sql.marking pipekit.sql.flow.query pipekit.sql.result_names
sqlglot.optimizer.scope sqlglot.optimizer.qualify sqlglot.optimizer.annotate_types
pipekit.sinks.console rich.console rich.live rich.table pyarrow pyarrow.compute pandas
pyarrow.pandas_compat
pipekit.warehouses.duckdb.warehouse pipekit.warehouses.duckdb.load pipekit.warehouses.duckdb.looking
pipekit.warehouses.duckdb.parquet pipekit.warehouses.duckdb.carried pipekit.warehouses.duckdb.semantics.translation
pipekit.warehouses.snowflake.warehouse pipekit.warehouses.snowflake.load snowflake.connector fsspec s3fs"""
# What Python, or a library, reads once at its start: a fork would have that of the process that it comes from.
_READ_EARLY = ("PYTHON", "HOME", "XDG_", "LC_", "LANG", "TZ", "LD_", "SNOWFLAKE_HOME")
_START_SECONDS = 60


def suits(environment: Mapping[str, str]) -> bool:
    """Whether a fork can stand for a process with this environment."""
    if not hasattr(os, "fork"):
        return False
    before = _server()[1]
    return all(
        before.get(name) == environment.get(name)
        for name in before.keys() | environment.keys()
        if name.startswith(_READ_EARLY)
    )


def run(
    arguments: tuple[str, ...], folder: Path, environment: Mapping[str, str], timeout: float
) -> subprocess.CompletedProcess[str]:
    """Run the command, as ``subprocess.run`` with ``capture_output`` and ``text``."""
    return _run({"arguments": arguments}, ["pipekit", *arguments], folder, environment, timeout)


def run_code(
    code: str, folder: Path, environment: Mapping[str, str], timeout: float
) -> subprocess.CompletedProcess[str]:
    """Run Python code in a fork that has imported pipekit, as ``python -c`` would."""
    return _run({"arguments": (), "code": code}, ["python", "-c", code], folder, environment, timeout)


def _run(
    what: Mapping[str, Any], told: list[str], folder: Path, environment: Mapping[str, str], timeout: float
) -> subprocess.CompletedProcess[str]:
    request = json.dumps({**what, "folder": str(folder), "environment": dict(environment)}).encode()
    with (
        tempfile.TemporaryFile() as output,
        tempfile.TemporaryFile() as errors,
        open(os.devnull, "rb") as nothing,
        socket.socket(socket.AF_UNIX) as connection,
    ):
        connection.connect(_server()[0])
        socket.send_fds(connection, [b"-"], [file.fileno() for file in (nothing, output, errors)])
        connection.sendall(request + b"\n")
        connection.settimeout(timeout)
        answer = connection.makefile("r")
        pid = int(answer.readline())
        try:
            code = int(answer.readline())
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            raise
        output.seek(0), errors.seek(0)
        texts = [file.read().decode().replace("\r\n", "\n") for file in (output, errors)]
    return subprocess.CompletedProcess(told, code, *texts)


def command(folder: Path) -> Path:
    """A command ``pipekit`` in the folder that does the same for a shell: it has a fork run, and ends as that one."""
    path = folder / "pipekit"
    path.write_text(_COMMAND.format(python=sys.executable, address=_server()[0]), encoding="utf-8")
    path.chmod(0o755)
    return path


_COMMAND = """#!{python} -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as connection:
    connection.connect({address!r})
    socket.send_fds(connection, [b"-"], [0, 1, 2])
    given = {{"arguments": sys.argv[1:], "folder": os.getcwd(), "environment": dict(os.environ)}}
    connection.sendall(json.dumps(given).encode() + b"\\n")
    code = [int(line) for line in connection.makefile("r")][1]
sys.exit(code if code >= 0 else 128 - code)
"""


@cache
def _server() -> tuple[str, dict[str, str]]:
    """The server's address, and the environment in which it was started. It ends with this process."""
    address = str(Path(tempfile.mkdtemp(prefix="pipekit-forks-")) / "socket")
    process = subprocess.Popen(
        [sys.executable, __file__, address], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    ready, _, _ = select.select([process.stdout], [], [], _START_SECONDS)
    if not ready or not process.stdout or process.stdout.readline() != "ready\n":
        raise RuntimeError("the process that forks commands did not start")
    return address, dict(os.environ)


# The server ----------------------------------------------------------------------------------------------------


def _serve(address: str) -> None:
    for name in _IMPORTED.split():
        import_module(name)
    _build_models(import_module("pydantic").BaseModel)
    gc.freeze()  # no fork looks for garbage in what is imported
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # who forks a command waits for it; nobody waits for that one
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        print("ready", flush=True)
        while True:
            readable, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in readable:  # the test process has ended
                break
            connection, _ = listener.accept()
            with connection:
                if os.fork() == 0:
                    _attend(connection)
    with contextlib.suppress(OSError):
        os.unlink(address)
        os.rmdir(os.path.dirname(address))


def _build_models(model: Any) -> None:
    """Build what checks the keys of a file, which waits for its first use otherwise: 20 ms of each fork."""
    for each in model.__subclasses__():
        if each.__module__.startswith("pipekit."):
            each.model_rebuild()
        _build_models(each)


def _attend(connection: socket.socket) -> NoReturn:
    """Fork one command, and report its process and how it ended."""
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _, files, _, _ = socket.recv_fds(connection, 1, 3)
        request = json.loads(connection.makefile("r").readline())
        pid = os.fork()
        if pid == 0:
            connection.close()
            _command(request, files)
        connection.sendall(f"{pid}\n".encode())
        _, status = os.waitpid(pid, 0)
        connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
    finally:
        os._exit(0)


def _command(request: Mapping[str, Any], files: list[int]) -> None:
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.dont_write_bytecode = True  # of the project's code, which tests rewrite within a second
    tempfile.tempdir = None  # as the environment says
    sys.stdin, sys.stdout = open(0), open(1, "w")  # noqa: SIM115 - for as long as the process
    sys.stderr = open(2, "w", errors="backslashreplace")  # noqa: SIM115
    if "code" in request:
        sys.argv, sys.path[0] = ["-c"], ""
        _exec(request["code"])
    sys.argv, sys.path[0] = ["pipekit", *request["arguments"]], str(Path(sys.executable).parent)
    from pipekit.cli.command import program

    program()


def _exec(code: str) -> NoReturn:
    """Run the code to its end, and end as Python would."""
    status = 1
    try:
        exec(compile(code, "<string>", "exec"), {"__name__": "__main__"})
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        if sys.exc_info()[0]:
            traceback.print_exc()
        sys.stdout.flush(), sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    _serve(sys.argv[1])
