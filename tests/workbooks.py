"""Small ``.xlsx`` files, written cell by cell, so that a test has every kind of cell that Excel can save."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_CONTENT = "http://schemas.openxmlformats.org/package/2006/content-types"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"

# Number formats by their position in styles.xml: general, date, date and time, time, hours of a duration.
DATE, TIMESTAMP, TIME, DURATION = 1, 2, 3, 4
_STYLES = "".join(f'<xf numFmtId="{number}"/>' for number in (0, 14, 22, 21, 46))


class Raw(str):
    """The inner XML of a cell and its attributes, as ``attributes|content``."""


def number(value: Any, style: int = 0) -> Raw:
    """A number; dates are days since 1899-12-30 with a style."""
    return Raw(f's="{style}"|<v>{value}</v>')


def error(text: str) -> Raw:
    """A cell with an error."""
    return Raw(f't="e"|<f>1/0</f><v>{text}</v>')


def formula(result: Any = None) -> Raw:
    """A formula, and its result if that was saved."""
    return Raw("|<f>A1+1</f>" + ("<v></v>" if result is None else f"<v>{result}</v>"))


def workbook(
    top: int = 1,
    left: str = "A",
    merged: Sequence[str] = (),
    hidden: Sequence[str] = (),
    **sheets: Sequence[Sequence[Any]],
) -> bytes:
    """A workbook; each sheet is its rows, which begin at the row ``top`` and the column ``left``, with merged cells."""
    data = io.BytesIO()
    numbers = range(1, len(sheets) + 1)
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as parts:
        overrides = "".join(
            f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_KIND}.worksheet+xml"/>' for n in numbers
        )
        parts.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{_CONTENT}"><Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>{overrides}'
            f'<Override PartName="/xl/styles.xml" ContentType="{_KIND}.styles+xml"/></Types>',
        )
        parts.writestr("_rels/.rels", _relations(("rId1", "officeDocument", "xl/workbook.xml")))
        states = [' state="hidden"' if name in hidden else "" for name in sheets]
        names = "".join(
            f'<sheet name="{name}" sheetId="{n}"{states[n - 1]} r:id="rId{n}"/>' for n, name in enumerate(sheets, 1)
        )
        parts.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{names}</sheets></workbook>'
        )
        links = [(f"rId{n}", "worksheet", f"worksheets/sheet{n}.xml") for n in numbers]
        parts.writestr("xl/_rels/workbook.xml.rels", _relations(*links, ("rId99", "styles", "styles.xml")))
        parts.writestr("xl/styles.xml", f'<styleSheet xmlns="{_MAIN}"><cellXfs>{_STYLES}</cellXfs></styleSheet>')
        for n, rows in enumerate(sheets.values(), 1):
            body = "".join(_row(row, number, left) for number, row in enumerate(rows, top))
            cells = "".join(f'<mergeCell ref="{place}"/>' for place in merged)
            joined = f"<mergeCells>{cells}</mergeCells>" if merged else ""
            parts.writestr(
                f"xl/worksheets/sheet{n}.xml",
                f'<worksheet xmlns="{_MAIN}"><sheetData>{body}</sheetData>{joined}</worksheet>',
            )
    return data.getvalue()


def _relations(*links: tuple[str, str, str]) -> str:
    body = "".join(f'<Relationship Id="{id}" Type="{_OFFICE}/{kind}" Target="{to}"/>' for id, kind, to in links)
    return f'<Relationships xmlns="{_RELATIONS}">{body}</Relationships>'


def _row(cells: Sequence[Any], row: int, left: str) -> str:
    found = (_cell(cell, f"{chr(ord(left) + index)}{row}") for index, cell in enumerate(cells))
    return f'<row r="{row}">{"".join(found)}</row>'


def _cell(value: Any, place: str) -> str:
    if value is None:
        return ""
    if isinstance(value, Raw):
        attributes, _, content = value.partition("|")
        return f'<c r="{place}" {attributes}>{content}</c>'
    if isinstance(value, bool):
        return f'<c r="{place}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, (int, float)):
        return f'<c r="{place}"><v>{value!r}</v></c>'
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
