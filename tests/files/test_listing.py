"""Which files a source has: what a place says is never swallowed, and a name is a name."""

from __future__ import annotations

import http.server
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_projects import problems, project, query, run, run_ok, write

from pipekit.errors import SourceError
from pipekit.files.listing import list_files
from pipekit.files.patterns import matcher
from pipekit.source import Source

from .conftest import Store


def source(uri: str | Path, pattern: str | list[str] = "*", **more: Any) -> Source:
    keys = {"format": {"type": "csv"}, "columns": {"id": "integer"}, **more}
    return Source.model_validate({"name": "s", "uri": str(uri), "pattern": pattern, **keys})


def names(uri: str | Path, pattern: str | list[str] = "*", **more: Any) -> list[str]:
    return [file.uri.removeprefix(str(uri)).lstrip("/") for file in list_files(source(uri, pattern, **more))]


def pipeline(uri: str | Path, pattern: str = "*", form: str = "csv", step: str = "") -> str:
    return f"""
        sources:
          s: {{uri: "{uri}", pattern: "{pattern}", format: {{type: {form}}}, columns: {{id: integer}}}}
        steps: [{{id: t, type: load, source: s{step}}}]
        """


def loaded(root: Path) -> list[int]:
    return [number for (number,) in query(root, "SELECT id FROM t ORDER BY id")]


# patterns ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "meant", "other"),
    [
        ("*.csv", ["a.csv"], ["x/a.csv", "a.csv.gz"]),
        ("**/*.csv", ["a.csv", "x/a.csv", "x/y/a.csv"], ["x/a.txt"]),
        ("2024/**", ["2024/a.csv", "2024/q1/a.csv"], ["2025/a.csv", "a.csv"]),
        ("**", ["a.csv", "x/y/a.csv"], []),
        ("2024/**/*.csv", ["2024/a.csv", "2024/q1/jan/a.csv"], ["2024/a.txt"]),
        ("a**.csv", ["ab.csv"], ["a/b.csv"]),
        ("[!a]*", ["b.csv"], ["a.csv", "b/c"]),
    ],
)
def test_a_pattern_means(pattern: str, meant: list[str], other: list[str]) -> None:
    matches = matcher([pattern])
    assert [name for name in meant + other if matches(name)] == meant


@pytest.mark.parametrize("pattern", ["", "2024/", "/a.csv", "a//b", "../*.csv"])
def test_a_pattern_that_can_match_nothing_is_refused(tmp_path: Path, pattern: str) -> None:
    assert any("can match no file" in text for text in problems(project(tmp_path, pipeline("in", pattern))))
    excluded = pipeline("in").replace('pattern: "*"', f'exclude: ["{pattern}"]')
    assert any("exclude: " in text and "can match no file" in text for text in problems(project(tmp_path, excluded)))


# local folders -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
@pytest.mark.parametrize("step", ["", ", on_error: reject", ", metadata: true"])
def test_a_name_is_no_pattern(tmp_path: Path, form: str, step: str) -> None:
    root = tmp_path / "shop [final] *"
    others = {"r1": 1, "xyz": 2}
    for number, name in enumerate(["r[12]", "x*", "q?", "a\\b", "a\\[b]"], 10):
        others[name] = number
    for name, number in others.items():
        for folder in (root, tmp_path / "shop f x"):
            path = folder / "in" / f"{name}.{form}"
            path.parent.mkdir(parents=True, exist_ok=True)
            value = number if folder == root else 666
            if form == "parquet":
                pq.write_table(pa.table({"id": [value]}), path)
            else:
                path.write_text(f"id\n{value}\n" if form == "csv" else f'{{"id": {value}}}\n')
    run_ok(project(root, pipeline("in", form=form, step=step)))

    assert loaded(root) == sorted(others.values())


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_folder_named_key_value_changes_no_value(tmp_path: Path, form: str) -> None:
    root = tmp_path / "id=7"
    path = root / "in" / "id=8" / "c0=9" / f"a.{form}"
    path.parent.mkdir(parents=True)
    if form == "csv":
        path.write_text("id\n1\n")
    else:
        pq.write_table(pa.table({"id": [1]}), path)
    run_ok(project(root, pipeline("in", "**", form)))

    assert loaded(root) == [1]


