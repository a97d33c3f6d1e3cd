"""``type: features``: one row per entity, one column per feature, and a catalog that says what each one means.

Features of one source are computed together, grouped by the entity, before they are joined to the spine, so that no
join multiplies rows. For an entity without rows in that source a count is 0 and any other aggregate NULL.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from pydantic import Field, field_validator, model_validator

from pipekit.errors import TemplateError
from pipekit.materialize.into import Into, TableName
from pipekit.materialize.publish import audit_reads, publish
from pipekit.materialize.rows import STAMPS, merge_values
from pipekit.names import Table, quote_identifier
from pipekit.own_tables import CATALOG, CATALOG_COLUMNS
from pipekit.plugins.hooks import hookimpl
from pipekit.scrubbing import scrub
from pipekit.sql.dialect import OTHER, Dialect
from pipekit.sql.semantics import ColumnTypes
from pipekit.sql.text import SqlText
from pipekit.step import Project, Statement, StepContext, StepOptions, StepResult, StepType, typed


class Feature(StepOptions):
    """One feature.

    Attributes:
        sql: An expression. With ``from_`` an aggregate over that table; without it an expression over the spine
            and the features above it.
        template: A SELECT that returns the entity and a column named like the feature.
        from_: The table to aggregate (``from`` in the file).
        entity: The column of that table, or of the template's result, that holds the entity.
        description: What it means, for the catalog.
        data_type: For the catalog; found out if left out.
        quality: For the catalog; the share of entities that have a value if left out.
    """

    sql: str | None = None
    template: str | None = None
    from_: TableName | None = Field(default=None, alias="from")
    entity: str | None = None
    description: str = ""
    data_type: str | None = None
    quality: str | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Feature:
        if (self.sql is None) == (self.template is None):
            raise ValueError("give either sql or template")
        if self.template and self.from_:
            raise ValueError("from means nothing with template, which names its tables itself")
        if self.entity and not (self.from_ or self.template):
            raise ValueError("entity means nothing without from or template")
        return self


class FeaturesOptions(Into):
    """The keys of a features step, beside those of ``Into``.

    Attributes:
        from_: The spine: a table with one row per entity (``from`` in the file).
        entity: Its column that identifies the entity.
        features: Name to feature, in the order of the columns.
        update_frequency: For the catalog, such as ``daily``.
    """

    from_: TableName = Field(alias="from")
    entity: str
    features: dict[str, Feature] = Field(min_length=1)
    update_frequency: str = "every run"

    @classmethod
    def default_keys(cls, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """The key is the entity, unless the file says otherwise."""
        return {"key": data["entity"]} if "entity" in data else {}

    @field_validator("features")
    @classmethod
    def _distinct(cls, value: dict[str, Feature]) -> dict[str, Feature]:
        seen: set[str] = set()
        for name in value:
            if name.lower() in seen:
                raise ValueError(f"{name!r} is given twice (case does not count)")
            seen.add(name.lower())
        return value


def run(options: FeaturesOptions, context: StepContext) -> StepResult:
    """Compute all features in one statement, publish them, and bring the catalog up to date."""
    rows = publish(context, statement(options, context.project), options, counts=False)
    total = _write_catalog(options, context)
    if rows is None and options.choice.how.remade_as == "table":
        rows = total
    return StepResult(rows, message=f"{len(options.features)} features")


def statement(options: FeaturesOptions, project: Project) -> Statement:
    """The SELECT that gives all features of a step.

    Raises:
        TemplateError: An expression or a template is not valid.
    """
    parts = [f"spine AS (SELECT * FROM {_table(options.from_)})"]
    joins, columns = [], []
    for number, (group, features) in enumerate(_groups(options).items(), 1):
        alias = f"source_{number}"
        entity = next(iter(features.values())).entity or options.entity
        parts.append(f"{alias} AS ({_group_sql(group, features, entity, options)})")
        joins.append(f"LEFT JOIN {alias} ON spine.{_name(options.entity)} = {alias}.{_name(_ENTITY)}")
        columns += [_joined_column(alias, name, feature) for name, feature in features.items()]
    joined = ", ".join(["spine.*", *columns])
    parts.append(f"joined AS (SELECT {joined} FROM spine {' '.join(joins)})")
    wanted = [_name(options.entity)]
    for name, feature in options.features.items():
        own = feature.sql is not None and feature.from_ is None
        wanted.append(f"({_marked(options, name)}) AS {_name(name)}" if own else _name(name))
    sql = "WITH " + ",\n".join(parts) + "\nSELECT " + ",\n  ".join(wanted) + "\nFROM joined"
    templates = {
        _template_name(f.template): _nested(project, f.template) for f in options.features.values() if f.template
    }
    try:
        return project.statement(sql=_MARK.sub("", sql), names=templates)
    except TemplateError as error:
        inside, around = list(_in_templates(options, project)), list(_in_features(error, sql, options))
        first, *others = inside + [each for each in around if not inside or each.line is not None]
        first.others = tuple(others)
        raise first from error


_ENTITY = "entity__key"
# Around the text of a feature, with its number; a noncharacter of Unicode, so text does not contain it.
_EDGE = "\ufdd4"
_MARK = re.compile(f"{_EDGE}(\\d*){_EDGE}")


def _marked(options: FeaturesOptions, name: str) -> str:
    """A feature's text between marks, so that a mistake in the whole statement is found in it."""
    text = options.features[name].sql or ""
    end = "\n" if "--" in text else ""  # a comment ends there
    return f"{_EDGE}{list(options.features).index(name)}{_EDGE}{text}{end}{_EDGE}{_EDGE}"


