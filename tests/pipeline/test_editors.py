"""What an editor shows of a pipeline file: the real yaml-language-server with the shipped schema.

It is installed by npm, so the test is marked `long`, and is left out where there is no npm.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

pytestmark = pytest.mark.long

REPOSITORY = Path(__file__).resolve().parents[2]
SCHEMA = REPOSITORY / "docs/pipeline.schema.json"
TEXT = """\
name: shop
sources:
  orders:
    uri: data/
    format: {type: csv}
    columns:
      order_id: {type: integer, nullable: false}
suites:
  orders:
    - expect_column_values_to_be_unique: {column: order_id, severity: warning}
steps:
  - id: load_orders
    type: load
    source: orders
    strategy: merge
    key: order_id
    nonsense: 1
"""


class Server:
    """JSON-RPC with a language server on its standard streams.

    https://microsoft.github.io/language-server-protocol/specifications/lsp/3.17/specification/
    """

    def __init__(self, command: list[str], settings: dict[str, Any]) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._settings = settings
        self._inbox: Queue[dict[str, Any]] = Queue()
        self._asked = 0
        threading.Thread(target=self._read, daemon=True).start()

    def ask(self, method: str, params: Any = None) -> Any:
        self._asked += 1
        number = self._asked
        self.tell(method, params, id=number)
        return self.wait(lambda message: message.get("id") == number)["result"]

    def tell(self, method: str, params: Any = None, **more: Any) -> None:
        self._send({"method": method, "params": params, **more})

    def wait(self, wanted: Any) -> dict[str, Any]:
        while not wanted(message := self._inbox.get(timeout=60)):
            pass
        return message

    def close(self) -> None:
        self._process.kill()
        self._process.wait(10)

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._process.stdin.flush()

    def _read(self) -> None:
        stream = self._process.stdout
        assert stream
        while head := stream.readline():
            while (line := stream.readline()).strip():
                head += line
            size = next(int(each.split(b":")[1]) for each in head.splitlines() if each.startswith(b"Content-Length"))
            message = json.loads(stream.read(size))
            if "id" in message and "method" in message:  # a question of the server, which waits for the answer
                items = (message.get("params") or {}).get("items", [])
                answers = [self._settings.get(item.get("section"), {}) for item in items]
                self._send({"id": message["id"], "result": answers or None})
            else:
                self._inbox.put(message)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("needs npm")
    folder = tmp_path_factory.mktemp("yaml_language_server")
    subprocess.run([npm, "install", "--silent", "yaml-language-server@1.25.0"], cwd=folder, check=True)
    program = folder / "node_modules/yaml-language-server/bin/yaml-language-server"
    wired = {"schemas": {SCHEMA.as_uri(): "*.yaml"}, "completion": True, "hover": True, "validate": True}
    settings = {"yaml": {**wired, "schemaStore": {"enable": False}}}
    server = Server(["node", str(program), "--stdio"], settings)
    try:
        able = {"workspace": {"configuration": True}, "textDocument": {"hover": {"contentFormat": ["markdown"]}}}
        server.ask("initialize", {"processId": None, "rootUri": None, "capabilities": able})
        server.tell("initialized", {})
        server.tell("workspace/didChangeConfiguration", {"settings": settings})
        _diagnostics(server, _opened(server, "first", TEXT))  # until then the settings may not count
        yield server
    finally:
        server.close()


def _opened(server: Server, name: str, text: str) -> dict[str, str]:
    document = {"uri": f"file:///{name}.yaml"}
    server.tell(
        "textDocument/didOpen", {"textDocument": {**document, "languageId": "yaml", "version": 1, "text": text}}
    )
    return document


def _diagnostics(server: Server, document: dict[str, str]) -> list[dict[str, Any]]:
    def wanted(message: dict[str, Any]) -> bool:
        params = message.get("params") or {}
        published = message.get("method") == "textDocument/publishDiagnostics"
        return bool(published and params["uri"] == document["uri"] and params["diagnostics"])

    found: list[dict[str, Any]] = server.wait(wanted)["params"]["diagnostics"]
    return found


def _place(text: str, words: str) -> dict[str, int]:
    line = next(number for number, line in enumerate(text.splitlines()) if words in line)
    return {"line": line, "character": text.splitlines()[line].index(words) + 1}


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("uri", "A folder or one file"),
        ("nullable", "makes a NULL a bad record"),
        ("severity", "What a failure means"),
        ("strategy", "How the rows of the files reach the table"),
        ("source: orders", "The name of a source"),
        ("key", "The columns that identify a row"),
    ],
)
def test_a_key_shows_what_it_means(server: Server, words: str, shown: str) -> None:
    document = _opened(server, "hover", TEXT)
    found = server.ask("textDocument/hover", {"textDocument": document, "position": _place(TEXT, words)})
    assert shown in json.dumps(found)


def test_an_unknown_key_is_marked(server: Server) -> None:
    document = _opened(server, "diagnostics", TEXT)
    found = _diagnostics(server, document)
    place = _place(TEXT, "nonsense")
    assert any(each["range"]["start"]["line"] == place["line"] and "nonsense" in each["message"] for each in found)


def test_values_and_keys_are_completed(server: Server) -> None:
    text = TEXT.replace("strategy: merge\n    key: order_id\n    nonsense: 1", "strategy: \n    ")
    document = _opened(server, "completion", text)
    place = {"line": _place(text, "strategy")["line"], "character": len("    strategy: ")}
    values = server.ask("textDocument/completion", {"textDocument": document, "position": place})["items"]
    assert {"truncate_load", "append", "merge", "replace_where"} <= {item["label"] for item in values}
    below = {"line": place["line"] + 1, "character": 4}
    keys = server.ask("textDocument/completion", {"textDocument": document, "position": below})["items"]
    assert {"into", "audit", "on_error", "metadata"} <= {item["label"] for item in keys}
    assert "fail" in json.dumps(next(item for item in keys if item["label"] == "on_error"))
