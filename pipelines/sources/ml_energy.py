"""ml-energy/leaderboard: one JSON a run, the tables of its first version, parameters of models."""

from __future__ import annotations

from pipelines.readers.tables import Mapping, Raw, Row, table_of
from pipelines.readers.tabular import text_of
from pipelines.sources.source import Landed, Source, by_columns

LEGACY = {"model", "throughput", "response_length", "latency", "energy"}
_legacy = by_columns("ml_energy_legacy", LEGACY)


def recognise(raw: Raw) -> Landed | None:
    """A run names its model and GPU; a list of models gives each a nickname."""
    tree = raw.tree
    if isinstance(tree, Mapping) and tree.keys() >= {"Model", "GPU"}:
        return {"ml_energy": table_of([_row(1, tree)])}
    if isinstance(tree, list) and _are(tree, {"Model", "GPU"}):
        rows = (_row(number, record) for number, record in enumerate(tree, start=1))
        return {"ml_energy": table_of(rows)}
    if isinstance(tree, Mapping) and _are(tree.values(), {"url", "nickname"}):
        rows = (
            _row(number, {"model": name, **facts})
            for number, (name, facts) in enumerate(tree.items(), start=1)
        )
        return {"ml_energy_models": table_of(rows)}
    return _legacy(raw)


def _are(values, keys: set[str]) -> bool:
    values = list(values)
    return bool(values) and all(isinstance(v, Mapping) and v.keys() >= keys for v in values)


def _row(number: int, record: dict) -> Row:
    return Row(number, {key: text_of(value) for key, value in record.items()})


SOURCE = Source(
    name="ml_energy",
    runs=("ml_energy", "ml_energy_legacy"),
    facts=("ml_energy_models",),
    recognise=recognise,
)
