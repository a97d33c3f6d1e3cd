"""The order of steps: it follows the data."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipekit.pipeline.graph import Graph, GraphStep


def key(names: str) -> frozenset[tuple[str, ...]]:
    return frozenset(("main", name) for name in names.split())


def step(id: str, reads: str = "", writes: str = "", judges: str = "", needs: str = "", tags: str = "") -> GraphStep:
    return GraphStep(id, key(reads), key(writes), key(judges), tuple(needs.split()), tuple(tags.split()))


def needs(*steps: GraphStep, shared: str = "") -> dict[str, set[str]]:
    return {id: set(before) for id, before in Graph(tuple(steps), key(shared)).needs.items()}


def test_readers_wait_for_all_writers_and_then_for_all_checks() -> None:
    found = needs(
        step("reader", reads="t"),
        step("first", writes="t"),
        step("check_a", judges="t"),
        step("second", writes="t"),
        step("check_b", judges="t"),
    )
    assert found == {
        "reader": {"first", "second", "check_a", "check_b"},
        "first": set(),
        "second": {"first"},  # writers of one table run in file order
        "check_a": {"first", "second"},  # and checks do not wait for each other
        "check_b": {"first", "second"},
    }


def test_checks_that_look_at_each_others_tables_do_not_wait_for_each_other() -> None:
    found = needs(
        step("a", writes="t"),
        step("b", writes="u"),
        step("c", judges="t", reads="t u"),
        step("d", judges="u", reads="t u"),
    )
    assert found == {"a": set(), "b": set(), "c": {"a", "b"}, "d": {"a", "b"}}


def test_a_steps_own_table_is_no_edge() -> None:
    assert needs(step("a", reads="t", writes="t")) == {"a": set()}
    found = needs(step("a", writes="t"), step("b", reads="t", writes="t"))
    assert found == {"a": set(), "b": {"a"}}


def test_a_table_that_nobody_writes_is_no_edge_but_its_check_is() -> None:
    assert needs(step("check", judges="t"), step("reader", reads="t")) == {"check": set(), "reader": {"check"}}


def test_needs_add_to_what_the_data_shows() -> None:
    assert needs(step("a"), step("b", writes="t"), step("c", reads="t", needs="a")) == {
        "a": set(),
        "b": set(),
        "c": {"a", "b"},
    }


def test_writers_of_a_shared_table_do_not_wait_for_each_other() -> None:
    later_first = (
        step("a", reads="y", writes="x catalog"),
        step("b", writes="y catalog"),
        step("r", reads="catalog"),
    )
    assert needs(*later_first, shared="catalog") == {"a": {"b"}, "b": set(), "r": {"a", "b"}}
    assert Graph(later_first, key("catalog")).cycle() == []
    assert Graph(later_first).cycle() != []


def test_a_cycle_is_named_in_order() -> None:
    steps = (
        step("a", reads="z", writes="x"),
        step("b", reads="x", writes="y"),
        step("c", reads="y", writes="z"),
        step("d"),
    )
    cycle = Graph(steps).cycle()
    assert cycle[0] == cycle[-1]
    assert set(cycle) == {"a", "b", "c"}
    before = Graph(steps).needs
    assert all(second in before[first] for first, second in itertools.pairwise(cycle))
    assert Graph(steps[1:]).cycle() == []


CHAIN = Graph(
    (
        step("load_a", writes="a", tags="raw daily"),
        step("load_b", writes="b", tags="raw"),
        step("model", reads="a b", writes="m", tags="daily"),
        step("report", reads="m"),
        step("other"),
    )
)


@pytest.mark.parametrize(
    ("include", "exclude", "chosen"),
    [
        ("", "", "load_a load_b model report other"),
        ("model", "", "model"),
        ("+model", "", "load_a load_b model"),
        ("model+", "", "model report"),
        ("+model+", "", "load_a load_b model report"),
        ("load_a+", "", "load_a model report"),
        ("load_*", "", "load_a load_b"),
        ("tag:raw", "", "load_a load_b"),
        ("tag:da*", "", "load_a model"),
        ("tag:raw+", "load_b", "load_a model report"),
        ("", "tag:raw", "model report other"),
        ("", "+model", "report other"),
        ("report other", "", "report other"),
        ("report", "report", ""),
    ],
)
def test_select_and_exclude(include: str, exclude: str, chosen: str) -> None:
    assert CHAIN.select(include.split(), exclude.split()) == set(chosen.split())


@pytest.mark.parametrize("expression", ["nope", "+nope", "tag:nope", "Model", "", "+"])
def test_an_expression_that_names_nothing_is_an_error(expression: str) -> None:
    with pytest.raises(KeyError) as caught:
        CHAIN.select([expression], [])
    assert caught.value.args == (expression,)


def test_steps_that_need_one_another_by_any_detour_are_a_part() -> None:
    assert CHAIN.parts(["load_a", "load_b", "model", "report", "other"]) == [
        ["load_a", "load_b", "model", "report"],
        ["other"],
    ]
    assert CHAIN.parts(["load_b", "load_a"]) == [["load_a"], ["load_b"]], "what lies between them is not chosen"


@pytest.mark.parametrize(
    ("steps", "in_line"), [("load_a model report", True), ("load_a load_b model", False), ("other", True)]
)
def test_steps_in_line_cannot_run_at_once(steps: str, in_line: bool) -> None:
    assert CHAIN.in_line(steps.split()) == in_line


TABLES = st.frozensets(st.sampled_from([("main", name) for name in "abcdefgh"]), max_size=3)


@given(st.lists(st.tuples(TABLES, TABLES, TABLES), max_size=12))
def test_a_graph_has_a_cycle_or_an_order_in_which_each_step_comes_after_what_it_needs(
    tables: list[tuple[frozenset[tuple[str, ...]], ...]],
) -> None:
    steps = tuple(GraphStep(f"s{n}", reads, writes, judges) for n, (reads, writes, judges) in enumerate(tables))
    graph = Graph(steps)
    waiting, order = {id: set(before) for id, before in graph.needs.items()}, []
    while ready := [id for id, before in waiting.items() if not before]:
        order += ready
        waiting = {id: before - set(ready) for id, before in waiting.items() if id not in ready}
    cycle = graph.cycle()
    assert bool(waiting) == bool(cycle)
    if cycle:
        assert all(second in graph.needs[first] for first, second in itertools.pairwise(cycle))
        return
    place = {id: number for number, id in enumerate(order)}
    writers = {table: [s.id for s in steps if table in s.writes] for s in steps for table in s.writes}
    for step_ in steps:
        for table in step_.reads - step_.writes:
            assert all(place[writer] < place[step_.id] for writer in writers.get(table, []))
        for table in step_.writes:
            assert [place[id] for id in writers[table]] == sorted(place[id] for id in writers[table])
