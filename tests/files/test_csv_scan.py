"""What a scan calls plain is as RFC 4180 has it: Python's own strict reader finds as many delimiters outside quotes."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipekit.files.csv_scan import CsvScanner
from pipekit.formats.csv import CsvFormat

_VALUES = st.sampled_from(['"a"', '"a"', '"a,b"', '"p\nq"', '""', '","', '"x""y"', '""","', '"r\r\ns"', "a", '"', ""])
_LINES = st.lists(st.lists(_VALUES, min_size=1, max_size=3).map(",".join), min_size=1, max_size=3)


@given(lines=_LINES, newline=st.sampled_from(["\n", "\r\n"]), last=st.booleans())
@example(lines=['",""","a"'], newline="\n", last=True)
@example(lines=['"a","', '"b","c"'], newline="\n", last=True)
@example(lines=['"a",",""'], newline="\n", last=False)
@example(lines=["a,b", '"c","p', 'q"'], newline="\n", last=True)
@example(lines=['"a","', '"', '"b","c""d"'], newline="\n", last=True)
@example(lines=['",",",","y"'], newline="\r\n", last=True)
@example(lines=['""","'], newline="\n", last=False)
@settings(max_examples=300, deadline=None)
def test_a_plain_file_has_as_many_delimiters_as_python_finds(lines: list[str], newline: str, last: bool) -> None:
    written = newline.join(lines) + newline * last
    found = CsvScanner(CsvFormat(type="csv")).scan(Path(), written.encode())
    if found.plain:
        records = [*csv.reader(io.StringIO(written, newline=""), strict=True)]
        if found.fields:
            assert found.fields == sum(map(len, records))
            assert [] not in records
        else:
            assert found.delimiters == sum(max(len(record) - 1, 0) for record in records)