def test_a_column_that_only_a_folder_has_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "in" / "id=8" / "a.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(pa.table({"other": [1]}), path)

    result = run(project(tmp_path, pipeline("in", "**", "parquet")))

    assert "id" in str(result.errors["t"])


def test_what_writers_leave_beside_their_data_is_left_out_and_reported(tmp_path: Path) -> None:
    for name in (
        "part-0.csv",
        "_SUCCESS",
        "_temporary/0/part-0.csv",
        ".part-0.csv.crc",
        "sub/.hidden/x.csv",
        "_own.csv",
        "_committed_42",
        "part-1.csv.crc",
    ):
        write(tmp_path, f"in/{name}", "id\n1\n")
    result = run_ok(project(tmp_path, pipeline("in", "**")))

    assert loaded(tmp_path) == [1, 1], "part-0.csv, and _own.csv, which is nobody's marker"
    assert result.steps[0].message == (
        "2 files; left out: 2 hidden (.part-0.csv.crc, sub/.hidden/), "
        "4 left by the writer (_SUCCESS, _committed_42, _temporary/, ...)"
    )


def test_what_file_managers_make_is_left_out_and_reported(tmp_path: Path) -> None:
    for name in ("a.csv", "June.db", "thumbs.db.csv"):
        write(tmp_path, f"in/{name}", "id\n1\n")
    made = ("Thumbs.db", "desktop.ini", ".DS_Store", "sub/THUMBS.DB", "sub/ehthumbs.db")
    for name in made:
        write(tmp_path, f"in/{name}", "\x00\x01")
    result = run_ok(project(tmp_path, pipeline("in", "**")))

    assert loaded(tmp_path) == [1, 1, 1]
    assert result.steps[0].message == (
        "3 files; left out: 1 hidden (.DS_Store), 4 made by a file manager (Thumbs.db, desktop.ini, sub/THUMBS.DB, ...)"
    )
    assert names(tmp_path / "in", "*", include_hidden=True) == [
        ".DS_Store",
        "June.db",
        "Thumbs.db",
        "a.csv",
        "desktop.ini",
        "thumbs.db.csv",
    ]


TEMPORARY = ("b.csv.tmp", "c.csv.PART", "d.csv~", "~$e.csv", "f.csv.crdownload", "g.csv._COPYING_", "h.partial")


def test_files_that_are_temporary_by_name_are_left_out_and_reported(tmp_path: Path) -> None:
    for name in ("a.csv", "temp", "part-0", "~i.csv", *TEMPORARY):
        write(tmp_path, f"in/{name}", "id\n1\n")
    result = run_ok(project(tmp_path, pipeline("in", "*")))

    assert loaded(tmp_path) == [1, 1, 1, 1]
    assert result.steps[0].message == (
        "4 files; left out: 7 temporary by name, which `include_hidden: true` takes (b.csv.tmp, c.csv.PART, d.csv~, ...)"
    )


@pytest.mark.parametrize(
    ("pattern", "more", "found"),
    [
        ("*", {}, ["a.csv"]),
        ("*.csv", {}, ["a.csv"]),
        ("*", {"include_hidden": True}, sorted(["a.csv", *TEMPORARY])),
        ("*.tmp", {}, ["b.csv.tmp"]),
        ("**/*.part", {}, []),
        ("*.PART", {}, ["c.csv.PART"]),
        ("*~", {}, ["d.csv~"]),
        ("~*", {}, ["~$e.csv"]),
    ],
)
def test_a_pattern_may_ask_for_files_that_are_temporary_by_name(
    tmp_path: Path, pattern: str, more: dict[str, Any], found: list[str]
) -> None:
    for name in ("a.csv", *TEMPORARY):
        write(tmp_path, f"in/{name}", "id\n1\n")
    assert names(tmp_path / "in", pattern, **more) == found


