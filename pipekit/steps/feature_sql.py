"""The one SELECT that gives all features of a step, and where in the file a mistake in it is.

Features of one source are computed together, grouped by the entity, before they are joined to the spine, so that no
join multiplies rows. For an entity without rows in that source a count is 0 and any other aggregate NULL.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import takewhile
from typing import Any

from pipekit.errors import TemplateError
from pipekit.names import Table, quote_identifier
from pipekit.sql.text import SqlText
from pipekit.step import Project, Statement
from pipekit.steps.feature_options import Expression, Feature, FeaturesOptions, NamedExpression

_ENTITY = "entity__key"
# Around the text of an expression, with its number; a noncharacter of Unicode, so text does not contain it.
_EDGE = "\ufdd4"
_MARK = re.compile(f"{_EDGE}(\\d*){_EDGE}")
_TEXT, _WORD = re.compile(r"'(?:[^']|'')*'"), re.compile(r"\w+")
_UNGROUPED = "neither in GROUP BY"
_NEEDS_FROM = "a feature that aggregates needs `from`"
_AGGREGATES = (
    r"(?i)\b(sum|count|count_if|avg|min|max|median|mode|stddev\w*|var\w*|any_value|listagg|array_agg|\w+_agg)\s*\("
    r"(?!(?:[^()]|\([^()]*\))*\)\s*over\b)"
)
_LACKS = ": it is not in "
_Path = tuple[str, ...]
_Group = tuple[str, str, str | Expression, str | None]


def statement(options: FeaturesOptions, project: Project) -> Statement:
    """The SELECT that gives all features of a step.

    Raises:
        TemplateError: An expression or a template is not valid.
    """
    sql = _select(options)
    templates = {
        _template_name(f.template): _nested(project, f.template) for f in options.features.values() if f.template
    }
    defaults = {_default_name(options, name): feature.default for name, feature in options.features.items()}
    try:
        return project.statement(sql=_MARK.sub("", sql), names={**templates, **defaults})
    except TemplateError as error:
        inside, around = list(_in_templates(options, project)), list(_in_features(error, sql, options))
        around = [each for each in around if not inside or each.line is not None]
        first, *others = inside + _once(_entity_once(around, options), options)
        first.others = tuple(others)
        raise first from error


def _select(options: FeaturesOptions) -> str:
    """The SELECT, with marks around the texts of the file."""
    parts = [f"spine AS ({_spine(options)})"]
    joins, columns = [], []
    for number, (group, features) in enumerate(_groups(options).items(), 1):
        alias = f"source_{number}"
        parts.append(f"{alias} AS ({_group_sql(group, features, options)})")
        joins.append(f"LEFT JOIN {alias} ON spine.{_name(options.entity_name)} = {alias}.{_name(_ENTITY)}")
        columns += [_joined_column(alias, name, options) for name in features]
    joined = ", ".join(["spine.*", *columns])
    parts.append(f"joined AS (SELECT {joined} FROM spine {' '.join(joins)})")
    wanted = [_name(options.entity_name)]
    for name, feature in options.features.items():
        text = f"({_marked(options, ('features', name, 'sql'))})"
        wanted.append(f"{_or_default(options, name, text)} AS {_name(name)}" if feature.is_own else _name(name))
    last = "SELECT " + ",\n  ".join(wanted) + "\nFROM joined"
    if any(feature.hidden for feature in options.features.values()):
        parts.append(f"computed AS ({last})")
        last = f"SELECT {', '.join(map(_name, [options.entity_name, *options.visible]))}\nFROM computed"
    return "WITH " + ",\n".join(parts) + "\n" + last


def _spine(options: FeaturesOptions) -> str:
    if not isinstance(options.entity, NamedExpression):
        return f"SELECT * FROM {_table(options.from_)}"
    entity = _marked(options, ("entity", "sql"))
    return f"SELECT *, ({entity}) AS {_name(options.entity.name)} FROM {_table(options.from_)}"


def _texts(options: FeaturesOptions) -> Iterator[tuple[_Path, str]]:
    """Every text of the file that becomes a part of the SELECT, with the keys above it."""
    if isinstance(options.entity, NamedExpression):
        yield ("entity", "sql"), options.entity.sql
    for name, feature in options.features.items():
        yield ("features", name, "sql"), feature.sql or ""
        yield ("features", name, "where"), feature.where or ""
        if isinstance(feature.entity, Expression):
            yield ("features", name, "entity", "sql"), feature.entity.sql


def _marked(options: FeaturesOptions, path: _Path) -> str:
    """A text of the file between marks, so that a mistake in the whole statement is found in it."""
    number, text = next((n, text) for n, (at, text) in enumerate(_texts(options)) if at == path)
    end = "\n" if "--" in text else ""  # a comment ends there
    return f"{_EDGE}{number}{_EDGE}{text}{end}{_EDGE}{_EDGE}"


def _groups(options: FeaturesOptions) -> Mapping[_Group, dict[str, Feature]]:
    """Features that one scan can give together: same table, entity and condition, or same template."""
    groups: dict[_Group, dict[str, Feature]] = {}
    for name, feature in options.features.items():
        entity = feature.entity or options.entity_name
        if feature.template:
            groups.setdefault(("template", feature.template, entity, None), {})[name] = feature
        elif feature.from_:
            groups.setdefault(("table", feature.from_, entity, feature.where), {})[name] = feature
    return groups


def _group_sql(group: _Group, features: Mapping[str, Feature], options: FeaturesOptions) -> str:
    kind, origin, entity, where = group
    first = next(iter(features))
    key = _name(entity) if isinstance(entity, str) else f"({_marked(options, ('features', first, 'entity', 'sql'))})"
    if kind == "template":
        names = ", ".join(_name(name) for name in features)
        return f"SELECT {key} AS {_name(_ENTITY)}, {names} FROM ({{{{ {_template_name(origin)} }}}})"
    aggregates = ", ".join(f"{_marked(options, ('features', name, 'sql'))} AS {_name(name)}" for name in features)
    condition = f" WHERE ({_marked(options, ('features', first, 'where'))})" if where is not None else ""
    return f"SELECT {key} AS {_name(_ENTITY)}, {aggregates} FROM {_table(origin)}{condition} GROUP BY {key}"


def _joined_column(alias: str, name: str, options: FeaturesOptions) -> str:
    column, feature = f"{alias}.{_name(name)}", options.features[name]
    if feature.default is not None:
        return f"{_or_default(options, name, column)} AS {_name(name)}"
    return f"COALESCE({column}, 0) AS {_name(name)}" if feature.sql and is_count(feature.sql) else column


def _or_default(options: FeaturesOptions, name: str, text: str) -> str:
    if options.features[name].default is None:
        return text
    return f"COALESCE({text}, {{{{ {_default_name(options, name)} }}}})"


def _default_name(options: FeaturesOptions, name: str) -> str:
    return f"default_{list(options.features).index(name)}"


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


# Places of mistakes -------------------------------------------------------------------------------------------
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
    """The mistakes of the whole statement, those inside a text of the file at their places there."""
    paths = [path for path, _ in _texts(options)]
    for each in (error, *error.others):
        found = _around_features(each, options)
        begin = _begin(marked, (each.line or 0, each.column or 1))
        if begin is not None:
            number, row, column = begin
            moved = (each.column or 1) - (column - 1 if row == each.line else 0)
            reason, hint = _in_words_of_the_file(each, options, paths[number])
            found = TemplateError(reason, line=(each.line or row) - row + 1, column=moved, hint=hint)
            found.key = paths[number]
        yield found


def _around_features(error: TemplateError, options: FeaturesOptions) -> TemplateError:
    """A mistake in what is made around the texts of the features, in words of the file."""
    reason, key, entity = error.reason, "features", options.entity_name
    if _UNGROUPED in reason:
        reason = f"{_NEEDS_FROM}, the table that it counts: there {entity} may repeat"
        return _of_key(TemplateError(reason), key)
    if f"unknown column '{entity}'" in reason:
        where = f"it is not in {options.from_}"
        reason, key = reason.replace("it is not in joined", where).replace(" of spine", f": {where}"), "entity"
        return _of_key(TemplateError(reason, hint=error.hint), key)
    reason, hint = _in_words_of_the_file(error, options)
    return _of_key(TemplateError(reason, hint=hint), key)


def _once(mistakes: list[TemplateError], options: FeaturesOptions) -> list[TemplateError]:
    """The mistakes, with one at each feature that aggregates without ``from``, in place of all that follows from it."""
    aggregating = [
        name for name, each in options.features.items() if each.is_own and re.search(_AGGREGATES, each.sql or "")
    ]
    if not aggregating or not any(each.reason.startswith(_NEEDS_FROM) for each in mistakes):
        return mistakes
    tables = [feature.from_ for feature in options.features.values() if feature.from_]
    place = f"add from: {tables[0]}" if tables else "add from: with the table whose rows it aggregates"
    found = []
    for name in aggregating:
        reason = f"aggregates, and without `from` a feature is computed from one row of {options.from_}"
        found.append(TemplateError(reason, line=1, column=1, hint=place))
        found[-1].key = ("features", name, "sql")
    noted = {each.key for each in found}
    return [*found, *(each for each in mistakes if each.key not in noted and not each.reason.startswith(_NEEDS_FROM))]


def _in_words_of_the_file(error: TemplateError, options: FeaturesOptions, path: _Path = ()) -> tuple[str, str | None]:
    """Reason and hint without the names of the relations that are made around the texts of the features."""
    if _UNGROUPED in error.reason and path[:1] == ("features",):
        if options.features[path[1]].is_own:
            return _NEEDS_FROM, None  # the one that aggregates is to blame, not this one; see _once
        column = error.reason.partition("'")[2].partition("'")[0]
        reason = f"a feature with `from` is one value for each {options.entity_name}, and {column} has many"
        return reason, f"aggregate it, as in max({column}) or sum({column})"
    templates = ", ".join(dict.fromkeys(f.template for f in options.features.values() if f.template))
    reason = error.reason.replace(
        "it is not in joined", f"it is neither a column of {options.from_} nor a feature above it"
    )
    if templates:
        reason = reason.replace("it is not in a query", f"it is not in the result of {templates}")
    hint = _known_above((error.hint or "").replace(f", {_ENTITY}", ""), options, path)
    if reason.startswith("no table here is called") and "joined" in hint:
        hint = f"name columns of {options.from_} and features above it without a table"
    return reason, hint or None


def _known_above(hint: str, options: FeaturesOptions, path: _Path) -> str:
    """The hint without the feature itself and those below it, which it cannot name."""
    before, listed, names = hint.partition("known here: ")
    if not listed or path[:1] != ("features",):
        return hint
    features = list(options.features)
    unseen = {name.lower() for name in features[features.index(path[1]) :]}
    seen = [name for name in names.split(", ") if name.lower() not in unseen]
    return before + listed + ", ".join(seen) if seen else ""


def _entity_once(mistakes: list[TemplateError], options: FeaturesOptions) -> list[TemplateError]:
    """The mistakes, with one about the entity in place of one for each table that has no such column."""
    lacking = [each for each in mistakes if each.key == ("entity",) and _LACKS in each.reason]
    if not lacking:
        return mistakes
    tables = sorted({each.reason.partition(_LACKS)[2] for each in lacking})
    reason = f"unknown column {options.entity_name!r}{_LACKS}{', nor in '.join(tables)}"
    hint = next((each.hint for each in lacking if each.hint), None)
    return [_of_key(TemplateError(reason, hint=hint), "entity"), *(each for each in mistakes if each not in lacking)]


def _of_key(error: TemplateError, key: str) -> TemplateError:
    error.key = (key,)
    return error


def _begin(marked: str, at: tuple[int, int]) -> tuple[int, int, int] | None:
    """Number, line and column of the text of the file that holds a place of the SELECT without marks."""
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


def tables_of(feature: Feature, options: FeaturesOptions, project: Project) -> str:
    """The tables that a feature is made from, for the catalog; of a template those that it reads."""
    return ", ".join(sorted(_tables(feature, options, project)))


def _tables(feature: Feature, options: FeaturesOptions, project: Project) -> set[str]:
    """The same as a set. An expression is made from what the features that it names are made from.

    The spine is named beside them if one of its columns is named, or its columns are not known.
    """
    if feature.template:
        return set(map(str, project.statement(template=feature.template).reads))
    if feature.from_:
        return {feature.from_}
    words = {word.lower() for word in _WORD.findall(_TEXT.sub("", feature.sql or ""))}
    above = takewhile(lambda item: item[1] is not feature, options.features.items())
    named = {name: other for name, other in above if name.lower() in words}
    found = {table for other in named.values() for table in _tables(other, options, project)}
    columns = project.typed_tables(Table.parse(options.from_))
    others = words - {name.lower() for name in named}
    if not found or columns is None or others & {name.lower() for name in columns}:
        found.add(options.from_)
    return found


def made_by(feature: Feature) -> str:
    """How a feature is made, for the catalog: its expression with its condition and default, or its template."""
    parts = [(feature.sql or f"template {feature.template}").strip()]
    if feature.where is not None:
        parts.append(f"where {feature.where.strip()}")
    if feature.default is not None:
        parts.append(f"default {_shown(feature.default)}")
    return "; ".join(parts)


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
