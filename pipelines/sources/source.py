"""What a source is to landing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from pipelines.readers.tables import Raw, Table

Landed = dict[str, Table]


class Source(NamedTuple):
    """A publisher of benchmark tables.

    Attributes
    ----------
    name
        Also its folder under `dbt_project/models/staging`.
    runs
        Landing tables with one benchmark run a row: every row is accounted for.
    facts
        Landing tables that describe devices, models, prices and the like.
    recognise
        Tables of a file by landing table, `None` where the file is not of this source. It judges by
        content; a name may only add what the content lacks.
    """

    name: str
    runs: tuple[str, ...]
    facts: tuple[str, ...]
    recognise: Callable[[Raw], Landed | None]


def by_columns(landing_table: str, *required: Iterable[str]) -> Callable[[Raw], Landed | None]:
    """Recognise files that are one table whose header has all names of one of the given sets."""

    def recognise(raw: Raw) -> Landed | None:
        for table in raw.tables[:1]:
            if any(set(names) <= set(table.columns) for names in required):
                return {landing_table: table}
        return None

    return recognise