def test_hidden_files_are_taken_on_request(tmp_path: Path) -> None:
    for name in ("a.csv", ".b.csv", "_temporary/c.csv", ".d/e.csv"):
        write(tmp_path, f"in/{name}", "id\n1\n")

    assert names(tmp_path / "in", "**/*.csv") == ["a.csv"]
    assert names(tmp_path / "in", "**/*.csv", include_hidden=True) == [
        ".b.csv",
        ".d/e.csv",
        "_temporary/c.csv",
        "a.csv",
    ]


def test_several_patterns_and_names_that_are_excluded(tmp_path: Path) -> None:
    for name in ("a.csv", "old.csv", "b.txt", "2024/c.csv", "2024/test/d.csv", "e.json"):
        write(tmp_path, f"in/{name}", "id\n1\n")
    text = """
        sources:
          s:
            uri: in
            pattern: ["*.csv", "*.txt", "2024/**"]
            exclude: [old.*, "e.*", "2024/test/**"]
            format: {type: csv}
            columns: {id: integer}
        steps: [{id: t, type: load, source: s}]
        """
    result = run_ok(project(tmp_path, text))

    assert loaded(tmp_path) == [1, 1, 1]
    assert result.steps[0].message == "3 files; left out: 2 excluded (2024/test/d.csv, old.csv)"


def test_when_everything_is_left_out_the_error_says_so(tmp_path: Path) -> None:
    write(tmp_path, "in/.a.csv", "id\n1\n")
    result = run(project(tmp_path, pipeline("in", "*.csv")))

    assert "no file matches '*.csv'; left out: 1 hidden (.a.csv)" in str(result.errors["t"])


def test_a_file_that_only_its_capital_letters_keep_out_is_named(tmp_path: Path) -> None:
    for name in ("a.csv", "JUNE.CSV", "OLD.CSV", "notes.txt", ".HIDDEN.CSV"):
        write(tmp_path, f"in/{name}", "id\n1\n")
    path = project(tmp_path, pipeline("in", "*.csv").replace('pattern: "*.csv"', 'pattern: "*.csv", exclude: "OLD.*"'))

    assert run_ok(path).steps[0].message == (
        "1 file; left out: 1 unlike the pattern in capital and small letters only (JUNE.CSV)"
    )
    (tmp_path / "in/a.csv").unlink()
    assert "no file matches '*.csv'; left out: 1 unlike the pattern" in str(run(path).errors["t"])


def test_a_link_to_nothing_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.csv").symlink_to(tmp_path / "nowhere")

    with pytest.raises(SourceError, match=r"a\.csv: is a link to nothing"):
        list_files(source(tmp_path))
    assert names(tmp_path, "*.json") == []


def test_a_folder_behind_two_links_is_read_once(tmp_path: Path) -> None:
    write(tmp_path, "in/2024/a.csv", "id\n1\n")
    (tmp_path / "in/2024/up").symlink_to(tmp_path / "in")
    (tmp_path / "in/latest").symlink_to(tmp_path / "in/2024")

    assert names(tmp_path / "in", "**") == ["2024/a.csv"]


def test_a_name_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    write(tmp_path, "in/a.csv", "id\n1\n")
    with open(os.fsencode(tmp_path / "in") + b"/caf\xe9.csv", "w") as out:
        out.write("id\n2\n")

    result = run(project(tmp_path, pipeline("in")))

    assert (
        "caf\\udce9.csv: the name is not UTF-8"
        in (result.steps[0].error or "").encode("ascii", "backslashreplace").decode()
    )


# S3 ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("refusal", ["403", "503"])
@pytest.mark.parametrize("pattern", ["*", "*.csv", "**/*.csv"])
def test_a_refused_listing_empties_nothing(store: Store, tmp_path: Path, refusal: str, pattern: str) -> None:
    bucket = store.bucket(in__a="", **{"in__a.csv": "id\n1\n"})
    store.client.delete_object(Bucket=bucket, Key="in/a")
    path = project(tmp_path, pipeline(f"s3://{bucket}/in/", pattern, step=", on_empty: allow, retries: 0"))
    run_ok(path)
    store.refuse = refusal

    result = run(path)

    assert not result.ok
    assert "no file matches" not in str(result.errors["t"])
    assert loaded(tmp_path) == [1]


