"""Landing where the file and the line of each record are known, and each record is judged on its own.

A landing query gives for every record: V1.. the values as text, for JSON and Parquet J1.. as VARIANT and T1.. their
types, FILE, ROWNO, RAW (the record for ``raw_record``) and WHOLE (what is wrong with it as a whole, or NULL).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pipekit.errors import BadFileError, SourceError, WarehouseError
from pipekit.files.json_paths import column_path
from pipekit.files.json_records import NO_LINES, NO_LINES_HINT, SPREAD
from pipekit.files.json_roots import parse_above
from pipekit.files.path_columns import in_files
from pipekit.files.shapes import expected
from pipekit.files.verdicts import BadRecord, first_bad_record, missing_columns, undeclared_columns
from pipekit.names import Table
from pipekit.source import SourceFile
from pipekit.warehouses.contract import METADATA_COLUMNS, REJECT_COLUMNS, FileLoad, LoadedFile
from pipekit.warehouses.snowflake.casts import Value, cast, is_good, reason, there
from pipekit.warehouses.snowflake.dialect import text
from pipekit.warehouses.snowflake.landing import Landing, order_by, write_arrow
from pipekit.warehouses.snowflake.stages import StagedFiles

if TYPE_CHECKING:
    from pipekit.warehouses.snowflake.session import SnowflakeSession


# Files whose names are bound: a statement with its values shall not be larger than 1 MB,
# https://docs.snowflake.com/en/user-guide/query-size-limits
_MOST_BOUND = 1_000


class JudgedLoad:
    """Records whose verdicts are known before the transaction.

    Args:
        warehouse: The session.
        load: What is asked.
        files: Where it is staged.
        landing: What was landed.
    """

    def __init__(self, warehouse: SnowflakeSession, load: FileLoad, files: StagedFiles, landing: Landing) -> None:
        self._warehouse = warehouse
        self._load = load
        self._files = files
        self._landing = landing
        self._reported: dict[str, SourceFile] = {}
        self._counts = dict.fromkeys(load.files, (0, 0))
        self._profile()
        self._names = self._names_table() if len(self._reported) > _MOST_BOUND else ""
        for record in landing.unreadable:
            rows, bad = self._counts[record.file]
            self._counts[record.file] = (rows + 1, bad + 1)
        if load.on_error == "fail" and self.rejected:
            raise self._first_bad()
        if landing.parts and self.rejected:
            self._refuse_parts(landing.parts)
            if any(rows == bad > 0 for rows, bad in self._counts.values()):
                self._refuse_no_lines(landing.part)
        if load.source.fails_on_extra and landing.has_keys:
            self._refuse_extra_keys()

    @property
    def records(self) -> int:
        """Records read, good and bad; 0 with ``fail``, where they are counted by ``copy_into``."""
        return sum(rows for rows, _ in self._counts.values()) if self._load.on_error == "reject" else 0

    @property
    def rejected(self) -> int:
        """Bad records."""
        return sum(bad for _, bad in self._counts.values())

    @property
    def _good(self) -> str:
        tests = [is_good(value, self._load.source.format) for value in self._landing.values]
        return " AND ".join(['"WHOLE" IS NULL', *tests])

    def _profile(self) -> None:
        # COUNT leaves out a JSON null, which is a key all the same.
        present = "".join(f", COUNT_IF({key} IS NOT NULL)" for key in self._landing.present)
        result = self._warehouse.execute(
            f'SELECT "FILE", COUNT(*), COUNT_IF(NOT ({self._good})), COUNT_IF("WHOLE" IS NULL){present} '
            f'FROM ({self._landing.query}) GROUP BY "FILE"'
        )
        for reported, rows, bad, whole, *keys in result.rows:
            file = self._files.find(reported)
            self._reported[reported] = file
            self._counts[file] = (int(rows), int(bad))
            self._require_keys(file, int(whole), keys)

    def _require_keys(self, file: SourceFile, documents: int, keys: Sequence[int]) -> None:
        counted = zip(self._landing.values, keys, strict=False)
        missing = [value.column for value, count in counted if not count and not value.column.optional]
        if documents and missing:
            raise missing_columns(self._load.source, file, missing, self._keys_of(file))

    def _keys_of(self, file: SourceFile) -> list[str]:
        """The keys of a file's records, for a message."""
        names = [name for name, known in self._reported.items() if known == file]
        rows = self._warehouse.execute(
            f'SELECT K.KEY FROM ({self._landing.query}) AS D, LATERAL FLATTEN(INPUT => D."DOC") AS K '
            f'WHERE D."FILE" = ? GROUP BY K.KEY ORDER BY MIN(D."ROWNO"), K.KEY LIMIT 100',
            names[:1],
        ).rows
        return [str(key) for (key,) in rows]

    def _refuse_parts(self, parts: str) -> None:
        """Refuse a file in which lines inside a document may have been taken for records."""
        rows = self._warehouse.execute(
            f'SELECT "FILE" FROM ({self._landing.query}) WHERE "WHOLE" IS NOT NULL GROUP BY "FILE" '
            f"HAVING {parts} ORDER BY 1 LIMIT 1"
        ).rows
        for (reported,) in rows:
            hint = "Write each document on one line, or all of them in one array."
            raise BadFileError(f"a record {SPREAD}", file=self._reported[reported].uri, hint=hint)

    def _refuse_no_lines(self, part: str) -> None:
        """Refuse a file in which all lines may be bad because records are not on lines."""
        rows = self._warehouse.execute(
            f'SELECT "FILE", MIN(IFF({part}, "ROWNO", NULL)) FROM ({self._landing.query}) GROUP BY "FILE" '
            f"HAVING COUNT_IF(TYPEOF(\"DOC\") = 'OBJECT') = 0 AND COUNT_IF({part}) > 0 ORDER BY 1 LIMIT 1"
        ).rows
        for reported, line in rows:
            file = self._reported[reported]
            raise BadFileError(NO_LINES, file=file.uri, line=int(line), hint=NO_LINES_HINT)

    def _refuse_extra_keys(self) -> None:
        own = (each for each in in_files(self._load.source).columns if parse_above(each.path or "") is None)
        known = ", ".join(text(str(path[0])) for path in map(column_path, own) if path) or "''"
        rows = self._warehouse.execute(
            f'SELECT D."FILE", K.KEY, MIN(D."ROWNO") FROM ({self._landing.query}) AS D, '
            f'LATERAL FLATTEN(INPUT => D."DOC") AS K WHERE K.KEY NOT IN ({known}) '
            'GROUP BY D."FILE", K.KEY ORDER BY 1, 3, 2 LIMIT 1'
        ).rows
        for reported, key, row in rows:
            raise undeclared_columns(self._load.source, self._reported[reported], [str(key)], int(row), "key")

    def _first_bad(self) -> SourceError:
        form = self._load.source.format
        values = self._landing.values
        wanted = (
            *('"FILE"', self._landing.line, self._landing.place or "''", '"WHOLE"'),
            *(self._of_first_bad(lambda value: str(values.index(value))), self._of_first_bad(there)),
            self._of_first_bad(lambda value: value.refusal or "NULL"),
        )
        ((reported, at, place, whole, number, found, refusal),) = self._warehouse.execute(
            f"SELECT {', '.join(wanted)} FROM ({self._landing.query}) "
            f'WHERE NOT ({self._good}) ORDER BY "FILE", "ROWNO" LIMIT 1'
        ).rows
        file, line = self._reported[reported].shown, None if at is None else int(at)
        if whole:
            return first_bad_record(BadRecord(f"{place}the record {whole}", file, line), self.rejected, form)
        column = values[int(number)].column
        why = f"{place}{refusal or reason(found, column, form)}"
        return first_bad_record(BadRecord(why, file, line, column.name, found), self.rejected, form)

    def copy_into(self, table: Table) -> tuple[LoadedFile, ...]:
        """Insert the good records."""
        form = self._load.source.format
        names = [value.column.name for value in self._landing.values]
        casts = [cast(value, form) for value in self._landing.values]
        params: list[object] = []
        source = f"({self._landing.query})"
        if self._load.metadata:
            names += [column.name for column in METADATA_COLUMNS]
            casts += ['"URI"', '"ROWNO"', "CAST(? AS TIMESTAMP_TZ)", "?"]
            named, bound = self._named_files()
            source, params = f"{source} AS R {named}", [self._load.loaded_at, self._load.run_id, *bound]
        columns = ", ".join(self._warehouse.quote(name) for name in names)
        result = self._warehouse.execute(
            f"INSERT INTO {self._warehouse.quote(table)} ({columns}) SELECT {', '.join(casts)} FROM {source} "
            f"WHERE {self._good}" + order_by(self._warehouse, self._load, names),
            params,
        )
        if result.rowcount != sum(rows - bad for rows, bad in self._counts.values()):
            raise WarehouseError("Snowflake inserted fewer rows than it had judged good", hint="Run again.")
        return tuple(LoadedFile(file, rows - bad, bad) for file, (rows, bad) in self._counts.items())

    def _names_table(self) -> str:
        """Snowflake's names of the files and their URIs in a temporary table, made before the transaction."""
        import pyarrow as pa

        name = self._warehouse.scratch(Table(("pipekit_names",)))
        uris = [file.shown for file in self._reported.values()]
        columns = [pa.array(list(self._reported), pa.string()), pa.array(uris, pa.string())]
        write_arrow(self._warehouse, name, pa.table(columns, ["STAGED", "URI"]), temporary=True)
        return self._warehouse.quote(name)

    def _named_files(self) -> tuple[str, list[object]]:
        """A join from Snowflake's names of the files to their URIs."""
        if self._names:
            return f'JOIN {self._names} AS N ON R."FILE" = N."STAGED"', []
        rows = ", ".join(["(?, ?)"] * len(self._reported)) or "(NULL, NULL)"
        named = f'JOIN (SELECT COLUMN1 AS "STAGED", COLUMN2 AS "URI" FROM VALUES {rows}) AS N ON R."FILE" = N."STAGED"'
        return named, [part for reported, file in self._reported.items() for part in (reported, file.shown)]

    def write_rejects(self, table: Table) -> None:
        """Insert the bad records, each with the first thing that is wrong with it."""
        self._write_unreadable(table)
        if self.rejected == len(self._landing.unreadable):
            return
        names = ", ".join(self._warehouse.quote(column.name) for column in REJECT_COLUMNS)
        named, bound = self._named_files()
        line, record = self._landing.line, self._landing.record
        self._warehouse.execute(
            f'INSERT INTO {self._warehouse.quote(table)} ({names}) SELECT ?, "URI", {line}, {self._bad_column()}, '
            f"{self._bad_reason()}, {record}, CAST(? AS TIMESTAMP_TZ) FROM ({self._landing.query}) AS R {named} "
            f"WHERE NOT ({self._good})",
            [self._load.run_id, self._load.loaded_at, *bound],
        )

    def _write_unreadable(self, table: Table) -> None:
        load = self._load
        rows = [
            (load.run_id, bad.file.shown, bad.line, None, bad.reason, bad.raw, load.loaded_at)
            for bad in self._landing.unreadable
        ]
        if rows:
            self._warehouse.insert(table, [column.name for column in REJECT_COLUMNS], rows)

    def _bad_column(self) -> str:
        return self._of_first_bad(lambda value: text(value.column.name), whole="NULL")

    def _bad_reason(self) -> str:
        why = self._of_first_bad(self._why, whole='"WHOLE"')
        return f"{self._landing.place} || {why}" if self._landing.place else why

    def _of_first_bad(self, say: Callable[[Value], str], *, whole: str | None = None) -> str:
        """SQL of what ``say`` gives for a record's first bad value, or ``whole`` if the record is bad as a whole."""
        form = self._load.source.format
        branches = [f'WHEN "WHOLE" IS NOT NULL THEN {whole}'] if whole else []
        branches += [f"WHEN NOT {is_good(value, form)} THEN {say(value)}" for value in self._landing.values]
        return f"CASE {' '.join(branches)} END"

    def _why(self, value: Value) -> str:
        form = self._load.source.format
        ending = text(f"' is not {expected(value.column, form)}")
        wrong = f"'''' || LEFT({value.text}, 80) || {ending}"
        if not value.column.nullable:
            wrong = f"IFF({there(value)} IS NULL, {text(reason(None, value.column, form))}, {wrong})"
        return f"COALESCE({value.refusal}, {wrong})" if value.refusal else wrong
