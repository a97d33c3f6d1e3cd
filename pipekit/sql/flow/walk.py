"""The walk: for each scope of a qualified query a ``Relation``, from the tables up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from sqlglot import exp
from sqlglot.optimizer.scope import Scope

from pipekit.names import fold
from pipekit.sql.flow.kept import DISTINCT_AGGREGATES, Kept, is_fixed_by, kept_rows
from pipekit.sql.flow.relation import Columns, Relation
from pipekit.sql.origins import NO_REFS, Origin, Origins, Refs, UnknownOrigin, union

_MOST_ROUNDS = 10  # of a recursive query; each adds what one more step of the recursion brings


class Walk:
    """Finds the relation of each scope once.

    Args:
        bases: The tables that are read, by the names that they have in the query.
        selects: Those around, to which correlated columns may belong.
    """

    def __init__(self, bases: Mapping[str, Relation], selects: dict[int, _Select] | None = None) -> None:
        self._bases = bases
        self._known: dict[int, Relation] = {}
        self._selects: dict[int, _Select] = {} if selects is None else selects

    def of_query(self, root: Scope) -> Origins:
        """The origins of the columns of the whole query."""
        if any(each.is_star for each in root.expression.selects):
            raise UnknownOrigin("it selects * of a table whose columns are not known")
        found = self.relation(root)
        columns = {
            fold(name, str.lower): Origin(origin.direct, (origin.indirect | found.influence) - origin.direct)
            for name, origin in found.columns.items()
        }
        unique = tuple(frozenset(fold(name, str.lower) for name in key) for key in found.unique)
        return Origins(columns, found.influence, unique)

    def relation(self, scope: Scope) -> Relation:
        """What a scope gives."""
        if id(scope) not in self._known:
            self._known[id(scope)] = self._found(scope)
        return self._known[id(scope)]

    def _found(self, scope: Scope) -> Relation:
        if scope.set_operation_scopes:
            return self._of_set(scope)
        if isinstance(scope.expression, exp.Select):
            self._selects[id(scope)] = select = _Select(self, scope)
            return select.relation()
        origin = self.origin(scope, scope.expression)
        return Relation.made_of(origin, origin.all)

    def _of_set(self, scope: Scope) -> Relation:
        left, right = scope.set_operation_scopes
        found = self.relation(left)
        itself = list(_itself(left, right))
        for _ in range(_MOST_ROUNDS if itself else 1):
            # A recursive query reads its own rows: what they are made of is found by going round.
            arm = Walk(self._bases, self._selects)
            arm._known.update({id(each): replace(found, unique=()) for each in itself})
            wider = _together(scope.expression, found, arm.relation(right))
            if wider == found:
                break
            found = wider
        return found

    def source(self, scope: Scope, name: str) -> Relation:
        """What is in FROM or JOIN under a name."""
        source = scope.sources[name]
        if isinstance(source, Scope):
            found = self.relation(source)
            pivots = _pivots(scope, name)
        elif source.name in self._bases:
            found, pivots = self._bases[source.name], source.args.get("pivots")
        else:  # a table function
            origin = self.origin(scope, source)
            return Relation.made_of(origin, origin.all)
        if pivots:
            origin = found.every_column
            return Relation.made_of(origin, found.influence | origin.all)
        return found

    def origin(self, scope: Scope, *nodes: Any) -> Origin:
        """What expressions of a scope are made of."""
        return union(self._origins(scope, nodes))

    def _origins(self, scope: Scope, nodes: Iterable[Any]) -> Iterable[Origin]:
        inner = {id(each.expression): each for each in scope.subquery_scopes}
        waiting = [node for node in nodes if node is not None]
        while waiting:
            node = waiting.pop()
            if id(node) in inner:
                found = self.relation(inner[id(node)])
                yield found.every_column.also_by(found.influence)
            elif isinstance(node, exp.Column):
                yield self._column(scope, node)
            else:
                waiting += node.iter_expressions()

    def _column(self, scope: Scope, column: Any) -> Origin:
        owner: Any = scope
        while owner is not None:
            select = self._selects.get(id(owner))
            if select is not None and column.table in select.inputs:
                return select.inputs[column.table].columns[column.name]
            owner = owner.parent
        select = self._selects.get(id(scope))
        possible = [] if select is None else [each for each in select.inputs.values() if not each.columns.complete]
        if not column.table and len(possible) == 1:
            return possible[0].columns[column.name]
        raise UnknownOrigin(f"it is not known which table the column {column.name.lower()} belongs to")


class _Select:
    """One SELECT, in the order in which SQL means its clauses.

    Attributes:
        inputs: What is in FROM and JOIN, by name.
    """

    def __init__(self, walk: Walk, scope: Scope) -> None:
        self._walk = walk
        self._scope = scope
        self._node = scope.expression
        self._outputs = dict(_by_name(self._node.selects))
        self.inputs: dict[str, Relation] = {}
        self._rows: Refs = NO_REFS
        self._copies: Refs = NO_REFS
        self._keys: tuple[frozenset[tuple[str, str]], ...] = ()

    def relation(self) -> Relation:
        self._from()
        self._rows |= self._refs(self._node.args.get("where"), self._node.args.get("connect"))
        grouped = self._grouped()
        columns, unique = self._columns(grouped), self._unique(grouped)
        single = grouped is not None and not grouped and self._node.args.get("having") is None
        rows, copies = self._rows, self._copies
        if grouped is not None:
            rows, copies = (NO_REFS if single else rows | self._refs(*grouped)), NO_REFS
            rows |= self._refs(self._node.args.get("having"))
        kept = self._kept()
        if kept is not None:
            columns = self._after(kept, columns)
            rows |= kept.decide
            if kept.by:
                copies, unique = NO_REFS, self._named(kept.by)
        if self._node.args.get("distinct") is not None:
            rows |= union(columns.values()).all
            copies, unique = NO_REFS, (frozenset(columns),)
        if self._node.args.get("limit") is not None:
            rows |= self._refs(self._node.args.get("order"))
        return Relation(columns, rows, copies, unique, single)

    def _refs(self, *nodes: Any) -> Refs:
        return self._walk.origin(self._scope, *nodes).all

    # FROM and JOIN ------------------------------------------------------------------------------------------
    def _from(self) -> None:
        first = self._node.args.get("from_")
        if first is None:
            return
        name = first.this.alias_or_name
        self.inputs[name] = found = self._walk.source(self._scope, name)
        self._rows, self._copies = found.rows, found.copies
        self._keys = tuple(frozenset((name, column) for column in key) for key in found.unique)
        if found.single:
            self._rows, self._keys = NO_REFS, (frozenset(),)
        for join in self._node.args.get("joins") or ():
            self._join(join, join.this.alias_or_name)
        for lateral in self._node.args.get("laterals") or ():
            self._join(lateral, lateral.alias_or_name)

    def _join(self, join: Any, name: str) -> None:
        right = self._walk.source(self._scope, name)
        self.inputs[name] = right
        on = self._refs(join.args.get("on"), join.args.get("match_condition"))
        side = str(join.args.get("side") or "").upper()
        if str(join.args.get("kind") or "").upper() in ("SEMI", "ANTI"):
            self._rows |= on | right.rows
            return
        one_each = right.is_unique_by(_equal_columns(join.args.get("on"), name))
        if not one_each:
            self._keys = ()
        if side == "LEFT":
            self.inputs[name] = right.also_by(on | right.influence)
            self._copies |= NO_REFS if one_each else on | right.influence
        elif side in ("RIGHT", "FULL"):
            self._outer(name, right, on, full=side == "FULL")
        elif not (right.single and not on):
            self._rows |= on | right.rows
            self._copies |= right.copies

    def _outer(self, name: str, right: Relation, on: Refs, *, full: bool) -> None:
        """A RIGHT or FULL join: a row of the left may be missing beside one of the right."""
        before = self._rows | self._copies
        for other in self.inputs.keys() - {name}:
            self.inputs[other] = self.inputs[other].also_by(on | before | right.rows)
        if full:
            self.inputs[name] = right.also_by(on | before)
        self._rows = self._rows | on | right.rows if full else right.rows
        self._copies |= on | before | right.copies
        self._keys = ()

    # GROUP BY -----------------------------------------------------------------------------------------------
    def _grouped(self) -> list[Any] | None:
        """The expressions by which rows are grouped; none if all are one group, ``None`` if each stays a row."""
        group = self._node.args.get("group")
        if group is not None:
            parts = [*group.expressions]
            for key in ("grouping_sets", "cube", "rollup"):
                parts += group.args.get(key) or ()
            if group.args.get("all"):
                parts += [each.unalias() for each in self._node.selects if not _aggregates(each)]
            return parts
        return [] if any(_aggregates(each) for each in self._node.selects) else None

    def _columns(self, grouped: list[Any] | None) -> Columns:
        columns = {}
        in_group = self._rows | self._refs(*(grouped or ()))
        for name, each in self._outputs.items():
            origin = self._walk.origin(self._scope, each)
            aggregates = _aggregates(each) if grouped is not None else []
            if aggregates:
                origin = origin.also_by(in_group)
                if not all(_ignores_copies(aggregate) for aggregate in aggregates):
                    origin = origin.also_by(self._copies)
            columns[name] = origin
        return Columns(columns)

    def _unique(self, grouped: list[Any] | None) -> tuple[frozenset[str], ...]:
        if grouped is not None:
            return self._named(grouped)
        plain = {
            (each.unalias().table, each.unalias().name): name
            for name, each in self._outputs.items()
            if isinstance(each.unalias(), exp.Column)
        }
        return tuple(frozenset(plain[part] for part in key) for key in self._keys if key <= plain.keys())

    def _named(self, parts: Iterable[Any]) -> tuple[frozenset[str], ...]:
        """The output columns that are the given expressions, if each of them is one."""
        names = {each.unalias(): name for name, each in self._outputs.items()}
        found = [names.get(part) for part in parts]
        return (frozenset(name for name in found if name is not None),) if None not in found else ()

    # QUALIFY ------------------------------------------------------------------------------------------------
    def _kept(self) -> Kept | None:
        qualify = self._node.args.get("qualify")
        return kept_rows(qualify.this, self._refs) if qualify is not None else None

    def _after(self, kept: Kept, columns: Columns) -> Columns:
        """The columns of the row that is kept of several: which one it is decides about all that is not in the key."""
        done = {}
        for name, each in self._outputs.items():
            origin, fixed = columns[name], list(kept.by)
            for part, refs in kept.order:
                if is_fixed_by(each.unalias(), fixed):
                    break
                origin, fixed = origin.also_by(refs), [*fixed, part]
            else:
                if kept.by and not is_fixed_by(each.unalias(), fixed):
                    origin = origin.also_by(self._copies)
            done[name] = origin
        return Columns(done)


def _by_name(selected: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    """The selected expressions by their names; the second arm of a UNION may have a name twice."""
    taken: set[str] = set()
    for position, each in enumerate(selected):
        name = each.alias_or_name
        yield (f"{name}\0{position}" if name in taken else name), each
        taken.add(name)


def _itself(left: Scope, right: Scope) -> Iterator[Scope]:
    """The scopes by which the second arm of a recursive query reads what the query gives."""
    for scope in right.traverse():
        for source in scope.sources.values():
            if isinstance(source, Scope) and source.expression is left.expression:
                yield source


def _pivots(scope: Scope, name: str) -> Any:
    nodes = (node for node, _ in scope.selected_sources.values() if node.alias_or_name == name)
    return next((node.args.get("pivots") for node in nodes), None)


def _together(node: Any, left: Relation, right: Relation) -> Relation:
    """UNION, EXCEPT or INTERSECT: columns by their position."""
    pairs = zip(left.columns.items(), right.columns.values(), strict=False)
    rows, copies = left.rows | right.rows, left.copies | right.copies
    if isinstance(node, exp.Union):
        columns = Columns({name: first | second for (name, first), second in pairs})
    else:
        columns, copies = left.columns, copies | right.every_column.all
    if not (isinstance(node, exp.Union) and not node.args.get("distinct")):
        rows, copies = rows | copies | left.every_column.all | right.every_column.all, NO_REFS
    return Relation(columns, rows, copies)


def _equal_columns(on: Any, name: str) -> Iterator[str]:
    """Columns of one side that a join sets equal to something of the other."""
    for part in on.flatten() if isinstance(on, exp.And) else [on]:
        for one, other in (
            ((part.this, part.expression), (part.expression, part.this)) if isinstance(part, exp.EQ) else ()
        ):
            around = all(column.table != name for column in other.find_all(exp.Column))
            if isinstance(one, exp.Column) and one.table == name and around:
                yield one.name


def _aggregates(node: Any) -> list[Any]:
    """Aggregates of the rows of a group; not those of a window, and not those of a subquery."""
    found, waiting = [], [node]
    while waiting:
        each = waiting.pop()
        if isinstance(each, exp.Query):
            continue
        if isinstance(each, exp.AggFunc):
            found.append(each)
        elif isinstance(each, exp.Window):
            waiting += each.this.iter_expressions()
        else:
            waiting += each.iter_expressions()
    return found


def _ignores_copies(aggregate: Any) -> bool:
    return isinstance(aggregate, DISTINCT_AGGREGATES) or isinstance(aggregate.this, exp.Distinct)