def test_folder_markers_are_no_files(store: Store) -> None:
    bucket = store.bucket()
    store.put(bucket, {"in/": "", "in/a.csv": "id\n1\n", "in/sub/": "", "in/sub/b.csv": "id\n2\n", "in/x_$folder$": ""})
    uri = f"s3://{bucket}/in/"

    assert names(uri) == names(uri, "*.csv") == ["a.csv"]
    assert names(uri, "**/*") == names(uri, "**") == ["a.csv", "sub/b.csv"]
    assert names(uri.rstrip("/"), "**/*.csv") == ["a.csv", "sub/b.csv"]


def test_an_empty_place_and_one_that_is_not_there(store: Store) -> None:
    bucket = store.bucket(**{"other.csv": ""})
    assert names(f"s3://{bucket}/in/") == names(f"s3a://{bucket}/in/", "**") == []
    for pattern in ("*", "**"):
        with pytest.raises(SourceError, match="there is no such bucket"):
            list_files(source("s3://no-such-bucket-at-all/in/", pattern))


# What S3 answers: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
REFUSALS = [
    "AccessDenied",
    "ExpiredToken",
    "RequestTimeTooSkewed",
    "NoSuchKey",
    "NoSuchBucket",
    "InternalError",
    "SlowDown",
]


def test_a_listing_that_fails_is_never_an_empty_one(store: Store) -> None:
    """Whatever the answer is, for one folder and for all below; also where the bucket itself can be seen."""
    bucket = store.bucket(**{"in__a.csv": "id\n1\n"})
    for code in REFUSALS:
        store.fails = {"LIST": code}
        for uri, pattern in ((f"s3://{bucket}/in/", "*"), (f"s3://{bucket}/in", "**")):
            with pytest.raises(SourceError, match="no such bucket" if code == "NoSuchBucket" else code):
                list_files(source(uri, pattern))


def test_a_file_that_cannot_be_asked_for_is_not_missing(store: Store) -> None:
    bucket = store.bucket(**{"in__a.csv": "id\n1\n"})
    for code in ("AccessDenied", "ExpiredToken", "InternalError"):
        store.fails = {"HEAD": code}
        with pytest.raises(SourceError, match="cannot be read"):
            list_files(source(f"s3://{bucket}/in/a.csv"))


@pytest.mark.parametrize("code", ["AccessDenied", "ExpiredToken", "NoSuchKey"])
def test_an_object_that_is_not_handed_out_changes_nothing(store: Store, tmp_path: Path, code: str) -> None:
    """Also if it is the credentials that end between listing and reading, which is no fault of one file."""
    bucket = store.bucket(**{"in__a.csv": "id\n1\n", "in__b.csv": "id\n2\n"})
    path = project(tmp_path, pipeline(f"s3://{bucket}/in/", step=", on_empty: allow, on_bad_file: skip, retries: 0"))
    run_ok(path)
    store.put(bucket, {"in/a.csv": "id\n3\n"})
    store.fails = {"GET": code}

    error = str(run(path).errors["t"])

    assert ("gone now" if code == "NoSuchKey" else code) in error
    assert "t still holds the rows it had before" in error
    assert loaded(tmp_path) == [1, 2]


@pytest.mark.parametrize("request_", ["LIST", "HEAD"])
def test_a_listing_that_gets_no_answer_ends_with_the_step(store: Store, tmp_path: Path, request_: str) -> None:
    bucket = store.bucket(**{"in__a.csv": "id\n1\n"})
    store.fails = {request_: "hang"}

    uri = f"s3://{bucket}/in/" if request_ == "LIST" else f"s3://{bucket}/in/a.csv"
    result = run(project(tmp_path, pipeline(uri, step=", timeout: 1s, retries: 0")))

    assert "timed out" in str(result.errors["t"])
    assert not store.let_go, "the run waited for an answer"


