"""What templates share without macros: include with values, set, for; and what a macro is answered."""

from __future__ import annotations

from pathlib import Path

from small_projects import problems, project, query, run_ok, write


def test_a_part_is_included_with_values_that_stay_literals(tmp_path: Path) -> None:
    write(
        tmp_path, "templates/parts/recent.sql", "datediff('day', day, {{ as_of }}) <= {{ days }} and kind <> {{ kind }}"
    )
    sql = (
        "{% set kinds = ['a', \"o'b\"] %}select {% for kind in kinds %}"
        "{% with days = 30 %}{% include 'parts/recent.sql' %}{% endwith %} as {{ ('is_' ~ loop.index) | ident }}"
        "{% if not loop.last %}, {% endif %}{% endfor %} from d"
    )
    path = project(
        tmp_path,
        """
        as_of: 2024-02-01
        steps:
          - {id: d, type: sql, sql: "select to_date('2024-01-20') as day, 'o''b' as kind"}
          - {id: t, type: sql, template: t.sql}
        """,
        templates__t=sql,
    )
    run_ok(path)
    assert query(tmp_path, "select * from t") == [(True, False)]


def test_a_macro_is_refused_with_the_way_out(tmp_path: Path) -> None:
    sql = "{% macro twice(x) %}{{ x }} * 2{% endmacro %}select {{ twice(3) }} as a"
    [line] = problems(project(tmp_path, "steps:\n  - {id: t, type: sql, template: t.sql}\n", templates__t=sql))
    assert "SQL that a template made (a macro, a set block) cannot be put in as a value" in line
    assert "{% include" in line