def _in_templates(options: FeaturesOptions, project: Project) -> Iterator[TemplateError]:
    """Mistakes inside the features' templates, at their places there."""
    for name, feature in options.features.items():
        if feature.template is not None:
            try:
                project.statement(template=feature.template)
            except TemplateError as error:
                for each in (error, *error.others):
                    each.key = ("features", name, "template")
                    yield each


def _in_features(error: TemplateError, marked: str, options: FeaturesOptions) -> Iterator[TemplateError]:
    """The mistakes of the whole statement, those inside a feature's own text at their places there."""
    for each in (error, *error.others):
        found = _around_features(each, options)
        begin = _begin(marked, (each.line or 0, each.column or 1))
        if begin is not None:
            number, row, column = begin
            moved = (each.column or 1) - (column - 1 if row == each.line else 0)
            found = TemplateError(each.reason, line=(each.line or row) - row + 1, column=moved, hint=each.hint)
            found.key = ("features", list(options.features)[number], "sql")
        yield found


def _around_features(error: TemplateError, options: FeaturesOptions) -> TemplateError:
    """A mistake in what is made around the texts of the features, in words of the file."""
    reason, key = error.reason, "features"
    if "neither in GROUP BY" in reason:
        reason = f"a feature that aggregates needs `from`, the table that it counts: there {options.entity} may repeat"
        return _of_key(TemplateError(reason), key)
    if f"unknown column '{options.entity}'" in reason:
        reason, key = reason.replace("it is not in joined", f"it is not in {options.from_}"), "entity"
    return _of_key(TemplateError(reason, hint=error.hint), key)


def _of_key(error: TemplateError, key: str) -> TemplateError:
    error.key = (key,)
    return error


def _begin(marked: str, at: tuple[int, int]) -> tuple[int, int, int] | None:
    """Number, line and column of the feature whose text holds a place of the text without marks."""
    row, column, inside = 1, 1, None
    for number, part in enumerate(_MARK.split(marked)):
        if number % 2:
            inside = (int(part), row, column) if part else None
            continue
        rows = part.split("\n")
        end = (row + len(rows) - 1, len(rows[-1]) + (column if len(rows) == 1 else 1))
        if inside is not None and (row, column) <= at <= end:
            return inside
        row, column = end
    return None


def _groups(options: FeaturesOptions) -> Mapping[tuple[str, ...], dict[str, Feature]]:
    """Features that one scan can give together: same table and entity column, or same template."""
    groups: dict[tuple[str, ...], dict[str, Feature]] = {}
    for name, feature in options.features.items():
        entity = feature.entity or options.entity
        if feature.template:
            groups.setdefault(("template", feature.template, entity), {})[name] = feature
        elif feature.from_:
            groups.setdefault(("table", feature.from_, entity), {})[name] = feature
    return groups


def _group_sql(group: tuple[str, ...], features: Mapping[str, Feature], entity: str, options: FeaturesOptions) -> str:
    if group[0] == "template":
        names = ", ".join(_name(name) for name in features)
        return f"SELECT {_name(entity)} AS {_name(_ENTITY)}, {names} FROM ({{{{ {_template_name(group[1])} }}}})"
    aggregates = ", ".join(f"{_marked(options, name)} AS {_name(name)}" for name in features)
    return f"SELECT {_name(entity)} AS {_name(_ENTITY)}, {aggregates} FROM {_table(group[1])} GROUP BY {_name(entity)}"


def _joined_column(alias: str, name: str, feature: Feature) -> str:
    column = f"{alias}.{_name(name)}"
    return f"COALESCE({column}, 0) AS {_name(name)}" if feature.sql and is_count(feature.sql) else column


_COUNT = re.compile(r"\s*(count|count_if|approx_count_distinct)\s*\(", re.IGNORECASE)
_QUOTED = re.compile(r"'(?:[^'\\]|''|\\.)*'|\"[^\"]*\"", re.DOTALL)


