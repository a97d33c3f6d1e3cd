"""The nearest known name."""

from __future__ import annotations

import pytest

from pipekit.suggestions import did_you_mean, nearest, nearest_key


@pytest.mark.parametrize(
    ("name", "known", "near"),
    [
        ("custmer_id", ["order_id", "customer_id"], "customer_id"),
        ("a", ["a"], None),
        ("name", ["name", "names"], "names"),
        ("zzz", ["customer_id"], None),
        ("x", [], None),
    ],
)
def test_the_nearest_known_name_is_never_the_name_itself(name: str, known: list[str], near: str | None) -> None:
    assert nearest(name, known) == near


def test_the_end_of_a_message() -> None:
    assert did_you_mean("rum", ["run"]) == "; did you mean 'run'?"
    assert did_you_mean("rum", ["show"], otherwise="; one of show") == "; one of show"


KEYS = ["id", "type", "into", "needs", "key", "uri", "description", "delimiter"]


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("ident", None),
        ("nope", None),
        ("entity", None),
        ("kye", "key"),
        ("url", "uri"),
        ("desc", "description"),
        ("delimeter", "delimiter"),
        ("sep", "delimiter"),
        ("need", "needs"),
    ],
)
def test_a_key_is_suggested_only_where_it_is_clearly_meant(name: str, near: str | None) -> None:
    assert nearest_key(name, KEYS) == near
