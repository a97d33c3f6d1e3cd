"""CSV files with lines that hold no values, as programs write them that print tables or copy them."""

from __future__ import annotations

from pipekit.testing.contract.cases.case import csv_case

_TEXTS = {"a": "varchar", "b": "varchar"}
_ONE = {"a": "varchar"}
_RULING = "is a ruling of a printed table"

PRINTED_CASES = (
    csv_case("ruling", b"a,b\n---,-----\nx,y\n", (("x", "y"),), ((2, None, _RULING),), columns=_TEXTS),
    csv_case("double_ruling", b"a,b\n===,==\nx,y\n", (("x", "y"),), ((2, None, _RULING),), columns=_TEXTS),
    csv_case(
        "ruling_of_markdown",
        b"| a | b |\n|:---|---:|\n| x | y |\n",
        (("x", "y"),),
        ((2, None, _RULING),),
        columns=_TEXTS,
        format={"delimiter": "|", "trim": True},
        more={"on_extra": "ignore"},
    ),
    csv_case("dashes_for_nothing", b"a,b\n-,--\n-,---x\n", (("-", "--"), ("-", "---x")), columns=_TEXTS),
    csv_case(
        "control_z_behind_the_last_value",
        b"a,b\nx,y\nz,w\x1a",
        (("x", "y"),),
        ((3, None, "control-Z"),),
        columns=_TEXTS,
    ),
    csv_case("control_z_alone", b"a\nx\n\x1a", (("x",),), ((3, None, "control-Z"),), columns=_ONE),
    csv_case("control_z_inside", b"a,b\nx\x1a,\x1ay\n", (("x\x1a", "\x1ay"),), columns=_TEXTS),
    csv_case("end_of_copy", b"a\nx\n\\.\n", (("x",),), ((3, None, "PostgreSQL"),), columns=_ONE),
    csv_case("end_of_copy_is_a_value_beside_others", b"a,b\nx,\\.\n", (("x", "\\."),), columns=_TEXTS),
)
