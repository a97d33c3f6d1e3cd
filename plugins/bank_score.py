"""A score for each client, added up from the weights of evidence that the step bank_information_value found."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

Bin = dict[str, Any]


def score_clients(clients: pa.Table, bins: pa.Table, key: str, least_information: float = 0.02) -> pa.Table:
    """Score clients as a scorecard does: each column adds the weight of the bin that its value falls into.

    Args:
        clients: One row a client.
        bins: What a step of type ``information_value`` made of that table.
        key: The column of ``clients`` that names the client.
        least_information: Columns with a lower information value do not count.

    Returns:
        The key, ``score`` and ``decile``: 1 for the tenth of the clients with the highest scores.
    """
    import pyarrow as pa  # late: every run imports this file, few runs need Arrow

    card = _card(row for row in bins.to_pylist() if row["information_value"] >= least_information)
    rows = clients.select([key, *card]).to_pylist()
    scored = [(round(sum(_weight(card[name], row[name]) for name in card), 4), row[key]) for row in rows]
    scored.sort(key=lambda pair: (-pair[0], pair[1]))
    return pa.table(
        {
            key: [name for _, name in scored],
            "score": [score for score, _ in scored],
            "decile": [1 + place * 10 // len(scored) for place in range(len(scored))],
        }
    )


def _card(bins: Iterable[Bin]) -> dict[str, list[Bin]]:
    card: dict[str, list[Bin]] = defaultdict(list)
    for row in sorted(bins, key=lambda row: (row["column_name"], row["bin"])):
        card[row["column_name"]].append(row)
    return dict(card)


def _weight(bins: list[Bin], value: Any) -> float:
    labels = {row["label"]: float(row["weight_of_evidence"]) for row in bins if row["label"] is not None}
    if value is None:
        return labels.get("(missing)", 0.0)
    ranges = [row for row in bins if row["low"] is not None]
    if not ranges:
        text = str(value).lower() if isinstance(value, bool) else str(value)
        return labels.get(text, labels.get("(rare values)", 0.0))
    # Bins leave gaps between them: a value in a gap belongs to the bin below it.
    below = [row for row in ranges if row["low"] <= value]
    return float((below or ranges)[-1 if below else 0]["weight_of_evidence"])
