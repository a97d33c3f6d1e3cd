"""Keys of CSV that contradict each other are refused; lines at the end are left out, however the bytes come."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipekit.files.checks import check_source
from pipekit.files.records import without_last_lines
from pipekit.source import Source
from pipekit.warehouses.snowflake.formats import check_source as check_for_snowflake


def source(**form: object) -> Source:
    keys = {"format": {"type": "csv", **form}, "columns": {"a": "integer"}}
    return Source.model_validate({"name": "s", "uri": "in", **keys})


@pytest.mark.parametrize(
    ("form", "key", "said"),
    [
        ({"delimiter": '|"|'}, "format.quote", "is in the delimiter"),
        ({"delimiter": "||", "comment": "|"}, "format.comment", "is in the delimiter"),
        ({"delimiter": ";", "quote": ";"}, "format.quote", "is the delimiter"),
        ({"delimiter": ",\n"}, "format.delimiter", "a line end"),
        ({"quote": "\r"}, "format.quote", "a line end"),
        ({"header": False, "header_lines": 2}, "format.header_lines", "there is no header"),
    ],
)
def test_keys_that_contradict_each_other_are_refused(form: dict[str, object], key: str, said: str) -> None:
    ((found, text),) = check_source(source(**form))
    assert (found, said in text) == (key, True), text


@pytest.mark.parametrize(
    ("form", "key"),
    [
        ({"skip_footer": 1}, "format.skip_footer"),
        ({"compression": "zip"}, "format.compression"),
        ({"type": "parquet", "verify_checksums": True}, "format.verify_checksums"),
    ],
)
def test_what_copy_cannot_do_is_refused_for_snowflake(form: dict[str, object], key: str) -> None:
    assert [found for found, _ in check_for_snowflake(source(**form))] == [key]


@given(
    lines=st.lists(st.sampled_from([b"", b"x", b"yy", b'"', b"z z"]), max_size=12),
    newline=st.sampled_from([b"\n", b"\r\n", b"\r"]),
    ended=st.booleans(),
    count=st.integers(1, 4),
    size=st.integers(1, 7),
)
def test_lines_at_the_end_are_left_out(lines: list[bytes], newline: bytes, ended: bool, count: int, size: int) -> None:
    text = newline.join(lines) + newline * ended
    chunks = [text[at : at + size] for at in range(0, len(text), size)]
    kept = list(lines)
    for _ in range(count):
        while kept and not kept[-1]:
            kept.pop()
        kept = kept[:-1]

    assert b"".join(without_last_lines(chunks, count, "a.csv")) == b"".join(line + newline for line in kept)
