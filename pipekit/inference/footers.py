"""Lines at the end of CSV files that are not records: totals, counts, notes."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from pipekit.files.local import encoding_of
from pipekit.files.places import local_path
from pipekit.files.unpacking import NONE, compression_of
from pipekit.formats.csv import CsvFormat
from pipekit.inference.model import Draft, Found

_END = 1 << 14
_MOST = 3
TOTAL = re.compile(
    r"(grand |sub ?)?total(s|e)?\b|summe\b|sum\b|gesamt|somme\b|records?:|rows?:|count:|end of|-- ?end|eof$"
    r"|generated|#",
    re.IGNORECASE,
)


def footer_lines(draft: Draft) -> int:
    """How many lines at the end of each file are none; 0 if the files differ in it."""
    form = CsvFormat.model_validate(draft.format)
    counts = {_of(each, form) for each in draft.files}
    return counts.pop() if len(counts) == 1 else 0


def _of(each: Found, form: CsvFormat) -> int:
    path = Path(local_path(each.file.uri) or each.file.uri)
    if compression_of(each.file.uri, form) != NONE or encoding_of(form) in ("utf-16", "utf-32"):
        return 0
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - _END))
        lines = stream.read().decode(form.encoding, "replace").splitlines()
    lines = [line for line in lines if line.strip()]
    count = 0
    for line in reversed(lines[2:][-_MOST:]):
        if not _is_footer(line, form, each.shape.width):
            break
        count += 1
    return count


def _is_footer(line: str, form: CsvFormat, width: int) -> bool:
    fields = next(csv.reader([line], delimiter=form.delimiter, quotechar=form.quote), [])
    first = next((field.strip() for field in fields if field.strip()), "")
    odd = len(fields) != width and (form.quote or '"') not in line
    return bool(TOTAL.match(first)) and (odd or len([field for field in fields if field.strip()]) < width)