def test_keys_are_taken_to_the_letter(store: Store, tmp_path: Path) -> None:
    """Signs of URLs and of patterns, both forms of an accent, empty names, and a key of nearly 1,024 bytes."""
    keys = ["a b+c%20d&e.csv", "#h?q.csv", "[x]*.csv", "caf\u00e9.csv", "cafe\u0301.csv", "k" * 900 + ".csv"]
    keys += ["A.csv", "a.csv", "x//y.csv", "/z.csv", "=1;2,3'\".csv"]
    bucket = store.bucket()
    store.put(bucket, {f"in/{key}": f"id\n{number}\n" for number, key in enumerate(keys)})
    for step in ("", ", strategy: append"):
        path = project(tmp_path, pipeline(f"s3://{bucket}/in/", "**/*.csv", step=step + ", metadata: true"))
        run_ok(path)
        found = query(tmp_path, "SELECT _source_file, id FROM t ORDER BY id")
        assert found == [(f"s3://{bucket}/in/{key}", number) for number, key in enumerate(keys)]
    for key in keys[:3]:
        assert names(f"s3://{bucket}/in/{key}") == [""]


# other places --------------------------------------------------------------------------------------------------


class _Web(http.server.BaseHTTPRequestHandler):
    def log_message(self, *a: Any) -> None:
        """Nothing."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        code = 403 if self.path == "/secret.csv" else 200 if self.path.startswith("/a.csv") else 404
        body = b"id\n1\n" if code == 200 else b""
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)


@pytest.fixture(scope="module")
def web() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Web)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_a_file_on_a_web_server_is_loaded(web: str, tmp_path: Path) -> None:
    run_ok(project(tmp_path, pipeline(f"{web}/a.csv?version=2")))
    assert loaded(tmp_path) == [1]


@pytest.mark.parametrize(("name", "said"), [("secret.csv", "403"), ("none.csv", "404")])
def test_what_a_web_server_refuses_is_an_error(web: str, tmp_path: Path, name: str, said: str) -> None:
    result = run(project(tmp_path, pipeline(f"{web}/{name}", step=", on_empty: allow, retries: 0")))
    assert said in str(result.errors["t"])


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("http://example.org/in/", "a web server has no listing"),
        ("zip://a.csv::in/z.zip", "places within places"),
        ("nosuch://x/", "unknown scheme 'nosuch'; among those that can be read are s3"),
        ("az://bucket/in/", "az:// places cannot be read: Install adlfs"),
        ("S3://bucket/in/", "write s3:// in lower case"),
        ("file://in", "followed by an absolute path"),
        ("s3:/bucket/in/", "write s3://bucket/in/ (a local folder of that name: ./s3:/bucket/in/)"),
        ("S3:bucket", "write s3://bucket "),
        ("file:/in", "write /in "),
        ("S4://bucket/in/", "unknown scheme 's4'; did you mean 's3'?"),
        ("~/in", "~ is not expanded"),
        ("local:///in", "stands for another place"),
        ("s3:///in/", "names no bucket"),
        ("s3://bucket/in//", "ends in an empty name"),
        ("gs://bucket/in/", "gs:// places cannot be read: Please install gcsfs"),
    ],
)
def test_a_place_that_cannot_be_read_is_refused_by_validate(tmp_path: Path, uri: str, said: str) -> None:
    assert any(said in text for text in problems(project(tmp_path, pipeline(uri))))


@pytest.mark.parametrize(
    "form", ["in", "./in", "{root}/in/", "file://{root}/in", "in/../in/a.csv", "memory://{root}/in/"]
)
def test_spellings_of_one_place(tmp_path: Path, form: str) -> None:
    import fsspec

    write(tmp_path, "in/a.csv", "id\n1\n")
    fsspec.filesystem("memory").pipe(f"{tmp_path}/in/a.csv", b"id\n1\n")
    run_ok(project(tmp_path, pipeline(form.format(root=tmp_path))))
    assert loaded(tmp_path) == [1]


def test_a_server_that_is_not_there_is_no_bug(tmp_path: Path) -> None:
    result = run(project(tmp_path, pipeline("ftp://127.0.0.1:9/in/", step=", retries: 0")))
    assert isinstance(result.errors["t"], SourceError)
