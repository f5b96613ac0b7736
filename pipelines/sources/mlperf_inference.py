"""MLPerf Inference: `summary_results.json` of a round, and the summaries that vendors publish."""

from __future__ import annotations

from pipelines.readers.tables import Mapping, Raw, Row, table_of
from pipelines.readers.tabular import text_of
from pipelines.sources.source import Landed, Source, by_columns

TABLE = "mlperf_inference"
RECORD = {"Model", "Scenario", "Performance_Result"}
_by_columns = by_columns(TABLE, {"Model", "Scenario", "Result", "Units"}, RECORD)


def recognise(raw: Raw) -> Landed | None:
    """A list of records, or a table with the columns of one."""
    records = raw.tree if isinstance(raw.tree, list) else []
    if any(isinstance(record, Mapping) and record.keys() >= RECORD for record in records):
        return {TABLE: table_of(_row(number, record) for number, record in enumerate(records, 1))}
    return _by_columns(raw)


def _row(number: int, record: object) -> Row:
    if not isinstance(record, Mapping):
        return Row(number, {"__problem": f"expected a record, found {str(record)[:40]!r}"})
    return Row(number, {key: text_of(value) for key, value in record.items()})


SOURCE = Source(name=TABLE, runs=(TABLE,), facts=(), recognise=recognise)