def is_count(expression: str) -> bool:
    """True for a single call of a counting function: an entity without rows then gets 0, not NULL."""
    text = _QUOTED.sub("''", expression).strip()
    if not _COUNT.match(text):
        return False
    depth = 0
    for position, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if character == ")" and depth == 0:
            return position == len(text) - 1
    return False


def _nested(project: Project, template: str) -> SqlText:
    # The line break keeps a comment in the last line from swallowing what follows.
    return SqlText(project.rendered(template).rstrip().removesuffix(";") + "\n")


def _template_name(template: str) -> str:
    return "template_" + re.sub(r"\W", "_", template)


def _name(name: str) -> str:
    return quote_identifier(name, str.upper)


def _table(name: str) -> str:
    return ".".join(_name(part) for part in Table.parse(name).parts)


# The catalog --------------------------------------------------------------------------------------------------
def _type_family(engine_type: str, dialect: Dialect) -> str:
    """The family of a type, the same word on every engine; the engine's own word where it has none."""
    family = dialect.family(engine_type)
    return engine_type.lower() if family == OTHER else family


def _write_catalog(options: FeaturesOptions, context: StepContext) -> int:
    """Bring the catalog up to date, with nothing written if it is; how many rows the table of features has."""
    warehouse, quote = context.warehouse, context.warehouse.quote
    warehouse.create_table(CATALOG, CATALOG_COLUMNS)
    columns = [column for column in CATALOG_COLUMNS if column not in STAMPS]
    total, rows = _catalog_rows(options, context)
    names = ", ".join(quote(column.name) for column in columns)
    sql = f"SELECT {names} FROM {quote(CATALOG)} WHERE {quote('feature_table')} = ?"
    known = {row[1]: tuple(row) for row in warehouse.execute(sql, [options.into]).rows}
    changed = [row for row in rows if known.get(row[1]) != row]
    gone = sorted(known.keys() - options.features.keys())
    # One MERGE is atomic by itself.
    with warehouse.transaction() if gone or not warehouse.dialect.saves_requests else nullcontext():
        if changed:
            merge_values(context, CATALOG, columns, changed, [column.name for column in columns[:2]])
        _forget(options, context, gone)
    return total


def _forget(options: FeaturesOptions, context: StepContext, gone: Sequence[str]) -> None:
    """A feature that the file no longer declares has no place in the catalog."""
    if gone:
        quote, marks = context.warehouse.quote, ", ".join("?" * len(gone))
        context.warehouse.execute(
            f"DELETE FROM {quote(CATALOG)} WHERE {quote('feature_table')} = ? AND {quote('feature_name')} IN ({marks})",
            [options.into, *gone],
        )


def _catalog_rows(options: FeaturesOptions, context: StepContext) -> tuple[int, list[tuple[Any, ...]]]:
    table = Table.parse(options.into)
    types = {column.name: column.type for column in context.warehouse.columns(table)}
    total, filled = _filled(options, context, table)
    return total, [
        (
            options.into,
            name,
            scrub(feature.description),
            feature.data_type or _type_family(types[context.warehouse.fold(name)], context.warehouse.dialect),
            _source_of(options, feature),
            (feature.sql or f"template {feature.template}").strip(),
            options.update_frequency,
            feature.quality or share,
        )
        for (name, feature), share in zip(options.features.items(), filled, strict=True)
    ]


def _filled(options: FeaturesOptions, context: StepContext, table: Table) -> tuple[int, list[str]]:
    """The rows of the table, and for each feature the share of them that have a value."""
    quote = context.warehouse.quote
    counts = ", ".join(f"count({quote(name)})" for name in options.features)
    total, *filled = context.warehouse.execute(f"SELECT count(*), {counts} FROM {quote(table)}").rows[0]
    return total, [f"{100 * count / total:.2f}% filled" if total else "no rows" for count in filled]


def _source_of(options: FeaturesOptions, feature: Feature) -> str:
    return feature.from_ or (f"template {feature.template}" if feature.template else options.from_)


def _reads(options: FeaturesOptions, project: Project) -> Iterable[str]:
    return [*map(str, statement(options, project).reads), *audit_reads(options.audit, project)]


def _writes(options: FeaturesOptions, project: Project) -> Sequence[str]:
    return (options.into, str(CATALOG))


def _columns(options: FeaturesOptions, project: Project) -> ColumnTypes | None:
    return typed(statement(options, project))


@hookimpl
def pipekit_step_types() -> list[StepType[FeaturesOptions]]:
    """The ``features`` step type."""
    return [StepType("features", FeaturesOptions, run, _reads, _writes, columns=_columns)]
