"""The parts of an ``.xlsx`` file: the sheet that is asked for, and its cells that hold no usable value.

python-calamine gives nothing for a cell with an error such as ``#DIV/0!`` (its issue 105), and nothing for a formula
whose result was never saved. Both would be loaded as NULL, so the XML of the sheet is searched for them.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any
from xml.etree import ElementTree
from zipfile import BadZipFile, ZipFile

from pipekit.errors import SKIP_FILE, BadFileError, short
from pipekit.formats.unpacked import MOST_RATIO, is_bomb, refuse_beside
from pipekit.suggestions import did_you_mean

_CHUNK = 4 << 20
_CELL = re.compile(rb"<(?:\w+:)?c\s([^>]*[^>/])>(.*?)</(?:\w+:)?c>", re.DOTALL)
_ANY = re.compile(rb't="e"|<(?:\w+:)?f[\s/>]')
_PLACE = re.compile(rb'\br="([A-Z]+)([0-9]+)"')
_VALUE = re.compile(rb"<(?:\w+:)?v(?:\s[^>]*)?>([^<]+)<")
# Of an archive, of compressed data in it (some kinds are not read), of XML, and of links that lead nowhere.
_DAMAGE = (BadZipFile, EOFError, zlib.error, NotImplementedError, ElementTree.ParseError, LookupError)
_NUMBER_CELL = rb"<(?:\w+:)?c\s([^>]*[^>/])>(?:<(?:\w+:)?f[^<]*</(?:\w+:)?f>)?<(?:\w+:)?v>(%b)<"
_DAY_60 = re.compile(_NUMBER_CELL % rb"60(?:[.][0-9]+)?")
_NEGATIVE = re.compile(_NUMBER_CELL % rb"-[0-9.]+(?:[eE][-+]?[0-9]+)?")
_FRACTION = (
    rb'\br="%b([0-9]+)"[^>]*>(?:<(?:\w+:)?f[^<]*</(?:\w+:)?f>)?'
    rb"<(?:\w+:)?v>([0-9]*[.][0-9]+(?:[eE][-+]?[0-9]+)?|[0-9]+[eE]-[0-9]+)<"
)
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")


def open_sheet(path: Path, name: str | None) -> Any:
    """python-calamine's sheet.

    Raises:
        BadFileError: It is another kind of file, holds something beside the workbook, or lacks the sheet.
        ValueError: The workbook cannot be read.
    """
    import python_calamine

    _refuse_other(path)
    try:
        book = python_calamine.CalamineWorkbook.from_path(str(path))
        sheets = [each for each in book.sheets_metadata if each.typ == python_calamine.SheetTypeEnum.WorkSheet]
        names = [sheet.name for sheet in sheets]
        shown = [sheet.name for sheet in sheets if sheet.visible == python_calamine.SheetVisibleEnum.Visible]
        if not names or (name is not None and name not in names):
            raise _no_sheet(name, names)
        return book.get_sheet_by_name(name or [*shown, *names][0])
    except python_calamine.PasswordError as error:
        raise ValueError("the workbook is protected by a password") from error
    except python_calamine.CalamineError as error:
        raise ValueError(f"is not an .xlsx workbook that can be read: {error}") from error


def _no_sheet(name: str | None, names: Sequence[str]) -> BadFileError:
    wanted = "any sheet" if name is None else f"the sheet {name!r}"
    near = "" if name is None else did_you_mean(name, names)
    reason = f"the workbook does not have {wanted}{near}; it has {', '.join(map(repr, names)) or 'none'}"
    return BadFileError(reason, hint=f"Correct `sheet` in `format`. {SKIP_FILE}")


_OTHER_PARTS = (  # a part of another kind of archive, what that is, and what to do
    ("xl/workbook.bin", "a binary workbook (.xlsb)", "Save it as .xlsx."),
    ("content.xml", "an OpenDocument file (.ods)", "Save it as .xlsx."),
    ("word/document.xml", "a Word document", "Ask for the workbook itself."),
)
_TEXT_START = 512


def _refuse_other(path: Path) -> None:
    try:
        with ZipFile(path) as parts:
            size = sum(part.file_size for part in parts.infolist())
            names = parts.namelist()
            refuse_beside(parts)
    except (*_DAMAGE, OSError) as error:
        raise _not_an_archive(path, error) from error
    if "xl/workbook.xml" not in names:
        raise _not_a_workbook(names)
    if is_bomb(size, path.stat().st_size):
        raise ValueError(f"unpacks to more than {MOST_RATIO} times its size: it looks like a decompression bomb")


def _not_a_workbook(names: Sequence[str]) -> BadFileError:
    for part, kind, remedy in _OTHER_PARTS:
        if part in names:
            return BadFileError(f"is {kind}, not an .xlsx workbook", hint=f"{remedy} {SKIP_FILE}")
    held = ", ".join(map(repr, names[:3])) or "nothing"
    return BadFileError(
        f"is not an .xlsx workbook but a zip archive that holds {held}",
        hint=f"If a workbook is in it, unpack it; other files need another `type` and `compression: zip`. {SKIP_FILE}",
    )


def _not_an_archive(path: Path, error: Exception) -> BadFileError:
    """Why a file is no workbook: what its first bytes tell, where they are of no other kind that is known."""
    with path.open("rb") as stream:
        start = stream.read(_TEXT_START)
    what, remedy = f"its first bytes are {start[:8]!r}, those of a zip archive {b'PK'!r}", "Ask for the file itself."
    if not start.strip():
        what, remedy = "the file is empty", "Ask for it again."
    elif start.startswith(b"PK"):
        lost = "its end is missing" if str(error) == "File is not a zip file" else error
        what, remedy = f"it is cut off or damaged: {lost}", "Ask for it again."
    elif not _CONTROL.search(start):
        what = f"it is text, which begins {short(start.decode(errors='replace').strip(), 40)!r}"
        remedy = "If these are the data, set `format: {type: csv}` or the like; it may be an error of where it is from."
    return BadFileError(f"is not an .xlsx workbook: {what}", hint=f"{remedy} {SKIP_FILE}")


_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")


def unusable_cells(path: Path, sheet: str) -> Iterator[tuple[tuple[str, str], str]]:
    """Letters and number of each cell that holds an error or a formula without a saved result, and which it is.

    Raises:
        ValueError: A part of the workbook is damaged.
    """
    try:
        yield from _unusable_cells(path, sheet)
    except _DAMAGE as error:
        raise ValueError(f"is not an .xlsx workbook that can be read: {error}") from error


def days_60(path: Path, sheet: str) -> list[tuple[str, str]]:
    """Letters and number of each cell with the number 60: as a date it is a day that never was, 1900-02-29.

    https://learn.microsoft.com/en-us/office/troubleshoot/excel/wrongly-assumes-1900-is-leap-year
    """
    return [place for place, _ in _number_cells(path, sheet, _DAY_60)]


def negatives(path: Path, sheet: str) -> list[tuple[tuple[str, str], str]]:
    """Letters and number of each cell with a number below zero, and the number: as a date or time there is none."""
    return _number_cells(path, sheet, _NEGATIVE)


def _number_cells(path: Path, sheet: str, numbers: re.Pattern[bytes]) -> list[tuple[tuple[str, str], str]]:
    with ZipFile(path) as parts:
        found = numbers.findall(parts.read(_part_of(parts, sheet)))
    return [
        ((place[1].decode(), place[2].decode()), number.decode())
        for cell, number in found
        if (place := _PLACE.search(cell))
    ]


def fractions(path: Path, sheet: str, letters: str) -> dict[int, int]:
    """Of cells of a column with more digits than milliseconds have, by their row, the microseconds of a day.

    A float of 64 bits has no more than these at today's dates. Where it is off a whole millisecond by as much as such
    a float is, that is what was meant.
    """
    with ZipFile(path) as parts:
        found = re.findall(_FRACTION % letters.encode(), parts.read(_part_of(parts, sheet)))
    fine = range(_FLOAT, 1000 - _FLOAT)
    return {int(row): round(at) for row, number in found if int((at := float(number) % 1 * _DAY) % 1000) in fine}


_FLOAT = 2
_DAY = 86_400_000_000


def _unusable_cells(path: Path, sheet: str) -> Iterator[tuple[tuple[str, str], str]]:
    with ZipFile(path) as parts, parts.open(_part_of(parts, sheet)) as stream:
        for attributes, content in _cells(stream):
            value = _VALUE.search(content)
            if b't="e"' in attributes:
                text = value[1].decode(errors="replace") if value else "#ERROR"
            elif value is None and b't="str"' not in attributes and _FORMULA.search(content):
                text = "a formula without a saved result"
            else:
                continue
            place = _PLACE.search(attributes)
            if place is None:
                raise ValueError(f"the sheet {sheet!r} has {text}, in a cell without a reference")
            yield (place[1].decode(), place[2].decode()), text


def _cells(stream: IO[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Attributes and content of each cell that has content, in the parts of a sheet that hold errors or formulas."""
    rest = b""
    while chunk := stream.read(_CHUNK):
        rest += chunk
        end = max(rest.rfind(b"</row>"), rest.rfind(b":row>")) + 1
        if _ANY.search(rest, 0, end):
            yield from _CELL.findall(rest, 0, end)
        rest = rest[end:]


def _part_of(parts: ZipFile, sheet: str) -> str:
    """The file within the workbook that holds a sheet."""
    book = ElementTree.fromstring(parts.read("xl/workbook.xml"))
    links = ElementTree.fromstring(parts.read("xl/_rels/workbook.xml.rels"))
    targets = {link.get("Id"): link.get("Target", "") for link in links}
    for entry in book.iterfind("{*}sheets/{*}sheet"):
        if entry.get("name") == sheet:
            target = targets[next((value for key, value in entry.items() if key.endswith("}id")), "")]
            return target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    raise ValueError(f"the workbook has no link to its sheet {sheet!r}")
